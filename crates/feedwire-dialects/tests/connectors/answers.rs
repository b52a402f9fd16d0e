//! What connectors are told as.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feedwire_core::connectors::{
    Answered, Attempt, Connector, Form, Health, Numbers, Occasion, Overview, Phase, Replay,
    SecretText, Settings, Shown,
};
use feedwire_core::stream::{self, Lag, Status};
use feedwire_dialects::connector_answer::{connector, delivery, made, numbers, secret};
use feedwire_event::{ConnectorName, Position, StreamName, Timestamp};
use insta::assert_snapshot;
use serde::Serialize;

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn position(value: u64) -> Position {
    Position::new(value).expect("a position")
}

fn told(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("JSON")
}

fn shown() -> Shown {
    let name = ConnectorName::new("billing").expect("a name");
    let stream = StreamName::new("billing").expect("a name");
    let at = time("2026-11-21T08:00:00Z");
    let status = Status {
        settings: stream::Settings::new(stream.clone()),
        origin: None,
        starts_at: None,
        created_at: at,
        updated_at: at,
        members: 1,
        lag: Lag {
            events: 3,
            age: Duration::from_millis(1_500),
        },
        counted: position(12),
        head: position(12),
        lost_at_most: 0,
        dead_letters: 2,
        subjects_aside: 0,
    };
    let settings = Settings::new(name, "https://receiver.invalid/".to_owned());
    Shown {
        overview: Overview {
            connector: Arc::new(Connector {
                settings,
                stream,
                owns_stream: true,
                replay: None,
                phase: Phase::Active,
                phase_since: at,
                created_at: at,
                updated_at: at,
                sealed: Bytes::from_static(b"hunter2"),
            }),
            stream: Some(status),
        },
        health: Health::default(),
        headers: vec!["x-key".to_owned()],
        is_signed: true,
        previous_until: None,
    }
}

