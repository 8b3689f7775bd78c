//! An `Option` is appended: absent where the sender does not know it, skipped where the receiver does not.

use crate::echo::cross;

crate::pair!(field_append_option, Compatible);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let new = |height| new::Thing { width: 1, height };
    let old = old::Thing { width: 1 };
    cross::<Old, New>(old.clone(), new(None), old.clone()).await;
    cross::<New, Old>(new(Some(2)), old.clone(), new(None)).await;
}
