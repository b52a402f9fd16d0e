//! Data Connectors as Disruptive's API tells them, and how pushing went.

use std::collections::BTreeMap;
use std::time::Duration;

use feedwire_core::connectors::{Form, Numbers, Phase, Shown};
use feedwire_event::{ConnectorName, ProjectName, TypeName};
use serde::Serialize;

use crate::ascii::json;
use crate::data_connector_body::{ACTIVE, HTTP_PUSH, SYSTEM_DISABLED, USER_DISABLED};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    name: String,
    display_name: &'a str,
    #[serde(rename = "type")]
    ty: &'static str,
    status: &'static str,
    events: Vec<&'a str>,
    labels: &'a [String],
    http_config: HttpConfig<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpConfig<'a> {
    url: &'a str,
    signature_secret: &'static str,
    headers: BTreeMap<&'a str, &'static str>,
}

/// Whether `shown` is one that the vendor's clients know: what pushes readings, and does not push what was pushed already once more.
pub fn is_told(shown: &Shown) -> bool {
    let connector = &shown.overview.connector;
    let is_reading = matches!(connector.settings.form, Form::Reading { .. });
    is_reading && connector.replay.is_none()
}

impl<'a> Told<'a> {
    fn of(project: &ProjectName, shown: &'a Shown) -> Self {
        let connector = &shown.overview.connector;
        let settings = &connector.settings;
        let status = match connector.phase {
            Phase::Active => ACTIVE,
            Phase::Paused | Phase::Done => USER_DISABLED,
            Phase::Disabled(_) => SYSTEM_DISABLED,
        };
        let labels = match &settings.form {
            Form::Reading { labels } => &labels[..],
            Form::Structured | Form::Binary | Form::Batch => &[],
        };
        let selection = shown.overview.stream.iter();
        let selection = selection.map(|stream| &stream.settings.selection);
        let types = selection.flat_map(|selection| &selection.types);
        let headers = shown.headers.iter().map(|name| (name.as_str(), ""));
        Self {
            name: format!("projects/{project}/dataconnectors/{}", settings.name),
            display_name: &settings.display_name,
            ty: HTTP_PUSH,
            status,
            events: types.map(TypeName::as_str).collect(),
            labels,
            http_config: HttpConfig {
                url: &settings.url,
                signature_secret: "",
                headers: headers.collect(),
            },
        }
    }
}

/// A Data Connector.
pub fn connector(project: &ProjectName, shown: &Shown) -> Vec<u8> {
    json(&Told::of(project, shown))
}

/// A page of Data Connectors. What comes after it is behind the one named `next`.
pub fn connectors(project: &ProjectName, page: &[Shown], next: Option<&ConnectorName>) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        data_connectors: Vec<Told<'a>>,
        next_page_token: &'a str,
    }
    let told = page.iter().map(|shown| Told::of(project, shown));
    json(&Answer {
        data_connectors: told.collect(),
        next_page_token: next.map_or("", ConnectorName::as_str),
    })
}

/// How pushing went.
pub fn metrics(numbers: &Numbers) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Metrics {
        success_count: u64,
        error_count: u64,
        latency99p: String,
    }
    #[derive(Serialize)]
    struct Answer {
        metrics: Metrics,
    }
    json(&Answer {
        metrics: Metrics {
            success_count: numbers.succeeded,
            error_count: numbers.failed,
            latency99p: seconds(numbers.latency_p99),
        },
    })
}

/// A span as protobuf's JSON writes it, in milliseconds.
fn seconds(span: Duration) -> String {
    format!("{}.{:03}s", span.as_secs(), span.subsec_millis())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use feedwire_core::connectors::{Connector, Health, Overview, Replay, Settings};
    use feedwire_event::{Position, StreamName, Timestamp};
    use insta::assert_snapshot;

    use super::*;

    fn project() -> ProjectName {
        ProjectName::new("p1").expect("a name")
    }

    fn shown(phase: Phase) -> Shown {
        let name = ConnectorName::new("bvf4hpecivkg00f5f7p0").expect("a name");
        let mut settings = Settings::new(name, "https://example.com/push".into());
        settings.display_name = "K\u{fc}che".into();
        settings.form = Form::Reading {
            labels: vec!["name".into(), "room".into()],
        };
        let connector = Connector {
            settings,
            stream: StreamName::new("s").expect("a name"),
            owns_stream: true,
            replay: None,
            phase,
            phase_since: Timestamp::MAX,
            created_at: Timestamp::MAX,
            updated_at: Timestamp::MAX,
            sealed: Bytes::from_static(b"sealed"),
        };
        Shown {
            overview: Overview {
                connector: Arc::new(connector),
                stream: None,
            },
            health: Health::default(),
            headers: vec!["authorization".into(), "x-key".into()],
            is_signed: true,
            previous_until: None,
        }
    }

    fn told(out: Vec<u8>) -> String {
        assert!(out.is_ascii());
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn a_data_connector_is_told_without_its_secrets() {
        assert_snapshot!(told(connector(&project(), &shown(Phase::Active))), @r#"{"name":"projects/p1/dataconnectors/bvf4hpecivkg00f5f7p0","displayName":"K\u00fcche","type":"HTTP_PUSH","status":"ACTIVE","events":[],"labels":["name","room"],"httpConfig":{"url":"https://example.com/push","signatureSecret":"","headers":{"authorization":"","x-key":""}}}"#);
        let status = |phase| {
            let json = connector(&project(), &shown(phase));
            let told: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
            told["status"].as_str().expect("a text").to_owned()
        };
        assert_eq!(status(Phase::Paused), "USER_DISABLED");
        assert_eq!(status(Phase::Disabled("why".into())), "SYSTEM_DISABLED");
    }

    #[test]
    fn a_list_says_what_it_goes_on_behind() {
        assert_snapshot!(told(connectors(&project(), &[], None)), @r#"{"dataConnectors":[],"nextPageToken":""}"#);
        let page = [shown(Phase::Paused)];
        let next = ConnectorName::new("c7").ok();
        let told = told(connectors(&project(), &page, next.as_ref()));
        assert!(told.ends_with(r#"],"nextPageToken":"c7"}"#), "{told}");
    }

    #[test]
    fn replays_and_connectors_of_other_forms_are_not_told() {
        let with = |change: &dyn Fn(&mut Connector)| {
            let mut shown = shown(Phase::Active);
            change(Arc::make_mut(&mut shown.overview.connector));
            is_told(&shown)
        };
        assert!(with(&|_| {}));
        assert!(!with(&|connector| connector.settings.form = Form::Binary));
        assert!(!with(&|connector| {
            let of = connector.settings.name.clone();
            let until = Position::MAX;
            connector.replay = Some(Replay { of, until });
        }));
    }

    #[test]
    fn numbers_are_told_with_a_span_in_seconds() {
        let numbers = Numbers {
            succeeded: 8,
            failed: 1,
            latency_p99: Duration::from_millis(12_041),
        };
        assert_snapshot!(told(metrics(&numbers)), @r#"{"metrics":{"successCount":8,"errorCount":1,"latency99p":"12.041s"}}"#);
    }
}