#[test]
fn a_connector_is_told_with_all_that_was_left_out_when_it_was_made() {
    assert_snapshot!(told(&connector(&shown())), @r#"{"name":"billing","display_name":"","url":"https://receiver.invalid/","stream":"billing","owns_stream":true,"filter":{},"format":"structured","batch_size":1,"linger":"0s","concurrency":8,"timeout":"10s","retry_first":"1s","retry_most":"5m","retry_age":"12h","disable_after":"5d","redirects":0,"headers":["x-key"],"signed":true,"previous_secret_until":null,"state":"active","reason":null,"state_since":"2026-11-21T08:00:00Z","replay":null,"health":{"in_flight":0,"failing_since":null,"failures":0,"succeeded_at":null,"held_until":null,"hindrance":null,"requests":0,"failed_requests":0,"delivered":0,"buried":0},"lag":{"events":3,"seconds":1.5},"dead_letters":2,"created_at":"2026-11-21T08:00:00Z","updated_at":"2026-11-21T08:00:00Z"}"#);
}

#[test]
fn a_connector_that_fails_says_how_and_one_without_its_stream_is_still_told() {
    let mut shown = shown();
    shown.overview.stream = None;
    let there = Connector::clone(&shown.overview.connector);
    shown.overview.connector = Arc::new(Connector {
        settings: Settings {
            form: Form::Reading { labels: Vec::new() },
            linger: Duration::from_millis(1_500),
            redirects: 3,
            ..there.settings.clone()
        },
        owns_stream: false,
        replay: Some(Replay {
            of: ConnectorName::new("other").expect("a name"),
            until: position(7),
        }),
        phase: Phase::Disabled("it answered 410".to_owned()),
        ..there
    });
    let at = Some(time("2026-11-21T09:00:00Z"));
    shown.health = Health {
        in_flight: 1,
        failing_since: at,
        failures: 4,
        succeeded_at: at,
        held_until: at,
        hindrance: Some("the stream is full".to_owned()),
        delivered: 5,
        buried: 6,
        ..Health::default()
    };
    shown.previous_until = at;
    assert_snapshot!(told(&connector(&shown)), @r#"{"name":"billing","display_name":"","url":"https://receiver.invalid/","stream":"billing","owns_stream":false,"filter":null,"format":"disruptive","batch_size":1,"linger":"1s 500ms","concurrency":8,"timeout":"10s","retry_first":"1s","retry_most":"5m","retry_age":"12h","disable_after":"5d","redirects":3,"headers":["x-key"],"signed":true,"previous_secret_until":"2026-11-21T09:00:00Z","state":"disabled","reason":"it answered 410","state_since":"2026-11-21T08:00:00Z","replay":{"of":"other","until":7},"health":{"in_flight":1,"failing_since":"2026-11-21T09:00:00Z","failures":4,"succeeded_at":"2026-11-21T09:00:00Z","held_until":"2026-11-21T09:00:00Z","hindrance":"the stream is full","requests":0,"failed_requests":0,"delivered":5,"buried":6},"lag":null,"dead_letters":null,"created_at":"2026-11-21T08:00:00Z","updated_at":"2026-11-21T08:00:00Z"}"#);
}

#[test]
fn a_secret_is_told_where_one_was_made_and_else_there_is_no_word_of_it() {
    let kept = SecretText::new("whsec_kept");
    let with = told(&made(&shown(), Some(&kept)));
    assert!(with.ends_with(r#","secret":"whsec_kept"}"#), "{with}");
    let without = told(&made(&shown(), None));
    assert_eq!(without, told(&connector(&shown())));
    let until = Some(time("2026-11-22T08:00:00Z"));
    assert_snapshot!(told(&secret(Some(&kept), until)), @r#"{"secret":"whsec_kept","previous_until":"2026-11-22T08:00:00Z"}"#);
    assert_snapshot!(told(&secret(None, None)), @r#"{"previous_until":null}"#);
}

#[test]
fn a_request_is_told_with_what_came_of_it() {
    let attempt = Attempt {
        occasion: Occasion::Event,
        at: time("2026-11-21T08:00:00.5Z"),
        id: "msg_1".into(),
        events: Some((position(3), position(5), 2)),
        number: 4,
        answered: Answered::Status(204, "".into()),
        latency: Duration::from_micros(12_999),
    };
    let others = [
        attempt.clone(),
        Attempt {
            answered: Answered::Status(500, "\u{e9}\"".into()),
            occasion: Occasion::Sync,
            ..attempt.clone()
        },
        Attempt {
            answered: Answered::Nothing("no answer within 10 s".into()),
            occasion: Occasion::Test,
            events: None,
            ..attempt
        },
    ];
    let told = others.map(|attempt| told(&delivery(&attempt)));
    assert_snapshot!(told.join("\n"), @r#"
    {"id":"msg_1","occasion":"event","at":"2026-11-21T08:00:00.5Z","events":{"first":3,"last":5,"count":2},"attempt":4,"delivered":true,"status":204,"answer":"","error":null,"latency_seconds":0.012}
    {"id":"msg_1","occasion":"sync","at":"2026-11-21T08:00:00.5Z","events":{"first":3,"last":5,"count":2},"attempt":4,"delivered":false,"status":500,"answer":"é\"","error":null,"latency_seconds":0.012}
    {"id":"msg_1","occasion":"test","at":"2026-11-21T08:00:00.5Z","events":null,"attempt":4,"delivered":false,"status":null,"answer":null,"error":"no answer within 10 s","latency_seconds":0.012}
    "#);
}

#[test]
fn numbers_are_told_to_the_millisecond() {
    let three_hours = Numbers {
        succeeded: 7,
        failed: 1,
        latency_p99: Duration::from_micros(250_900),
    };
    assert_snapshot!(told(&numbers(&three_hours)), @r#"{"succeeded":7,"failed":1,"latency_p99_seconds":0.25}"#);
}
