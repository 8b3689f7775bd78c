//! The handlers of the service, the same on both sides.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use kaa_rpc_runtime::codegen::*;

use super::methods::*;
use super::state::ServiceState;

fn number(decoder: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    decoder.field::<u64>("number")
}

fn counted(count: u64) -> impl Stream<Item = Result<u64, Failure<Declared>>> + Send {
    stream::iter((0..count).map(Ok))
}

/// Runs a call's handler.
pub fn serve<P: Proxy>(state: &Arc<ServiceState>, call: InboundCall) -> Handling {
    let state = Arc::clone(state);
    let numbers = call.incoming::<u64>();
    match call.method_id() {
        ECHO => call.unary::<P, u64, _, _>(number, |_, number| async move { Ok(number) }),
        SUM | DETACHED_SUM => {
            call.unary::<P, u64, _, _>(number, |_, _| async move { state.sum(numbers).await })
        }
        DOUBLE => call.stream::<P, u64, _, _>(number, |_, _, sink| async move {
            sink.run(async { Ok(numbers.map(|number| Ok(number? * 2))) }).await
        }),
        FIRST => call.unary::<P, u64, _, _>(number, |_, _| async move {
            let mut numbers = numbers;
            numbers.next().await.ok_or_else(|| Fault::new("there is no item"))?.map_err(Fault::from)
        }),
        GATED_SUM => call.unary::<P, u64, _, _>(number, |_, _| async move {
            state.count_started();
            state.pass_gate().await;
            state.sum(numbers).await
        }),
        DROP_STREAM => call.unary::<P, u64, _, _>(number, |_, _| async move {
            let mut numbers = numbers;
            let first = numbers.next().await.ok_or_else(|| Fault::new("there is no item"))??;
            drop(numbers);
            state.count_started();
            state.pass_gate().await;
            Ok(first)
        }),
        COUNT_TEXTS => {
            let mut texts = call.incoming::<Text>();
            std::mem::forget(numbers);
            call.unary::<P, u64, _, _>(number, |_, _| async move {
                let mut count = 0;
                while let Some(text) = texts.next().await {
                    text?;
                    count += 1;
                }
                Ok(count)
            })
        }
        _ => serve_streams::<P>(state, call),
    }
}

/// The handlers that return streams.
fn serve_streams<P: Proxy>(state: Arc<ServiceState>, call: InboundCall) -> Handling {
    match call.method_id() {
        COUNT | IDEMPOTENT_COUNT => call.stream::<P, u64, _, _>(number, |_, count, sink| async move {
            sink.run(async { Ok(state.track(stream::iter((0..count).map(Ok)))) }).await
        }),
        GATED_COUNT => call.stream::<P, u64, _, _>(number, |_, _, sink| async move {
            let counted = stream::unfold(0, |count| {
                let state = &state;
                async move {
                    state.pass_gate().await;
                    Some((Ok(count), count + 1))
                }
            });
            // The stream borrows the state, as a handler's stream may borrow its service.
            sink.run(async { Ok(state.track(counted)) }).await
        }),
        PANIC_AFTER => call.stream::<P, u64, _, _>(number, |_, count, sink| async move {
            sink.run(async {
                Ok(stream::iter(0..).map(move |item| {
                    assert!(item < count, "a panic that the test expects");
                    Ok(item)
                }))
            })
            .await
        }),
        FAIL_AFTER => call.stream_throws::<P, u64, Declared, _, _>(number, |_, count, sink| async move {
            let end = stream::iter([Err(Failure::from(Declared(count)))]);
            sink.run(async { Ok(counted(count).chain(end)) }).await
        }),
        FAULT_AFTER => call.stream_throws::<P, u64, Declared, _, _>(number, |_, count, sink| async move {
            let end = stream::iter([Err(Failure::Fault(Fault::new("out of paper")))]);
            sink.run(async { Ok(counted(count).chain(end)) }).await
        }),
        FAIL_AT_ONCE => call.stream_throws::<P, u64, Declared, _, _>(number, |_, count, sink| async move {
            sink.run(async { Err::<Never<Result<u64, Failure<Declared>>>, _>(Declared(count).into()) }).await
        }),
        TEXTS => call.stream::<P, Text, _, _>(number, |_, letters, sink| async move {
            let text = "x".repeat(usize::try_from(letters).unwrap());
            sink.run(async { Ok(stream::iter(["first".to_owned(), text, "last".to_owned()]).map(Ok)) }).await
        }),
        ENDLESS_TEXTS => call.stream::<P, Text, _, _>(number, |_, letters, sink| async move {
            let text = "x".repeat(usize::try_from(letters).unwrap());
            sink.run(async { Ok(state.track(stream::repeat(text).map(Ok))) }).await
        }),
        COUNT_UNTIL_CANCELLED => call.stream::<P, u64, _, _>(number, |cx, _, sink| async move {
            let numbers = stream::unfold(0, |count| {
                let (cx, state) = (&cx, &state);
                async move {
                    if cx.is_cancelled() {
                        state.pass_gate().await;
                        state.sums.lock().unwrap().push(count);
                        return None;
                    }
                    Some((Ok(count), count + 1))
                }
            });
            sink.run(async { Ok(state.track(numbers)) }).await
        }),
        INVALID_ITEM => call.stream::<P, u8, _, _>(number, |_, _, sink| async move {
            sink.run(async { Ok(stream::iter([7, 255]).map(Ok)) }).await
        }),
        CALL_BACK => call.stream::<P, u64, _, _>(number, |cx, count, sink| async move {
            let replies = stream::iter(0..count)
                .then(|number| call_method::<ECHO>(cx.peer.peer(), number))
                .map(|answer| answer.map_err(Fault::from));
            sink.run(async { Ok(replies) }).await
        }),
        _ => call.unknown_method(),
    }
}
