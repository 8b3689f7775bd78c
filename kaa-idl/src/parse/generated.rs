//! The rules of `grammar.pest` as data. Generated: `KAA_BLESS=1 cargo test -p kaa-rpc-grammar` regenerates
//! it.
//!
//! Invariants: a test compares this file with the grammar.

use super::expression::{Expression, Kind};
/// The rules of the grammar, in the grammar's order.
#[allow(
    non_camel_case_types,
    clippy::upper_case_acronyms,
    reason = "named as in the grammar"
)]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Rule {
    EOI,
    WHITESPACE,
    chunk,
    statement,
    package_line,
    package_name,
    use_line,
    use_items,
    use_list,
    use_entry,
    use_alias,
    use_glob,
    item,
    decoration,
    stray_semicolon,
    dangling_doc,
    missing_comma_in_use,
    end_of_statement,
    missing_semicolon,
    wrong_comma,
    starter,
    constant,
    newtype,
    alias,
    structure,
    enumeration,
    error_type,
    flag_set,
    interface,
    service,
    field_block,
    field_entry,
    field_alone,
    field,
    tombstone,
    default,
    separator,
    wrong_semicolon,
    missing_comma,
    single_colon,
    parameters,
    parameter_entry,
    rest,
    variant_block,
    variant_entry,
    variant_alone,
    variant,
    reserved,
    elements,
    element,
    flag_block,
    flag_entry,
    flag_alone,
    flag,
    variant_separator,
    missing_variant_comma,
    member_block,
    member,
    member_alone,
    reserved_function,
    include,
    more_interfaces,
    client,
    function,
    result,
    throws,
    more_errors,
    r#type,
    array,
    unit,
    stream,
    named,
    type_arguments,
    type_argument,
    bound,
    bare_bound,
    both_ends,
    path,
    dotted_name,
    expression,
    operator,
    operand,
    minus,
    primary,
    grouped,
    empty_list,
    empty_map,
    not_empty,
    float,
    exponent,
    integer,
    string,
    character,
    boolean,
    attribute,
    attribute_arguments,
    attribute_argument,
    attribute_pair,
    attribute_group,
    doc,
    field_error,
    field_start,
    variant_error,
    flag_error,
    member_error,
    alone,
    skipped,
    group,
    braces,
    inside,
    two_signs,
    angles,
    identifier,
    kw_package,
    kw_use,
    kw_as,
    kw_const,
    kw_newtype,
    kw_type,
    kw_sealed,
    kw_struct,
    kw_enum,
    kw_error,
    kw_flags,
    kw_interface,
    kw_service,
    kw_client,
    kw_include,
    kw_oneway,
    kw_fn,
    kw_throws,
    kw_stream,
    kw_reserved,
    semicolon,
    comma,
    colon,
    dot,
    double_colon,
    wrong_double_colon,
    equals,
    arrow,
    open_brace,
    close_brace,
    open_parenthesis,
    close_parenthesis,
    open_bracket,
    close_bracket,
}
impl Rule {
    /// The modifier of a rule, and what it matches.
    #[allow(clippy::too_many_lines, reason = "a table")]
    pub(super) fn definition(self) -> (Kind, &'static Expression<Self>) {
        match self {
            Self::EOI => (Kind::Silent, &Expression::End),
            Self::WHITESPACE => {
                (
                    Kind::Silent,
                    &Expression::Character(
                        &[(' ', ' '), ('\t', '\t'), ('\r', '\r'), ('\n', '\n')],
                    ),
                )
            }
            Self::chunk => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Start,
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::statement),
                                    Expression::Repeated(&Expression::Rule(Rule::statement)),
                                ],
                            ),
                            Expression::End,
                        ],
                    ),
                )
            }
            Self::statement => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::package_line),
                            Expression::Rule(Rule::use_line),
                            Expression::Rule(Rule::item),
                            Expression::Rule(Rule::stray_semicolon),
                            Expression::Rule(Rule::dangling_doc),
                        ],
                    ),
                )
            }
            Self::package_line => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Repeated(&Expression::Rule(Rule::doc)),
                            Expression::Rule(Rule::kw_package),
                            Expression::Rule(Rule::package_name),
                            Expression::Rule(Rule::end_of_statement),
                        ],
                    ),
                )
            }
            Self::package_name => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::identifier),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::dot),
                                                Expression::Rule(Rule::wrong_double_colon),
                                            ],
                                        ),
                                        Expression::Rule(Rule::identifier),
                                    ],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::use_line => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Repeated(&Expression::Rule(Rule::doc)),
                            Expression::Rule(Rule::kw_use),
                            Expression::Rule(Rule::dotted_name),
                            Expression::Optional(
                                &Expression::Choice(
                                    &[
                                        Expression::Rule(Rule::use_items),
                                        Expression::Rule(Rule::use_alias),
                                    ],
                                ),
                            ),
                            Expression::Rule(Rule::end_of_statement),
                        ],
                    ),
                )
            }
            Self::use_items => {
                (
                    Kind::Silent,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::double_colon),
                            Expression::Choice(
                                &[
                                    Expression::Rule(Rule::use_list),
                                    Expression::Rule(Rule::use_glob),
                                    Expression::Rule(Rule::use_entry),
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::use_list => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('{', '{')]),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::use_entry),
                                        Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::comma),
                                                Expression::Followed(&Expression::Character(&[('}', '}')])),
                                                Expression::Rule(Rule::missing_comma_in_use),
                                            ],
                                        ),
                                    ],
                                ),
                            ),
                            Expression::Character(&[('}', '}')]),
                        ],
                    ),
                )
            }
            Self::use_entry => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::identifier),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::double_colon),
                                        Expression::Rule(Rule::identifier),
                                    ],
                                ),
                            ),
                            Expression::Optional(&Expression::Rule(Rule::use_alias)),
                        ],
                    ),
                )
            }
            Self::use_alias => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_as),
                            Expression::Rule(Rule::identifier),
                        ],
                    ),
                )
            }
            Self::use_glob => (Kind::Normal, &Expression::Character(&[('*', '*')])),
            Self::item => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Choice(
                                &[
                                    Expression::Rule(Rule::constant),
                                    Expression::Rule(Rule::newtype),
                                    Expression::Rule(Rule::alias),
                                    Expression::Rule(Rule::structure),
                                    Expression::Rule(Rule::enumeration),
                                    Expression::Rule(Rule::error_type),
                                    Expression::Rule(Rule::flag_set),
                                    Expression::Rule(Rule::interface),
                                    Expression::Rule(Rule::service),
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::decoration => {
                (
                    Kind::Silent,
                    &Expression::Repeated(
                        &Expression::Choice(
                            &[
                                Expression::Rule(Rule::doc),
                                Expression::Rule(Rule::attribute),
                            ],
                        ),
                    ),
                )
            }
            Self::stray_semicolon => {
                (Kind::Normal, &Expression::Character(&[(';', ';')]))
            }
            Self::dangling_doc => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::doc),
                                    Expression::Repeated(&Expression::Rule(Rule::doc)),
                                ],
                            ),
                            Expression::Followed(
                                &Expression::Choice(
                                    &[
                                        Expression::End,
                                        Expression::Character(&[('}', '}')]),
                                        Expression::Character(&[(')', ')')]),
                                    ],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::missing_comma_in_use => {
                (
                    Kind::Normal,
                    &Expression::Followed(&Expression::Rule(Rule::identifier)),
                )
            }
            Self::end_of_statement => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::semicolon),
                            Expression::Rule(Rule::wrong_comma),
                            Expression::Rule(Rule::missing_semicolon),
                        ],
                    ),
                )
            }
            Self::missing_semicolon => {
                (
                    Kind::Normal,
                    &Expression::Followed(
                        &Expression::Choice(
                            &[
                                Expression::End,
                                Expression::Character(&[('}', '}')]),
                                Expression::Rule(Rule::doc),
                                Expression::Character(&[('#', '#')]),
                                Expression::Rule(Rule::starter),
                            ],
                        ),
                    ),
                )
            }
            Self::wrong_comma => (Kind::Normal, &Expression::Character(&[(',', ',')])),
            Self::starter => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Choice(
                                        &[
                                            Expression::Rule(Rule::kw_package),
                                            Expression::Rule(Rule::kw_use),
                                            Expression::Rule(Rule::kw_const),
                                            Expression::Rule(Rule::kw_newtype),
                                            Expression::Rule(Rule::kw_type),
                                            Expression::Rule(Rule::kw_sealed),
                                            Expression::Rule(Rule::kw_struct),
                                            Expression::Rule(Rule::kw_enum),
                                            Expression::Rule(Rule::kw_flags),
                                            Expression::Rule(Rule::kw_error),
                                            Expression::Rule(Rule::kw_interface),
                                            Expression::Rule(Rule::kw_service),
                                            Expression::Rule(Rule::kw_fn),
                                            Expression::Rule(Rule::kw_include),
                                        ],
                                    ),
                                    Expression::Rule(Rule::identifier),
                                ],
                            ),
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::kw_oneway),
                                    Expression::Rule(Rule::kw_fn),
                                ],
                            ),
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::kw_client),
                                    Expression::Character(&[('{', '{')]),
                                ],
                            ),
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::kw_reserved),
                                    Expression::Rule(Rule::kw_fn),
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::constant => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_const),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::colon),
                            Expression::Rule(Rule::r#type),
                            Expression::Rule(Rule::equals),
                            Expression::Rule(Rule::expression),
                            Expression::Rule(Rule::end_of_statement),
                        ],
                    ),
                )
            }
            Self::newtype => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_newtype),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::open_parenthesis),
                            Expression::Rule(Rule::r#type),
                            Expression::Rule(Rule::close_parenthesis),
                            Expression::Rule(Rule::end_of_statement),
                        ],
                    ),
                )
            }
            Self::alias => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_type),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::equals),
                            Expression::Rule(Rule::r#type),
                            Expression::Rule(Rule::end_of_statement),
                        ],
                    ),
                )
            }
            Self::structure => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Optional(&Expression::Rule(Rule::kw_sealed)),
                            Expression::Rule(Rule::kw_struct),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::field_block),
                        ],
                    ),
                )
            }
            Self::enumeration => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Optional(&Expression::Rule(Rule::kw_sealed)),
                            Expression::Rule(Rule::kw_enum),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::variant_block),
                        ],
                    ),
                )
            }
            Self::error_type => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Optional(&Expression::Rule(Rule::kw_sealed)),
                            Expression::Rule(Rule::kw_error),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::variant_block),
                        ],
                    ),
                )
            }
            Self::flag_set => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_flags),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::colon),
                            Expression::Rule(Rule::r#type),
                            Expression::Rule(Rule::flag_block),
                        ],
                    ),
                )
            }
            Self::interface => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_interface),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::member_block),
                        ],
                    ),
                )
            }
            Self::service => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_service),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::member_block),
                        ],
                    ),
                )
            }
            Self::field_block => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::open_brace),
                            Expression::Repeated(&Expression::Rule(Rule::field_entry)),
                            Expression::Rule(Rule::close_brace),
                        ],
                    ),
                )
            }
            Self::field_entry => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Choice(
                                        &[
                                            Expression::Rule(Rule::tombstone),
                                            Expression::Rule(Rule::field),
                                        ],
                                    ),
                                    Expression::Rule(Rule::separator),
                                ],
                            ),
                            Expression::Rule(Rule::dangling_doc),
                            Expression::Rule(Rule::field_error),
                        ],
                    ),
                )
            }
            Self::field_alone => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Start,
                            Expression::Choice(
                                &[
                                    Expression::Rule(Rule::tombstone),
                                    Expression::Rule(Rule::field),
                                ],
                            ),
                            Expression::End,
                        ],
                    ),
                )
            }
            Self::field => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::colon),
                            Expression::Rule(Rule::r#type),
                            Expression::Optional(&Expression::Rule(Rule::default)),
                        ],
                    ),
                )
            }
            Self::tombstone => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Rule(Rule::kw_reserved),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::colon),
                            Expression::Rule(Rule::r#type),
                            Expression::Optional(&Expression::Rule(Rule::default)),
                        ],
                    ),
                )
            }
            Self::default => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::equals),
                            Expression::Rule(Rule::expression),
                        ],
                    ),
                )
            }
            Self::separator => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::comma),
                            Expression::Rule(Rule::wrong_semicolon),
                            Expression::Followed(
                                &Expression::Character(&[('}', '}'), (')', ')')]),
                            ),
                            Expression::Rule(Rule::missing_comma),
                        ],
                    ),
                )
            }
            Self::wrong_semicolon => {
                (Kind::Normal, &Expression::Character(&[(';', ';')]))
            }
            Self::missing_comma => {
                (
                    Kind::Normal,
                    &Expression::Followed(
                        &Expression::Choice(
                            &[
                                Expression::Rule(Rule::doc),
                                Expression::Character(&[('#', '#')]),
                                Expression::Sequence(
                                    &[
                                        Expression::Optional(&Expression::Rule(Rule::kw_reserved)),
                                        Expression::Rule(Rule::identifier),
                                        Expression::Rule(Rule::single_colon),
                                    ],
                                ),
                            ],
                        ),
                    ),
                )
            }
            Self::single_colon => {
                (
                    Kind::Silent,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[(':', ':')]),
                            Expression::NotFollowed(
                                &Expression::Character(&[(':', ':')]),
                            ),
                        ],
                    ),
                )
            }
            Self::parameters => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::open_parenthesis),
                            Expression::Repeated(
                                &Expression::Rule(Rule::parameter_entry),
                            ),
                            Expression::Rule(Rule::close_parenthesis),
                        ],
                    ),
                )
            }
            Self::parameter_entry => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::rest),
                                    Expression::Optional(&Expression::Rule(Rule::comma)),
                                ],
                            ),
                            Expression::Rule(Rule::field_entry),
                        ],
                    ),
                )
            }
            Self::rest => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Text(".."),
                            Expression::Followed(
                                &Expression::Character(&[(',', ','), (')', ')')]),
                            ),
                        ],
                    ),
                )
            }
            Self::variant_block => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::open_brace),
                            Expression::Repeated(&Expression::Rule(Rule::variant_entry)),
                            Expression::Rule(Rule::close_brace),
                        ],
                    ),
                )
            }
            Self::variant_entry => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Choice(
                                        &[
                                            Expression::Rule(Rule::reserved),
                                            Expression::Rule(Rule::variant),
                                        ],
                                    ),
                                    Expression::Rule(Rule::variant_separator),
                                ],
                            ),
                            Expression::Rule(Rule::dangling_doc),
                            Expression::Rule(Rule::variant_error),
                        ],
                    ),
                )
            }
            Self::variant_alone => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Start,
                            Expression::Choice(
                                &[
                                    Expression::Rule(Rule::reserved),
                                    Expression::Rule(Rule::variant),
                                ],
                            ),
                            Expression::End,
                        ],
                    ),
                )
            }
            Self::variant => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Rule(Rule::identifier),
                            Expression::Optional(
                                &Expression::Choice(
                                    &[
                                        Expression::Rule(Rule::field_block),
                                        Expression::Rule(Rule::elements),
                                    ],
                                ),
                            ),
                            Expression::Optional(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::equals),
                                        Expression::Rule(Rule::expression),
                                    ],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::reserved => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Repeated(&Expression::Rule(Rule::doc)),
                            Expression::Rule(Rule::kw_reserved),
                            Expression::Choice(
                                &[
                                    Expression::Sequence(
                                        &[
                                            Expression::Rule(Rule::integer),
                                            Expression::Optional(&Expression::Rule(Rule::string)),
                                        ],
                                    ),
                                    Expression::Rule(Rule::string),
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::elements => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::open_parenthesis),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::element),
                                        Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::comma),
                                                Expression::Followed(&Expression::Character(&[(')', ')')])),
                                            ],
                                        ),
                                    ],
                                ),
                            ),
                            Expression::Rule(Rule::close_parenthesis),
                        ],
                    ),
                )
            }
            Self::element => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Rule(Rule::r#type),
                        ],
                    ),
                )
            }
            Self::flag_block => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::open_brace),
                            Expression::Repeated(&Expression::Rule(Rule::flag_entry)),
                            Expression::Rule(Rule::close_brace),
                        ],
                    ),
                )
            }
            Self::flag_entry => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::flag),
                                    Expression::Rule(Rule::variant_separator),
                                ],
                            ),
                            Expression::Rule(Rule::dangling_doc),
                            Expression::Rule(Rule::flag_error),
                        ],
                    ),
                )
            }
            Self::flag_alone => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Start,
                            Expression::Rule(Rule::flag),
                            Expression::End,
                        ],
                    ),
                )
            }
            Self::flag => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::equals),
                            Expression::Rule(Rule::expression),
                        ],
                    ),
                )
            }
            Self::variant_separator => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::comma),
                            Expression::Rule(Rule::wrong_semicolon),
                            Expression::Followed(&Expression::Character(&[('}', '}')])),
                            Expression::Rule(Rule::missing_variant_comma),
                        ],
                    ),
                )
            }
            Self::missing_variant_comma => {
                (
                    Kind::Normal,
                    &Expression::Followed(
                        &Expression::Choice(
                            &[
                                Expression::Rule(Rule::doc),
                                Expression::Character(&[('#', '#')]),
                                Expression::Rule(Rule::identifier),
                            ],
                        ),
                    ),
                )
            }
            Self::member_block => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::open_brace),
                            Expression::Repeated(&Expression::Rule(Rule::member)),
                            Expression::Rule(Rule::close_brace),
                        ],
                    ),
                )
            }
            Self::member => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::reserved_function),
                            Expression::Rule(Rule::include),
                            Expression::Rule(Rule::client),
                            Expression::Rule(Rule::function),
                            Expression::Rule(Rule::stray_semicolon),
                            Expression::Rule(Rule::dangling_doc),
                            Expression::Rule(Rule::member_error),
                        ],
                    ),
                )
            }
            Self::member_alone => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Start,
                            Expression::Choice(
                                &[
                                    Expression::Rule(Rule::reserved_function),
                                    Expression::Rule(Rule::include),
                                    Expression::Rule(Rule::client),
                                    Expression::Rule(Rule::function),
                                ],
                            ),
                            Expression::End,
                        ],
                    ),
                )
            }
            Self::reserved_function => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Repeated(&Expression::Rule(Rule::doc)),
                            Expression::Rule(Rule::kw_reserved),
                            Expression::Rule(Rule::kw_fn),
                            Expression::Rule(Rule::string),
                            Expression::Rule(Rule::end_of_statement),
                        ],
                    ),
                )
            }
            Self::include => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Rule(Rule::kw_include),
                            Expression::Rule(Rule::path),
                            Expression::Optional(
                                &Expression::Rule(Rule::more_interfaces),
                            ),
                            Expression::Rule(Rule::end_of_statement),
                        ],
                    ),
                )
            }
            Self::more_interfaces => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Character(&[(',', ',')]),
                                    Expression::NotFollowed(&Expression::Rule(Rule::starter)),
                                    Expression::Rule(Rule::path),
                                ],
                            ),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Character(&[(',', ',')]),
                                        Expression::NotFollowed(&Expression::Rule(Rule::starter)),
                                        Expression::Rule(Rule::path),
                                    ],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::client => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Rule(Rule::kw_client),
                            Expression::Rule(Rule::member_block),
                        ],
                    ),
                )
            }
            Self::function => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::decoration),
                            Expression::Optional(&Expression::Rule(Rule::kw_oneway)),
                            Expression::Rule(Rule::kw_fn),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::parameters),
                            Expression::Optional(&Expression::Rule(Rule::result)),
                            Expression::Optional(&Expression::Rule(Rule::throws)),
                            Expression::Rule(Rule::end_of_statement),
                        ],
                    ),
                )
            }
            Self::result => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[Expression::Rule(Rule::arrow), Expression::Rule(Rule::r#type)],
                    ),
                )
            }
            Self::throws => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_throws),
                            Expression::Rule(Rule::path),
                            Expression::Optional(&Expression::Rule(Rule::more_errors)),
                        ],
                    ),
                )
            }
            Self::more_errors => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Character(
                                        &[(',', ','), ('|', '|'), ('+', '+')],
                                    ),
                                    Expression::NotFollowed(&Expression::Rule(Rule::starter)),
                                    Expression::Rule(Rule::path),
                                ],
                            ),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Character(
                                            &[(',', ','), ('|', '|'), ('+', '+')],
                                        ),
                                        Expression::NotFollowed(&Expression::Rule(Rule::starter)),
                                        Expression::Rule(Rule::path),
                                    ],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::r#type => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::array),
                            Expression::Rule(Rule::unit),
                            Expression::Rule(Rule::stream),
                            Expression::Rule(Rule::named),
                        ],
                    ),
                )
            }
            Self::array => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('[', '[')]),
                            Expression::Rule(Rule::r#type),
                            Expression::Optional(
                                &Expression::Sequence(
                                    &[
                                        Expression::Character(&[(';', ';')]),
                                        Expression::Rule(Rule::expression),
                                    ],
                                ),
                            ),
                            Expression::Character(&[(']', ']')]),
                        ],
                    ),
                )
            }
            Self::unit => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('(', '(')]),
                            Expression::Character(&[(')', ')')]),
                        ],
                    ),
                )
            }
            Self::stream => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::kw_stream),
                            Expression::NotFollowed(&Expression::Rule(Rule::kw_throws)),
                            Expression::Rule(Rule::r#type),
                        ],
                    ),
                )
            }
            Self::named => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::path),
                            Expression::Optional(&Expression::Rule(Rule::type_arguments)),
                        ],
                    ),
                )
            }
            Self::type_arguments => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('<', '<')]),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::type_argument),
                                        Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::comma),
                                                Expression::Followed(&Expression::Character(&[('>', '>')])),
                                            ],
                                        ),
                                    ],
                                ),
                            ),
                            Expression::Character(&[('>', '>')]),
                        ],
                    ),
                )
            }
            Self::type_argument => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::bound),
                            Expression::Rule(Rule::bare_bound),
                            Expression::Rule(Rule::r#type),
                        ],
                    ),
                )
            }
            Self::bound => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[Expression::Text("..="), Expression::Rule(Rule::expression)],
                    ),
                )
            }
            Self::bare_bound => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::both_ends),
                            Expression::Sequence(
                                &[
                                    Expression::Choice(
                                        &[
                                            Expression::Character(&[('=', '=')]),
                                            Expression::Text(".."),
                                        ],
                                    ),
                                    Expression::Rule(Rule::expression),
                                ],
                            ),
                            Expression::Rule(Rule::integer),
                        ],
                    ),
                )
            }
            Self::both_ends => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::integer),
                            Expression::Choice(
                                &[Expression::Text("..="), Expression::Text("..")],
                            ),
                            Expression::Optional(&Expression::Rule(Rule::expression)),
                        ],
                    ),
                )
            }
            Self::path => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::dotted_name),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::double_colon),
                                        Expression::Rule(Rule::identifier),
                                    ],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::dotted_name => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::identifier),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::dot),
                                        Expression::Rule(Rule::identifier),
                                    ],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::expression => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::operand),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::operator),
                                        Expression::Rule(Rule::operand),
                                    ],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::operator => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Text("<<"),
                            Expression::Character(&[('+', '+')]),
                            Expression::Character(&[('-', '-')]),
                            Expression::Character(&[('*', '*')]),
                            Expression::Character(&[('|', '|')]),
                        ],
                    ),
                )
            }
            Self::operand => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Optional(&Expression::Rule(Rule::minus)),
                            Expression::Rule(Rule::primary),
                        ],
                    ),
                )
            }
            Self::minus => (Kind::Normal, &Expression::Character(&[('-', '-')])),
            Self::primary => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::float),
                            Expression::Rule(Rule::integer),
                            Expression::Rule(Rule::string),
                            Expression::Rule(Rule::character),
                            Expression::Rule(Rule::boolean),
                            Expression::Rule(Rule::empty_list),
                            Expression::Rule(Rule::empty_map),
                            Expression::Rule(Rule::grouped),
                            Expression::Rule(Rule::not_empty),
                            Expression::Rule(Rule::path),
                        ],
                    ),
                )
            }
            Self::grouped => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('(', '(')]),
                            Expression::Rule(Rule::expression),
                            Expression::Character(&[(')', ')')]),
                        ],
                    ),
                )
            }
            Self::empty_list => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('[', '[')]),
                            Expression::Character(&[(']', ']')]),
                        ],
                    ),
                )
            }
            Self::empty_map => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('{', '{')]),
                            Expression::Character(&[('}', '}')]),
                        ],
                    ),
                )
            }
            Self::not_empty => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Character(&[('{', '{')]),
                                    Expression::Repeated(&Expression::Rule(Rule::inside)),
                                    Expression::Character(&[('}', '}')]),
                                ],
                            ),
                            Expression::Sequence(
                                &[
                                    Expression::Character(&[('[', '[')]),
                                    Expression::Repeated(&Expression::Rule(Rule::inside)),
                                    Expression::Character(&[(']', ']')]),
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::float => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('0', '9')]),
                            Expression::Repeated(
                                &Expression::Character(&[('0', '9'), ('_', '_')]),
                            ),
                            Expression::Choice(
                                &[
                                    Expression::Sequence(
                                        &[
                                            Expression::Character(&[('.', '.')]),
                                            Expression::Character(&[('0', '9')]),
                                            Expression::Repeated(
                                                &Expression::Character(&[('0', '9'), ('_', '_')]),
                                            ),
                                            Expression::Optional(&Expression::Rule(Rule::exponent)),
                                        ],
                                    ),
                                    Expression::Rule(Rule::exponent),
                                ],
                            ),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::exponent => {
                (
                    Kind::Silent,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('e', 'e'), ('E', 'E')]),
                            Expression::Optional(
                                &Expression::Character(&[('+', '+'), ('-', '-')]),
                            ),
                            Expression::Character(&[('0', '9')]),
                            Expression::Repeated(&Expression::Character(&[('0', '9')])),
                        ],
                    ),
                )
            }
            Self::integer => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('0', '9')]),
                            Expression::Repeated(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::string => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('"', '"')]),
                            Expression::Until(&["\""]),
                            Expression::Character(&[('"', '"')]),
                        ],
                    ),
                )
            }
            Self::character => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('\'', '\'')]),
                            Expression::Until(&["'"]),
                            Expression::Character(&[('\'', '\'')]),
                        ],
                    ),
                )
            }
            Self::boolean => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Choice(
                                &[Expression::Text("true"), Expression::Text("false")],
                            ),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::attribute => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('#', '#')]),
                            Expression::Rule(Rule::open_bracket),
                            Expression::Rule(Rule::identifier),
                            Expression::Optional(
                                &Expression::Rule(Rule::attribute_arguments),
                            ),
                            Expression::Rule(Rule::close_bracket),
                        ],
                    ),
                )
            }
            Self::attribute_arguments => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('(', '(')]),
                            Expression::Repeated(
                                &Expression::Sequence(
                                    &[
                                        Expression::Rule(Rule::attribute_argument),
                                        Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::comma),
                                                Expression::Followed(&Expression::Character(&[(')', ')')])),
                                            ],
                                        ),
                                    ],
                                ),
                            ),
                            Expression::Character(&[(')', ')')]),
                        ],
                    ),
                )
            }
            Self::attribute_argument => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::attribute_pair),
                            Expression::Rule(Rule::attribute_group),
                            Expression::Rule(Rule::expression),
                        ],
                    ),
                )
            }
            Self::attribute_pair => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::equals),
                            Expression::Rule(Rule::expression),
                        ],
                    ),
                )
            }
            Self::attribute_group => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::attribute_arguments),
                        ],
                    ),
                )
            }
            Self::doc => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[Expression::Text("///"), Expression::Until(&["\n"])],
                    ),
                )
            }
            Self::field_error => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::decoration),
                                    Expression::Choice(
                                        &[
                                            Expression::Sequence(
                                                &[
                                                    Expression::Optional(&Expression::Rule(Rule::kw_reserved)),
                                                    Expression::Rule(Rule::identifier),
                                                    Expression::Rule(Rule::colon),
                                                    Expression::Repeated(&Expression::Rule(Rule::doc)),
                                                ],
                                            ),
                                            Expression::Rule(Rule::skipped),
                                        ],
                                    ),
                                    Expression::Repeated(
                                        &Expression::Sequence(
                                            &[
                                                Expression::NotFollowed(
                                                    &Expression::Rule(Rule::field_start),
                                                ),
                                                Expression::Rule(Rule::skipped),
                                            ],
                                        ),
                                    ),
                                    Expression::Optional(
                                        &Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::comma),
                                                Expression::Rule(Rule::semicolon),
                                            ],
                                        ),
                                    ),
                                ],
                            ),
                            Expression::Rule(Rule::alone),
                        ],
                    ),
                )
            }
            Self::field_start => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::doc),
                            Expression::Character(&[('#', '#')]),
                            Expression::Sequence(
                                &[
                                    Expression::Optional(&Expression::Rule(Rule::kw_reserved)),
                                    Expression::Rule(Rule::identifier),
                                    Expression::Rule(Rule::single_colon),
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::variant_error => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::decoration),
                                    Expression::Rule(Rule::skipped),
                                    Expression::Repeated(
                                        &Expression::Sequence(
                                            &[
                                                Expression::NotFollowed(
                                                    &Expression::Choice(
                                                        &[
                                                            Expression::Character(&[('#', '#')]),
                                                            Expression::Rule(Rule::doc),
                                                        ],
                                                    ),
                                                ),
                                                Expression::Rule(Rule::skipped),
                                            ],
                                        ),
                                    ),
                                    Expression::Optional(
                                        &Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::comma),
                                                Expression::Rule(Rule::semicolon),
                                            ],
                                        ),
                                    ),
                                ],
                            ),
                            Expression::Rule(Rule::alone),
                        ],
                    ),
                )
            }
            Self::flag_error => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::decoration),
                                    Expression::Rule(Rule::skipped),
                                    Expression::Repeated(
                                        &Expression::Sequence(
                                            &[
                                                Expression::NotFollowed(
                                                    &Expression::Choice(
                                                        &[
                                                            Expression::Character(&[('#', '#')]),
                                                            Expression::Rule(Rule::doc),
                                                        ],
                                                    ),
                                                ),
                                                Expression::Rule(Rule::skipped),
                                            ],
                                        ),
                                    ),
                                    Expression::Optional(
                                        &Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::comma),
                                                Expression::Rule(Rule::semicolon),
                                            ],
                                        ),
                                    ),
                                ],
                            ),
                            Expression::Rule(Rule::alone),
                        ],
                    ),
                )
            }
            Self::member_error => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Rule(Rule::decoration),
                                    Expression::Choice(
                                        &[
                                            Expression::Sequence(
                                                &[
                                                    Expression::Optional(
                                                        &Expression::Choice(
                                                            &[
                                                                Expression::Rule(Rule::kw_oneway),
                                                                Expression::Rule(Rule::kw_reserved),
                                                            ],
                                                        ),
                                                    ),
                                                    Expression::Rule(Rule::kw_fn),
                                                ],
                                            ),
                                            Expression::Rule(Rule::skipped),
                                        ],
                                    ),
                                    Expression::Repeated(
                                        &Expression::Sequence(
                                            &[
                                                Expression::NotFollowed(
                                                    &Expression::Choice(
                                                        &[
                                                            Expression::Rule(Rule::starter),
                                                            Expression::Rule(Rule::doc),
                                                            Expression::Character(&[('#', '#')]),
                                                            Expression::Rule(Rule::braces),
                                                        ],
                                                    ),
                                                ),
                                                Expression::Rule(Rule::skipped),
                                            ],
                                        ),
                                    ),
                                    Expression::Optional(
                                        &Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::semicolon),
                                                Expression::Rule(Rule::braces),
                                                Expression::Rule(Rule::comma),
                                            ],
                                        ),
                                    ),
                                ],
                            ),
                            Expression::Rule(Rule::alone),
                        ],
                    ),
                )
            }
            Self::alone => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Sequence(
                                &[
                                    Expression::Choice(
                                        &[
                                            Expression::Rule(Rule::doc),
                                            Expression::Rule(Rule::attribute),
                                        ],
                                    ),
                                    Expression::Repeated(
                                        &Expression::Choice(
                                            &[
                                                Expression::Rule(Rule::doc),
                                                Expression::Rule(Rule::attribute),
                                            ],
                                        ),
                                    ),
                                ],
                            ),
                            Expression::Rule(Rule::comma),
                            Expression::Rule(Rule::semicolon),
                        ],
                    ),
                )
            }
            Self::skipped => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::string),
                            Expression::Rule(Rule::character),
                            Expression::Rule(Rule::group),
                            Expression::Rule(Rule::two_signs),
                            Expression::Rule(Rule::angles),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::integer),
                            Expression::Rule(Rule::doc),
                            Expression::Sequence(
                                &[
                                    Expression::NotFollowed(
                                        &Expression::Character(
                                            &[
                                                (',', ','),
                                                (';', ';'),
                                                ('}', '}'),
                                                (')', ')'),
                                                (']', ']'),
                                            ],
                                        ),
                                    ),
                                    Expression::Any,
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::group => {
                (
                    Kind::Normal,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::braces),
                            Expression::Sequence(
                                &[
                                    Expression::Character(&[('(', '(')]),
                                    Expression::Repeated(&Expression::Rule(Rule::inside)),
                                    Expression::Character(&[(')', ')')]),
                                ],
                            ),
                            Expression::Sequence(
                                &[
                                    Expression::Character(&[('[', '[')]),
                                    Expression::Repeated(&Expression::Rule(Rule::inside)),
                                    Expression::Character(&[(']', ']')]),
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::braces => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('{', '{')]),
                            Expression::Repeated(&Expression::Rule(Rule::inside)),
                            Expression::Character(&[('}', '}')]),
                        ],
                    ),
                )
            }
            Self::inside => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Rule(Rule::string),
                            Expression::Rule(Rule::character),
                            Expression::Rule(Rule::group),
                            Expression::Rule(Rule::identifier),
                            Expression::Rule(Rule::integer),
                            Expression::Rule(Rule::doc),
                            Expression::Sequence(
                                &[
                                    Expression::NotFollowed(
                                        &Expression::Character(
                                            &[('}', '}'), (')', ')'), (']', ']')],
                                        ),
                                    ),
                                    Expression::Any,
                                ],
                            ),
                        ],
                    ),
                )
            }
            Self::two_signs => {
                (
                    Kind::Silent,
                    &Expression::Choice(
                        &[
                            Expression::Text("<<"),
                            Expression::Text("->"),
                            Expression::Text("=>"),
                        ],
                    ),
                )
            }
            Self::angles => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('<', '<')]),
                            Expression::Repeated(
                                &Expression::Choice(
                                    &[
                                        Expression::Rule(Rule::string),
                                        Expression::Rule(Rule::group),
                                        Expression::Rule(Rule::two_signs),
                                        Expression::Rule(Rule::angles),
                                        Expression::Rule(Rule::identifier),
                                        Expression::Rule(Rule::integer),
                                        Expression::Rule(Rule::doc),
                                        Expression::Sequence(
                                            &[
                                                Expression::NotFollowed(
                                                    &Expression::Character(
                                                        &[('>', '>'), ('}', '}'), (')', ')'), (']', ']')],
                                                    ),
                                                ),
                                                Expression::Any,
                                            ],
                                        ),
                                    ],
                                ),
                            ),
                            Expression::Character(&[('>', '>')]),
                        ],
                    ),
                )
            }
            Self::identifier => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('a', 'z'), ('A', 'Z'), ('_', '_')]),
                            Expression::Repeated(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_package => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("package"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_use => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("use"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_as => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("as"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_const => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("const"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_newtype => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("newtype"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_type => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("type"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_sealed => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("sealed"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_struct => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("struct"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_enum => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("enum"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_error => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("error"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_flags => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("flags"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_interface => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("interface"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_service => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("service"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_client => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("client"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_include => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("include"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_oneway => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("oneway"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_fn => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("fn"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_throws => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("throws"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_stream => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("stream"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::kw_reserved => {
                (
                    Kind::Atomic,
                    &Expression::Sequence(
                        &[
                            Expression::Text("reserved"),
                            Expression::NotFollowed(
                                &Expression::Character(
                                    &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                                ),
                            ),
                        ],
                    ),
                )
            }
            Self::semicolon => (Kind::Normal, &Expression::Character(&[(';', ';')])),
            Self::comma => (Kind::Normal, &Expression::Character(&[(',', ',')])),
            Self::colon => (Kind::Normal, &Expression::Rule(Rule::single_colon)),
            Self::dot => {
                (
                    Kind::Normal,
                    &Expression::Sequence(
                        &[
                            Expression::Character(&[('.', '.')]),
                            Expression::NotFollowed(
                                &Expression::Character(&[('.', '.')]),
                            ),
                        ],
                    ),
                )
            }
            Self::double_colon => (Kind::Normal, &Expression::Text("::")),
            Self::wrong_double_colon => (Kind::Normal, &Expression::Text("::")),
            Self::equals => (Kind::Normal, &Expression::Character(&[('=', '=')])),
            Self::arrow => (Kind::Normal, &Expression::Text("->")),
            Self::open_brace => (Kind::Normal, &Expression::Character(&[('{', '{')])),
            Self::close_brace => (Kind::Normal, &Expression::Character(&[('}', '}')])),
            Self::open_parenthesis => {
                (Kind::Normal, &Expression::Character(&[('(', '(')]))
            }
            Self::close_parenthesis => {
                (Kind::Normal, &Expression::Character(&[(')', ')')]))
            }
            Self::open_bracket => (Kind::Normal, &Expression::Character(&[('[', '[')])),
            Self::close_bracket => (Kind::Normal, &Expression::Character(&[(']', ']')])),
        }
    }
}
