//! Everything changes that is not on the wire: docs, comments, the order of items and methods, constants, `since`,
//! `deprecated`.

use crate::echo::cross;

crate::pair!(written_otherwise, Equal);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let old = old::Thing { part: old::Part { width: 1 }, name: "a".to_owned() };
    let new = new::Thing { part: new::Part { width: 1 }, name: "a".to_owned() };
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
}
