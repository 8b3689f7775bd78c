//! What the fuzz targets share.

/// Types that reach every rule of the payload encoding.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}
