//! What is read of streams, and why it is refused.

use feedwire_core::stream::{Origin, Receipt, Settings, Which};
use feedwire_dialects::native::body::Error;
use feedwire_dialects::stream_body::{
    RECEIPTS_MAX, THROUGH_MAX, ack, change, draft, letters, nack, receipt, seek,
};
use feedwire_event::{Position, StreamName, Timestamp};
use insta::{assert_debug_snapshot, assert_snapshot};

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().expect("a time")
}

/// Why each of `bodies` is refused by `read`, a line each.
fn refusals<T: std::fmt::Debug>(
    bodies: &[&str],
    read: impl Fn(&[u8]) -> Result<T, Error>,
) -> String {
    let why = bodies.iter().map(|body| match read(body.as_bytes()) {
        Err(Error::Json {
            line,
            column,
            reason,
        }) => format!("{body} {line}:{column} {reason}"),
        Err(error) => format!("{body} {error}"),
        Ok(read) => panic!("{body} is refused, and not {read:?}"),
    });
    why.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_stream_that_says_its_name_alone_is_as_usual() {
    let name = StreamName::new("s").expect("a name");
    let (settings, origin) = draft(br#"{"name":"s"}"#, now()).expect("a stream");
    assert_eq!((settings, origin), (Settings::new(name), Origin::Start));
}

#[test]
fn members_are_no_more_than_partitions_where_neither_says_so() {
    for (body, most) in [
        (r#"{"name":"s","partitions":1}"#, 1),
        (r#"{"name":"s","partitions":2}"#, 2),
        (r#"{"name":"s","partitions":1024}"#, 3),
    ] {
        let (settings, _) = draft(body.as_bytes(), now()).expect("a stream");
        assert_eq!(settings.members_max, most, "{body}");
    }
}

#[test]
fn everything_of_a_stream_can_be_said() {
    let body = r#"{"name":"s","display_name":"B\u00f6ok","filter":{"feeds":["f"],"types":["t"],
        "subjects":["a"],"labels":["room=a=b","floor"],"expression":"data.a > 1"},"start":"5hours","mode":"delivered","partitions":4,
        "members_max":4,"heartbeat":"1min","checkpoint_lifetime":"366days","ack_timeout":"1day",
        "max_in_flight":1e4,"max_deliveries":null,"on_failure":"go_on"}"#;
    assert_debug_snapshot!(draft(body.as_bytes(), now()).expect("a stream"), @r#"
    (
        Settings {
            name: "s",
            display_name: "Böok",
            selection: Selection {
                feeds: [
                    "f",
                ],
                types: [
                    "t",
                ],
                subjects: [
                    "a",
                ],
                labels: [
                    LabelFilter {
                        key: "room",
                        value: Some(
                            "a=b",
                        ),
                    },
                    LabelFilter {
                        key: "floor",
                        value: None,
                    },
                ],
                types_in: None,
                live_feeds: [],
                expression: Some(
                    Expression(
                        "data.a > 1",
                    ),
                ),
            },
            partitions: 4,
            mode: Delivered,
            members_max: 4,
            heartbeat: 60s,
            checkpoint_lifetime: 31622400s,
            ack_timeout: 86400s,
            max_in_flight: 10000,
            max_deliveries: None,
            on_failure: GoOn,
            until: None,
        },
        At(
            2026-11-21T03:00:00Z,
        ),
    )
    "#);
}

#[test]
fn what_cannot_be_a_stream_is_refused_by_its_member() {
    let bodies = [
        "",
        "[]",
        "{}",
        r#"{"name":"_s"}"#,
        r#"{"name":7}"#,
        r#"{"name":"s","odd":1}"#,
        r#"{"name":"s","mode":"maybe"}"#,
        r#"{"name":"s","start":"tomorrow"}"#,
        r#"{"name":"s","partitions":3}"#,
        r#"{"name":"s","partitions":2048}"#,
        r#"{"name":"s","partitions":1.5}"#,
        r#"{"name":"s","members_max":0}"#,
        r#"{"name":"s","members_max":65}"#,
        r#"{"name":"s","partitions":2,"members_max":3}"#,
        r#"{"name":"s","heartbeat":"61s"}"#,
        r#"{"name":"s","heartbeat":"1.5s"}"#,
        r#"{"name":"s","checkpoint_lifetime":"59s"}"#,
        r#"{"name":"s","ack_timeout":"soon"}"#,
        r#"{"name":"s","max_in_flight":-1}"#,
        r#"{"name":"s","max_deliveries":1001}"#,
        r#"{"name":"s","max_deliveries":"many"}"#,
        r#"{"name":"s","on_failure":"stop"}"#,
        r#"{"name":"s","display_name":"a\nb"}"#,
        r#"{"name":"s","filter":{"feed":"f"}}"#,
        r#"{"name":"s","filter":{"expression":"data.a = 1"}}"#,
        r#"{"name":"s","filter":{"feeds":["_all"]}}"#,
        r#"{"name":"s","filter":{"types":[""]}}"#,
        r#"{"name":"s","filter":{"subjects":[""]}}"#,
        r#"{"name":"s","filter":{"labels":["=x"]}}"#,
    ];
    assert_snapshot!(refusals(&bodies, |body| draft(body, now())), @r#"
     1:0 EOF while parsing a value
    [] 1:0 invalid type: sequence, expected an object
    {} name: a stream has a name
    {"name":"_s"} name: a name does not start with '_': names that do are the server's own
    {"name":7} 1:9 invalid type: integer `7`, expected a string
    {"name":"s","odd":1} 1:17 unknown field `odd`, expected one of `name`, `start`, `mode`, `partitions`, `display_name`, `filter`, `members_max`, `heartbeat`, `checkpoint_lifetime`, `ack_timeout`, `max_in_flight`, `max_deliveries`, `on_failure`
    {"name":"s","mode":"maybe"} mode: it is `explicit` or `delivered`
    {"name":"s","start":"tomorrow"} start: it has to be `start`, `now`, a time (2013-01-01T10:00:00Z), a span ago (5hours), or a position (4711)
    {"name":"s","partitions":3} partitions: it has to be a power of two, 1 to 1024
    {"name":"s","partitions":2048} partitions: it has to be a power of two, 1 to 1024
    {"name":"s","partitions":1.5} partitions: it has to be a power of two, 1 to 1024
    {"name":"s","members_max":0} members_max: it has to be 1 to 64, and no more than there are partitions
    {"name":"s","members_max":65} members_max: it has to be 1 to 64, and no more than there are partitions
    {"name":"s","partitions":2,"members_max":3} members_max: it has to be 1 to 64, and no more than there are partitions
    {"name":"s","heartbeat":"61s"} heartbeat: it has to be 1 s to 60 s, in whole seconds
    {"name":"s","heartbeat":"1.5s"} heartbeat: it has to be 1 s to 60 s, in whole seconds
    {"name":"s","checkpoint_lifetime":"59s"} checkpoint_lifetime: it has to be 60 s to 31622400 s, in whole seconds
    {"name":"s","ack_timeout":"soon"} ack_timeout: it has to be 1 s to 86400 s, in whole seconds
    {"name":"s","max_in_flight":-1} max_in_flight: it has to be 1 to 10000
    {"name":"s","max_deliveries":1001} max_deliveries: it has to be 1 to 1000, or null
    {"name":"s","max_deliveries":"many"} 1:36 `max_deliveries` is a number, or null
    {"name":"s","on_failure":"stop"} on_failure: it is `wait` or `go_on`
    {"name":"s","display_name":"a\nb"} display_name: it has to be at most 256 characters, none of them a control character
    {"name":"s","filter":{"feed":"f"}} 1:28 unknown field `feed`, expected one of `feeds`, `types`, `subjects`, `labels`, `expression`
    {"name":"s","filter":{"expression":"data.a = 1"}} filter.expression: line 1, column 8: '=' is not expected here
    {"name":"s","filter":{"feeds":["_all"]}} filter.feeds: "_all": a name does not start with '_': names that do are the server's own
    {"name":"s","filter":{"types":[""]}} filter.types: "": a name has 1 to 128 characters, this one none
    {"name":"s","filter":{"subjects":[""]}} filter.subjects: "": a subject has 1 to 512 bytes, this one none
    {"name":"s","filter":{"labels":["=x"]}} filter.labels: "=x": a label is written as key or key=value
    "#);
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let settings = Settings {
        max_in_flight: 7,
        max_deliveries: Some(3),
        ..Settings::new(StreamName::new("s").expect("a name"))
    };
    let changed = |body: &str| {
        let change = change(body.as_bytes()).expect("a change");
        change.apply(settings.clone())
    };
    assert_eq!(changed("{}"), settings);
    let all_null = r#"{"display_name":null,"filter":null,"members_max":null,"heartbeat":null}"#;
    assert_eq!(changed(all_null), settings);
    let for_ever = Settings {
        max_deliveries: None,
        ..settings.clone()
    };
    assert_eq!(changed(r#"{"max_deliveries":null}"#), for_ever);
}

#[test]
fn what_is_for_good_is_not_changed() {
    let bodies = [
        r#"{"name":"t"}"#,
        r#"{"start":"now"}"#,
        r#"{"mode":"explicit"}"#,
        r#"{"partitions":64}"#,
        r#"{"members_max":65}"#,
        r#"{"odd":1}"#,
    ];
    assert_snapshot!(refusals(&bodies, change), @r#"
    {"name":"t"} name: it is for good: make another stream
    {"start":"now"} start: it is for good: make another stream
    {"mode":"explicit"} mode: it is for good: make another stream
    {"partitions":64} partitions: it is for good: make another stream
    {"members_max":65} members_max: it has to be 1 to 64, and no more than there are partitions
    {"odd":1} 1:6 unknown field `odd`, expected one of `name`, `start`, `mode`, `partitions`, `display_name`, `filter`, `members_max`, `heartbeat`, `checkpoint_lifetime`, `ack_timeout`, `max_in_flight`, `max_deliveries`, `on_failure`
    "#);
}

#[test]
fn a_receipt_is_read_as_it_was_given_and_no_other_way() {
    let read = receipt("1023.18446744073709551615.9007199254740991").expect("a receipt");
    let most = Receipt {
        partition: 1_023,
        generation: u64::MAX,
        position: Position::MAX,
    };
    assert_eq!(read, most);
    for text in [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "1.2.",
        ".2.3",
        "01.2.3",
        "1.+2.3",
        "1.2.-3",
        " 1.2.3",
        "1.2.3 ",
        "65536.2.3",
        "1.18446744073709551616.3",
        "1.2.9007199254740992",
        "a.2.3",
    ] {
        assert_eq!(receipt(text), None, "{text:?}");
    }
}

#[test]
fn what_acknowledges_nothing_is_refused() {
    let many = |count: usize| vec![r#""1.2.3""#; count].join(",");
    let bodies = [
        "{}",
        r#"{"receipts":null,"through":null}"#,
        r#"{"receipts":["1.2"]}"#,
        r#"{"through":["x"]}"#,
        r#"{"receipts":"1.2.3"}"#,
        r#"{"receipts":[],"delay":"1s"}"#,
    ];
    assert_snapshot!(refusals(&bodies, ack), @r#"
    {} receipts: there is neither `receipts` nor `through`
    {"receipts":null,"through":null} receipts: there is neither `receipts` nor `through`
    {"receipts":["1.2"]} receipts: "1.2" is none: they look like 12.3.4711
    {"through":["x"]} through: "x" is none: they look like 12.3.4711
    {"receipts":"1.2.3"} 1:19 invalid type: string "1.2.3", expected a sequence
    {"receipts":[],"delay":"1s"} 1:22 unknown field `delay`, expected `receipts` or `through`
    "#);
    for (name, max) in [("receipts", RECEIPTS_MAX), ("through", THROUGH_MAX)] {
        let body = |count| format!(r#"{{"{name}":[{}]}}"#, many(count));
        assert!(ack(body(max).as_bytes()).is_ok());
        let refused = ack(body(max + 1).as_bytes()).expect_err("one too many");
        assert_eq!(
            refused.to_string(),
            format!("{name}: at most {max} at once")
        );
    }
    let bodies = [
        "{}",
        r#"{"receipts":["1.2.3"],"delay":"2days"}"#,
        r#"{"receipts":["1.2.3"],"delay":"-1s"}"#,
        r#"{"receipts":["1.2.3"],"through":[]}"#,
    ];
    assert_snapshot!(refusals(&bodies, nack), @r#"
    {} 1:2 missing field `receipts`
    {"receipts":["1.2.3"],"delay":"2days"} delay: it has to be a span such as 10s, of at most 1d
    {"receipts":["1.2.3"],"delay":"-1s"} delay: it has to be a span such as 10s, of at most 1d
    {"receipts":["1.2.3"],"through":[]} 1:31 unknown field `through`, expected `receipts` or `delay`
    "#);
}

#[test]
fn a_place_in_the_log_is_said_in_one_of_five_ways() {
    let to = |text: &str| seek(format!(r#"{{"to":"{text}"}}"#).as_bytes(), now());
    let position = Position::new(4_711).expect("a position");
    let ago: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
    for (text, origin) in [
        ("start", Origin::Start),
        ("now", Origin::Now),
        ("4711", Origin::After(position)),
        ("5hours", Origin::At(ago)),
        ("2026-11-21T03:00:00Z", Origin::At(ago)),
    ] {
        assert_eq!(to(text).ok(), Some(origin), "{text}");
    }
    let bodies = [
        "{}",
        r#"{"to":"there"}"#,
        r#"{"to":4711}"#,
        r#"{"to":"-1"}"#,
    ];
    assert_snapshot!(refusals(&bodies, |body| seek(body, now())), @r#"
    {} 1:2 missing field `to`
    {"to":"there"} to: it has to be `start`, `now`, a time (2013-01-01T10:00:00Z), a span ago (5hours), or a position (4711)
    {"to":4711} 1:10 invalid type: integer `4711`, expected a string
    {"to":"-1"} to: it has to be `start`, `now`, a time (2013-01-01T10:00:00Z), a span ago (5hours), or a position (4711)
    "#);
}

#[test]
fn dead_letters_are_named_or_all_are_meant() {
    assert_eq!(letters(br#"{"all":true}"#).ok(), Some(Which::All));
    let these = Which::These(vec![Position::new(7).expect("a position")]);
    for body in [r#"{"positions":[7]}"#, r#"{"positions":[7],"all":false}"#] {
        assert_eq!(letters(body.as_bytes()).ok(), Some(these.clone()), "{body}");
    }
    let bodies = [
        "{}",
        r#"{"all":false}"#,
        r#"{"positions":[7],"all":true}"#,
        r#"{"positions":[-1]}"#,
        r#"{"positions":["7"]}"#,
        r#"{"positions":[9007199254740992]}"#,
    ];
    assert_snapshot!(refusals(&bodies, letters), @r#"
    {} positions: there have to be `positions`, or `all` has to be true
    {"all":false} positions: there have to be `positions`, or `all` has to be true
    {"positions":[7],"all":true} positions: there have to be `positions`, or `all` has to be true
    {"positions":[-1]} positions: at most 10000 positions of events
    {"positions":["7"]} 1:17 invalid type: string "7", expected a JSON number
    {"positions":[9007199254740992]} positions: at most 10000 positions of events
    "#);
}
