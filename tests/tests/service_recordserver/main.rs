//! The recorder `kaa/freevo/recordserver.kaa`: every call over TCP, and every declared error.

mod recorder;

use kaa_rpc_runtime::Timestamp;
use kaa_rpc_tests::api::freevo::common::ChannelId;
use kaa_rpc_tests::api::freevo::recordserver::*;
use kaa_rpc_tests::fixture::{Pair, TestResult, client, declared, run, server};

use recorder::{LENGTH, Recorder, now};

/// The programme with this number on a channel, counted from 0.
fn showing(channel: &str, number: i64) -> Showing {
    Showing { channel: channel.into(), start: Timestamp::new(number * LENGTH, 0).unwrap_or_default() }
}

fn program(channel: &str, number: i64, title: &str) -> Program {
    let mut program = Program::new(showing(channel, number), showing(channel, number + 1).start, title);
    program.is_movie = title == "Metropolis";
    program
}

/// A recorder for two channels; the second programme of each runs now.
async fn start() -> TestResult<(Pair, RecordServerServerProxy)> {
    let guide = [
        program("one", 0, "News"),
        program("one", 1, "Metropolis"),
        program("one", 2, "News"),
        program("one", 3, "News"),
        program("two", 1, "Chess"),
        program("two", 2, "Metropolis Today"),
        program("two", 4, "News"),
    ];
    let recorder = RecordServer::server(Recorder::new(guide));
    let pair = Pair::over_tcp(server()?.register(recorder), client()?).await?;
    let recorder = pair.proxy();
    Ok((pair, recorder))
}

#[test]
fn programmes_are_found() -> TestResult {
    run(async {
        let (_pair, recorder) = start().await?;
        assert!(recorder.ping().await?);
        assert!(!recorder.is_player_running().await?);
        let found = recorder.find_program("one", showing("one", 1).start).await?;
        assert_eq!((found.title.as_str(), found.state), ("Metropolis", RecordingState::Unplanned));
        let nothing = RecordError::NoSuchProgram { channel: "one".into(), start: now() };
        assert_eq!(nothing.to_string(), "nothing begins on one at 1970-01-01T00:10:01Z");
        assert_eq!(declared(recorder.find_program("one", now()).await)?, nothing);

        let titles = async |options| -> TestResult<Vec<String>> {
            let found = recorder.find_matches("Metropolis", options).await?;
            Ok(found.into_iter().map(|program| program.title).collect())
        };
        assert_eq!(titles(FindMatchesOptions::default()).await?, ["Metropolis", "Metropolis Today"]);
        assert_eq!(titles(FindMatchesOptions::default().movies_only(true)).await?, ["Metropolis"]);

        let (from, to) = (showing("", 1).start, showing("", 3).start);
        let rows = recorder.grid(from, to, GridOptions::default()).await?;
        let shape: Vec<_> = rows.iter().map(|row| (row.channel.0.as_str(), row.programs.len())).collect();
        assert_eq!(shape, [("one", 2), ("two", 2)]);
        let two = GridOptions::default().channels(vec![ChannelId::from("two")]);
        assert_eq!(recorder.grid(from, to, two).await?, rows.get(1..).unwrap_or_default());
        Ok(())
    })
}

#[test]
fn recordings_are_scheduled_and_removed() -> TestResult {
    run(async {
        let (_pair, recorder) = start().await?;
        let (running, next, rival) = (showing("one", 1), showing("one", 2), showing("two", 1));
        let over = recorder.schedule_recording(showing("one", 0)).await;
        assert_eq!(declared(over)?, RecordError::Over("News".to_owned()));
        assert!(!recorder.is_recording().await?);
        let recording = recorder.schedule_recording(running.clone()).await?;
        assert_eq!(recording.state, RecordingState::Recording);
        assert!(recorder.is_recording().await?);
        let no_tuner = recorder.schedule_recording(rival.clone()).await;
        assert_eq!(declared(no_tuner)?, RecordError::NoTuner { title: "Metropolis".to_owned() });
        let conflicts = recorder.conflicts(rival.clone()).await?;
        assert_eq!(conflicts, [Conflict::new(vec![program("two", 1, "Chess"), recording.clone()], 1)]);
        let scheduled = recorder.schedule_recording(next.clone()).await?;

        assert_eq!(recorder.find_next_program(<_>::default()).await?, Some(scheduled.clone()));
        let current = FindNextProgramOptions::default().recording(true);
        assert_eq!(recorder.find_next_program(current).await?, Some(recording.clone()));
        assert_eq!(recorder.scheduled_recordings().await?, [recording.clone(), scheduled]);
        let own = IsProgramScheduledOptions::default;
        assert!(recorder.is_program_scheduled(next.clone(), own()).await?);
        assert!(!recorder.is_program_scheduled(next.clone(), own().schedule(vec![recording])).await?);

        recorder.remove_scheduled_recording(next.clone(), <_>::default()).await?;
        assert!(!recorder.is_program_scheduled(next.clone(), own()).await?);
        assert_eq!(recorder.find_next_program(<_>::default()).await?, None);
        let again = recorder.remove_scheduled_recording(next, <_>::default()).await;
        assert_eq!(declared(again)?, RecordError::NotScheduled("News".to_owned()));
        Ok(())
    })
}

