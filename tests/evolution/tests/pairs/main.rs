//! Two generations of a schema connect over a socket, in both roles and with calls in both directions. Compatible
//! generations work together: defaults are filled in, and unknown values are kept. Incompatible ones are refused when
//! they connect, and both peers report the difference.
//!
//! A pair is a directory in `pairs` with the schema trees `old` and `new`, and with `report.txt`: the errors of both peers
//! when the generations refuse each other (for a compatible pair with `Compatibility::Exact`). Its tests are in `cases`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::clone_on_copy,
    reason = "a test fails by panicking; whether a `Thing` is `Copy` differs between pairs"
)]

mod calls;
mod cases;
mod echo;
mod verdict;

/// Imports both generations of a pair, whose service is `Meeting`, and tests the verdict.
macro_rules! pair {
    ($name:ident, $verdict:ident) => {
        #[allow(unused_imports, reason = "the generations of a refused pair make no calls")]
        use kaa_rpc_evolution::$name::{new::pair as new, old::pair as old};

        /// Answers every method with its default stub.
        struct Stub;

        impl old::MeetingServer for Stub {}
        impl old::MeetingClient for Stub {}
        impl new::MeetingServer for Stub {}
        impl new::MeetingClient for Stub {}

        #[tokio::test]
        async fn generations_have_the_expected_verdict() {
            use crate::verdict::{Generation, Verdict, check};
            let old =
                Generation { server: || old::Meeting::server(Stub), client: || old::Meeting::client(Stub) };
            let new =
                Generation { server: || new::Meeting::server(Stub), client: || new::Meeting::client(Stub) };
            check(stringify!($name), Verdict::$verdict, &old, &new).await;
        }
    };
}

use pair;

/// Every directory in `pairs` has a module in `cases`, and a row in the reference of the language.
#[test]
fn every_pair_is_tested_and_documented() {
    let modules = include_str!("cases/mod.rs");
    let reference = include_str!("../../../../docs/idl.md");
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pairs/cases");
    for entry in std::fs::read_dir(verdict::pairs_directory()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(modules.contains(&format!("\nmod {name};\n")), "{name} is not tested");
        let case = std::fs::read_to_string(cases.join(format!("{name}.rs"))).unwrap();
        let (_, rest) =
            case.split_once(&format!("pair!({name}, ")).expect("`pair!` has the name of the pair");
        let verdict = rest.split_once(')').unwrap().0.to_lowercase();
        let row = format!("\n| `{name}` | {verdict} | ");
        assert!(reference.contains(&row), "docs/idl.md has no row {row}");
    }
}
