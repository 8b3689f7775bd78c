//! What the demo shows, scene by scene.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use super::stage::{DemoError, Ending, Stage};

/// Made-up files to be found.
const MEDIA: [&str; 5] = [
    "films/Nosferatu.mkv",
    "music/Blue in Green.flac",
    "music/So What.mp3",
    "notes.txt",
    "pictures/Harbour.jpg",
];

/// Plays the whole demo.
pub(crate) fn run() -> ExitCode {
    match play() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unsaid = writeln!(io::stderr(), "beacon-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says what the demo takes on its command line, which is nothing.
pub(crate) fn explain() -> ExitCode {
    let text = "Runs a beacon-server and several beacon-clients, and shows what they say to each other.\n\n\
                Usage: beacon-demo\n       beacon-demo server …    as beacon-server\n       \
                beacon-demo client …    as beacon-client";
    let _unsaid = writeln!(io::stderr(), "{text}");
    ExitCode::from(2)
}

fn play() -> Result<(), DemoError> {
    let mut stage = Stage::new()?;
    let media = stage.folder().join("media");
    for file in MEDIA {
        let file = media.join(file);
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, "not really a film or a song")?;
    }
    let folder = media.display().to_string();

    stage
        .open_server("The server starts. Its database is new, and so is the secret.", "; 0 items are kept")?;
    stage.open_watcher(
        "A client asks for all audio, and to be told whenever that changes.",
        &["watch", "--kind", "audio"],
    )?;
    let scan = ["scan", &folder];
    stage.scene(
        "A second client has a folder read. The server tells the first one what concerns it.",
        &scan,
        Ending::Good("5 created, 0 updated, 0 deleted"),
        &["created #2 audio \"Blue in Green\"", "created #3 audio \"So What\""],
    )?;
    stage.scene(
        "Items can be made by hand,",
        &["add", "--kind", "audio", "Evening radio"],
        Ending::Good("#6 audio"),
        &["created #6 audio \"Evening radio\""],
    )?;
    stage.scene(
        "and changed.",
        &["set", "6", "--title", "Night radio"],
        Ending::Good("#6 audio"),
        &["updated #6 audio \"Night radio\""],
    )?;
    stage.scene(
        "Before it deletes, the server calls its caller back. This one says no,",
        &["delete", "6", "--no"],
        Ending::Bad("nobody agreed to delete item 6"),
        &[],
    )?;
    stage.scene(
        "and this one says yes.",
        &["delete", "6", "--yes"],
        Ending::Good("deleted #6"),
        &["deleted #6 audio \"Night radio\""],
    )?;
    stage.stranger("Who does not know the secret gets in nowhere, and is told so.", &["list"])?;
    fs::remove_file(media.join("music/So What.mp3"))?;
    fs::write(media.join("music/Naima.ogg"), "not really a song either")?;
    stage.scene(
        "On the disk, one song has gone and another has come. The folder is read again.",
        &scan,
        Ending::Good("1 created, 0 updated, 1 deleted"),
        &["created #7 audio \"Naima\"", "deleted #3 audio \"So What\""],
    )?;
    stage.close(
        "A client ends the server, which takes leave of everybody.",
        &["shutdown"],
        &["the server has ended"],
    )?;
    stage.open_server("The server starts again. Its items are still there.", "; 5 items are kept")?;
    stage.scene("", &["list"], Ending::Good("5 items"), &[])?;
    stage.close("That is all.", &["shutdown"], &[])?;
    stage.leave()
}
