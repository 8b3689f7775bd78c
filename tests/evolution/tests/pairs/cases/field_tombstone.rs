//! A field becomes a tombstone: a zero is sent in its place.

use crate::echo::cross;

crate::pair!(field_tombstone, Equal);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let old = |name: &str| old::Thing { width: 1, name: name.to_owned(), depth: 2 };
    let new = new::Thing { width: 1, depth: 2 };
    cross::<Old, New>(old("gone"), new.clone(), old("")).await;
    cross::<New, Old>(new.clone(), old(""), new).await;
}
