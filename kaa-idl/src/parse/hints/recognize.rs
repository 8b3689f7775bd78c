//! Recognizes a known mistake by the construct that it is in.

use super::context::{Construct, SyntaxContext};
use super::{attributes, fields, items, members, variants};
use crate::diagnostic::Diagnostic;

/// The diagnostic for a known mistake.
pub(in crate::parse) fn recognize(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let everywhere = attributes::recognize(context).or_else(|| items::name(context));
    everywhere.or_else(|| match context.construct {
        Construct::Item => items::recognize(context),
        Construct::Field => fields::recognize(context),
        Construct::Variant | Construct::Flag => variants::recognize(context),
        Construct::Member => members::recognize(context),
    })
}
