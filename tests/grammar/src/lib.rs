//! Prepares the parser that pest makes of the language's grammar, so that no user's build has to make it again.
//!
//! Invariants: [`prepare`] is a function of the grammar and of the locked versions of pest's generator and
//! prettyplease; what it returns is `kaa-idl/src/parse/generated.rs`, which the test beside it holds to that.

use quote::quote;

const HEADER: &str = "\
//! What pest makes of `grammar.pest`. Generated; `KAA_BLESS=1 cargo test -p kaa-rpc-grammar` renews it.
//!
//! Invariants: a test compares this file with what the grammar gives.

";

/// The source of the module that implements [`pest`](https://docs.rs/pest)'s `Parser` for `Grammar`.
///
/// # Errors
///
/// What pest made is no Rust, which would be a bug of its generator.
///
/// # Panics
///
/// pest's generator panics with an explanation if the grammar is no grammar.
pub fn prepare(grammar: &str) -> Result<String, syn::Error> {
    let derive = quote! {
        #[derive(Parser)]
        #[grammar_inline = #grammar]
        pub(crate) struct Grammar;
    };
    let parser = pest_generator::derive_parser(derive, false);
    let file = syn::parse2(quote! {
        /// The language's parser.
        #[derive(Debug)]
        pub(crate) struct Grammar;
        #parser
    })?;
    Ok(format!("{HEADER}{}", prettyplease::unparse(&file)))
}
