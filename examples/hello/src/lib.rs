kaa_rpc_runtime::include_kaa!();
