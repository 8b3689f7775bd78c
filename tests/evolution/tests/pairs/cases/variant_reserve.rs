//! A variant is deleted and its tag reserved: an old sender gets its value back unchanged.

use crate::echo::{cross, cross_as};

crate::pair!(variant_reserve, Compatible);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
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
