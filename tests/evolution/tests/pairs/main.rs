//! Two generations of a schema meet over a socket, in both ways and with calls in both directions: what is compatible
//! works, with defaults filled in and unknowns kept; what is not is refused when they connect, and both ends say what
//! it is.
//!
//! A pair is a folder in `pairs`: the trees `old` and `new`, `calls.rs`, and `report.txt`, which holds what both ends are
//! told where the generations are refused: for a compatible pair under `Compatibility::Exact`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::clone_on_copy,
    reason = "a test that cannot go on has failed; whether a `Thing` can be copied is nothing that pairs are about"
)]

mod calls;
mod echo;
mod verdict;

#[path = "../../pairs/alias_introduced/calls.rs"]
mod alias_introduced;
#[path = "../../pairs/array_length/calls.rs"]
mod array_length;
#[path = "../../pairs/bound_narrowed/calls.rs"]
mod bound_narrowed;
#[path = "../../pairs/bound_widened/calls.rs"]
mod bound_widened;
#[path = "../../pairs/enum_sealed/calls.rs"]
mod enum_sealed;
#[path = "../../pairs/error_payload/calls.rs"]
mod error_payload;
#[path = "../../pairs/error_variant_add/calls.rs"]
mod error_variant_add;
#[path = "../../pairs/field_append_default/calls.rs"]
mod field_append_default;
#[path = "../../pairs/field_append_option/calls.rs"]
mod field_append_option;
#[path = "../../pairs/field_append_required/calls.rs"]
mod field_append_required;
#[path = "../../pairs/field_default_changed/calls.rs"]
mod field_default_changed;
#[path = "../../pairs/field_default_given/calls.rs"]
mod field_default_given;
#[path = "../../pairs/field_insert/calls.rs"]
mod field_insert;
#[path = "../../pairs/field_optionality/calls.rs"]
mod field_optionality;
#[path = "../../pairs/field_remove/calls.rs"]
mod field_remove;
#[path = "../../pairs/field_remove_default/calls.rs"]
mod field_remove_default;
#[path = "../../pairs/field_rename/calls.rs"]
mod field_rename;
#[path = "../../pairs/field_rename_selector/calls.rs"]
mod field_rename_selector;
#[path = "../../pairs/field_reorder/calls.rs"]
mod field_reorder;
#[path = "../../pairs/field_retype/calls.rs"]
mod field_retype;
#[path = "../../pairs/field_tombstone/calls.rs"]
mod field_tombstone;
#[path = "../../pairs/flag_add/calls.rs"]
mod flag_add;
#[path = "../../pairs/flag_rename/calls.rs"]
mod flag_rename;
#[path = "../../pairs/flag_value/calls.rs"]
mod flag_value;
#[path = "../../pairs/flags_widened/calls.rs"]
mod flags_widened;
#[path = "../../pairs/interface_add/calls.rs"]
mod interface_add;
#[path = "../../pairs/interface_extracted/calls.rs"]
mod interface_extracted;
#[path = "../../pairs/interface_grown/calls.rs"]
mod interface_grown;
#[path = "../../pairs/map_key/calls.rs"]
mod map_key;
#[path = "../../pairs/method_add/calls.rs"]
mod method_add;
#[path = "../../pairs/method_moved/calls.rs"]
mod method_moved;
#[path = "../../pairs/method_oneway/calls.rs"]
mod method_oneway;
#[path = "../../pairs/method_remove/calls.rs"]
mod method_remove;
#[path = "../../pairs/method_rename/calls.rs"]
mod method_rename;
#[path = "../../pairs/method_rename_selector/calls.rs"]
mod method_rename_selector;
#[path = "../../pairs/method_reserve/calls.rs"]
mod method_reserve;
#[path = "../../pairs/method_result/calls.rs"]
mod method_result;
#[path = "../../pairs/method_result_given/calls.rs"]
mod method_result_given;
#[path = "../../pairs/nested_append/calls.rs"]
mod nested_append;
#[path = "../../pairs/newtype_inner/calls.rs"]
mod newtype_inner;
#[path = "../../pairs/newtype_introduced/calls.rs"]
mod newtype_introduced;
#[path = "../../pairs/oneway_add/calls.rs"]
mod oneway_add;
#[path = "../../pairs/parameter_append/calls.rs"]
mod parameter_append;
#[path = "../../pairs/parameter_append_required/calls.rs"]
mod parameter_append_required;
#[path = "../../pairs/parameter_default_changed/calls.rs"]
mod parameter_default_changed;
#[path = "../../pairs/parameter_insert/calls.rs"]
mod parameter_insert;
#[path = "../../pairs/parameter_optionality/calls.rs"]
mod parameter_optionality;
#[path = "../../pairs/parameter_remove/calls.rs"]
mod parameter_remove;
#[path = "../../pairs/parameter_rename/calls.rs"]
mod parameter_rename;
#[path = "../../pairs/parameter_reorder/calls.rs"]
mod parameter_reorder;
#[path = "../../pairs/parameter_retype/calls.rs"]
mod parameter_retype;
#[path = "../../pairs/parameter_tombstone/calls.rs"]
mod parameter_tombstone;
#[path = "../../pairs/promises_given/calls.rs"]
mod promises_given;
#[path = "../../pairs/recursive_append/calls.rs"]
mod recursive_append;
#[path = "../../pairs/recursive_variant_add/calls.rs"]
mod recursive_variant_add;
#[path = "../../pairs/sealed_struct_append/calls.rs"]
mod sealed_struct_append;
#[path = "../../pairs/service_add/calls.rs"]
mod service_add;
#[path = "../../pairs/service_remove/calls.rs"]
mod service_remove;
#[path = "../../pairs/set_to_vec/calls.rs"]
mod set_to_vec;
#[path = "../../pairs/stream_error_variant_add/calls.rs"]
mod stream_error_variant_add;
#[path = "../../pairs/stream_item_append/calls.rs"]
mod stream_item_append;
#[path = "../../pairs/stream_item_retype/calls.rs"]
mod stream_item_retype;
#[path = "../../pairs/stream_parameter/calls.rs"]
mod stream_parameter;
#[path = "../../pairs/stream_parameter_rename/calls.rs"]
mod stream_parameter_rename;
#[path = "../../pairs/stream_result/calls.rs"]
mod stream_result;
#[path = "../../pairs/struct_sealed/calls.rs"]
mod struct_sealed;
#[path = "../../pairs/struct_to_enum/calls.rs"]
mod struct_to_enum;
#[path = "../../pairs/throws_added/calls.rs"]
mod throws_added;
#[path = "../../pairs/throws_changed/calls.rs"]
mod throws_changed;
#[path = "../../pairs/throws_removed/calls.rs"]
mod throws_removed;
#[path = "../../pairs/type_rename/calls.rs"]
mod type_rename;
#[path = "../../pairs/type_rename_selector/calls.rs"]
mod type_rename_selector;
#[path = "../../pairs/variant_add/calls.rs"]
mod variant_add;
#[path = "../../pairs/variant_add_sealed/calls.rs"]
mod variant_add_sealed;
#[path = "../../pairs/variant_payload/calls.rs"]
mod variant_payload;
#[path = "../../pairs/variant_payload_append/calls.rs"]
mod variant_payload_append;
#[path = "../../pairs/variant_rename/calls.rs"]
mod variant_rename;
#[path = "../../pairs/variant_rename_selector/calls.rs"]
mod variant_rename_selector;
#[path = "../../pairs/variant_reserve/calls.rs"]
mod variant_reserve;
#[path = "../../pairs/variant_retag/calls.rs"]
mod variant_retag;
#[path = "../../pairs/variant_swap/calls.rs"]
mod variant_swap;
#[path = "../../pairs/variant_tuple_to_record/calls.rs"]
mod variant_tuple_to_record;
#[path = "../../pairs/variant_unit_to_payload/calls.rs"]
mod variant_unit_to_payload;
#[path = "../../pairs/written_otherwise/calls.rs"]
mod written_otherwise;

