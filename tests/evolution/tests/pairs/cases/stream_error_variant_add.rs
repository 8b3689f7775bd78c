//! The error of a stream gains a variant: an old caller receives the items, then an unknown variant.

crate::pair!(stream_error_variant_add, Compatible);

use futures_util::{Stream, stream};
use kaa_rpc_runtime::{CallError, Failure};

use crate::calls::{both_sides, call, collect};

struct Handlers;

both_sides!(Handlers, old: fn list() -> Result<
    impl Stream<Item = Result<u64, Failure<old::Problem>>> + Send,
    Failure<old::Problem>,
> {
    Ok(stream::iter([Ok(1), Err(old::Problem::Closed.into())]))
});

both_sides!(Handlers, new: fn list() -> Result<
    impl Stream<Item = Result<u64, Failure<new::Problem>>> + Send,
    Failure<new::Problem>,
> {
    Ok(stream::iter([Ok(1), Ok(2), Err(new::Problem::Torn { at: 2 }.into())]))
});

#[tokio::test]
async fn generations_interoperate() {
    let mut listed = call!(Handlers: old => new, |to| collect(to.list()));
    let Some(Err(CallError::Declared(old::Problem::Unknown(unknown)))) = listed.pop() else {
        panic!("{listed:?}")
    };
    assert_eq!((unknown.tag(), unknown.payload().unwrap().as_ref()), (2, &[2][..]));
    assert_eq!(listed, [Ok(1), Ok(2)]);
    let listed = call!(Handlers: new => old, |to| collect(to.list()));
    assert_eq!(listed, [Ok(1), Err(CallError::Declared(new::Problem::Closed))]);
}
