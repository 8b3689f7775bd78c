//! Variants are added to an open enum, between others: a peer that does not know them returns their bytes unchanged.

use crate::echo::{cross, cross_as};

crate::pair!(variant_add, Compatible);
crate::echo::echo_both_generations!();

use new::Colour;

#[tokio::test]
async fn generations_interoperate() {
    let old = old::Thing {
        colours: vec![old::Colour::Red, old::Colour::Mixed { parts: vec![1, 2] }],
        end: "end".to_owned(),
    };
    let new =
        new::Thing { colours: vec![Colour::Red, Colour::Mixed { parts: vec![1, 2] }], end: "end".to_owned() };
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
    let named = Colour::Named("sky".repeat(50), Some(Box::new(Colour::Named(String::new(), None))));
    let colours =
        vec![Colour::Grey, Colour::Deep { inner: vec![named.clone(), Colour::Red] }, Colour::Red, named];
    let sent = new::Thing { colours, end: "end".to_owned() };
    cross_as::<New, Old>(
        sent.clone(),
        |seen| {
            let tags: Vec<Option<u32>> = seen.colours.iter().map(unknown).collect();
            assert_eq!(tags, [Some(2), Some(200_000), None, Some(3)]);
            assert_eq!(seen.end, "end");
        },
        sent.clone(),
    )
    .await;
}

fn unknown(colour: &old::Colour) -> Option<u32> {
    match colour {
        old::Colour::Unknown(unknown) => Some(unknown.tag()),
        old::Colour::Red | old::Colour::Mixed { .. } => None,
    }
}