#[test]
fn favourites_schedule_matching_programmes() -> TestResult {
    run(async {
        let (_pair, recorder) = start().await?;
        let (name, news) = (FavoriteName::from("news"), showing("one", 2));
        let missing = FavoriteError::NoSuchFavorite(name.clone());
        assert_eq!(declared(recorder.remove_favorite_from_schedule(name.clone()).await)?, missing);
        let favorite =
            recorder.add_favorite(name.clone(), news.clone(), AddFavoriteOptions::default()).await?;
        assert_eq!((favorite.title.as_str(), favorite.channel.as_ref()), ("News", Some(&"one".into())));
        let twice = recorder.add_favorite(name.clone(), news.clone(), AddFavoriteOptions::default()).await;
        assert_eq!(declared(twice)?, FavoriteError::Exists(name.clone()));
        let nowhere = showing("nine", 9);
        let nothing = RecordError::NoSuchProgram { channel: "nine".into(), start: nowhere.start };
        let error = recorder.add_favorite("x", nowhere.clone(), AddFavoriteOptions::default()).await;
        assert_eq!(declared(error)?, FavoriteError::NoProgram(nothing.clone()));
        assert_eq!(recorder.favorite(name.clone()).await?, favorite);
        assert_eq!(recorder.favorites().await?, std::slice::from_ref(&favorite));

        let of_program = recorder.favorite_of_program(news.clone(), FavoriteObjectOptions::default()).await?;
        assert_eq!(of_program, Some(favorite.clone()));
        let others = FavoriteObjectOptions::default().favorites(vec![Favorite::new("chess", "Chess")]);
        assert_eq!(recorder.favorite_of_program(news.clone(), others).await?, None);
        assert!(recorder.is_program_a_favorite(news.clone(), <_>::default()).await?);
        assert!(!recorder.is_program_a_favorite(showing("two", 4), <_>::default()).await?);
        assert_eq!(declared(recorder.is_program_a_favorite(nowhere, <_>::default()).await)?, nothing);

        // The first of the three programmes is over.
        assert_eq!(recorder.scheduled_recordings().await?.len(), 2);
        let unwanted = RemoveScheduledRecordingOptions::default().mark_favorite_deleted(true);
        recorder.remove_scheduled_recording(news, unwanted).await?;
        assert_eq!(recorder.update_favorites_schedule().await?, 0);
        assert_eq!(recorder.remove_favorite_from_schedule(name.clone()).await?, 1);
        assert_eq!(recorder.update_favorites_schedule().await?, 1);
        recorder.remove_favorite(name.clone()).await?;
        assert_eq!(declared(recorder.favorite(name.clone()).await)?, missing);
        assert_eq!(declared(recorder.remove_favorite(name).await)?, missing);
        Ok(())
    })
}

#[test]
fn favourites_are_ordered_by_priority() -> TestResult {
    run(async {
        let (_pair, recorder) = start().await?;
        let (chess, news) = (FavoriteName::from("chess"), FavoriteName::from("news"));
        let mut edited = Favorite::new(chess.clone(), "Chess");
        edited.repeats = Repeats::Never;
        edited.day = Some(Weekday::Thursday);
        edited.time_of_day = Some(std::time::Duration::from_secs(600));
        recorder.add_edited_favorite(edited.clone()).await?;
        recorder.add_edited_favorite(edited.clone()).await?;
        assert_eq!(recorder.favorites().await?, [edited]);
        let anywhere = AddFavoriteOptions::default().exactly(Exactly::DAY_OF_WEEK | Exactly::TIME_OF_DAY);
        let favorite = recorder.add_favorite(news.clone(), showing("one", 2), anywhere).await?;
        assert_eq!((favorite.channel, favorite.priority), (None, 1));

        recorder.adjust_priority(news.clone(), Shift::Up).await?;
        let order = async || -> TestResult<Vec<(FavoriteName, u32)>> {
            let favorites = recorder.favorites().await?;
            Ok(favorites.into_iter().map(|favorite| (favorite.name, favorite.priority)).collect())
        };
        assert_eq!(order().await?, [(news.clone(), 0), (chess.clone(), 1)]);
        let end = recorder.adjust_priority(chess.clone(), Shift::Down).await;
        assert_eq!(declared(end)?, FavoriteError::AtTheEnd(chess));
        let unknown = FavoriteName::from("unknown");
        let missing = recorder.adjust_priority(unknown.clone(), Shift::Up).await;
        assert_eq!(declared(missing)?, FavoriteError::NoSuchFavorite(unknown));
        recorder.clear_favorites().await?;
        assert_eq!(order().await?, []);
        Ok(())
    })
}
