//! Generates the parser's table from the grammar, so that no user's build runs pest's generator.
//!
//! Invariants: [`generate`] depends only on the grammar and on the locked versions of pest and prettyplease.
//! A test checks that `kaa-idl/src/parse/generated.rs` is its result. pest itself reads, checks and optimizes
//! the grammar; this crate writes it down as data.

use std::collections::BTreeMap;
use std::fmt;

use pest_meta::ast::RuleType;
use pest_meta::optimizer::{OptimizedExpr, OptimizedRule, optimize};
use pest_meta::parser::{self, Rule};
use pest_meta::validator;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

const HEADER: &str = "\
//! The rules of `grammar.pest` as data. Generated: `KAA_BLESS=1 cargo test -p kaa-rpc-grammar` regenerates
//! it.
//!
//! Invariants: a test compares this file with the grammar.

";

/// Why no table can be generated from a grammar.
#[derive(Debug)]
#[non_exhaustive]
pub enum GrammarError {
    /// pest rejects it.
    Grammar(String),
    /// It uses a feature of pest that `kaa-idl/src/parse/grammar.rs` does not support.
    Unsupported(String),
    /// The generated text is not Rust, which would be a bug here.
    Rust(syn::Error),
}

impl fmt::Display for GrammarError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grammar(why) => write!(formatter, "pest rejects the grammar: {why}"),
            Self::Unsupported(what) => write!(formatter, "the language's parser does not support {what}"),
            Self::Rust(_) => write!(formatter, "the generated table is not Rust"),
        }
    }
}

impl std::error::Error for GrammarError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rust(error) => Some(error),
            _ => None,
        }
    }
}

