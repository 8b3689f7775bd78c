//! A variant is deleted and its tag reserved: who still sends it gets it back.

use crate::echo::{cross, cross_as};

crate::pair!(variant_reserve, Compatible);
crate::echo::echoes!();

#[tokio::test]
async fn crossing() {
    cross::<Old, New>(old::Thing::Red, new::Thing::Red, old::Thing::Red).await;
    cross::<New, Old>(new::Thing::Red, old::Thing::Red, new::Thing::Red).await;
    let look = |seen: &new::Thing| match seen {
        new::Thing::Unknown(unknown) => {
            assert_eq!((unknown.tag(), unknown.payload().unwrap().as_ref()), (2, &[9][..]))
        }
        new::Thing::Red => panic!("{seen:?}"),
    };
    cross_as::<Old, New>(old::Thing::Green(9), look, old::Thing::Green(9)).await;
}
