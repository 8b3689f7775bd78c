//! Every construct of the language, from schema text to a connection: `kaa/post` contains them all.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::pending;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt};
use kaa_rpc_runtime::{Bytes, CallError, Context, Failure, Fault, Incoming, IntoFault, Outgoing};
use kaa_rpc_tests::api::post::common::*;
use kaa_rpc_tests::api::post::office::*;
use kaa_rpc_tests::fixture::{Locked, Pair, Reporter, Reports, TestResult, client, run, server};

fn parcel(id: u64, to: &str) -> Parcel {
    Parcel::new(ParcelId(id), to)
}

fn damage(count: u8) -> Damage {
    Damage::Broken { parcel: ParcelId(3), count }
}

struct Post {
    parcels: Locked<Vec<Parcel>>,
    settled: Reporter<u8>,
}

impl OfficeServer for Post {
    async fn ring(
        &self,
        _cx: Context<OfficeClientProxy>,
        options: RingOptions,
    ) -> Result<impl Stream<Item = Result<u8, Fault>> + Send, Fault> {
        Ok(stream::iter((0..options.times).map(Ok)))
    }

    async fn list(
        &self,
        _cx: Context<OfficeClientProxy>,
        route: Option<Route>,
        options: ListOptions,
    ) -> Result<impl Stream<Item = Result<Parcel, Failure<Damage>>> + Send, Failure<Damage>> {
        if route.is_some() {
            return Err(Damage::Lost.into());
        }
        let parcels = self.parcels.with(|parcels| parcels.clone());
        let limit = usize::try_from(options.limit).fault()?;
        // The stream borrows the service.
        let all = stream::iter(parcels).take(limit).map(|parcel| {
            let damaged = self.parcels.with(|parcels| parcels.len() > 3 && parcel.id == ParcelId(3));
            if damaged { Err(damage(2).into()) } else { Ok(parcel) }
        });
        Ok(all)
    }

    async fn send(
        &self,
        _cx: Context<OfficeClientProxy>,
        by: String,
        mut parcels: Incoming<Parcel>,
        options: SendOptions,
    ) -> Result<u32, Failure<Damage>> {
        let mut count = 0;
        while let Some(parcel) = parcels.next().await {
            let parcel = parcel.fault()?;
            if parcel.to == by {
                return Err(Damage::Wet(by).into());
            }
            self.parcels.with(|parcels| parcels.push(parcel));
            count += if options.urgent { 10 } else { 1 };
        }
        Ok(count)
    }

    async fn relay(
        &self,
        _cx: Context<OfficeClientProxy>,
        letters: Incoming<String>,
    ) -> Result<impl Stream<Item = Result<Stamp, Failure<Damage>>> + Send, Failure<Damage>> {
        Ok(letters.map(|letter| match letter.fault()?.as_str() {
            "lost" => Err(Damage::Lost.into()),
            "" => Ok(Stamp::Plain),
            of => Ok(Stamp::Picture { of: of.to_owned(), by: None }),
        }))
    }

    async fn echo(
        &self,
        _cx: Context<OfficeClientProxy>,
        numbers: Incoming<i64>,
    ) -> Result<impl Stream<Item = Result<i64, Fault>> + Send, Fault> {
        Ok(numbers.map(|number| Ok(number?)))
    }

    async fn drain(&self, _cx: Context<OfficeClientProxy>, mut parts: Incoming<Bytes>) -> Result<(), Fault> {
        while let Some(part) = parts.next().await {
            part?;
        }
        Ok(())
    }

    async fn knock(&self, cx: Context<OfficeClientProxy>) -> Result<Vec<u8>, Fault> {
        let confirmed = cx.peer.confirm(stream::iter([ParcelId(1), ParcelId(2)])).await?;
        let mut answers = vec![u8::from(confirmed)];
        let mut rings = cx.peer.ring(RingOptions::default().times(2));
        while let Some(ring) = rings.next().await {
            answers.push(ring?);
        }
        Ok(answers)
    }

    async fn wait(&self, _cx: Context<OfficeClientProxy>) -> Result<bool, Fault> {
        pending().await
    }

    async fn idle(
        &self,
        _cx: Context<OfficeClientProxy>,
    ) -> Result<impl Stream<Item = Result<u8, Fault>> + Send, Fault> {
        Ok(stream::pending())
    }

    async fn stamp(
        &self,
        _cx: Context<OfficeClientProxy>,
        stamp: Stamp,
        parcel: Parcel,
    ) -> Result<Stamp, Fault> {
        let of = Stamp::Picture { of: parcel.to, by: Some(Box::new(stamp)) };
        Ok(Stamp::Many(Box::new(of), Box::new(Stamp::Plain)))
    }

    async fn routes(
        &self,
        _cx: Context<OfficeClientProxy>,
        counts: std::collections::BTreeMap<Route, u32>,
    ) -> Result<std::collections::BTreeSet<Route>, Fault> {
        Ok(counts.into_iter().filter(|(_, count)| *count > 0).map(|(route, _)| route).collect())
    }

