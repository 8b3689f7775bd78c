//! A struct inside a `Map` in a `Vec` gains fields: the data after it is still decoded.

use crate::echo::cross;

crate::pair!(nested_append, Compatible);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let old =
        old::Thing { parts: vec![[(1, old::Part { width: 2 }), (3, old::Part { width: 4 })].into()], end: 5 };
    let grown = |width| new::Part::new(width);
    let new = new::Thing { parts: vec![[(1, grown(2)), (3, grown(4))].into()], end: 5 };
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    let mut sent = new.clone();
    let part = sent.parts[0].get_mut(&1).unwrap();
    part.name = "long".repeat(100);
    part.more = Some(Box::new(grown(9)));
    cross::<New, Old>(sent, old, new).await;
}
