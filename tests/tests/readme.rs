//! What the README shows is what the example holds, which is built and run.

use std::path::Path;

#[test]
fn the_readme_shows_the_files_of_the_hello_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let files =
        ["Cargo.toml", "build.rs", "kaa/hello.kaa", "src/lib.rs", "src/bin/server.rs", "src/bin/client.rs"];
    for file in files {
        let content = std::fs::read_to_string(root.join("examples/hello").join(file)).unwrap();
        let (_, behind) = readme.split_once(&format!("\n`{file}`\n\n```")).expect(file);
        let (_, block) = behind.split_once('\n').unwrap();
        let (block, _) = block.split_once("\n```").unwrap();
        assert_eq!(block, content.trim_end(), "README.md shows another {file}");
    }
}

#[test]
fn the_hello_example_is_short() {
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
    let files = ["build.rs", "kaa/hello.kaa", "src/lib.rs", "src/bin/server.rs", "src/bin/client.rs"];
    let lines: usize =
        files.iter().map(|file| std::fs::read_to_string(hello.join(file)).unwrap().lines().count()).sum();
    assert!(lines < 60, "{lines} lines");
}
