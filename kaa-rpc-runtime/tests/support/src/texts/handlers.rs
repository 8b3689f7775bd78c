//! The handlers of the service, the same on both sides.

use std::sync::Arc;

use kaa_rpc_runtime::TraceContext;
use kaa_rpc_runtime::codegen::*;

use super::methods::*;
use super::state::{RunningHandler, ServiceState};

/// A result whose encoder panics.
struct PanickingResult;

impl Wire for PanickingResult {
    type Value = ();
    const MIN_SIZE: usize = 1;

    fn encode(_: &(), encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Text::encode(&"half of it".to_owned(), encoder)?;
        panic!("a panic that the test expects")
    }

    fn decode(_: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// Runs a call's handler.
pub fn serve<P: Proxy>(state: &Arc<ServiceState>, call: InboundCall) -> Handling {
    let state = Arc::clone(state);
    let text = |decoder: &mut Decoder<'_>| decoder.field::<Text>("text");
    match call.method_id() {
        ECHO => call.unary::<P, Text, _, _>(text, |_, text| async move { Ok(text) }),
        CALL_BACK => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            Ok(format!("{} from the caller", call_method::<ECHO>(cx.peer.peer(), text).await?))
        }),
        CALL_BACK_WAIT => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            let running = RunningHandler::new(&state);
            let answer = call_method::<WAIT>(cx.peer.peer(), text).await;
            running.finish();
            Ok(answer?)
        }),
        WAIT | SHORT_TIMEOUT => call.unary::<P, Text, _, _>(text, |_, text| async move {
            let running = RunningHandler::new(&state);
            state.pass_gate().await;
            running.finish();
            Ok(text)
        }),
        DETACHED => call.unary::<P, Text, _, _>(text, |_, text| async move {
            let running = RunningHandler::new(&state);
            state.pass_gate().await;
            state.record(&text);
            running.finish();
            Ok(text)
        }),
        LARGE => call.unary::<P, Text, _, _>(text, |_, text| async move { Ok("x".repeat(text.parse()?)) }),
        PANIC => call.unary::<P, Text, _, _>(text, |_, text: String| async move { panic!("{text}") }),
        FAULT => call.unary::<P, Text, _, _>(text, |_, text| async move { Err(Fault::new(text)) }),
        RECORD | IDEMPOTENT => call.unary::<P, Text, _, _>(text, |_, text: String| async move {
            state.record(&text);
            Ok(text)
        }),
        NOTE => call.oneway::<P, _, _>(text, |_, text: String| async move {
            state.record(&text);
            Ok(())
        }),
        GATED_NOTE | DETACHED_NOTE => call.oneway::<P, _, _>(text, |_, text: String| async move {
            let running = RunningHandler::new(&state);
            state.pass_gate().await;
            state.record(&text);
            running.finish();
            Ok(())
        }),
        PANIC_NOTE => call.oneway::<P, _, _>(text, |_, text: String| async move { panic!("{text}") }),
        _ => serve_more::<P>(state, call),
    }
}

fn serve_more<P: Proxy>(state: Arc<ServiceState>, call: InboundCall) -> Handling {
    let text = |decoder: &mut Decoder<'_>| decoder.field::<Text>("text");
    match call.method_id() {
        AWAIT_CANCEL => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            let running = RunningHandler::new(&state);
            cx.cancelled().await;
            state.count_cancelled();
            running.finish();
            Ok(text)
        }),
        IGNORE_CANCEL => call.unary::<P, Text, _, _>(text, |cx, _| async move {
            let _presence = RunningHandler::new(&state);
            cx.cancelled().await;
            state.count_cancelled();
            std::future::pending().await
        }),
        DESCEND => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            match text.parse::<u32>()? {
                0 => Ok("the bottom".to_owned()),
                depth => Ok(call_method::<DESCEND>(cx.peer.peer(), (depth - 1).to_string()).await?),
            }
        }),
        CLOSE_CONNECTION => call.unary::<P, Text, _, _>(text, |cx, _| async move {
            let _presence = RunningHandler::new(&state);
            cx.peer.peer().close();
            std::future::pending().await
        }),
        PANIC_WHILE_ENCODING => call.unary::<P, PanickingResult, _, _>(text, |_, _| async move { Ok(()) }),
        OVER_BOUND => call.unary::<P, shape::String<4>, _, _>(text, |_, text| async move { Ok(text) }),
        REMAINING | LONG_TIMEOUT => call.unary::<P, Text, _, _>(text, |cx, _| async move {
            Ok(cx.remaining_time().map_or_else(|| "unlimited".to_owned(), |time| time.as_secs().to_string()))
        }),
        CALL_BACK_BLOCKING => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            Ok(call_method::<ECHO>(cx.peer.peer(), text).wait()?)
        }),
        BLOCK_THREAD => call.unary::<P, Text, _, _>(text, |_, text| async move {
            let running = RunningHandler::new(&state);
            while state.gate.try_acquire().map(|permit| permit.forget()).is_err() {
                std::thread::yield_now();
            }
            running.finish();
            Ok(text)
        }),
        METADATA => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            Ok(cx.metadata().text(&text).unwrap_or("none").to_owned())
        }),
        TRACE => call.unary::<P, Text, _, _>(text, |cx, _| async move {
            let trace = cx.trace().map_or_else(|| "none".to_owned(), TraceContext::traceparent);
            tokio::task::yield_now().await;
            assert_eq!(
                TraceContext::current().as_ref(),
                cx.trace(),
                "the trace is still there after a pause"
            );
            Ok(trace)
        }),
        CALL_BACK_TRACE => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            tokio::task::yield_now().await;
            let theirs = call_method::<TRACE>(cx.peer.peer(), text).await?;
            let ours = cx.trace().map_or_else(|| "none".to_owned(), TraceContext::traceparent);
            Ok(format!("{ours} {theirs}"))
        }),
        CALL_BACK_REMAINING => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            Ok(call_method::<REMAINING>(cx.peer.peer(), text).await?)
        }),
        _ => call.unknown_method(),
    }
}
