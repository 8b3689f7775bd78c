//! Everything that is not the wire changes: docs, comments, order of items and methods, constants, `since`,
//! `deprecated`.

use crate::echo::cross;

crate::pair!(written_otherwise, Equal);
crate::echo::echoes!();

#[tokio::test]
async fn crossing() {
    let old = old::Thing { part: old::Part { width: 1 }, name: "a".to_owned() };
    let new = new::Thing { part: new::Part { width: 1 }, name: "a".to_owned() };
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
}
