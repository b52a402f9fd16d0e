//! What is read of connectors, and why it is refused.

use std::time::Duration;

use feedwire_core::connectors::{Draft, Source};
use feedwire_core::connectors::{Error as CoreError, Form, Revised, SecretText, Secrets, Settings};
use feedwire_core::stream::{Origin, Selection};
use feedwire_dialects::connector_body::{BATCH_SIZE, OVERLAP, change, draft, replay, secret};
use feedwire_dialects::native::body::Error;
use feedwire_event::{ConnectorName, Position, StreamName, Timestamp};
use insta::{assert_debug_snapshot, assert_snapshot};

const URL: &str = "https://receiver.invalid/";

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().expect("a time")
}

fn name() -> ConnectorName {
    ConnectorName::new("c").expect("a name")
}

/// Why each of `bodies` is refused by `read`, a line each.
fn refusals<T>(bodies: &[&str], read: impl Fn(&[u8]) -> Result<T, Error>) -> String {
    let why = bodies.iter().map(|body| match read(body.as_bytes()) {
        Err(Error::Json {
            line,
            column,
            reason,
        }) => format!("{body} {line}:{column} {reason}"),
        Err(error) => format!("{body} {error}"),
        Ok(_) => panic!("{body} is refused"),
    });
    why.collect::<Vec<_>>().join("\n")
}

fn drafted(body: &str) -> Draft {
    draft(body.as_bytes(), now()).expect("a connector")
}

/// What `body` makes of a connector of which nothing was said, with a header.
fn changed(body: &str) -> Result<Revised, CoreError> {
    let given = change(body.as_bytes()).expect("a change");
    given.apply(as_usual())
}

fn as_usual() -> Revised {
    Revised {
        settings: Settings::new(name(), URL.to_owned()),
        selection: Some(Selection::default()),
        secrets: Secrets {
            signing: Some(SecretText::new("signing")),
            previous: None,
            headers: vec![
                ("x-key".to_owned(), SecretText::new("old")),
                ("x-other".to_owned(), SecretText::new("kept")),
            ],
        },
        is_active: true,
        skips: false,
    }
}

#[test]
fn a_connector_that_says_its_name_and_url_alone_is_as_usual() {
    let Draft {
        settings,
        secrets,
        source,
        replay,
        is_active,
    } = drafted(&format!(r#"{{"name":"c","url":"{URL}"}}"#));
    assert_eq!(settings, Settings::new(name(), URL.to_owned()));
    assert_eq!(secrets, Secrets::default());
    assert!(matches!(source, Source::Own(of, Origin::Start) if of == Selection::default()));
    assert!(replay.is_none() && is_active);
}

#[test]
fn everything_of_a_connector_can_be_said() {
    let body = r#"{"name":"c","url":"https://receiver.invalid/a?b=c","display_name":"B\u00f6ok","filter":{"feeds":["f"]},
        "start":"now","format":"batch","batch_size":5e1,"linger":"500ms","concurrency":3,"timeout":"1.5s","retry_first":"20ms",
        "retry_most":"1min","retry_age":"1day","disable_after":"2days","redirects":2,"headers":{"X-Key":"k","Authorization":"b"},
        "secret":"whsec_x","paused":true}"#;
    let Draft {
        settings,
        secrets,
        is_active,
        ..
    } = drafted(body);
    assert_debug_snapshot!((settings, is_active), @r#"
    (
        Settings {
            name: "c",
            display_name: "Böok",
            url: "https://receiver.invalid/a?b=c",
            form: Batch,
            batch_events: 50,
            linger: 500ms,
            concurrency: 3,
            timeout: 1.5s,
            retry: Retry {
                first: 20ms,
                most: 60s,
                age: 86400s,
            },
            disable_after: 172800s,
            redirects: 2,
        },
        false,
    )
    "#);
    let secret = secrets.signing.expect("it is given");
    assert_eq!(secret.reveal(), "whsec_x");
    let headers: Vec<(&str, &str)> = secrets
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.reveal()))
        .collect();
    assert_eq!(headers, [("authorization", "b"), ("x-key", "k")]);
}

