//! What is sent: batches of events, and tenants.

use feedwire_dialects::serialized::body::{
    ENCRYPTED_BYTES_MAX, Error, Fault, REFERENCE_BYTES_MAX, Save, Tenant, batch, bulk, content,
    reference, tenant,
};
use feedwire_dialects::serialized::request;
use feedwire_engine::Expected;
use feedwire_event::{FeedName, Position, Subject, Version};
use insta::assert_snapshot;
use proptest::prelude::*;
use uuid::Uuid;

const ORDER: &str = "723ecfce-14e9-4889-98d5-a3d0ad54912f";
const OTHER: &str = "5d3a2c4e-0000-4000-8000-000000000001";

fn order() -> FeedName {
    FeedName::new("order").expect("a name")
}

fn subject() -> Subject {
    Subject::new(ORDER).expect("a subject")
}

fn one(body: &str) -> Result<Save, Error> {
    batch(&order(), &subject(), body.as_bytes())
}

fn many(body: &str) -> Result<Save, Error> {
    bulk(&order(), body.as_bytes())
}

/// What is wrong with a body, one fault behind the other.
fn faults<T: std::fmt::Debug>(read: Result<T, Error>) -> String {
    match read {
        Err(Error::Members(faults)) => {
            let told: Vec<String> = faults.iter().map(Fault::to_string).collect();
            told.join(" | ")
        }
        other => format!("{other:?}"),
    }
}

fn expected(save: &Save) -> Vec<(&str, Version)> {
    let expectations = save.expectations.iter().map(|expectation| {
        assert_eq!(expectation.feed, order());
        match expectation.expected {
            Expected::Version(version) => (expectation.subject.as_str(), version),
            Expected::Position(position) => panic!("{position} is not expected"),
        }
    });
    expectations.collect()
}

#[test]
fn what_the_clients_send_is_read() {
    let js = r#"{"events":[{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"OrderPlacedEvent","data":{"a":1}},{"eventType":"OrderNoIdEvent"}],"expectedVersion":0}"#;
    let save = one(js).expect("a save");
    assert_eq!(expected(&save), [(ORDER, Version::NONE)]);
    let told = save.events.iter().map(|(feed, event)| {
        assert_eq!((feed, &event.subject), (&order(), &Some(subject())));
        format!("{:?} {} {:?}", event.id, event.ty, event.data)
    });
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    Some("127b80b5-4a05-4774-b870-1c9a2e2a27a3") OrderPlacedEvent Some(Json({"a":1}))
    None OrderNoIdEvent None
    "#);
    let java = r#"{"expectedVersion":3,"events":[{"eventId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","eventType":"OrderPlacedEvent","data":{"a":1}}]}"#;
    assert_eq!(expected(&one(java).expect("a save")), [(ORDER, Version(3))]);
    let go = format!(
        r#"{{"aggregateId":"{OTHER}","events":[{{"eventType":"OrderPlacedEvent","data":null,"encryptedData":null,"eventId":null}}]}}"#
    );
    let go = one(&go).expect("a save");
    let (feed, event) = &go.events[0];
    assert_eq!((feed, &event.id, &event.data), (&order(), &None, &None));
    assert_eq!(
        (&event.subject, go.expectations.len()),
        (&Some(subject()), 0)
    );
}

#[test]
fn a_bulk_is_one_save_of_many_aggregates() {
    let body = format!(
        r#"{{"other":[],"batches":[{{"aggregateId":"{}","events":[{{"eventType":"abc"}},{{"eventType":"abc"}}],"expectedVersion":2}},
            {{"expectedVersion":null,"events":[{{"eventType":"abc"}}],"aggregateId":"{OTHER}"}}]}}"#,
        ORDER.to_uppercase(),
    );
    let save = many(&body).expect("a save");
    let subjects = save.events.iter().map(|(_, event)| event.subject.as_ref());
    let subjects: Vec<_> = subjects
        .map(|subject| subject.map(Subject::as_str))
        .collect();
    assert_eq!(subjects, [Some(ORDER), Some(ORDER), Some(OTHER)]);
    assert_eq!(expected(&save), [(ORDER, Version(2))]);
    let old = format!(
        r#"{{"aggregateId":"{OTHER}","events":[{{"eventType":"abc"}}],"expectedVersion":0,"batches":null}}"#
    );
    let save = many(&old).expect("a save");
    assert_eq!(expected(&save), [(OTHER, Version::NONE)]);
}

