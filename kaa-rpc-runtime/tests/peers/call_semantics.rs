//! The semantics of calls: at most once, a truthful outcome, one end per call, deadlines, cancellation,
//! order, no deadlock.

use kaa_rpc_test_support::assert_matches;
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use kaa_rpc_runtime::transport::Stream;
use kaa_rpc_runtime::{CallError, Limits, Outcome, Peer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::{UnixListener, UnixStream};

use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

/// Relays between a client and the server at `to`, and closes both connections after this many bytes of the
/// client.
async fn relay(listener: UnixListener, to: std::path::PathBuf, bytes: usize) {
    let (client, _) = within("a client to connect", listener.accept()).await.unwrap();
    let server = UnixStream::connect(to).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let replies = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut space = vec![0; 4096];
    let mut remaining = bytes;
    while remaining > 0 {
        let room = remaining.min(space.len());
        let Ok(count @ 1..) = from_client.read(&mut space[..room]).await else { break };
        remaining -= count;
        if to_server.write_all(&space[..count]).await.is_err() {
            break;
        }
    }
    replies.abort();
}

/// The connection is closed after each of many numbers of bytes. The outcome of each call is compared with
/// what the server has run.
#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_true_wherever_connection_breaks() {
    let (_server, state, socket) = server_with(|server| server).await;
    let mut not_sent = HashSet::new();
    let mut answered = HashSet::new();
    let mut outcomes = [0; 3];
    // The client sends about 250 bytes in the handshake, and about 40 for each call.
    for bytes in (0..900).step_by(13) {
        let relay_place = SocketDirectory::new();
        let listener = UnixListener::bind(relay_place.path()).unwrap();
        let relay = tokio::spawn(relay(listener, socket.path(), bytes));
        let client = client_builder(&ServiceState::new()).connect(relay_place.address().as_str()).unwrap();
        let peer = client.peer();
        let calls = (0..16).map(|index| call_method::<RECORD>(&peer, format!("{bytes}/{index}"))).collect();
        for (index, result) in all(calls).await.into_iter().enumerate() {
            let name = format!("{bytes}/{index}");
            match result {
                Ok(answer) => {
                    assert_eq!(answer, name);
                    answered.insert(name);
                    outcomes[0] += 1;
                }
                Err(CallError::Disconnected { outcome: Outcome::NotSent, .. }) => {
                    not_sent.insert(name);
                    outcomes[1] += 1;
                }
                Err(CallError::Disconnected { outcome: Outcome::Unknown, .. }) => outcomes[2] += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        drop(client);
        within("the task `relay`", relay).await.unwrap();
    }
    let records = state.records();
    let run: HashSet<String> = records.iter().cloned().collect();
    assert_eq!(run.len(), records.len(), "a call was run twice");
    assert!(answered.is_subset(&run), "answered calls were not run: {:?}", answered.difference(&run));
    let run_unsent: Vec<_> = not_sent.intersection(&run).collect();
    assert!(run_unsent.is_empty(), "calls that are reported as not sent were run: {run_unsent:?}");
    assert!(outcomes.iter().all(|count| *count > 0), "answered, not sent, unknown: {outcomes:?}");
}

/// A stream whose writes close the connection, as another thread may do at that moment.
struct ClosesDuringWrite {
    io: DuplexStream,
    peer: Arc<OnceLock<Peer>>,
}

impl AsyncRead for ClosesDuringWrite {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl AsyncWrite for ClosesDuringWrite {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        if let Some(peer) = self.peer.get() {
            peer.close();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[tokio::test]
async fn call_written_during_close_is_unknown() {
    let state = ServiceState::new();
    let server = server_builder(&state).start().unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    server.accept(Stream::from_io(far, "test"));
    let closes = Arc::new(OnceLock::new());
    let near = ClosesDuringWrite { io: near, peer: Arc::clone(&closes) };
    let client = client_builder(&ServiceState::new()).connect_stream(Stream::from_io(near, "test")).unwrap();
    within("the client to connect or fail", client.ready()).await.unwrap();
    closes.set(client.peer()).unwrap();
    assert_eq!(
        disconnected(within("the reply to RECORD", call_method::<RECORD>(&client.peer(), "sent")).await),
        Outcome::Unknown
    );
    state.until_recorded(1).await;
}

#[tokio::test]
async fn every_failure_ends_its_own_call() {
    let pair = Pair::new().await;
    let peer = &pair.peer;
    let (fault, panic, unknown, unbound, echo) = tokio::join!(
        call_method::<FAULT>(peer, "failed"),
        call_method::<PANIC>(peer, "a panic that the test expects"),
        call_method::<UNKNOWN>(peer, ""),
        call_method::<OVER_BOUND>(peer, "longer than four"),
        call_method::<ECHO>(peer, "fine"),
    );
    assert_eq!(fault, Err(CallError::Fault("failed".to_owned())));
    assert_eq!(panic, Err(CallError::Fault("the handler panicked".to_owned())));
    assert!(matches!(unknown, Err(CallError::UnknownMethod { .. })), "{unknown:?}");
    assert!(matches!(&unbound, Err(CallError::Fault(text)) if text.contains("bound of 4")), "{unbound:?}");
    assert_eq!(echo, Ok("fine".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn deadline_ends_call_and_handler() {
    let pair = Pair::in_memory(|server| server, |client| client).await;
    let error =
        within("the reply to WAIT", call_method::<WAIT>(&pair.peer, "").timeout(Duration::from_millis(80)))
            .await
            .unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::Unknown });
    pair.server_state.until_dropped(1).await;
    let seconds = within(
        "the reply to REMAINING",
        call_method::<REMAINING>(&pair.peer, "").timeout(Duration::from_secs(100)),
    )
    .await
    .unwrap();
    assert!(["99", "100"].contains(&seconds.as_str()), "{seconds}");
}

/// The side that runs the handler enforces the deadline with its own clock, also if the caller sends no
/// Cancel.
#[tokio::test(start_paused = true)]
async fn handler_side_enforces_deadline() {
    let (_server, state, mut peer) = scripted_client_in_memory(|server| server).await;
    peer.send(frames::call_within(1, WAIT, "", 50_000)).await;
    assert_eq!(peer.next(frames::REPLY).await.detail, frames::DEADLINE_EXCEEDED);
    state.until_dropped(1).await;
    peer.send(frames::call_within(2, RECORD, "too late", 0)).await;
    assert_eq!(peer.next(frames::REPLY).await.detail, frames::DEADLINE_EXCEEDED);
    assert_eq!(state.records(), [""; 0]);
}

#[tokio::test]
async fn dropping_call_drops_handler_and_frees_slot() {
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    for round in 1..=3 {
        let mut call = call_method::<WAIT>(&pair.peer, "");
        start(&mut call).await;
        pair.server_state.until_started(round).await;
        drop(call);
        pair.server_state.until_dropped(round).await;
        pair.assert_responds().await;
    }
}

/// A call that is dropped at once reaches the peer together with its Cancel.
#[tokio::test]
async fn cancel_arriving_with_call_is_applied() {
    let (_server, state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send([frames::call(1, WAIT, ""), frames::cancel(1), frames::call(2, ECHO, "next")].concat()).await;
    let replies = [peer.next(frames::REPLY).await, peer.next(frames::REPLY).await];
    assert_eq!(replies.map(|reply| (reply.id, reply.detail)), [(1, frames::CANCELLED), (2, frames::OK)]);
    assert_eq!(state.counts().started, 0, "the handler of a cancelled call was started");
}

#[tokio::test(start_paused = true)]
async fn handler_reacts_to_cancel_within_grace() {
    let grace = Duration::from_millis(100);
    let pair = Pair::in_memory(|server| server.cancel_grace(grace), |client| client).await;
    let mut returning = call_method::<AWAIT_CANCEL>(&pair.peer, "");
    let mut endless = call_method::<IGNORE_CANCEL>(&pair.peer, "");
    start(&mut returning).await;
    start(&mut endless).await;
    pair.server_state.until_started(2).await;
    drop((returning, endless));
    pair.server_state.until_cancelled(2).await;
    pair.server_state.until_finished(1).await;
    pair.server_state.until_dropped(1).await;
    pair.assert_responds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_start_in_call_order() {
    let limits = Limits { max_inbound_calls: 7, oneway_window: 5, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let peer = &pair.peer;
    let mut calls: Vec<Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
    for index in 0..600 {
        let name = format!("{index:03}");
        if index % 3 == 0 {
            let note = call_oneway::<NOTE>(peer, name);
            calls.push(Box::pin(async move { note.await.unwrap() }));
        } else {
            let call = call_method::<RECORD>(peer, name);
            calls.push(Box::pin(async move { assert_matches!(call.await, Ok(_)) }));
        }
    }
    all(calls).await;
    pair.server_state.until_recorded(600).await;
    let records = pair.server_state.records();
    assert!(records.is_sorted(), "{records:?}");
}

#[tokio::test]
async fn unencodable_arguments_leave_connection_usable() {
    let pair = Pair::new().await;
    let socket = SocketDirectory::new();
    let _listener = socket.listener();
    let before_connected = client_of(&socket);
    for peer in [pair.peer.clone(), before_connected.peer()] {
        for _ in 0..3 {
            let call = kaa_rpc_runtime::Call::new(&peer, UnencodableCall::Fails);
            let result = within("the call", call).await;
            assert!(matches!(result, Err(CallError::Unencodable(_))), "{result:?}");
            let call = kaa_rpc_runtime::Call::new(&peer, UnencodableCall::Panics);
            let error = within("the task of the call", tokio::spawn(call)).await.unwrap_err();
            assert!(error.is_panic(), "{error:?}");
        }
    }
    pair.assert_responds().await;
    let mut queued = call_method::<ECHO>(&before_connected.peer(), "queued");
    start(&mut queued).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_calls_bypass_call_limit() {
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    assert_eq!(
        within("the reply to DESCEND", call_method::<DESCEND>(&pair.peer, "3")).await,
        Ok("the bottom".to_owned()),
        "client, server, client, server"
    );
    assert_eq!(
        within("the reply to DESCEND", call_method::<DESCEND>(&pair.peer, "32")).await,
        Ok("the bottom".to_owned())
    );
    let peer = &pair.peer;
    let many = (0..20).map(|_| call_method::<DESCEND>(peer, "5")).collect();
    let replies = all(many).await;
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
}

#[tokio::test]
async fn nesting_depth_is_limited() {
    let pair = Pair::new().await;
    let error = within("the reply to DESCEND", call_method::<DESCEND>(&pair.peer, "33")).await.unwrap_err();
    assert!(matches!(&error, CallError::Fault(text) if text.contains("nested too deep")), "{error:?}");
    pair.assert_responds().await;
}

/// Neither side stops reading in order to write: each sends 64 MiB, more than all buffers between them hold.
#[tokio::test(flavor = "multi_thread")]
async fn large_writes_in_both_directions_do_not_deadlock() {
    let pair = Pair::new().await;
    let client_peer = pair.client_peer().await;
    let mut calls = tokio::task::JoinSet::new();
    let megabyte = "x".repeat(1 << 20);
    for _ in 0..64 {
        for peer in [&pair.peer, &client_peer] {
            let call = call_method::<RECORD>(peer, megabyte.clone());
            calls.spawn(async move { call.await.map(|answer| answer.len()) });
        }
    }
    for answer in within("all callers", calls.join_all()).await {
        match answer {
            Ok(length) => assert_eq!(length, 1 << 20),
            // When the output is full, replies are replaced by refusals.
            Err(error) => assert!(matches!(error, CallError::ResourceExhausted(_)), "{error:?}"),
        }
    }
    assert_eq!(pair.server_state.records().len(), 64);
    assert_eq!(pair.client_state.records().len(), 64);
}
