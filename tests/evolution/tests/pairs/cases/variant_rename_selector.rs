//! A variant is renamed with a `#[selector]` that keeps its wire name; another variant moves and keeps its tag.

use crate::echo::cross;

crate::pair!(variant_rename_selector, Equal);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    cross::<Old, New>(old::Thing::Green, new::Thing::Lime, old::Thing::Green).await;
    cross::<New, Old>(new::Thing::Red, old::Thing::Red, new::Thing::Red).await;
}
