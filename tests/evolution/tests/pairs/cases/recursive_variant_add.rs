//! A recursive enum gains a variant, which is kept at every level.

use crate::echo::{cross, cross_as};

crate::pair!(recursive_variant_add, Compatible);
crate::echo::echo_both_generations!();

use new::Thing;

fn sum(left: Thing, right: Thing) -> Thing {
    Thing::Sum(Box::new(left), Box::new(right))
}

#[tokio::test]
async fn generations_interoperate() {
    let product =
        Thing::Product(Box::new(Thing::Number(2)), Box::new(sum(Thing::Number(3), Thing::Number(4))));
    let sent = sum(Thing::Number(1), product);
    let look = |seen: &old::Thing| match seen {
        old::Thing::Sum(left, right) => {
            assert_eq!(**left, old::Thing::Number(1));
            assert!(matches!(&**right, old::Thing::Unknown(unknown) if unknown.tag() == 3), "{right:?}");
        }
        _ => panic!("{seen:?}"),
    };
    cross_as::<New, Old>(sent.clone(), look, sent).await;
    let old = old::Thing::Number(1);
    cross::<Old, New>(old.clone(), Thing::Number(1), old).await;
}