    async fn new_name(&self, _cx: Context<OfficeClientProxy>, options: Naming) -> Result<String, Fault> {
        Ok(options.name)
    }

    async fn settle(&self, _cx: Context<OfficeClientProxy>) -> Result<(), Fault> {
        self.settled.report(1);
        Ok(())
    }
}

/// The client's side, whose `ring` counts from 100.
struct Customer;

impl OfficeClient for Customer {
    async fn ring(
        &self,
        _cx: Context<OfficeServerProxy>,
        options: RingOptions,
    ) -> Result<impl Stream<Item = Result<u8, Fault>> + Send, Fault> {
        Ok(stream::iter((0..options.times).map(|time| Ok(100 + time))))
    }

    async fn confirm(
        &self,
        _cx: Context<OfficeServerProxy>,
        parcels: Incoming<ParcelId>,
    ) -> Result<bool, Failure<Damage>> {
        Ok(parcels.count().await == 2)
    }
}

/// Runs a test with a client of an office that has these parcels.
fn check<F>(parcels: Vec<Parcel>, test: impl FnOnce(OfficeServerProxy, Reports<u8>) -> F) -> TestResult
where
    F: Future<Output = TestResult>,
{
    run(async {
        let (settled, settlements) = Reports::of("calls of `settle`");
        let office = Office::server(Post { parcels: Locked::new(parcels), settled });
        let client = client()?.register(Office::client(Customer));
        let pair = Pair::over_unix(server()?.register(office), client).await?;
        test(pair.proxy(), settlements).await
    })
}

/// All items of a stream, and the error that ended it, if any.
async fn all<T, E>(mut items: Incoming<T, E>) -> (Vec<T>, Option<CallError<E>>) {
    let mut taken = Vec::new();
    while let Some(item) = items.next().await {
        match item {
            Ok(item) => taken.push(item),
            Err(error) => return (taken, Some(error)),
        }
    }
    (taken, None)
}

#[test]
fn constants_have_the_values_of_their_expressions() {
    assert_eq!((LONGEST, FIRST_TAG, ZONES, MOST), (24, 5, 3, 49));
    assert_eq!((GREETING, RATE, MARK, URGENT), ("dear \"sir\"\n", -0.0015, '✓', Speed::Express));
    assert_eq!(CAREFUL.bits(), 33);
    let parcel = parcel(1, "Ada");
    assert_eq!((parcel.remark.as_str(), parcel.care, parcel.pace), (GREETING, CAREFUL, Speed::Economy));
    assert_eq!(parcel.inside, []);
    assert!(parcel.lid.is_none());
    assert_eq!(ListOptions::default().limit, 49);
    assert_eq!(ListOptions::default().stop_at, Some(ParcelId(1000)));
    let route = Route::new([0; 3], [1, 2, 3]);
    assert_eq!(route.to.len(), usize::from(ZONES));
}

#[test]
fn errors_display_their_schema_text() {
    assert_eq!(damage(2).to_string(), "2 of 3 {broken}");
    assert_eq!(Damage::Wet("letter".to_owned()).to_string(), "letter is wet");
    assert_eq!(Damage::Lost.to_string(), "lost");
}

#[test]
fn requested_derives_are_implemented() {
    assert!(parcel(1, "Ada") < parcel(2, "Ada"));
}

#[test]
fn result_can_be_a_stream() -> TestResult {
    check(vec![parcel(1, "Ada"), parcel(3, "Eva")], |office, _| async move {
        let (parcels, end) = all(office.list(None, ListOptions::default())).await;
        assert_eq!(parcels, [parcel(1, "Ada"), parcel(3, "Eva")]);
        assert!(end.is_none());
        let (parcels, _) = all(office.list(None, ListOptions::default().limit(1))).await;
        assert_eq!(parcels.len(), 1);
        let (rings, end) = all(office.ring(RingOptions::default())).await;
        assert_eq!((rings, end.is_none()), (vec![0, 1, 2], true));
        Ok(())
    })
}

#[test]
fn declared_error_ends_a_stream_before_or_after_items() -> TestResult {
    let parcels = (1..5).map(|id| parcel(id, "Ada")).collect();
    check(parcels, |office, _| async move {
        let (parcels, end) = all(office.list(None, ListOptions::default())).await;
        assert_eq!(parcels.len(), 2);
        assert!(matches!(&end, Some(CallError::Declared(error)) if *error == damage(2)), "{end:?}");
        let route = Route::new([0; 3], [0; 3]);
        let (parcels, end) = all(office.list(Some(route), ListOptions::default())).await;
        assert!(parcels.is_empty());
        assert!(matches!(end, Some(CallError::Declared(Damage::Lost))), "{end:?}");
        Ok(())
    })
}

