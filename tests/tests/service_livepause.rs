//! Paused television `kaa/freevo/livepause.kaa`: every call over a unix socket, and the events for subscribed clients.

use std::collections::BTreeMap;
use std::time::Duration;

use kaa_rpc_runtime::{Context, Failure, Fault};
use kaa_rpc_tests::api::freevo::common::{ChannelId, Path};
use kaa_rpc_tests::api::freevo::livepause::*;
use kaa_rpc_tests::fixture::{Locked, Pair, Reporter, Reports, TestResult, client, declared, run, server};

type Answer<T = ()> = Result<T, Failure<BufferError>>;

/// A buffer of one hour, and the clients that want events.
struct Tape {
    buffer: Option<BufferInfo>,
    /// The subscribed clients, by session.
    listeners: BTreeMap<String, LivePauseClientProxy>,
}

struct Recorder(Locked<Tape>);

/// The session of the caller, the same for all calls of one connection.
fn caller(cx: &Context<LivePauseClientProxy>) -> Result<String, Fault> {
    let information = cx.peer_information().ok_or(Fault::new("the call has no peer"))?;
    Ok(format!("{:?}", information.session))
}

impl Recorder {
    /// Changes the buffer, and sends the resulting events to the listeners.
    async fn change(
        &self,
        change: impl FnOnce(&mut BufferInfo) -> Result<Vec<Event>, BufferError>,
    ) -> Result<(), BufferError> {
        let (events, listeners) = self.0.with(|tape| {
            let events = change(tape.buffer.as_mut().ok_or(BufferError::Disabled)?)?;
            Ok((events, tape.listeners.values().cloned().collect::<Vec<_>>()))
        })?;
        for event in events {
            for listener in &listeners {
                // A listener that has disconnected gets no event.
                let _ = listener.on_event(event.clone()).await;
            }
        }
        Ok(())
    }

    async fn go_to(&self, target: impl FnOnce(&BufferInfo) -> Option<Duration>) -> Answer {
        let moved = self.change(|buffer| {
            let (start, end) = (buffer.start, buffer.end);
            match target(buffer).filter(|target| (start..=end).contains(target)) {
                Some(target) => {
                    buffer.position = target;
                    let left = target.saturating_sub(start);
                    let near = left < Duration::from_secs(60);
                    let at_start = near.then_some(Event::EndOfBuffer { left });
                    Ok(at_start.into_iter().chain((target == end).then_some(Event::StartOfLive)).collect())
                }
                None => Err(BufferError::OutOfRange { start, end }),
            }
        });
        Ok(moved.await?)
    }
}

impl LivePauseServer for Recorder {
    async fn set_mode(&self, _cx: Context<LivePauseClientProxy>, mode: Mode) -> Result<(), Fault> {
        let hour = Duration::from_secs(3600);
        self.0.with(|tape| {
            tape.buffer = match mode {
                Mode::Timeshift => Some(BufferInfo::new(Duration::ZERO, hour, hour)),
                _ => None,
            };
        });
        Ok(())
    }

    async fn get_buffer_info(&self, _cx: Context<LivePauseClientProxy>) -> Answer<BufferInfo> {
        Ok(self.0.with(|tape| tape.buffer.clone()).ok_or(BufferError::Disabled)?)
    }

    async fn seek_to(&self, _cx: Context<LivePauseClientProxy>, to_time: Duration) -> Answer {
        self.go_to(|_| Some(to_time)).await
    }

    async fn seek(&self, _cx: Context<LivePauseClientProxy>, time_delta: i32) -> Answer {
        let distance = Duration::from_secs(time_delta.unsigned_abs().into());
        self.go_to(|buffer| match time_delta {
            0.. => buffer.position.checked_add(distance),
            _ => buffer.position.checked_sub(distance),
        })
        .await
    }

    async fn disable_buffering(&self, _cx: Context<LivePauseClientProxy>) -> Result<(), Fault> {
        self.0.with(|tape| tape.buffer = None);
        Ok(())
    }

    async fn change_channel(&self, _cx: Context<LivePauseClientProxy>, channel: ChannelId) -> Answer {
        if channel.0.is_empty() {
            return Err(BufferError::NoSuchChannel(channel).into());
        }
        let changed = self.change(|buffer| {
            buffer.start = buffer.end;
            buffer.position = buffer.end;
            Ok(vec![Event::ChannelChanged(channel)])
        });
        Ok(changed.await?)
    }

    async fn save(
        &self,
        _cx: Context<LivePauseClientProxy>,
        filename: Path,
        time_start: Duration,
        time_end: Duration,
    ) -> Answer {
        let begun = self.change(|buffer| {
            let (start, end) = (buffer.start, buffer.end);
            if let Some(file) = &buffer.saving {
                return Err(BufferError::Saving(file.clone()));
            }
            if time_start < start || end < time_end {
                return Err(BufferError::OutOfRange { start, end });
            }
            // A part that reaches the end of the buffer is still being written.
            if time_end == end {
                buffer.saving = Some(filename);
                return Ok(vec![]);
            }
            Ok(vec![Event::SaveFinished(filename)])
        });
        Ok(begun.await?)
    }

    async fn cancel_save(&self, _cx: Context<LivePauseClientProxy>) -> Answer {
        let cancelled = self.change(|buffer| {
            let file = buffer.saving.take().ok_or(BufferError::NotSaving)?;
            Ok(vec![Event::SaveFailed { file, reason: "cancelled".to_owned() }])
        });
        Ok(cancelled.await?)
    }

