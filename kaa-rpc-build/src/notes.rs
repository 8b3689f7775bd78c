//! What a method's attributes mean, in the documentation of those who call it and of those who serve it.
//!
//! Invariants: a method without such attributes has no notes; a note is a paragraph of its own.

use std::time::Duration;

use kaa_idl::schema::Method;
use proc_macro2::TokenStream;

use crate::documentation;

/// The documentation of a proxy's method, with what its attributes mean.
pub(crate) fn for_callers(method: &Method, docs: TokenStream) -> TokenStream {
    let attributes = &method.attributes;
    with_paragraphs(
        docs,
        &[
            attributes.timeout.map(|timeout| {
                format!("Waits for {} unless `timeout` on what it returns says otherwise.", shown(timeout))
            }),
            attributes
                .idempotent
                .then(|| "Idempotent: calling it twice is as good as calling it once.".to_owned()),
            attributes.detached.then(|| {
                "Detached: what it began goes on when this call is dropped or the connection is lost."
                    .to_owned()
            }),
        ],
    )
}

/// The documentation of a trait's method, with what its attributes mean.
pub(crate) fn for_handlers(method: &Method, docs: TokenStream) -> TokenStream {
    let attributes = &method.attributes;
    with_paragraphs(
        docs,
        &[
            attributes
                .timeout
                .map(|timeout| format!("Callers wait for {} unless they say otherwise.", shown(timeout))),
            attributes.idempotent.then(|| {
                "Idempotent: it may be called again if the connection was lost before its answer arrived."
                    .to_owned()
            }),
            attributes
                .detached
                .then(|| "Detached: it runs to its end also when its caller gave up or is gone.".to_owned()),
        ],
    )
}

fn with_paragraphs(mut docs: TokenStream, notes: &[Option<String>]) -> TokenStream {
    for note in notes.iter().flatten() {
        docs.extend(documentation::written(&["", note]));
    }
    docs
}

/// A time in the largest unit that needs no fraction.
fn shown(time: Duration) -> String {
    let milliseconds = time.as_millis();
    let units = [(3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    match units.into_iter().find(|(unit, _)| milliseconds.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", milliseconds / unit),
        None => format!("{milliseconds} ms"),
    }
}