/// Generates the source of the module with the rules of a grammar.
///
/// # Errors
///
/// If the grammar is wrong, or uses features of pest that the language's parser does not support.
pub fn generate(grammar: &str) -> Result<String, GrammarError> {
    let pairs = parser::parse(Rule::grammar_rules, grammar)
        .map_err(|error| GrammarError::Grammar(error.renamed_rules(parser::rename_meta_rule).to_string()))?;
    validator::validate_pairs(pairs.clone()).map_err(|errors| all(&errors))?;
    let rules = optimize(parser::consume_rules(pairs).map_err(|errors| all(&errors))?);
    let order: Vec<_> = rules.iter().map(|rule| rule.name.clone()).collect();
    let rules = Rules(rules.into_iter().map(|rule| (rule.name.clone(), rule)).collect());
    let called: Vec<_> =
        order.iter().filter_map(|name| rules.0.get(name)).filter(|rule| rules.is_called(rule)).collect();
    let names: Vec<_> = called.iter().map(|rule| identifier(&rule.name)).collect();
    let kinds = called.iter().map(|rule| kind(rule)).collect::<Result<Vec<_>, _>>()?;
    let expressions =
        called.iter().map(|rule| rules.expression(&rule.expr)).collect::<Result<Vec<_>, _>>()?;
    let file = syn::parse2(quote! {
        use super::expression::{Expression, Kind};

        /// The rules of the grammar, in the grammar's order.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "named as in the grammar")]
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub(crate) enum Rule { EOI, #(#names),* }

        impl Rule {
            /// The modifier of a rule, and what it matches.
            #[allow(clippy::too_many_lines, reason = "a table")]
            pub(super) fn definition(self) -> (Kind, &'static Expression<Self>) {
                match self {
                    Self::EOI => (Kind::Silent, &Expression::End),
                    #(Self::#names => (#kinds, &#expressions),)*
                }
            }
        }
    })
    .map_err(GrammarError::Rust)?;
    Ok(format!("{HEADER}{}", prettyplease::unparse(&file)))
}

fn all(errors: &[impl ToString]) -> GrammarError {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    GrammarError::Grammar(errors.join("\n"))
}

fn identifier(rule: &str) -> Ident {
    syn::parse_str(rule).unwrap_or_else(|_| format_ident!("r#{rule}"))
}

fn kind(rule: &OptimizedRule) -> Result<TokenStream, GrammarError> {
    match rule.ty {
        RuleType::Normal => Ok(quote!(Kind::Normal)),
        RuleType::Silent => Ok(quote!(Kind::Silent)),
        RuleType::Atomic => Ok(quote!(Kind::Atomic)),
        RuleType::CompoundAtomic | RuleType::NonAtomic => {
            Err(GrammarError::Unsupported(format!("the modifier of `{}`", rule.name)))
        }
    }
}

struct Rules(BTreeMap<String, OptimizedRule>);

impl Rules {
    /// Whether a rule is called by name. A silent rule for single characters is inlined where it is used.
    fn is_called(&self, rule: &OptimizedRule) -> bool {
        rule.name == "WHITESPACE" || rule.ty != RuleType::Silent || self.characters(&rule.expr).is_none()
    }

    fn expression(&self, expression: &OptimizedExpr) -> Result<TokenStream, GrammarError> {
        if let Some(ranges) = self.characters(expression) {
            let ranges = ranges.iter().map(|(from, to)| quote!((#from, #to)));
            return Ok(quote!(Expression::Character(&[#(#ranges),*])));
        }
        Ok(match expression {
            OptimizedExpr::Str(text) => quote!(Expression::Text(#text)),
            OptimizedExpr::Skip(texts) => quote!(Expression::Until(&[#(#texts),*])),
            OptimizedExpr::Ident(name) => match name.as_str() {
                "ANY" => quote!(Expression::Any),
                "SOI" => quote!(Expression::Start),
                "EOI" => quote!(Expression::End),
                rule if self.0.contains_key(rule) => {
                    let rule = identifier(rule);
                    quote!(Expression::Rule(Rule::#rule))
                }
                other => return Err(GrammarError::Unsupported(format!("`{other}`"))),
            },
            OptimizedExpr::Seq(first, rest) => {
                let mut parts = vec![self.expression(first)?];
                let mut rest = rest;
                while let OptimizedExpr::Seq(first, next) = &**rest {
                    parts.push(self.expression(first)?);
                    rest = next;
                }
                parts.push(self.expression(rest)?);
                quote!(Expression::Sequence(&[#(#parts),*]))
            }
            OptimizedExpr::Choice(first, rest) => {
                let mut alternatives = vec![self.expression(first)?];
                let mut rest = rest;
                while let OptimizedExpr::Choice(first, next) = &**rest {
                    alternatives.push(self.expression(first)?);
                    rest = next;
                }
                alternatives.push(self.expression(rest)?);
                quote!(Expression::Choice(&[#(#alternatives),*]))
            }
            OptimizedExpr::Opt(inner) => self.around(&quote!(Optional), inner)?,
            OptimizedExpr::Rep(inner) => self.around(&quote!(Repeated), inner)?,
            OptimizedExpr::PosPred(inner) => self.around(&quote!(Followed), inner)?,
            OptimizedExpr::NegPred(inner) => self.around(&quote!(NotFollowed), inner)?,
            other => return Err(GrammarError::Unsupported(format!("`{other}`"))),
        })
    }

    fn around(&self, variant: &TokenStream, inner: &OptimizedExpr) -> Result<TokenStream, GrammarError> {
        let inner = self.expression(inner)?;
        Ok(quote!(Expression::#variant(&#inner)))
    }

    /// The ranges of an expression that matches a single character; silent rules are followed.
    fn characters(&self, expression: &OptimizedExpr) -> Option<Vec<(char, char)>> {
        let one = |text: &str| {
            let mut characters = text.chars();
            characters.next().filter(|_| characters.next().is_none())
        };
        match expression {
            OptimizedExpr::Str(text) => one(text).map(|character| vec![(character, character)]),
            OptimizedExpr::Range(from, to) => Some(vec![(one(from)?, one(to)?)]),
            OptimizedExpr::Choice(first, second) => {
                let mut ranges = self.characters(first)?;
                ranges.extend(self.characters(second)?);
                Some(ranges)
            }
            OptimizedExpr::Ident(name) => match name.as_str() {
                "ASCII_DIGIT" => Some(vec![('0', '9')]),
                "ASCII_ALPHA" => Some(vec![('a', 'z'), ('A', 'Z')]),
                "ASCII_ALPHANUMERIC" => Some(vec![('a', 'z'), ('A', 'Z'), ('0', '9')]),
                rule => {
                    let rule = self.0.get(rule).filter(|rule| rule.ty == RuleType::Silent)?;
                    self.characters(&rule.expr)
                }
            },
            _ => None,
        }
    }
}
