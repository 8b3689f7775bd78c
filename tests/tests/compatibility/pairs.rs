//! The pairs of generations that meet over sockets, in `tests/evolution/pairs`: what works there breaks no rule that
//! peers notice, and what is refused there breaks one. There, values go both ways through the codec.

use std::fs;
use std::path::Path;

use kaa_idl::compatibility::ConnectOutcome;
use kaa_idl::schema::Schema;
use kaa_idl::{DiskSource, RenderStyle, compile};

use super::generations::{connect, wire_findings};

fn generation(folder: &Path) -> Schema {
    let compilation = compile(&DiskSource::new([folder]));
    compilation.schema().unwrap_or_else(|| panic!("{}", compilation.render(RenderStyle::Plain))).clone()
}

/// Whether the pair's own test says that the two refuse each other.
fn is_refused(pair: &Path) -> bool {
    let calls = fs::read_to_string(pair.join("calls.rs")).unwrap();
    let name = pair.file_name().unwrap().to_str().unwrap();
    let (_, verdict) = calls.split_once(&format!("crate::pair!({name}, ")).unwrap();
    verdict.starts_with("Refused)")
}

#[test]
fn pairs_over_sockets_are_judged_alike() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("evolution/pairs");
    let mut pairs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pairs.sort();
    assert!(pairs.len() > 25);
    for pair in pairs {
        let (old, new) = (generation(&pair.join("old")), generation(&pair.join("new")));
        let findings = wire_findings(&old, &new);
        let refused = is_refused(&pair);
        let said = connect(&old, &new);
        assert_eq!(said.each_ref().map(Option::is_some), [refused; 2], "{}", pair.display());
        let notices = |connect_outcome| {
            findings.iter().any(|finding| finding.rule.connect_outcome() == connect_outcome)
        };
        assert!(!notices(ConnectOutcome::Refused) || refused, "{}: {findings:?}", pair.display());
        let may_refuse = notices(ConnectOutcome::Refused) || notices(ConnectOutcome::Depends);
        assert!(may_refuse || !refused, "{}: {findings:?}", pair.display());
    }
}
