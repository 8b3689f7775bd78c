//! Any Schema frame is accepted or rejected, without a panic.
#![no_main]

use kaa_rpc_fuzz::api::everything::TargetServerProxy;
use kaa_rpc_runtime::Proxy;
use kaa_rpc_runtime::protocol::schema::{Compatibility, SchemaExchange, SchemaMessage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (mut exchange, _summary) =
        SchemaExchange::begin(&[TargetServerProxy::SERVICE], false, Compatibility::Exact);
    let _summary = exchange.handle(SchemaMessage::Summary, data);
    let _table = exchange.handle(SchemaMessage::Table, data);
});
