//! The steps of the demo.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use super::processes::{Demo, DemoError, Ending};

/// Files for the server to find.
const MEDIA: [&str; 5] = [
    "films/Nosferatu.mkv",
    "music/Blue in Green.flac",
    "music/So What.mp3",
    "notes.txt",
    "pictures/Harbour.jpg",
];

/// Runs the whole demo.
pub(crate) fn run() -> ExitCode {
    match run_steps() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _closed = writeln!(io::stderr(), "beacon-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the usage: the demo takes no arguments.
pub(crate) fn print_usage() -> ExitCode {
    let text = "Runs a beacon-server and several beacon-clients, and prints the calls between them.\n\n\
                Usage: beacon-demo\n       beacon-demo server …    as beacon-server\n       \
                beacon-demo client …    as beacon-client";
    let _closed = writeln!(io::stderr(), "{text}");
    ExitCode::from(2)
}

fn run_steps() -> Result<(), DemoError> {
    let mut demo = Demo::new()?;
    let media = demo.directory().join("media");
    for file in MEDIA {
        let file = media.join(file);
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, "not really a film or a song")?;
    }
    let folder = media.display().to_string();

    demo.start_server(
        "The server starts, with a new database and a new secret.",
        "; the database has 0 items",
    )?;
    demo.start_watcher(
        "A client monitors all audio items: it gets them now, and every later change.",
        &["watch", "--kind", "audio"],
    )?;
    let scan = ["scan", &folder];
    demo.run_client(
        "A second client lets the server read a directory. The server notifies the first client of its matches.",
        &scan,
        Ending::Success("5 created, 0 updated, 0 deleted"),
        &["created #2 audio \"Blue in Green\"", "created #3 audio \"So What\""],
    )?;
    demo.run_client(
        "A client creates an item by hand.",
        &["add", "--kind", "audio", "Evening radio"],
        Ending::Success("#6 audio"),
        &["created #6 audio \"Evening radio\""],
    )?;
    demo.run_client(
        "A client changes it.",
        &["set", "6", "--title", "Night radio"],
        Ending::Success("#6 audio"),
        &["updated #6 audio \"Night radio\""],
    )?;
    demo.run_client(
        "Before the server deletes an item, it calls its caller back. This client answers no.",
        &["delete", "6", "--no"],
        Ending::Failure("the deletion of item 6 was not confirmed"),
        &[],
    )?;
    demo.run_client(
        "This client answers yes.",
        &["delete", "6", "--yes"],
        Ending::Success("deleted #6"),
        &["deleted #6 audio \"Night radio\""],
    )?;
    demo.run_refused_client("A client with a wrong secret is refused, and both sides report it.", &["list"])?;
    fs::remove_file(media.join("music/So What.mp3"))?;
    fs::write(media.join("music/Naima.ogg"), "not really a song either")?;
    demo.run_client(
        "One song was removed from the disk and another added. The server reads the directory again.",
        &scan,
        Ending::Success("1 created, 0 updated, 1 deleted"),
        &["created #7 audio \"Naima\"", "deleted #3 audio \"So What\""],
    )?;
    demo.stop_server(
        "A client stops the server, which shuts down all connections.",
        &["shutdown"],
        &["the server has stopped"],
    )?;
    demo.start_server("The server starts again. Its items are still there.", "; the database has 5 items")?;
    demo.run_client("", &["list"], Ending::Success("5 items"), &[])?;
    demo.stop_server("The server stops.", &["shutdown"], &[])?;
    demo.finish()
}