/// Imports both generations of a pair, whose service is `Meeting`, and tests how they get along.
macro_rules! pair {
    ($name:ident, $verdict:ident) => {
        #[allow(
            unused_imports,
            reason = "many pairs are refused, and nothing more happens between them"
        )]
        use kaa_rpc_evolution::$name::{new::pair as new, old::pair as old};

        /// Serves nothing.
        struct Nobody;

        impl old::MeetingServer for Nobody {}
        impl old::MeetingClient for Nobody {}
        impl new::MeetingServer for Nobody {}
        impl new::MeetingClient for Nobody {}

        #[tokio::test]
        async fn verdict() {
            use crate::verdict::{Generation, Verdict, check};
            let old = Generation {
                server: || old::Meeting::server(Nobody),
                client: || old::Meeting::client(Nobody),
            };
            let new = Generation {
                server: || new::Meeting::server(Nobody),
                client: || new::Meeting::client(Nobody),
            };
            check(stringify!($name), Verdict::$verdict, &old, &new).await;
        }
    };
}

use pair;

/// A pair that nobody runs, or that the language's reference does not name, is no proof of anything.
#[test]
fn every_pair_is_tested_and_documented() {
    let here = include_str!("main.rs");
    let reference = include_str!("../../../../docs/idl.md");
    for entry in std::fs::read_dir(verdict::folder()).unwrap() {
        let folder = entry.unwrap();
        let name = folder.file_name().into_string().unwrap();
        assert!(here.contains(&format!("\nmod {name};\n")), "{name} is not run");
        let calls = std::fs::read_to_string(folder.path().join("calls.rs")).unwrap();
        let (_, rest) =
            calls.split_once(&format!("pair!({name}, ")).expect("the folder's name is the pair's");
        let verdict = rest.split_once(')').unwrap().0.to_lowercase();
        let row = format!("\n| `{name}` | {verdict} | ");
        assert!(reference.contains(&row), "docs/idl.md has no row {row}");
    }
}
