//! An error gains a variant: an old caller receives it as an unknown variant.

crate::pair!(error_variant_add, Compatible);

use kaa_rpc_runtime::{CallError, Failure};

use crate::calls::{both_sides, call};

struct Handlers;

both_sides!(Handlers, old: fn enter(_name: String) -> Result<String, Failure<old::Problem>> {
    Err(old::Problem::Closed)?
});

both_sides!(Handlers, new: fn enter(name: String) -> Result<String, Failure<new::Problem>> {
    Err(new::Problem::Full { guests: guests(&name) })?
});

fn guests(name: &str) -> u32 {
    u32::try_from(name.len()).unwrap()
}

#[tokio::test]
async fn generations_interoperate() {
    let result = call!(Handlers: old => new, |to| to.enter("me")).unwrap_err();
    let CallError::Declared(old::Problem::Unknown(unknown)) = result else { panic!("{result:?}") };
    assert_eq!((unknown.tag(), unknown.payload().unwrap().as_ref()), (2, &[2][..]));
    let result = call!(Handlers: new => old, |to| to.enter("me"));
    assert_eq!(result, Err(CallError::Declared(new::Problem::Closed)));
}