#[test]
fn a_batch_has_more_than_one_event_where_it_is_not_said() {
    let batch = drafted(r#"{"name":"c","url":"u","format":"batch"}"#);
    assert_eq!(batch.settings.batch_events, BATCH_SIZE);
    let single = drafted(r#"{"name":"c","url":"u","format":"binary"}"#);
    assert_eq!(single.settings.batch_events, 1);
}

#[test]
fn a_stream_that_there_is_is_named_instead_of_what_it_is_of() {
    let draft = drafted(r#"{"name":"c","url":"u","stream":"billing"}"#);
    let billing = StreamName::new("billing").expect("a name");
    assert!(matches!(draft.source, Source::Stream(name) if name == billing));
}

#[test]
fn what_cannot_be_a_connector_is_refused_by_its_member() {
    let bodies = [
        "",
        "[]",
        "{}",
        r#"{"name":"c"}"#,
        r#"{"name":"_c","url":"u"}"#,
        r#"{"name":"c","url":7}"#,
        r#"{"name":"c","url":"u","odd":1}"#,
        r#"{"name":"c","url":"u","format":"xml"}"#,
        r#"{"name":"c","url":"u","format":"disruptive"}"#,
        r#"{"name":"c","url":"u","batch_size":2}"#,
        r#"{"name":"c","url":"u","format":"batch","batch_size":1001}"#,
        r#"{"name":"c","url":"u","batch_size":1.5}"#,
        r#"{"name":"c","url":"u","linger":"61s"}"#,
        r#"{"name":"c","url":"u","linger":"soon"}"#,
        r#"{"name":"c","url":"u","concurrency":0}"#,
        r#"{"name":"c","url":"u","concurrency":-1}"#,
        r#"{"name":"c","url":"u","timeout":"99ms"}"#,
        r#"{"name":"c","url":"u","timeout":"1500500us"}"#,
        r#"{"name":"c","url":"u","retry_first":"1h"}"#,
        r#"{"name":"c","url":"u","retry_age":"31days"}"#,
        r#"{"name":"c","url":"u","disable_after":"0s"}"#,
        r#"{"name":"c","url":"u","redirects":1000}"#,
        r#"{"name":"c","url":"u","display_name":"a\nb"}"#,
        r#"{"name":"c","url":"u","start":"tomorrow"}"#,
        r#"{"name":"c","url":"u","stream":"_s"}"#,
        r#"{"name":"c","url":"u","stream":"s","start":"now"}"#,
        r#"{"name":"c","url":"u","stream":"s","filter":{}}"#,
        r#"{"name":"c","url":"u","filter":{"types":[""]}}"#,
        r#"{"name":"c","url":"u","headers":["a"]}"#,
        r#"{"name":"c","url":"u","headers":{"a":"1","a":"2"}}"#,
        r#"{"name":"c","url":"u","headers":{"A":"1","a":"2"}}"#,
        r#"{"name":"c","url":"u","paused":"yes"}"#,
    ];
    assert_snapshot!(refusals(&bodies, |body| draft(body, now())), @r#"
     1:0 EOF while parsing a value
    [] 1:0 invalid type: sequence, expected an object
    {} name: a connector has a name
    {"name":"c"} url: a connector pushes to a URL
    {"name":"_c","url":"u"} name: a name does not start with '_': names that do are the server's own
    {"name":"c","url":7} 1:19 invalid type: integer `7`, expected a string
    {"name":"c","url":"u","odd":1} 1:27 unknown field `odd`, expected one of `name`, `url`, `display_name`, `stream`, `filter`, `start`, `format`, `batch_size`, `linger`, `concurrency`, `timeout`, `retry_first`, `retry_most`, `retry_age`, `disable_after`, `redirects`, `headers`, `secret`, `paused`
    {"name":"c","url":"u","format":"xml"} format: it is `structured`, `binary` or `batch`
    {"name":"c","url":"u","format":"disruptive"} format: it is `structured`, `binary` or `batch`
    {"name":"c","url":"u","batch_size":2} batch_size: it has to be 1 unless the format is batch
    {"name":"c","url":"u","format":"batch","batch_size":1001} batch_size: it has to be 1 to 1000
    {"name":"c","url":"u","batch_size":1.5} batch_size: it has to be a whole number
    {"name":"c","url":"u","linger":"61s"} linger: it has to be 0s to 1m, in whole milliseconds
    {"name":"c","url":"u","linger":"soon"} linger: it has to be a span such as 10s or 500ms
    {"name":"c","url":"u","concurrency":0} concurrency: it has to be 1 to 64
    {"name":"c","url":"u","concurrency":-1} concurrency: it has to be a whole number
    {"name":"c","url":"u","timeout":"99ms"} timeout: it has to be 100ms to 1m, in whole milliseconds
    {"name":"c","url":"u","timeout":"1500500us"} timeout: it has to be 100ms to 1m, in whole milliseconds
    {"name":"c","url":"u","retry_first":"1h"} retry_most: it has to be no less than retry_first
    {"name":"c","url":"u","retry_age":"31days"} retry_age: it has to be 1s to 30d, in whole milliseconds
    {"name":"c","url":"u","disable_after":"0s"} disable_after: it has to be 1s to 30d, in whole milliseconds
    {"name":"c","url":"u","redirects":1000} redirects: it has to be 0 to 5
    {"name":"c","url":"u","display_name":"a\nb"} display_name: it has to be at most 256 characters, none of them a control character
    {"name":"c","url":"u","start":"tomorrow"} start: it has to be `start`, `now`, a time (2013-01-01T10:00:00Z), a span ago (5hours), or a position (4711)
    {"name":"c","url":"u","stream":"_s"} stream: a name does not start with '_': names that do are the server's own
    {"name":"c","url":"u","stream":"s","start":"now"} stream: either `stream` names one that is there, or `filter` and `start` say what its own is of
    {"name":"c","url":"u","stream":"s","filter":{}} stream: either `stream` names one that is there, or `filter` and `start` say what its own is of
    {"name":"c","url":"u","filter":{"types":[""]}} filter.types: "": a name has 1 to 128 characters, this one none
    {"name":"c","url":"u","headers":["a"]} 1:32 invalid type: sequence, expected an object of texts
    {"name":"c","url":"u","headers":{"a":"1","a":"2"}} 1:49 "a" is given twice
    {"name":"c","url":"u","headers":{"A":"1","a":"2"}} headers: "a" is given twice
    {"name":"c","url":"u","paused":"yes"} 1:36 invalid type: string "yes", expected a boolean
    "#);
}

#[test]
fn a_url_that_no_receiver_takes_is_refused() {
    let long = format!(r#"{{"name":"c","url":"https://{}/"}}"#, "a".repeat(2_048));
    let refused = draft(long.as_bytes(), now()).expect_err("it is refused");
    assert_eq!(refused.to_string(), "url: it has to be at most 2048 bytes");
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let same = |body: &str| {
        let (revised, usual) = (changed(body).expect("a change"), as_usual());
        assert_eq!(revised.settings, usual.settings, "{body}");
        assert_eq!(revised.selection, usual.selection, "{body}");
        assert_eq!(revised.secrets, usual.secrets, "{body}");
        assert!(revised.is_active, "{body}");
    };
    same("{}");
    same(r#"{"url":null,"filter":null,"format":null,"headers":null,"linger":null}"#);
    let revised = changed(r#"{"url":"u","retry_most":"500ms","format":"binary"}"#);
    let revised = revised.expect("a change").settings;
    assert_eq!((&*revised.url, &revised.form), ("u", &Form::Binary));
    assert_eq!(revised.retry.most, Duration::from_millis(500));
    assert_eq!(revised.retry.first, Duration::from_secs(1));
}

#[test]
fn headers_that_are_named_are_replaced_added_or_taken_away() {
    let body = r#"{"headers":{"X-KEY":"new","x-other":null,"x-never":null,"a":"b"}}"#;
    let headers = changed(body).expect("a change").secrets.headers;
    let told: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.reveal()))
        .collect();
    assert_eq!(told, [("a", "b"), ("x-key", "new")]);
}

#[test]
fn the_format_of_readings_is_for_good() {
    let readings = || Revised {
        settings: Settings {
            form: Form::Reading { labels: Vec::new() },
            ..as_usual().settings
        },
        ..as_usual()
    };
    let given = change(br#"{"format":"binary"}"#).expect("a change");
    assert!(matches!(given.apply(readings()), Err(CoreError::Unfit(_))));
    let given = change(br#"{"url":"u"}"#).expect("a change");
    assert_eq!(given.apply(readings()).expect("a change").settings.url, "u");
}

#[test]
fn what_is_changed_elsewhere_or_never_is_refused() {
    let bodies = [
        r#"{"name":"d"}"#,
        r#"{"stream":"s"}"#,
        r#"{"start":"now"}"#,
        r#"{"secret":"whsec_x"}"#,
        r#"{"paused":true}"#,
        r#"{"concurrency":65}"#,
        r#"{"headers":{"a":7}}"#,
        r#"{"odd":1}"#,
    ];
    assert_snapshot!(refusals(&bodies, change), @r#"
    {"name":"d"} name: it is for good: make another connector
    {"stream":"s"} stream: it is for good: make another connector
    {"start":"now"} start: it is for good: make another connector
    {"secret":"whsec_x"} secret: it is changed at /secret, so that two can sign for a while
    {"paused":true} paused: it is paused and resumed at /pause and /resume
    {"concurrency":65} concurrency: it has to be 1 to 64
    {"headers":{"a":7}} 1:17 invalid type: integer `7`, expected a string
    {"odd":1} 1:6 unknown field `odd`, expected one of `name`, `url`, `display_name`, `stream`, `filter`, `start`, `format`, `batch_size`, `linger`, `concurrency`, `timeout`, `retry_first`, `retry_most`, `retry_age`, `disable_after`, `redirects`, `headers`, `secret`, `paused`
    "#);
}

#[test]
fn a_secret_is_given_or_made_and_two_sign_for_a_while() {
    let read = |body: &str| secret(body.as_bytes()).expect("a secret");
    assert_eq!(read(""), (None, OVERLAP));
    assert_eq!(read("{}"), (None, OVERLAP));
    let (given, overlap) = read(r#"{"secret":"whsec_x","overlap":"0s"}"#);
    let given = given.expect("it is given");
    assert_eq!((given.reveal(), overlap), ("whsec_x", Duration::ZERO));
    let bodies = [
        "[]",
        r#"{"overlap":"8days"}"#,
        r#"{"overlap":"soon"}"#,
        r#"{"odd":1}"#,
    ];
    assert_snapshot!(refusals(&bodies, secret), @r#"
    [] 1:0 invalid type: sequence, expected an object
    {"overlap":"8days"} overlap: it has to be a span such as 1d, of at most 7d
    {"overlap":"soon"} overlap: it has to be a span such as 1d, of at most 7d
    {"odd":1} 1:6 unknown field `odd`, expected `secret` or `overlap`
    "#);
}

#[test]
fn what_is_pushed_once_more_is_said_by_its_ends() {
    let read = |body: &str| replay(body.as_bytes(), now()).expect("a replay");
    let hours_ago = |text: &str| Origin::At(text.parse().expect("a time"));
    let all = read(r#"{"from":"5hours","until":"7","url":"u","name":"again"}"#);
    assert_eq!(all.from, hours_ago("2026-11-21T03:00:00Z"));
    let seven = Position::new(7).expect("a position");
    assert_eq!(all.until, Some(Origin::After(seven)));
    assert_eq!(all.url.as_deref(), Some("u"));
    assert_eq!(all.name, ConnectorName::new("again").ok());
    let least = read(r#"{"from":"start"}"#);
    assert_eq!((least.from, least.until), (Origin::Start, None));
    let bodies = [
        "{}",
        r#"{"from":"there"}"#,
        r#"{"from":"start","until":"never"}"#,
        r#"{"from":"start","name":"_x"}"#,
        r#"{"from":"start","odd":1}"#,
    ];
    assert_snapshot!(refusals(&bodies, |body| replay(body, now())), @r#"
    {} 1:2 missing field `from`
    {"from":"there"} from: it has to be `start`, `now`, a time (2013-01-01T10:00:00Z), a span ago (5hours), or a position (4711)
    {"from":"start","until":"never"} until: it has to be `start`, `now`, a time (2013-01-01T10:00:00Z), a span ago (5hours), or a position (4711)
    {"from":"start","name":"_x"} name: a name does not start with '_': names that do are the server's own
    {"from":"start","odd":1} 1:21 unknown field `odd`, expected one of `from`, `until`, `url`, `name`
    "#);
}

#[test]
fn a_secret_is_in_no_debug_output() {
    let body = r#"{"name":"c","url":"u","secret":"hunter2","headers":{"a":"hunter2"}}"#;
    let draft = format!("{:?}", drafted(body));
    let change = format!("{:?}", change(br#"{"headers":{"a":"hunter2"}}"#));
    for text in [draft, change] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
