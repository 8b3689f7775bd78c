//! One folder per subject: a text and the formatted text. `KAA_BLESS=1` accepts the actual result.

use std::fs;
use std::path::Path;

use crate::comparison::check;

#[test]
fn fixtures_format_as_expected() {
    let bless = std::env::var_os("KAA_BLESS").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format");
    let mut count = 0;
    for entry in fs::read_dir(root).expect("the fixtures") {
        let folder = entry.expect("an entry").path();
        let formatted = check(&fs::read_to_string(folder.join("in.kaa")).expect("a text"));
        let expected = folder.join("out.kaa");
        if bless {
            fs::write(expected, formatted).expect("the expectation is written");
        } else {
            let expected = fs::read_to_string(expected).expect("an expectation");
            assert_eq!(formatted, expected, "{}", folder.display());
        }
        count += 1;
    }
    assert!(count >= 10, "only {count} fixtures");
}
