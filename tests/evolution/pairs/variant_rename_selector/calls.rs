//! A variant is renamed, and `#[selector]` keeps its name on the wire; another moves, and its tag does not.

use crate::echo::cross;

crate::pair!(variant_rename_selector, Equal);
crate::echo::echoes!();

#[tokio::test]
async fn crossing() {
    cross::<Old, New>(old::Thing::Green, new::Thing::Lime, old::Thing::Green).await;
    cross::<New, Old>(new::Thing::Red, old::Thing::Red, new::Thing::Red).await;
}
