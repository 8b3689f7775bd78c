//! Generated types behave as their schema says. No connection is needed.

use kaa_rpc_runtime::Timestamp;
use kaa_rpc_tests::api::rehearsal::*;

fn singer() -> Singer {
    Singer::new(SingerId(7), "Ada", Voice::Alto)
}

#[test]
fn constructors_take_fields_without_defaults() {
    let expected = Singer {
        id: 7.into(),
        name: "Ada".to_owned(),
        voice: Voice::Alto,
        duties: Duties::COFFEE,
        since: None,
        language: "en".to_owned(),
    };
    assert_eq!(singer(), expected);
}

#[test]
fn options_start_from_schema_defaults() {
    let options = PlanOptions::default().voices([Voice::Bass].into());
    assert_eq!(options.length, LENGTH);
    assert_eq!(options.voices, [Voice::Bass].into());
    assert_eq!(PlanOptions::default().length(15).length, 15);
    assert_eq!(HistoryOptions::default(), HistoryOptions::default());
}

#[test]
fn newtypes_convert_and_display() {
    assert_eq!(u64::from(SingerId::from(3)), 3);
    assert_eq!(SingerId(3).to_string(), "3");
    assert_eq!(Piece::from("Spem in alium").0, "Spem in alium");
}

#[test]
fn flags_keep_unnamed_bits() {
    let duties = Duties::KEYS | Duties::from_bits_retain(0x80);
    assert!(duties.contains(Duties::KEYS) && !duties.contains(Duties::NOTES));
    assert_eq!(duties.bits(), 0x81);
    assert_eq!(format!("{duties:?}"), "Duties(KEYS | 0x80)");
    assert_eq!(format!("{:?}", Duties::empty()), "Duties(0x0)");
    assert_eq!((!Duties::KEYS).bits(), 0x12);
}

#[test]
fn errors_display_their_schema_text() {
    assert_eq!(Refusal::UnknownSinger { singer: SingerId(9) }.to_string(), "no singer has the number 9");
    let taken = Refusal::Taken { until: Timestamp::UNIX_EPOCH };
    assert_eq!(taken.to_string(), "the room is taken until 1970-01-01T00:00:00Z");
    assert_eq!(Refusal::Music(LostMusic::Missing { pages: 2 }).to_string(), "music: missing (pages: 2)");
    assert_eq!(LostMusic::Burnt.to_string(), "burnt");
}

#[test]
fn json_fills_in_defaults() {
    let short = r#"{"id":7,"name":"Ada","voice":"Alto","duties":2}"#;
    assert_eq!(serde_json::from_str::<Singer>(short).unwrap(), singer());
    let text = serde_json::to_string(&singer()).unwrap();
    assert_eq!(text, r#"{"id":7,"name":"Ada","voice":"Alto","duties":2,"since":null,"language":"en"}"#);
    let change: Change = serde_json::from_str(r#"{"Joined":{"id":7,"name":"Ada","voice":"Alto"}}"#).unwrap();
    assert_eq!(change, Change::Joined(singer()));
    let options: PlanOptions = serde_json::from_str("{}").unwrap();
    assert_eq!(options, PlanOptions::default());
}

#[test]
fn json_supports_long_arrays() {
    let digest = Digest(std::array::from_fn(|position| u8::try_from(position).unwrap()));
    let text = serde_json::to_string(&digest).unwrap();
    assert!(text.starts_with("[0,1,2,") && text.ends_with(",62,63]"), "{text}");
    assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
    assert!(serde_json::from_str::<Digest>("[1,2]").unwrap_err().to_string().starts_with("invalid length 2"));
}