#[test]
fn data_and_what_is_encrypted_are_kept_as_they_are() {
    let body = r#"{"events":[{"eventType":"abc","data":[ 1.50, "\u00e9" ],"encryptedData":"c2Vj\u000a\u20ac"}]}"#;
    let save = one(body).expect("a save");
    let (_, event) = &save.events[0];
    assert_eq!(
        format!("{:?}", event.data),
        r#"Some(Json([1.50,"\u00e9"]))"#
    );
    assert_eq!(
        event.extensions.members(),
        br#""encrypteddata":"c2Vj\n\u20ac""#
    );
    let encrypted = |len: usize| {
        let text = "x".repeat(len);
        one(&format!(
            r#"{{"events":[{{"eventType":"abc","encryptedData":"{text}"}}]}}"#
        ))
    };
    assert!(encrypted(ENCRYPTED_BYTES_MAX).is_ok());
    assert_eq!(
        faults(encrypted(ENCRYPTED_BYTES_MAX + 1)),
        "events[0].encryptedData: it has at most 65535 bytes, this one 65536"
    );
}

#[test]
fn what_is_no_object_is_told_by_line_and_column() {
    let refusals: Vec<String> = [
        &b""[..],
        b"[]",
        b"7",
        b"{\n\"events\":[}",
        b"{} x",
        b"{\"a\":\"\xff\"}",
        b"{\"\\ud800\":1}",
    ]
    .map(|body| {
        batch(&order(), &subject(), body)
            .expect_err("no save")
            .to_string()
    })
    .into();
    assert_snapshot!(refusals.join("\n"), @"
    line 1 column 0: EOF while parsing a value
    line 1 column 0: invalid type: sequence, expected an object
    line 1 column 1: invalid type: integer `7`, expected an object
    line 2 column 11: expected value
    line 1 column 4: trailing characters
    line 1 column 7: this is not UTF-8
    line 1 column 9: unexpected end of hex escape
    ");
}

#[test]
fn each_member_that_cannot_be_meant_is_named_with_its_place() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let refusals: Vec<String> = [
        "{}",
        r#"{"events":null}"#,
        r#"{"events":{}}"#,
        r#"{"events":[]}"#,
        r#"{"events":[7,null,[]]}"#,
        r#"{"events":[{}]}"#,
        r#"{"events":[{"eventType":7}]}"#,
        r#"{"events":[{"eventType":"ab"},{"eventType":"order.placed"},{"eventType":"-abc"}]}"#,
        r#"{"events":[{"eventType":"a\ud800bc"}]}"#,
        r#"{"events":[{"eventType":"abc","eventType":"abd","eventId":"7","data":"\ud800","encryptedData":{}}]}"#,
        &format!(r#"{{"events":[{{"eventType":"abc","data":{deep}}}]}}"#),
        &format!(r#"{{"events":[{{"eventType":"{}"}}]}}"#, "x".repeat(129)),
        r#"{"events":[{"eventType":"abc"}],"events":[],"expectedVersion":"1"}"#,
        r#"{"events":[{"eventType":"abc"}],"expectedVersion":-1}"#,
    ]
    .map(|body| faults(one(body)))
    .into();
    assert_snapshot!(refusals.join("\n"), @"
    events: it is missing
    events: it is missing
    events: invalid type: map, expected an array
    events: there has to be one at least
    events[0]: invalid type: integer `7`, expected an object | events[1]: invalid type: null, expected an object | events[2]: invalid type: sequence, expected an object
    events[0].eventType: it is missing
    events[0].eventType: it has to be a string
    events[0].eventType: it has three or more of A-Z a-z 0-9 - _, and a letter or a digit at both ends | events[1].eventType: it has three or more of A-Z a-z 0-9 - _, and a letter or a digit at both ends | events[2].eventType: it has three or more of A-Z a-z 0-9 - _, and a letter or a digit at both ends
    events[0].eventType: it holds half of a surrogate pair
    events[0].eventType: it is given twice | events[0].eventId: it has to be a UUID such as 723ecfce-14e9-4889-98d5-a3d0ad54912f | events[0].data: half of a surrogate pair at byte 1: no text has such a character | events[0].encryptedData: it has to be a string
    events[0].data: JSON is nested at most 128 deep, this goes deeper at byte 128
    events[0].eventType: a name has at most 128 characters, this one 129
    events: it is given twice | events: there has to be one at least | expectedVersion: it has to be a whole number from 0 to 9007199254740991
    expectedVersion: it has to be a whole number from 0 to 9007199254740991
    ");
}

#[test]
fn each_member_of_a_bulk_that_cannot_be_meant_is_named_with_its_place() {
    let batch = |id: &str, ty: &str| {
        format!(
            r#"{{"aggregateId":"{id}","events":[{{"eventType":"abc"}},{{"eventType":"{ty}"}}]}}"#
        )
    };
    let twice = [
        batch(ORDER, "abc"),
        batch(OTHER, "-"),
        batch(&ORDER.to_uppercase(), "abc"),
    ]
    .join(",");
    let refusals: Vec<String> = [
        "{}",
        r#"{"batches":[]}"#,
        r#"{"batches":7}"#,
        r#"{"batches":[{},7]}"#,
        r#"{"events":[{"eventType":"abc"}]}"#,
        r#"{"aggregateId":"order-7","expectedVersion":1.5}"#,
        &format!(r#"{{"batches":[{twice}]}}"#),
    ]
    .map(|body| faults(many(body)))
    .into();
    assert_snapshot!(refusals.join("\n"), @"
    batches: it is missing
    batches: there has to be one at least
    batches: invalid type: integer `7`, expected an array
    batches[0].aggregateId: it is missing | batches[0].events: it is missing | batches[1]: invalid type: integer `7`, expected an object
    aggregateId: it is missing
    aggregateId: it has to be a UUID such as 723ecfce-14e9-4889-98d5-a3d0ad54912f | events: it is missing | expectedVersion: it has to be a whole number from 0 to 9007199254740991
    batches[1].events[1].eventType: it has three or more of A-Z a-z 0-9 - _, and a letter or a digit at both ends | batches[2].aggregateId: batches[0] is of the same aggregate
    ");
}

#[test]
fn no_more_events_are_saved_at_once_than_a_batch_has() {
    let events = |count: usize| {
        format!(
            r#""events":[{}]"#,
            vec![r#"{"eventType":"abc"}"#; count].join(",")
        )
    };
    let both = |first: usize, second: usize| {
        let (first, second) = (events(first), events(second));
        many(&format!(
            r#"{{"batches":[{{"aggregateId":"{ORDER}",{first}}},{{"aggregateId":"{OTHER}",{second}}}]}}"#
        ))
    };
    assert_eq!(
        one(&format!("{{{}}}", events(1_000))).map(|save| save.events.len()),
        Ok(1_000)
    );
    assert_eq!(one(&format!("{{{}}}", events(1_001))), Err(Error::TooMany));
    assert_eq!(both(999, 1).map(|save| save.events.len()), Ok(1_000));
    assert_eq!(both(999, 2), Err(Error::TooMany));
    let batches = vec!["{}"; 1_001].join(",");
    assert_eq!(
        many(&format!(r#"{{"batches":[{batches}]}}"#)),
        Err(Error::TooMany)
    );
}

#[test]
fn a_version_that_is_expected_is_a_whole_number() {
    let of = |version: &str| {
        let save = one(&format!(
            r#"{{"events":[{{"eventType":"abc"}}],"expectedVersion":{version}}}"#
        ));
        save.map(|save| expected(&save)[0].1)
    };
    for (text, version) in [
        ("0", 0),
        ("7", 7),
        ("7.0", 7),
        ("9007199254740991", Position::MAX.get()),
    ] {
        assert_eq!(of(text), Ok(Version(version)), "{text}");
    }
    for odd in [
        "-1",
        "1.5",
        "9007199254740992",
        "1e300",
        "1e999",
        "\"1\"",
        "true",
        "[1]",
    ] {
        assert_eq!(
            faults(of(odd)),
            "expectedVersion: it has to be a whole number from 0 to 9007199254740991",
            "{odd}"
        );
    }
}

#[test]
fn a_tenant_has_an_id_and_may_have_a_reference() {
    let id = Uuid::try_parse(OTHER).expect("a UUID");
    let of = |reference: Option<&str>| {
        Ok(Tenant {
            id,
            reference: reference.map(str::to_owned),
        })
    };
    let java = format!(r#"{{"tenantId":"{OTHER}","addedAt":0,"deleted":false}}"#);
    assert_eq!(tenant(java.as_bytes()), of(None));
    let js = format!(r#"{{"tenantId":"{OTHER}","reference":"r\u00e9"}}"#);
    assert_eq!(tenant(js.as_bytes()), of(Some("r\u{e9}")));
    let given = Ok(Some("r\u{e9}".to_owned()));
    assert_eq!(reference(id, js.as_bytes()), given);
    assert_eq!(reference(id, br#"{"reference":"r\u00e9"}"#), given);
    assert_eq!(reference(id, b"{}"), Ok(None));
    let long = format!(
        r#"{{"tenantId":"7","reference":"{}"}}"#,
        "x".repeat(REFERENCE_BYTES_MAX + 1)
    );
    let refusals = [
        faults(tenant(b"{}")),
        faults(tenant(long.as_bytes())),
        faults(tenant(br#"{"tenantId":null,"reference":7,"reference":7}"#)),
        faults(reference(Uuid::nil(), js.as_bytes())),
    ];
    assert_snapshot!(refusals.join("\n"), @"
    tenantId: it is missing
    tenantId: it has to be a UUID such as 723ecfce-14e9-4889-98d5-a3d0ad54912f | reference: it has at most 512 bytes, this one 513
    reference: it is given twice | tenantId: it is missing | reference: it has to be a string
    tenantId: it is another than in the address
    ");
    assert!(matches!(tenant(b"[]"), Err(Error::Json(_))));
}

#[test]
fn a_body_is_json_in_utf_8_and_not_compressed() {
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
    ] {
        assert_eq!(content(Some(content_type), Some("identity")), Ok(()));
    }
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-ndjson"),
        Some("application/cloudevents+json"),
        Some("application/json;charset=latin1"),
    ] {
        assert!(matches!(
            content(content_type, None),
            Err(request::Error::MediaType(_))
        ));
    }
    let gzip = content(Some("application/json"), Some("gzip"));
    assert_eq!(gzip, Err(request::Error::ContentEncoding("gzip".into())));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(body in any::<Vec<u8>>()) {
        drop((batch(&order(), &subject(), &body), bulk(&order(), &body), tenant(&body)));
    }

    #[test]
    fn any_members_are_read_without_panic(
        values in prop::collection::vec((
            prop::sample::select(vec!["batches", "aggregateId", "events", "expectedVersion", "tenantId", "x"]),
            r#"\[\{"(events|eventType|eventId|data|encryptedData)":(7|null|"[ab-]{0,4}"|\[\{\}\])\}\]|-?(0|[1-9][0-9]{0,2})|null|"(\\ud800)?""#,
        ), 0..5),
    ) {
        let members: Vec<String> = values.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        let body = format!("{{{}}}", members.join(","));
        let saves = [one(&body), many(&body)];
        prop_assert!(saves.iter().all(|save| !matches!(save, Err(Error::Json(_)))), "{}", body);
        for save in saves.into_iter().flatten() {
            prop_assert!(!save.events.is_empty() && save.expectations.len() <= save.events.len());
        }
    }
}
