//! The pairs of generations in `tests/evolution/pairs`, which are tested over sockets there: a compatible
//! pair breaks no rule that peers notice, and a refused pair breaks one.

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

/// Whether the pair's own test expects that the generations refuse each other.
fn is_refused(pair: &Path) -> bool {
    let name = pair.file_name().unwrap().to_str().unwrap();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("evolution/tests/pairs/cases/{name}.rs"));
    let case = fs::read_to_string(case).unwrap();
    let (_, verdict) = case.split_once(&format!("crate::pair!({name}, ")).unwrap();
    verdict.starts_with("Refused)")
}

#[test]
fn rules_agree_with_the_pairs_that_meet_over_sockets() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("evolution/pairs");
    let mut pairs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pairs.sort();
    assert!(pairs.len() > 25);
    for pair in pairs {
        let (old, new) = (generation(&pair.join("old")), generation(&pair.join("new")));
        let findings = wire_findings(&old, &new);
        let refused = is_refused(&pair);
        let refusals = connect(&old, &new);
        assert_eq!(
            refusals.each_ref().map(Option::is_some),
            [refused; 2],
            "{}: {refusals:?}",
            pair.display()
        );
        let breaks_rule = |connect_outcome| {
            findings.iter().any(|finding| finding.rule.connect_outcome() == connect_outcome)
        };
        assert!(!breaks_rule(ConnectOutcome::Refused) || refused, "{}: {findings:?}", pair.display());
        let may_refuse = breaks_rule(ConnectOutcome::Refused) || breaks_rule(ConnectOutcome::Depends);
        assert!(may_refuse || !refused, "{}: {findings:?}", pair.display());
    }
}
