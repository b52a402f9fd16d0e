//! What streams are made of, and what they are called.

use feedwire_core::Filter;
use feedwire_dialects::Day;
use feedwire_dialects::validic::body::{Error, Fault, NewStream, create, rename};
use feedwire_dialects::validic::request::EventKind;
use feedwire_event::{Timestamp, TypeName};
use proptest::prelude::*;

fn now() -> Timestamp {
    "2026-10-22T23:59:59.5Z".parse().expect("a time")
}

fn made(body: &str) -> NewStream {
    create(body.as_bytes(), now()).unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn faults<T: std::fmt::Debug>(read: Result<T, Error>) -> String {
    match read {
        Err(Error::Members(faults)) => {
            let told: Vec<String> = faults.iter().map(Fault::to_string).collect();
            told.join(" | ")
        }
        Err(error @ Error::Json(_)) => format!("not JSON: {error}"),
        Ok(other) => panic!("{other:?}"),
    }
}

fn types(names: &[&str]) -> Vec<TypeName> {
    let names = names.iter();
    names
        .map(|name| TypeName::new(name).expect("a name"))
        .collect()
}

#[test]
fn what_the_vendors_sample_asks_for_is_made() {
    let stream = made(
        r#"{"name":"sample-app-stream","start_date":"2026-10-22","resource_filter":["measurement","summary","workout","sleep"],"event_type_filter":["data","connection"]}"#,
    );
    let resources = types(&["measurement", "summary", "workout", "sleep"]);
    let kinds = vec![EventKind::Data, EventKind::Connection];
    let expected = NewStream {
        name: "sample-app-stream".into(),
        start_date: Day::parse("2026-10-22"),
        resource_filter: Some(resources.clone()),
        event_type_filter: Some(kinds.clone()),
    };
    assert_eq!(stream, expected);
    let filter = stream.filter();
    let types_in = filter.types_in.expect("some types");
    assert_eq!(
        (types_in.feed.as_str(), types_in.types),
        ("data", resources)
    );
    let feeds: Vec<_> = kinds.into_iter().map(EventKind::feed).collect();
    assert_eq!(filter.feeds, feeds);
}

#[test]
fn what_is_left_out_or_null_or_empty_lets_everything_through() {
    let all = Filter {
        feeds: EventKind::ALL.map(EventKind::feed).into(),
        ..Filter::default()
    };
    for (body, is_said) in [
        (r#"{"name":"a"}"#, false),
        (
            r#"{"resource_filter":null,"start_date":null,"event_type_filter":null,"name":"a","x":[7]}"#,
            false,
        ),
        (
            r#"{"name":"a","resource_filter":[],"event_type_filter":[]}"#,
            true,
        ),
    ] {
        let stream = made(body);
        assert_eq!(stream.start_date, None, "{body}");
        assert_eq!(stream.resource_filter.is_some(), is_said, "{body}");
        assert_eq!(stream.event_type_filter.is_some(), is_said, "{body}");
        assert_eq!(stream.filter(), all, "{body}");
    }
}

#[test]
fn a_filter_that_names_something_twice_names_it_once() {
    let stream = made(
        r#"{"name":"a","resource_filter":["cgm","a","cgm"],"event_type_filter":["rule","data","rule"]}"#,
    );
    let filter = stream.filter();
    assert_eq!(filter.feeds.len(), 2);
    let types_in = filter.types_in.expect("some types");
    assert_eq!(types_in.types, types(&["cgm", "a"]));
}

#[test]
fn every_member_that_cannot_be_meant_is_told() {
    let long = format!(r#"{{"name":"{}"}}"#, "\u{e9}".repeat(129));
    let many = format!(
        r#"{{"name":"a","resource_filter":[{}"a"]}}"#,
        r#""a","#.repeat(1_000)
    );
    let told = [
        "{}",
        r#"{"name":null}"#,
        r#"{"name":""}"#,
        r#"{"name":7}"#,
        r#"{"name":"a\nb"}"#,
        r#"{"name":"a","name":"b"}"#,
        r#"{"name":"\ud800"}"#,
        &long,
        r#"{"name":"a","start_date":"2026-10-23"}"#,
        r#"{"start_date":"2026-02-30","resource_filter":"sleep","event_type_filter":{}}"#,
        r#"{"name":"a","start_date":20261022,"resource_filter":["a b",null,7,""],"event_type_filter":["data","poke"]}"#,
        &many,
        "[]",
        "",
        "{\"name\":\"a\"} x",
    ]
    .map(|body| faults(create(body.as_bytes(), now())));
    insta::assert_snapshot!(told.join("\n"), @r#"
    name: it is missing
    name: it is missing
    name: it has 1 to 128 characters, this one 0
    name: it has to be a string
    name: it has no line breaks, and no other control characters
    name: it is given twice
    name: it holds half of a surrogate pair
    name: it has 1 to 128 characters, this one 129
    start_date: it is in the future; days are those of UTC
    name: it is missing | start_date: it has to be a day such as 2013-01-31 | resource_filter: invalid type: string "sleep", expected an array | event_type_filter: invalid type: map, expected an array
    start_date: it has to be a string | resource_filter[0]: a name is made of A-Z a-z 0-9 . _ -, not ' ' | resource_filter[1]: it has to be a string | resource_filter[2]: it has to be a string | resource_filter[3]: a name has 1 to 128 characters, this one none | event_type_filter[1]: it is one of data, connection, rule
    resource_filter: at most 1000 can be named
    not JSON: line 1 column 0: invalid type: sequence, expected an object
    not JSON: line 1 column 0: EOF while parsing a value
    not JSON: line 1 column 14: trailing characters
    "#);
    assert!(matches!(
        create(b"{\"name\":\"\xe9\"}", now()),
        Err(Error::Json(_))
    ));
}

#[test]
fn the_longest_name_is_taken() {
    let name = "\u{e9}".repeat(128);
    assert_eq!(made(&format!(r#"{{"name":"{name}"}}"#)).name, name);
}

#[test]
fn a_stream_is_renamed_by_its_name_alone() {
    let body = r#"{"name":"new \u00e9","start_date":"never","id":7}"#;
    assert_eq!(rename(body.as_bytes()), Ok("new \u{e9}".to_owned()));
    let told = ["{}", r#"{"name":"\u0000"}"#, "null"].map(|body| faults(rename(body.as_bytes())));
    insta::assert_snapshot!(told.join("\n"), @"
    name: it is missing
    name: it has no line breaks, and no other control characters
    not JSON: line 1 column 4: invalid type: null, expected an object
    ");
}

proptest! {
    #[test]
    fn any_body_is_read_without_panic(
        bytes in any::<Vec<u8>>(), name in "name|start_date|resource_filter|event_type_filter", value in r#"[\[\]{}",a0\\]{0,12}"#,
    ) {
        for body in [bytes, format!("{{\"{name}\":{value}}}").into_bytes()] {
            drop(create(&body, now()));
            drop(rename(&body));
        }
    }
}
