//! The items of streams gain a field, those of a parameter and those of a result.

crate::pair!(stream_item_append, Compatible);

use futures_util::{Stream, StreamExt, stream};
use kaa_rpc_runtime::{Fault, Incoming};

use crate::calls::{both_sides, call, collect};

/// Gives every item back, twice as wide.
struct Handlers;

both_sides!(Handlers, old: fn give(
    things: Incoming<old::Thing>
) -> Result<impl Stream<Item = Result<old::Thing, Fault>> + Send, Fault> {
    Ok(things.map(|thing| Ok(old::Thing { width: thing?.width * 2 })))
});

both_sides!(Handlers, new: fn give(
    things: Incoming<new::Thing>
) -> Result<impl Stream<Item = Result<new::Thing, Fault>> + Send, Fault> {
    Ok(things.map(|thing| {
        let new::Thing { width, name } = thing?;
        Ok(new::Thing { width: width * 2, name: format!("{name}, twice") })
    }))
});

#[tokio::test]
async fn generations_interoperate() {
    let old = |width| old::Thing { width };
    let new = |width, name: &str| new::Thing { width, name: name.to_owned() };
    let given = call!(Handlers: old => new, |to| collect(to.give(stream::iter((0..1000).map(old)))));
    assert_eq!(given, (0..1000).map(|width| Ok(old(width * 2))).collect::<Vec<_>>());
    let sent = move || stream::iter((0..1000).map(move |width| new(width, "long")));
    let given = call!(Handlers: new => old, |to| collect(to.give(sent())));
    assert_eq!(given, (0..1000).map(|width| Ok(new(width * 2, "none"))).collect::<Vec<_>>());
}
