//! What Data Connectors are made of, and what is made of a change.

use feedwire_core::connectors::{Draft, Form, Revised, SecretText, Secrets, Settings, Source};
use feedwire_core::stream::{Origin, Selection};
use feedwire_dialects::data_connector_body::{self as body, Given};
use feedwire_dialects::data_connector_request::{Mask, mask};
use feedwire_dialects::disruptive::body::Error;
use feedwire_event::{ConnectorName, FeedName, TypeName};
use insta::assert_snapshot;
use proptest::prelude::*;

use crate::publishing::faults;

fn draft(json: &str) -> Draft {
    let given = body::create(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"));
    given.draft(body::name(7))
}

/// How a connector is, with its secrets.
fn told(
    settings: &Settings,
    selection: Option<&Selection>,
    secrets: &Secrets,
    is_active: bool,
) -> String {
    let secret = |secret: &SecretText| secret.reveal().to_owned();
    let types = selection.map(|selection| {
        let feeds: Vec<&str> = selection.feeds.iter().map(FeedName::as_str).collect();
        let types: Vec<&str> = selection.types.iter().map(TypeName::as_str).collect();
        format!("{feeds:?} {types:?}")
    });
    let headers: Vec<(&str, String)> = secrets
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), secret(value)))
        .collect();
    let Form::Reading { labels } = &settings.form else {
        panic!("{:?}", settings.form);
    };
    format!(
        "{:?} to {:?}, of {types:?} with {labels:?}, by {:?} and {:?}, {headers:?}, active: {is_active}",
        settings.display_name,
        settings.url,
        secrets.signing.as_ref().map(secret),
        secrets.previous.as_ref().map(|(text, _)| secret(text)),
    )
}

fn made(json: &str) -> String {
    let draft = draft(json);
    assert_eq!(draft.replay, None);
    let Source::Own(selection, Origin::Now) = &draft.source else {
        panic!("{:?}", draft.source);
    };
    told(
        &draft.settings,
        Some(selection),
        &draft.secrets,
        draft.is_active,
    )
}

/// What a connector that has everything is after `json`, where `mask` is in the address.
fn changed(json: &str, mask: &Mask) -> Result<String, Error> {
    let whole = draft(
        r#"{"type":"HTTP_PUSH","events":["touch"],"labels":["name"],"displayName":"a","httpConfig":{"url":"https://a/","signatureSecret":"one","headers":{"X-A":"1","X-B":"2"}}}"#,
    );
    let Source::Own(selection, _) = whole.source else {
        panic!("it is its own");
    };
    let before = Revised {
        settings: whole.settings,
        selection: Some(selection),
        secrets: Secrets {
            previous: Some((SecretText::new("zero"), feedwire_event::Timestamp::MAX)),
            ..whole.secrets
        },
        skips: false,
        is_active: true,
    };
    let given = body::change(json.as_bytes(), mask)?;
    let after = given.apply(before);
    Ok(told(
        &after.settings,
        after.selection.as_ref(),
        &after.secrets,
        after.is_active,
    ))
}

