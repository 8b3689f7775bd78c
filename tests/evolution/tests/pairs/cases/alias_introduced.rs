//! A type is replaced by an alias of it.

use crate::echo::cross;

crate::pair!(alias_introduced, Equal);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let old = old::Thing { tags: [("a".to_owned(), 1)].into() };
    let new = new::Thing { tags: [("a".to_owned(), 1)].into() };
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
}
