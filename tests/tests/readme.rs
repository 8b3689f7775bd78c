//! The README contains the same code as the examples, which are compiled and run.

use std::path::Path;

#[test]
fn readme_contains_the_files_of_the_hello_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let files =
        ["Cargo.toml", "build.rs", "kaa/hello.kaa", "src/lib.rs", "src/bin/server.rs", "src/bin/client.rs"];
    for file in files {
        let content = std::fs::read_to_string(root.join("examples/hello").join(file)).unwrap();
        let (_, rest) = readme.split_once(&format!("\n`{file}`\n\n```")).expect(file);
        let (_, block) = rest.split_once('\n').unwrap();
        let (block, _) = block.split_once("\n```").unwrap();
        assert_eq!(block, content.trim_end(), "README.md differs from {file}");
    }
}

#[test]
fn readme_manifest_matches_a_copied_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let manifest = std::fs::read_to_string(root.join("examples/chat/Cargo.toml")).unwrap();
    let (_, section) = readme.split_once("\n## Begin with an example\n").unwrap();
    let (_, block) = section.split_once("```toml\n").unwrap();
    let (copy, _) = block.split_once("```").unwrap();
    assert!(!copy.contains("workspace"), "{copy}");
    let names = |text: &str| -> Vec<String> {
        let (_, dependencies) = text.split_once("\n[dependencies]\n").unwrap();
        let lines = dependencies.lines().filter(|line| line.contains('='));
        lines.map(|line| line.split([' ', '.']).next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(copy), names(&manifest));
    for line in manifest.lines().filter(|line| line.contains("features")) {
        let (_, features) = line.split_once("features").unwrap();
        assert!(copy.contains(features), "the README lacks features{features}");
    }
}

#[test]
fn hello_example_is_short() {
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
    let files = ["build.rs", "kaa/hello.kaa", "src/lib.rs", "src/bin/server.rs", "src/bin/client.rs"];
    let lines: usize =
        files.iter().map(|file| std::fs::read_to_string(hello.join(file)).unwrap().lines().count()).sum();
    assert!(lines < 60, "{lines} lines");
}