fn change(json: &str) -> String {
    changed(json, &Mask::default()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

#[test]
fn a_connector_is_made_of_what_the_clients_send() {
    let bodies = [
        r#"{"status": "ACTIVE", "events": ["temperature"], "labels": ["name"], "displayName": "disp", "type": "HTTP_PUSH", "httpConfig": {"url": "https://x/", "signatureSecret": "sec", "headers": {"H": "1"}}}"#,
        r#"{"status": "ACTIVE", "events": [], "labels": [], "type": "HTTP_PUSH", "httpConfig": {"url": "https://x/"}}"#,
        r#"{"name": "projects/p/dataconnectors/x", "type": "HTTP_PUSH", "displayName": "", "status": "USER_DISABLED", "events": null, "labels": ["a", "b", "a"], "httpConfig": {"url": "https://x/", "signatureSecret": "", "headers": null}, "pubsubConfig": null}"#,
        r#"{"type": "HTTP_PUSH", "display_name": "disp", "events": ["touch", "touch"], "http_config": {"url": "https://x/", "signature_secret": "sec"}}"#,
    ];
    assert_snapshot!(bodies.map(made).join("\n"), @r#"
    "disp" to "https://x/", of Some("[\"devices\"] [\"temperature\"]") with ["name"], by Some("sec") and None, [("h", "1")], active: true
    "" to "https://x/", of Some("[\"devices\"] []") with [], by None and None, [], active: true
    "" to "https://x/", of Some("[\"devices\"] []") with ["a", "b"], by None and None, [], active: false
    "disp" to "https://x/", of Some("[\"devices\"] [\"touch\"]") with [], by Some("sec") and None, [], active: true
    "#);
    let id = body::name(u128::MAX);
    assert_eq!(id.as_str(), "v".repeat(20));
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let bodies = [
        "{}",
        r#"{"status": "USER_DISABLED", "labels": ["z"]}"#,
        r#"{"display_name": "", "events": [ ], "labels": []}"#,
        r#"{"httpConfig": {"url": "https://b/"}}"#,
        r#"{"httpConfig": {"signatureSecret": "two"}}"#,
    ];
    assert_snapshot!(bodies.map(change).join("\n"), @r#"
    "a" to "https://a/", of Some("[\"devices\"] [\"touch\"]") with ["name"], by Some("one") and Some("zero"), [("x-a", "1"), ("x-b", "2")], active: true
    "a" to "https://a/", of Some("[\"devices\"] [\"touch\"]") with ["z"], by Some("one") and Some("zero"), [("x-a", "1"), ("x-b", "2")], active: false
    "" to "https://a/", of Some("[\"devices\"] []") with [], by Some("one") and Some("zero"), [("x-a", "1"), ("x-b", "2")], active: true
    "a" to "https://b/", of Some("[\"devices\"] [\"touch\"]") with ["name"], by Some("one") and Some("zero"), [("x-a", "1"), ("x-b", "2")], active: true
    "a" to "https://a/", of Some("[\"devices\"] [\"touch\"]") with ["name"], by Some("two") and None, [("x-a", "1"), ("x-b", "2")], active: true
    "#);
}

#[test]
fn what_answers_tell_of_secrets_comes_back_and_changes_nothing() {
    let bodies = [
        r#"{"httpConfig": {"url": "https://a/", "signatureSecret": "", "headers": {"x-a": "", "x-b": ""}}}"#,
        r#"{"httpConfig": {"headers": {"X-B": "", "x-c": "3"}}}"#,
        r#"{"httpConfig": {"headers": {}}}"#,
    ];
    assert_snapshot!(bodies.map(change).join("\n"), @r#"
    "a" to "https://a/", of Some("[\"devices\"] [\"touch\"]") with ["name"], by Some("one") and Some("zero"), [("x-a", "1"), ("x-b", "2")], active: true
    "a" to "https://a/", of Some("[\"devices\"] [\"touch\"]") with ["name"], by Some("one") and Some("zero"), [("x-b", "2"), ("x-c", "3")], active: true
    "a" to "https://a/", of Some("[\"devices\"] [\"touch\"]") with ["name"], by Some("one") and Some("zero"), [], active: true
    "#);
}

#[test]
fn of_a_change_with_a_mask_nothing_else_counts() {
    let json = r#"{"status": "USER_DISABLED", "displayName": "b", "httpConfig": {"url": "https://b/", "signatureSecret": "two"}}"#;
    let with = |query: &str| {
        let mask = mask(query).expect("a mask");
        changed(json, &mask).expect("a change")
    };
    let masks = [
        "update_mask=displayName,httpConfig.url",
        "updateMask=http_config",
    ];
    assert_snapshot!(masks.map(with).join("\n"), @r#"
    "b" to "https://b/", of Some("[\"devices\"] [\"touch\"]") with ["name"], by Some("one") and Some("zero"), [("x-a", "1"), ("x-b", "2")], active: true
    "a" to "https://b/", of Some("[\"devices\"] [\"touch\"]") with ["name"], by Some("two") and None, [("x-a", "1"), ("x-b", "2")], active: true
    "#);
}

#[test]
fn what_cannot_be_meant_is_told_with_its_path() {
    let create = |json: &str| faults(body::create(json.as_bytes()));
    let bodies = [
        "",
        "[]",
        "{}",
        r#"{"type": "HTTP_PUSH", "httpConfig": {}}"#,
        r#"{"type": "GOOGLE_CLOUD_PUBSUB", "pubsubConfig": {"topic": "t"}}"#,
        r#"{"type": "AWS_SQS", "httpConfig": {"url": "https://x/"}}"#,
        r#"{"type": "HTTP_PUSH", "status": "SYSTEM_DISABLED", "httpConfig": {"url": 7}}"#,
        r#"{"type": "HTTP_PUSH", "status": "on", "events": ["a b"], "labels": ["", "device-type", 7], "httpConfig": {"url": "https://x/"}}"#,
        r#"{"type": "HTTP_PUSH", "events": "touch", "labels": {}, "displayName": [], "httpConfig": "x"}"#,
        r#"{"type": "HTTP_PUSH", "httpConfig": {"url": "https://x/", "headers": {"x-a": "1", "X-A": "2"}}}"#,
        r#"{"type": "HTTP_PUSH", "httpConfig": {"url": "https://x/", "headers": {"x-a": 1}}}"#,
        r#"{"type": "HTTP_PUSH", "httpConfig": {"url": "https://x/", "url": "https://y/"}}"#,
    ];
    let told = bodies.map(create);
    assert_snapshot!(told.join("\n"), @r#"
    line 1 column 0: EOF while parsing a value
    line 1 column 0: invalid type: sequence, expected an object
    type: it is missing | httpConfig: it is missing
    httpConfig.url: it is missing
    type: what is pushed here is pushed by HTTP: it has to be HTTP_PUSH | httpConfig: it is missing
    type: what is pushed here is pushed by HTTP: it has to be HTTP_PUSH
    status: SYSTEM_DISABLED is for the server to say | httpConfig.url: it has to be a string | httpConfig.url: it is missing
    status: it is one of ACTIVE, USER_DISABLED | events[0]: a name is made of A-Z a-z 0-9 . _ -, not ' ' | labels[0]: the key of a label has 1 to 256 bytes, this one 0 | labels[1]: device-type is kept by the server: it is what the device is | labels[2]: it has to be a string
    displayName: it has to be a string | events: invalid type: string "touch", expected an array | labels: invalid type: map, expected an array | httpConfig: invalid type: string "x", expected an object | httpConfig.url: it is missing
    httpConfig.headers: "x-a" is given twice
    httpConfig.headers: invalid type: integer `1`, expected a string
    httpConfig.url: it is given twice
    "#);
    let other = body::change(br#"{"type":"AZURE_EVENT_HUB"}"#, &Mask::default());
    assert_snapshot!(faults(other), @"type: what is pushed here is pushed by HTTP: it has to be HTTP_PUSH");
}

#[test]
fn no_secret_is_shown() {
    let json = r#"{"type":"HTTP_PUSH","httpConfig":{"url":"https://x/","signatureSecret":"hush","headers":{"x-a":"hush"}}}"#;
    let given: Given = body::create(json.as_bytes()).expect("a connector");
    assert!(!format!("{given:?}").contains("hush"));
    let draft = given.draft(ConnectorName::new("c").expect("a name"));
    assert!(!format!("{draft:?}").contains("hush"));
}

proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _read = body::create(&bytes);
        let _read = body::change(&bytes, &Mask::default());
    }

    #[test]
    fn whatever_the_members_are_is_read_or_refused(
        name in prop::sample::select(vec!["type", "status", "events", "labels", "displayName", "httpConfig", "url"]),
        value in prop::sample::select(vec!["null", "7", "[]", "[7]", "{}", r#""""#, r#"["a"]"#, r#"{"url":{}}"#, r#"{"headers":[]}"#, r#"{"headers":{"\ud800":""}}"#]),
    ) {
        let json = format!(r#"{{"{name}":{value}}}"#);
        let _read = body::create(json.as_bytes());
        let _read = body::change(json.as_bytes(), &Mask::default());
    }
}
