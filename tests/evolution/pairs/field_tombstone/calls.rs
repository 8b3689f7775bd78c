//! A field becomes a tombstone: its slot stays, with a zero in it.

use crate::echo::cross;

crate::pair!(field_tombstone, Equal);
crate::echo::echoes!();

#[tokio::test]
async fn crossing() {
    let old = |name: &str| old::Thing { width: 1, name: name.to_owned(), depth: 2 };
    let new = new::Thing { width: 1, depth: 2 };
    cross::<Old, New>(old("gone"), new.clone(), old("")).await;
    cross::<New, Old>(new.clone(), old(""), new).await;
}
