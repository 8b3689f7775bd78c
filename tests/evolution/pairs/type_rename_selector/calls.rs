//! A type is renamed, and `#[selector]` keeps its name on the wire.

use crate::echo::cross;

crate::pair!(type_rename_selector, Equal);
crate::echo::echoes!();

#[tokio::test]
async fn crossing() {
    let old = old::Thing { part: old::Part { width: 1 } };
    let new = new::Thing { part: new::Piece { width: 1 } };
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
}