    async fn set_events_enabled(&self, cx: Context<LivePauseClientProxy>, enable: bool) -> Result<(), Fault> {
        let caller = caller(&cx)?;
        self.0.with(|tape| {
            if enable {
                tape.listeners.insert(caller, cx.peer.clone());
            } else {
                tape.listeners.remove(&caller);
            }
        });
        Ok(())
    }
}

struct Screen(Reporter<Event>);

impl LivePauseClient for Screen {
    async fn on_event(&self, _cx: Context<LivePauseServerProxy>, event: Event) -> Result<(), Fault> {
        self.0.report(event);
        Ok(())
    }
}

async fn start() -> TestResult<(Pair, LivePauseServerProxy, Reports<Event>)> {
    let (reporter, events) = Reports::of("events");
    let recorder = Recorder(Locked::new(Tape { buffer: None, listeners: BTreeMap::new() }));
    let pair = Pair::over_unix(
        server()?.register(LivePause::server(recorder)),
        client()?.register(LivePause::client(Screen(reporter))),
    )
    .await?;
    let recorder = pair.proxy();
    Ok((pair, recorder, events))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn seek_stays_within_the_buffer() -> TestResult {
    run(async {
        let (_pair, recorder, mut events) = start().await?;
        for error in [
            declared(recorder.get_buffer_info().await)?,
            declared(recorder.seek(1).await)?,
            declared(recorder.seek_to(seconds(1)).await)?,
        ] {
            assert_eq!(error, BufferError::Disabled);
        }
        recorder.set_events_enabled(true).await?;
        recorder.set_mode(Mode::Timeshift).await?;
        recorder.seek(-600).await?;
        let info = recorder.get_buffer_info().await?;
        assert_eq!((info.position, info.end, info.saving), (seconds(3000), seconds(3600), None));
        recorder.seek(600).await?;
        assert_eq!(events.next().await?, Event::StartOfLive);
        recorder.seek_to(seconds(30)).await?;
        assert_eq!(events.next().await?, Event::EndOfBuffer { left: seconds(30) });
        let beyond = BufferError::OutOfRange { start: seconds(0), end: seconds(3600) };
        assert_eq!(declared(recorder.seek(-31).await)?, beyond);
        assert_eq!(declared(recorder.seek_to(seconds(3601)).await)?, beyond);
        recorder.disable_buffering().await?;
        assert_eq!(declared(recorder.get_buffer_info().await)?, BufferError::Disabled);
        recorder.set_mode(Mode::Live).await?;
        assert_eq!(declared(recorder.seek(0).await)?, BufferError::Disabled);
        Ok(())
    })
}

#[test]
fn buffer_parts_are_saved_and_channels_changed() -> TestResult {
    run(async {
        let (_pair, recorder, mut events) = start().await?;
        let file = Path::from("/films/goal");
        recorder.set_events_enabled(true).await?;
        recorder.set_mode(Mode::Timeshift).await?;
        recorder.save(file.clone(), seconds(10), seconds(20)).await?;
        assert_eq!(events.next().await?, Event::SaveFinished(file.clone()));
        assert_eq!(declared(recorder.cancel_save().await)?, BufferError::NotSaving);
        recorder.save(file.clone(), seconds(10), seconds(3600)).await?;
        assert_eq!(recorder.get_buffer_info().await?.saving, Some(file.clone()));
        let twice = recorder.save(file.clone(), seconds(10), seconds(20)).await;
        assert_eq!(declared(twice)?, BufferError::Saving(file.clone()));
        recorder.cancel_save().await?;
        let reason = "cancelled".to_owned();
        assert_eq!(events.next().await?, Event::SaveFailed { file: file.clone(), reason });
        let beyond = recorder.save(file, seconds(10), seconds(9999)).await;
        assert!(matches!(declared(beyond)?, BufferError::OutOfRange { .. }));

        let nowhere = ChannelId::default();
        let missing = BufferError::NoSuchChannel(nowhere.clone());
        assert_eq!(declared(recorder.change_channel(nowhere).await)?, missing);
        recorder.change_channel("two").await?;
        assert_eq!(events.next().await?, Event::ChannelChanged("two".into()));
        Ok(())
    })
}

#[test]
fn events_reach_only_subscribed_clients() -> TestResult {
    run(async {
        let (pair, recorder, mut events) = start().await?;
        let (reporter, mut other_events) = Reports::of("events for the second client");
        let second = client()?.register(LivePause::client(Screen(reporter))).connect(pair.address()?)?;
        let other: LivePauseServerProxy = second.proxy();
        recorder.set_mode(Mode::Timeshift).await?;
        recorder.set_events_enabled(true).await?;
        other.seek(0).await?;
        assert_eq!(events.next().await?, Event::StartOfLive);
        other.set_events_enabled(true).await?;
        recorder.set_events_enabled(false).await?;
        recorder.seek(0).await?;
        assert_eq!(other_events.next().await?, Event::StartOfLive);
        // A call returns after all events that it caused, so no event is on its way.
        let unexpected = [events.received(), other_events.received()].concat();
        assert!(unexpected.is_empty(), "{unexpected:?}");
        Ok(())
    })
}
