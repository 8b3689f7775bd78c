//! Runs the grammar: evaluates the expressions of `generated.rs` on pest's parser state.
//!
//! Invariants: rules and expressions behave like the code that pest's own generator writes; only calls of
//! rules recurse, so the depth of brackets in the text bounds the depth of the native stack.

use pest::error::Error;
use pest::iterators::Pairs;
use pest::{Atomicity, ParseResult, Parser, ParserState};

use super::expression::{Expression, Kind};
use super::generated::Rule;

/// The language's parser.
#[derive(Debug)]
pub(crate) struct Grammar;

impl Parser<Rule> for Grammar {
    #[allow(clippy::result_large_err, reason = "the trait is pest's")]
    fn parse(rule: Rule, input: &str) -> Result<Pairs<'_, Rule>, Error<Rule>> {
        pest::state(input, |state| call(rule, state))
    }
}

type State<'i> = Box<ParserState<'i, Rule>>;
type Part = Expression<Rule>;

fn call(rule: Rule, state: State<'_>) -> ParseResult<State<'_>> {
    let (kind, expression) = rule.definition();
    match kind {
        Kind::Normal => state.rule(rule, |state| run(expression, state)),
        Kind::Silent => run(expression, state),
        Kind::Atomic => {
            state.rule(rule, |state| state.atomic(Atomicity::Atomic, |state| run(expression, state)))
        }
    }
}

fn run<'i>(expression: &'static Part, state: State<'i>) -> ParseResult<State<'i>> {
    match *expression {
        Expression::Text(text) => state.match_string(text),
        Expression::Character(ranges) => state
            .match_char_by(|character| ranges.iter().any(|(from, to)| (*from..=*to).contains(&character))),
        Expression::Any => state.skip(1),
        Expression::Start => state.start_of_input(),
        Expression::End => state.rule(Rule::EOI, |state| state.end_of_input()),
        Expression::Rule(rule) => call(rule, state),
        Expression::Sequence(parts) => sequence(parts, state),
        Expression::Choice(alternatives) => choice(alternatives, state),
        Expression::Optional(inner) => state.optional(|state| run(inner, state)),
        Expression::Repeated(inner) => repeated(inner, state),
        Expression::Followed(inner) => state.lookahead(true, |state| run(inner, state)),
        Expression::NotFollowed(inner) => state.lookahead(false, |state| run(inner, state)),
        Expression::Until(texts) => state.skip_until(texts),
    }
}

fn sequence<'i>(parts: &'static [Part], state: State<'i>) -> ParseResult<State<'i>> {
    state.sequence(|mut state| {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                state = whitespace(state)?;
            }
            state = run(part, state)?;
        }
        Ok(state)
    })
}

fn choice<'i>(alternatives: &'static [Part], mut state: State<'i>) -> ParseResult<State<'i>> {
    for alternative in alternatives {
        match run(alternative, state) {
            Ok(state) => return Ok(state),
            Err(unchanged) => state = unchanged,
        }
    }
    Err(state)
}

fn repeated<'i>(inner: &'static Part, state: State<'i>) -> ParseResult<State<'i>> {
    if state.atomicity() != Atomicity::NonAtomic {
        return state.repeat(|state| run(inner, state));
    }
    state.optional(|state| {
        run(inner, state)?.repeat(|state| state.sequence(|state| run(inner, whitespace(state)?)))
    })
}

fn whitespace(state: State<'_>) -> ParseResult<State<'_>> {
    if state.atomicity() == Atomicity::NonAtomic {
        state.repeat(|state| call(Rule::WHITESPACE, state))
    } else {
        Ok(state)
    }
}
