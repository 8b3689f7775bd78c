//! Both sides of `kaa/python.kaa` in Rust.

use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use kaa_rpc_runtime::{Context, Failure, Fault, Incoming, IntoFault, Timestamp};
use kaa_rpc_tests::api::python::*;
use kaa_rpc_tests::fixture::{Locked, Reporter};

/// A sighting of a star.
pub(crate) fn sighting(star: u64) -> Sighting {
    Sighting { star: StarId(star), at: Timestamp::UNIX_EPOCH, brightness: 0.5, seen: true }
}

/// Sightings of `count` successive stars.
pub(crate) fn sightings(first: StarId, count: u32) -> impl Stream<Item = Sighting> + Send + 'static {
    stream::iter((first.0..first.0 + u64::from(count)).map(sighting))
}

/// The server's side, which reports the targets to the test.
pub(crate) struct Telescope {
    pub(crate) targets: Reporter<(Target, Duration)>,
    pub(crate) lines: Locked<u32>,
}

impl Telescope {
    pub(crate) fn new(targets: Reporter<(Target, Duration)>) -> Self {
        Self { targets, lines: Locked::new(0) }
    }
}

impl ObservatoryServer for Telescope {
    async fn observe(
        &self,
        cx: Context<ObservatoryClientProxy>,
        target: Target,
        patience: Duration,
    ) -> Result<Sighting, Failure<SkyError>> {
        self.targets.report((target.clone(), patience));
        if target.star.0 == 0 {
            Err(SkyError::Below(-120_000))?;
        }
        let star = target.star.0;
        if cx.peer.confirm(target, Band::Visible { nanometres: 550 }).await? {
            Ok(sighting(star))
        } else {
            Err(SkyError::Declined)?
        }
    }

    async fn survey(
        &self,
        _cx: Context<ObservatoryClientProxy>,
        first: StarId,
        options: SurveyOptions,
    ) -> Result<impl Stream<Item = Result<Sighting, Failure<SkyError>>> + Send, Failure<SkyError>> {
        let clouds =
            stream::iter((first.0 == 0).then(|| Err(SkyError::Cloudy { cover: 99, until: 70_000 }.into())));
        let stars = sightings(first, if first.0 == 0 { 3 } else { options.count });
        Ok(stars.map(Ok).chain(clouds))
    }

    async fn calibrate(
        &self,
        _cx: Context<ObservatoryClientProxy>,
        mut sightings: Incoming<Sighting>,
        name: String,
    ) -> Result<u64, Failure<SkyError>> {
        let limit = if name == "three" { 3 } else { usize::MAX };
        let mut sum = 0;
        let mut count = 0;
        while count < limit
            && let Some(sighting) = sightings.next().await
        {
            sum += sighting.fault()?.star.0;
            count += 1;
        }
        Ok(sum)
    }

    async fn notes(&self, _cx: Context<ObservatoryClientProxy>) -> Result<u32, Fault> {
        Ok(self.lines.with(|lines| *lines))
    }

    async fn note(&self, _cx: Context<ObservatoryClientProxy>, _line: String) -> Result<(), Fault> {
        self.lines.with(|lines| *lines += 1);
        Ok(())
    }
}

/// The client's side.
pub(crate) struct ObserverClient;

impl ObservatoryClient for ObserverClient {
    async fn confirm(
        &self,
        cx: Context<ObservatoryServerProxy>,
        target: Target,
        _band: Band,
    ) -> Result<bool, Failure<SkyError>> {
        match target.star.0 {
            1 => Err(SkyError::Cloudy { cover: 1, until: 2 })?,
            // The third call in a chain of nested calls.
            2 => Ok(cx.peer.notes().await.fault()? == 3),
            _ => Ok(false),
        }
    }

    async fn watch(
        &self,
        _cx: Context<ObservatoryServerProxy>,
        first: StarId,
        options: WatchOptions,
    ) -> Result<impl Stream<Item = Result<Sighting, Fault>> + Send, Fault> {
        Ok(sightings(first, options.count).map(Ok))
    }

    async fn sleep(&self, _cx: Context<ObservatoryServerProxy>) -> Result<(), Fault> {
        std::future::pending().await
    }
}
