//! Compares two methods: parameters, result and error.
//!
//! Invariants: if `oneway` changed, or whether the result is a stream, the result types are not compared.

use super::collector::{Allowed, Collector};
use super::fields::{self, Lists, PARAMETERS, since_changed};
use super::finding::Finding;
use super::pairing::Pairing;
use super::rule::Rule;
use super::types::{self, Typed};
use crate::schema::{Field, Method, Schema, StreamParameter};

/// Compares two methods with the same name.
pub(super) fn check_method<'p>(
    pairing: &Pairing<'_>,
    collector: &mut Collector<'_>,
    allowed: &Allowed<'p>,
    service: &str,
    (old, new): (&'p Method, &'p Method),
) {
    let owner = format!("`{service}.{}`", new.name);
    let what = format!("method {owner}");
    let mut check = Check { pairing, collector, allowed, owner: &owner, what: &what, old, new };
    check.reply();
    check.error();
    check.streamed();
    check.parameters();
    if old.attributes.since != new.attributes.since {
        let since = (old.attributes.since, &old.location);
        collector.report(allowed, since_changed(&what, since, (new.attributes.since, &new.location)));
    }
}

struct Check<'c, 's, 'p> {
    pairing: &'c Pairing<'c>,
    collector: &'c mut Collector<'s>,
    allowed: &'c Allowed<'p>,
    /// Such as "`Epg.search`".
    owner: &'c str,
    /// Such as "method `Epg.search`".
    what: &'c str,
    old: &'p Method,
    new: &'p Method,
}

