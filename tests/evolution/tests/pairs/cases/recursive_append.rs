//! A recursive struct gains fields.

use crate::echo::cross;

crate::pair!(recursive_append, Compatible);
crate::echo::echo_both_generations!();

fn old(value: u8, left: Option<old::Thing>, children: Vec<old::Thing>) -> old::Thing {
    old::Thing { value, left: left.map(Box::new), children }
}

fn new(value: u8, left: Option<new::Thing>, children: Vec<new::Thing>) -> new::Thing {
    new::Thing { value, left: left.map(Box::new), children, right: None, weight: 10 }
}

#[tokio::test]
async fn generations_interoperate() {
    let before = old(1, Some(old(2, None, vec![])), vec![old(3, None, vec![]), old(4, None, vec![])]);
    let after = new(1, Some(new(2, None, vec![])), vec![new(3, None, vec![]), new(4, None, vec![])]);
    cross::<Old, New>(before.clone(), after.clone(), before.clone()).await;
    let mut sent = after.clone();
    sent.right = Some(Box::new(new(5, None, vec![new(6, None, vec![])])));
    sent.children[0].right = Some(Box::new(new(7, None, vec![])));
    sent.children[1].weight = 0;
    cross::<New, Old>(sent, before, after).await;
}
