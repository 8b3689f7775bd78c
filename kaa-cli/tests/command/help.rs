//! Every help page is a snapshot, and has examples.

use crate::support::Folder;

pub(crate) const COMMANDS: [&str; 10] =
    ["", "check", "explain", "fmt", "lint", "breaking", "freeze", "generate rust", "schema", "completions"];

#[test]
fn help_pages_match_snapshots() {
    let folder = Folder::new([]);
    for command in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let run = folder.kaa(&words);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{command}");
        assert!(run.stdout.contains("Examples:\n  kaa "), "{command} has no example");
        let name = format!("help_{}", command.replace(' ', "_"));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "../snapshots" }, {
            insta::assert_snapshot!(name, run.stdout);
        });
    }
}

#[test]
fn every_subcommand_is_listed_here() {
    let help = Folder::new([]).kaa(["-h"]).stdout;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let listed: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    let known: Vec<&str> = COMMANDS.iter().filter_map(|command| command.split(' ').next()).skip(1).collect();
    assert_eq!(listed, known);
}

#[test]
fn completions_include_every_subcommand() {
    let folder = Folder::new([]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = folder.kaa(["completions", shell]);
        assert_eq!(run.code, 0);
        for command in COMMANDS.iter().filter_map(|command| command.split(' ').next()) {
            assert!(run.stdout.contains(command), "{shell} does not complete {command}");
        }
    }
    assert_eq!(folder.kaa(["completions", "tcsh"]).code, 2);
}
