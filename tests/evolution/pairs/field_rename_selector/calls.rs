//! A field is renamed, and `#[selector]` keeps its name on the wire.

use crate::echo::cross;

crate::pair!(field_rename_selector, Equal);
crate::echo::echoes!();

#[tokio::test]
async fn crossing() {
    let (old, new) = (old::Thing { width: 1 }, new::Thing { breadth: 1 });
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
}
