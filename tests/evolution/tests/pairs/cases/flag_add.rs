//! A flag is added: a peer that does not know it keeps its bit.

use crate::echo::{cross, cross_as};

crate::pair!(flag_add, Compatible);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let sent = new::Thing { marks: new::Marks::LIVE | new::Marks::RARE };
    let look = |seen: &old::Thing| {
        assert!(seen.marks.contains(old::Marks::LIVE) && !seen.marks.contains(old::Marks::NEW));
        assert_eq!(seen.marks.bits(), 0x202);
    };
    cross_as::<New, Old>(sent.clone(), look, sent).await;
    let old = old::Thing { marks: old::Marks::NEW };
    cross::<Old, New>(old.clone(), new::Thing { marks: new::Marks::NEW }, old).await;
}