impl Check<'_, '_, '_> {
    fn report(&mut self, rule: Rule, message: String, now: impl Into<String>, before: impl Into<String>) {
        let finding = Finding::new(rule, message).at(&self.new.location, now).was(&self.old.location, before);
        self.collector.report(self.allowed, finding);
    }

    fn reply(&mut self) {
        let (old, new, what) = (self.old, self.new, self.what);
        if old.oneway != new.oneway {
            let word = |oneway: bool| if oneway { "oneway" } else { "not oneway" };
            let message = format!("{what} was {} and is now {}", word(old.oneway), word(new.oneway));
            self.report(Rule::MethodSameOneway, message, word(new.oneway), word(old.oneway));
            return;
        }
        if old.returns.is_stream() != new.returns.is_stream() {
            let word = |stream: bool| if stream { "a stream" } else { "not a stream" };
            let message = format!(
                "the result of {what} was {} and is now {}",
                word(old.returns.is_stream()),
                word(new.returns.is_stream())
            );
            let words = (word(new.returns.is_stream()), word(old.returns.is_stream()));
            self.report(
                Rule::MethodSameStreaming,
                message,
                format!("{} now", words.0),
                format!("{} before", words.1),
            );
            return;
        }
        let text = |schema: &Schema, method: &Method| {
            method.returns.ty().map_or_else(|| "()".to_owned(), |ty| types::text(schema, ty))
        };
        match (old.returns.ty(), new.returns.ty()) {
            (Some(before), Some(after)) => {
                let what = || format!("the result of {what}");
                let typed = Typed {
                    what: &what,
                    old: &old.location,
                    new: &new.location,
                    rule: Rule::MethodSameReturn,
                    optionality: Rule::MethodSameReturn,
                };
                types::check(self.pairing, self.collector, self.allowed, typed, (before, after));
            }
            (None, None) => {}
            _ => {
                let now = format!("`{}` now", text(self.pairing.new, new));
                let before = format!("`{}` before", text(self.pairing.old, old));
                self.report(
                    Rule::MethodSameReturn,
                    format!("the result of {what} has a different type"),
                    now,
                    before,
                );
            }
        }
    }

    fn error(&mut self) {
        if self.old.oneway != self.new.oneway {
            return;
        }
        let name = |schema: &Schema, method: &Method| {
            let definition = method.throws.and_then(|id| schema.type_definition(id));
            definition
                .map_or_else(|| "no error".to_owned(), |definition| format!("throws `{}`", definition.name))
        };
        let now = format!("{} now", name(self.pairing.new, self.new));
        let before = format!("{} before", name(self.pairing.old, self.old));
        let what = self.what;
        match (self.old.throws, self.new.throws) {
            (Some(old), Some(new)) if self.pairing.are_paired(old, new) => {}
            (Some(_), Some(_)) => {
                self.report(Rule::MethodSameError, format!("{what} declares a different error"), now, before);
            }
            (None, Some(_)) => {
                self.report(Rule::MethodSameThrows, format!("{what} declares an error now"), now, before);
            }
            (Some(_), None) => {
                self.report(
                    Rule::MethodSameThrows,
                    format!("{what} no longer declares an error"),
                    now,
                    before,
                );
            }
            (None, None) => {}
        }
    }

    fn streamed(&mut self) {
        match (&self.old.stream, &self.new.stream) {
            (Some(old), Some(new)) => self.stream(old, new),
            (None, None) => {}
            (_, new) => {
                let word = |stream: bool| if stream { "takes a stream" } else { "takes no stream" };
                let is = new.is_some();
                let message = format!("{} now {}", self.what, word(is));
                self.report(
                    Rule::MethodSameStreaming,
                    message,
                    format!("{} now", word(is)),
                    format!("{} before", word(!is)),
                );
            }
        }
    }

    fn stream(&mut self, old: &StreamParameter, new: &StreamParameter) {
        let what = || format!("parameter `{}` of {}", new.name, self.owner);
        let allowed = self.allowed.inside(&new.attributes);
        if old.wire_name() != new.wire_name() {
            let finding =
                Finding::new(Rule::ParamSameName, format!("{} has a different name on the wire", what()))
                    .at(&new.location, format!("`{}` now", new.wire_name()))
                    .was(&old.location, format!("`{}` before", old.wire_name()))
                    .help(format!("keep the name on the wire: `#[selector(\"{}\")]`", old.wire_name()));
            self.collector.report(&allowed, finding);
        }
        let typed = Typed {
            what: &what,
            old: &old.location,
            new: &new.location,
            rule: Rule::ParamSameType,
            optionality: Rule::ParamSameType,
        };
        types::check(self.pairing, self.collector, &allowed, typed, (&old.item, &new.item));
    }

    /// Whether a stream has the name of a value parameter in the other schema, which is reported for the
    /// stream.
    fn is_streamed(stream: Option<&StreamParameter>, parameters: &[Field]) -> bool {
        stream.is_some_and(|stream| parameters.iter().any(|field| field.wire_name() == stream.wire_name()))
    }

    fn parameters(&mut self) {
        let (old, new) = (self.old, self.new);
        if Self::is_streamed(old.stream.as_deref(), &new.parameters)
            || Self::is_streamed(new.stream.as_deref(), &old.parameters)
        {
            return;
        }
        let lists = Lists {
            rules: &PARAMETERS,
            owner: self.owner,
            old: (&old.parameters, &old.location),
            new: (&new.parameters, &new.location),
        };
        let appended = fields::check(self.pairing, self.collector, self.allowed, lists);
        let first_option = appended.iter().find(|field| field.is_option()).map(|field| &field.location);
        let gained = first_option.or(new.options_requested.then_some(&new.location));
        if let Some(location) = gained.filter(|_| !old.has_options()) {
            let finding = Finding::new(Rule::MethodGainsOptions, format!("{} now has options", self.what))
                .at(location, "has options now")
                .was(&old.location, "had no options before");
            self.collector.report(self.allowed, finding);
        }
        for field in appended.iter().filter(|field| !field.is_option()) {
            let finding =
                Finding::new(Rule::MethodSameArguments, format!("{} has an additional argument", self.what))
                    .at(&field.location, "a separate argument")
                    .was(&old.location, format!("no parameter `{}` here", field.name));
            self.collector.report(&self.allowed.inside(&field.attributes), finding);
        }
    }
}

/// A key that is equal for two methods that may be the same method with different names.
pub(super) fn signature(schema: &Schema, method: &Method) -> String {
    let parameters = method
        .parameters
        .iter()
        .map(|field| format!("{}: {}", field.wire_name(), types::text(schema, &field.ty)));
    let parameters: Vec<String> = parameters.collect();
    let stream = method.stream.as_ref().map(|stream| types::text(schema, &stream.item));
    let returns = method.returns.ty().map(|ty| types::text(schema, ty));
    let throws = method.throws.and_then(|id| schema.type_definition(id)).map(|definition| &definition.name);
    format!(
        "{} {parameters:?} {stream:?} {} {returns:?} {throws:?}",
        method.oneway,
        method.returns.is_stream()
    )
}
