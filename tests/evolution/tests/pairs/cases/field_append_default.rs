//! Fields with defaults are appended: a peer without them uses the defaults.

use crate::echo::cross;

crate::pair!(field_append_default, Compatible);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let old = old::Thing { width: 1 };
    cross::<Old, New>(old.clone(), new::Thing::new(1), old.clone()).await;
    assert_eq!((new::Thing::new(1).unit.as_str(), new::Thing::new(1).depth), ("mm", 1 << 40));
    let sent = new::Thing { width: 1, unit: "inch".to_owned(), sides: vec![4, 5], depth: 6 };
    cross::<New, Old>(sent, old, new::Thing::new(1)).await;
}