#[test]
fn parameter_can_be_a_stream() -> TestResult {
    check(Vec::new(), |office, _| async move {
        let two = || stream::iter([parcel(1, "Ada"), parcel(2, "Eva")]);
        assert_eq!(office.send("Bob", two(), SendOptions::default()).await?, 2);
        assert_eq!(office.send("Bob", two(), SendOptions::default().urgent(true)).await?, 20);
        let refused = office.send("Eva", two(), SendOptions::default()).await;
        assert!(matches!(&refused, Err(CallError::Declared(Damage::Wet(by))) if by == "Eva"), "{refused:?}");
        assert_eq!(office.send("Eva", stream::empty(), SendOptions::default()).await?, 0);
        let (parcels, _) = all(office.list(None, ListOptions::default().limit(2))).await;
        assert_eq!(parcels, [parcel(1, "Ada"), parcel(2, "Eva")]);
        Ok(())
    })
}

#[test]
fn failed_argument_stream_does_not_count_as_finished() -> TestResult {
    check(Vec::new(), |office, _| async move {
        let broken = [Ok(Bytes::from_static(b"one")), Err(Fault::new("the printer is on fire"))];
        let outcome = office.drain(Outgoing::fallible(stream::iter(broken))).await;
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("the printer is on fire"), "{error}");
        office.drain(stream::iter([Bytes::from_static(b"one")])).await?;
        Ok(())
    })
}

#[test]
fn streams_run_in_both_directions_at_once() -> TestResult {
    check(Vec::new(), |office, _| async move {
        let numbers = -500..500_i64;
        let (echoed, end) = all(office.echo(stream::iter(numbers.clone()))).await;
        assert_eq!((echoed, end.is_none()), (numbers.collect(), true));
        let letters = ["", "Ada", "lost", "Eva"].map(str::to_owned);
        let (stamps, end) = all(office.relay(stream::iter(letters))).await;
        assert_eq!(stamps, [Stamp::Plain, Stamp::Picture { of: "Ada".to_owned(), by: None }]);
        assert!(matches!(end, Some(CallError::Declared(Damage::Lost))), "{end:?}");
        Ok(())
    })
}

#[test]
fn client_serves_streams() -> TestResult {
    check(Vec::new(), |office, _| async move {
        assert_eq!(office.knock().await?, [1, 100, 101]);
        Ok(())
    })
}

#[test]
fn bounds_apply_to_stream_items() -> TestResult {
    check(Vec::new(), |office, _| async move {
        let long = "x".repeat(25);
        let (stamps, end) = all(office.relay(stream::iter([String::new(), long]))).await;
        assert!(stamps.len() <= 1 && end.is_some(), "{stamps:?} {end:?}");
        let refused = office.send("x".repeat(25), stream::empty(), SendOptions::default()).await;
        assert!(matches!(refused, Err(CallError::Unencodable(_))), "{refused:?}");
        Ok(())
    })
}

#[test]
fn schema_timeout_applies_unless_the_caller_overrides_it() -> TestResult {
    check(Vec::new(), |office, _| async move {
        let result = office.wait().await;
        assert!(matches!(result, Err(CallError::DeadlineExceeded { .. })), "{result:?}");
        let (items, end) = all(office.idle()).await;
        assert!(items.is_empty() && matches!(end, Some(CallError::DeadlineExceeded { .. })), "{end:?}");
        let unlimited = office.wait().no_timeout();
        let result = tokio::time::timeout(Duration::from_millis(120), unlimited).await;
        assert!(result.is_err(), "a call without a timeout ended: {result:?}");
        Ok(())
    })
}

#[test]
fn recursive_values_keys_and_options_round_trip() -> TestResult {
    check(Vec::new(), |office, mut settlements| async move {
        let mut outer = parcel(1, "Ada");
        outer.inside = vec![parcel(2, "Eva")];
        outer.lid = Some(Box::new(parcel(3, "Bob")));
        assert_eq!(office.send("Eve", stream::iter([outer.clone()]), SendOptions::default()).await?, 1);
        assert_eq!(all(office.list(None, ListOptions::default())).await.0, [outer.clone()]);
        let stamp = Stamp::Many(Box::new(Stamp::Plain), Box::new(Stamp::Plain));
        let returned = office.stamp(stamp.clone(), outer).await?;
        let expected = Stamp::Picture { of: "Ada".to_owned(), by: Some(Box::new(stamp)) };
        assert_eq!(returned, Stamp::Many(Box::new(expected), Box::new(Stamp::Plain)));
        let (outward, inward) = (Route::new([1; 3], [2; 3]), Route::new([2; 3], [1; 3]));
        let counts = [(outward, 2), (inward, 0)].into();
        assert_eq!(office.routes(counts).await?, [outward].into());
        assert_eq!(office.new_name(Naming::default()).await?, GREETING);
        office.settle().await?;
        assert_eq!(settlements.next().await?, 1);
        Ok(())
    })
}
