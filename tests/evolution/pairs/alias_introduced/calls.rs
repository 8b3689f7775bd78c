//! A type gets another name by an alias.

use crate::echo::cross;

crate::pair!(alias_introduced, Equal);
crate::echo::echoes!();

#[tokio::test]
async fn crossing() {
    let old = old::Thing { tags: [("a".to_owned(), 1)].into() };
    let new = new::Thing { tags: [("a".to_owned(), 1)].into() };
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
}
