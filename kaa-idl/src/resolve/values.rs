//! Evaluates constant expressions.
//!
//! Invariants: `order` evaluates an expression after every constant that it names. Operators work on integers
//! only, except that `|` also joins flags. The parser's bracket limit bounds the recursion.

use super::evaluated::{Evaluated, Integer};
use super::resolver::Resolver;
use crate::ast::{self, Expression, ExpressionKind, ItemKind, Operator};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;

impl Resolver<'_> {
    /// The value of an expression. Reports an error and returns `None` if it has none.
    pub(super) fn evaluate(&mut self, file: usize, expression: &Expression) -> Option<Evaluated> {
        match &expression.kind {
            ExpressionKind::Integer(value) => Some(Evaluated::Integer(Integer::new(*value))),
            ExpressionKind::Float(value) => Some(Evaluated::Float(*value)),
            ExpressionKind::String(value) => Some(Evaluated::String(value.clone())),
            ExpressionKind::Character(value) => Some(Evaluated::Character(*value)),
            ExpressionKind::Boolean(value) => Some(Evaluated::Boolean(*value)),
            ExpressionKind::EmptyList => Some(Evaluated::EmptyList),
            ExpressionKind::EmptyMap => Some(Evaluated::EmptyMap),
            ExpressionKind::Path(path) => self.path_value(file, path),
            ExpressionKind::Negation(inner) => match self.evaluate(file, inner)? {
                Evaluated::Integer(value) => Some(Evaluated::Integer(value.negated())),
                Evaluated::Float(value) => Some(Evaluated::Float(-value)),
                other => {
                    let place = self.place(file, inner.span);
                    let message = format!("{} cannot be negated", other.noun());
                    self.report(Diagnostic::error(Code::WrongDefault, message, place, "not a number"));
                    None
                }
            },
            ExpressionKind::Operation { first, rest } => self.operation(file, first, rest),
            ExpressionKind::Invalid => None,
        }
    }

    /// The value of an expression that must be an integer. `noun` names the expression in messages.
    pub(super) fn integer(&mut self, file: usize, expression: &Expression, noun: &str) -> Option<Integer> {
        match self.evaluate(file, expression)? {
            Evaluated::Integer(integer) => Some(integer),
            value => {
                let place = self.place(file, expression.span);
                let message = format!("{noun} must be an integer, not {}", value.noun());
                self.report(Diagnostic::error(Code::WrongDefault, message, place, "not an integer"));
                None
            }
        }
    }

    /// The value of an expression that must be an integer of 64 bits, not negative.
    pub(super) fn unsigned(&mut self, file: usize, expression: &Expression, noun: &str) -> Option<u64> {
        let integer = self.integer(file, expression, noun)?;
        let fitting = integer.unsigned().and_then(|value| u64::try_from(value).ok());
        if fitting.is_none() {
            let place = self.place(file, expression.span);
            let message = format!("{noun} must be at least 1 and fit in 64 bits");
            self.report(Diagnostic::error(Code::OutOfRange, message, place, "out of range"));
        }
        fitting
    }

    /// Groups operands by precedence with two stacks (the shunting yard algorithm).
    fn operation(
        &mut self,
        file: usize,
        first: &Expression,
        rest: &[(Operator, Expression)],
    ) -> Option<Evaluated> {
        let mut values = vec![(self.evaluate(file, first)?, first.span)];
        let mut operators: Vec<Operator> = Vec::new();
        for (operator, operand) in rest {
            while operators.last().is_some_and(|last| precedence(*last) >= precedence(*operator)) {
                self.reduce(file, &mut values, &mut operators)?;
            }
            operators.push(*operator);
            values.push((self.evaluate(file, operand)?, operand.span));
        }
        while !operators.is_empty() {
            self.reduce(file, &mut values, &mut operators)?;
        }
        values.pop().map(|(value, _)| value)
    }

    fn reduce(
        &mut self,
        file: usize,
        values: &mut Vec<(Evaluated, Span)>,
        operators: &mut Vec<Operator>,
    ) -> Option<()> {
        let operator = operators.pop()?;
        let (right, right_span) = values.pop()?;
        let (left, left_span) = values.pop()?;
        let span = left_span.to(right_span);
        let value = match (left, right) {
            (Evaluated::Integer(left), Evaluated::Integer(right)) => {
                let result = apply(operator, left, right);
                if result.is_none() {
                    let place = self.place(file, span);
                    self.report(
                        Diagnostic::error(
                            Code::OutOfRange,
                            "this value does not fit in 128 bits",
                            place,
                            "overflows",
                        )
                        .with_help("a shift is 0 to 127 bits; the operands of `|` must not be negative"),
                    );
                }
                Evaluated::Integer(result?)
            }
            (Evaluated::Flags { id, bits }, Evaluated::Flags { id: other, bits: more })
                if id == other && operator == Operator::Or =>
            {
                Evaluated::Flags { id, bits: bits | more }
            }
            (left, right) => {
                let place = self.place(file, span);
                let message =
                    format!("operators work on integers, not on {} and {}", left.noun(), right.noun());
                self.report(
                    Diagnostic::error(Code::WrongDefault, message, place, "not two integers")
                        .with_help("`|` also joins flags of the same type"),
                );
                return None;
            }
        };
        values.push((value, span));
        Some(())
    }

    fn path_value(&mut self, file: usize, path: &ast::Path) -> Option<Evaluated> {
        let found = self.find(file, path, "constant")?;
        let entry = self.scope.entry(found.item)?;
        let place = self.place(file, path.span);
        match (&entry.item.kind, found.member) {
            (ItemKind::Constant { .. }, None) => {
                self.constants.get(&found.item).map(|constant| constant.evaluated.clone())
            }
            (ItemKind::Enum { variants, .. }, Some(member)) => {
                let names = variants.iter().map(|variant| variant.name.text.as_str());
                let index = self.member_index(file, entry.item, member, "variant", names)?;
                Some(Evaluated::Variant { id: entry.type_id?, index })
            }
            (ItemKind::Flags { flags, .. }, Some(member)) => {
                let names = flags.iter().map(|flag| flag.name.text.as_str());
                let index = self.member_index(file, entry.item, member, "flag", names)?;
                let bits = self.flag_values.get(&found.item)?.get(index).copied()??;
                Some(Evaluated::Flags { id: entry.type_id?, bits })
            }
            (kind, member) => {
                let message = format!("`{}` is not a value", path.text());
                let value = entry.type_id.filter(|_| member.is_none()).and_then(|id| self.first_value(id));
                let help = match (kind, value) {
                    (ItemKind::Enum { .. } | ItemKind::Flags { .. }, Some(value)) => {
                        format!("write a value with its type: `{value}`")
                    }
                    _ => "values are constants, flags, and variants without a payload".to_owned(),
                };
                self.report(
                    Diagnostic::error(Code::UnknownType, message, place, "not a value").with_help(help),
                );
                None
            }
        }
    }

    /// The index of a variant or flag. Reports an error if it is unknown.
    fn member_index<'n>(
        &mut self,
        file: usize,
        item: &ast::Item,
        member: &ast::Name,
        noun: &str,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Option<usize> {
        let index = names.clone().position(|name| name == member.text);
        if index.is_some() || item.incomplete {
            return index;
        }
        let place = self.place(file, member.span);
        let near = if self.may_suggest() { crate::suggest::nearest(&member.text, names) } else { None };
        let message = format!("`{}` has no {noun} `{}`", item.name.text, member.text);
        let diagnostic =
            Diagnostic::error(Code::UnknownType, message, place.clone(), format!("unknown {noun}"));
        self.report(match near {
            Some(near) => diagnostic.with_suggestion(place, near, format!("did you mean `{near}`?")),
            None => diagnostic,
        });
        None
    }
}

fn precedence(operator: Operator) -> u8 {
    match operator {
        Operator::Or => 0,
        Operator::ShiftLeft => 1,
        Operator::Add | Operator::Subtract => 2,
        Operator::Multiply => 3,
    }
}

fn apply(operator: Operator, left: Integer, right: Integer) -> Option<Integer> {
    match operator {
        Operator::Or => left.or(right),
        Operator::ShiftLeft => left.shift_left(right),
        Operator::Add => left.add(right),
        Operator::Subtract => left.subtract(right),
        Operator::Multiply => left.multiply(right),
    }
}
