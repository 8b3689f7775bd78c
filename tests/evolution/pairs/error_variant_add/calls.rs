//! An error gets a variant: an old caller is told a variant that it does not know.

crate::pair!(error_variant_add, Compatible);

use kaa_rpc_runtime::{CallError, Failure};

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn enter(_name: String) -> Result<String, Failure<old::Problem>> {
    Err(old::Problem::Closed)?
});

both_sides!(Desk, new: fn enter(name: String) -> Result<String, Failure<new::Problem>> {
    Err(new::Problem::Full { guests: guests(&name) })?
});

fn guests(name: &str) -> u32 {
    u32::try_from(name.len()).unwrap()
}

#[tokio::test]
async fn crossing() {
    let told = call!(Desk: old => new, |to| to.enter("me")).unwrap_err();
    let CallError::Declared(old::Problem::Unknown(unknown)) = told else { panic!("{told:?}") };
    assert_eq!((unknown.tag(), unknown.payload().unwrap().as_ref()), (2, &[2][..]));
    let told = call!(Desk: new => old, |to| to.enter("me"));
    assert_eq!(told, Err(CallError::Declared(new::Problem::Closed)));
}
