//! A flag is added: who does not know it keeps it.

use crate::echo::{cross, cross_as};

crate::pair!(flag_add, Compatible);
crate::echo::echoes!();

#[tokio::test]
async fn crossing() {
    let sent = new::Thing { marks: new::Marks::LIVE | new::Marks::RARE };
    let look = |seen: &old::Thing| {
        assert!(seen.marks.contains(old::Marks::LIVE) && !seen.marks.contains(old::Marks::NEW));
        assert_eq!(seen.marks.bits(), 0x202);
    };
    cross_as::<New, Old>(sent.clone(), look, sent).await;
    let old = old::Thing { marks: old::Marks::NEW };
    cross::<Old, New>(old.clone(), new::Thing { marks: new::Marks::NEW }, old).await;
}
