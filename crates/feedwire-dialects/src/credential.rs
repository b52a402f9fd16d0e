//! Credentials, projects and their limits, as the native API takes and tells them.

use std::fmt::Display;
use std::time::Duration;

use feedwire_api::{CredentialGrant, Expiry};
use feedwire_core::{Allowance, Confinement, FeedPattern, LabelFilter, RateLimits, Right, Rights};
use feedwire_event::{ProjectName, Subject, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

use crate::digits::whole;
use crate::native::body::{Error, object};
use crate::span;

/// The largest limit: what every JSON reader has exactly.
pub const LIMIT_MAX: u64 = (1 << 53) - 1;
/// How long an old secret can be taken beside the new one.
pub const OVERLAP_MAX: Duration = Duration::from_hours(24 * 90);

/// What a credential is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What people call it.
    pub display_name: String,
    /// The issuer of the assertions that are signed with its secret.
    pub email: Option<String>,
    /// What it may do.
    pub grants: Vec<Granted>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// What it may take of the server.
    pub limits: RateLimits,
}

/// What of a credential is to be another; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What people call it.
    pub display_name: Option<String>,
    /// The issuer of the assertions that are signed with its secret.
    pub email: Option<String>,
    /// What it may do, all of it.
    pub grants: Option<Vec<Granted>>,
    /// When it ends.
    pub expires_at: Option<Ends>,
    /// Whether it is taken at all.
    pub enabled: Option<bool>,
    /// What it may take of the server, all of it.
    pub limits: Option<RateLimits>,
}

/// When a credential ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Never by itself.
    Never,
    /// At this time.
    At(Timestamp),
}

/// What may be done, and in which projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// A project, or what several fit, as it was written.
    pub projects: String,
    /// What may be done there.
    pub allowance: Allowance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    requests_per_second: Option<Number>,
    publish_bytes_per_second: Option<Number>,
    readers: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    project: String,
    rights: Vec<String>,
    feeds: Option<Vec<String>>,
    subjects: Option<Vec<String>>,
    labels: Option<Vec<String>>,
}

/// The credential that `body` asks for.
pub fn draft(body: &[u8]) -> Result<Draft, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        display_name: Option<String>,
        email: Option<String>,
        grants: Vec<Grant>,
        expires_at: Option<String>,
        limits: Option<Limits>,
    }
    let body: Body = object(body)?;
    Ok(Draft {
        display_name: body.display_name.unwrap_or_default(),
        email: body.email,
        grants: granted(body.grants)?,
        expires_at: body.expires_at.as_deref().map(time).transpose()?,
        limits: body.limits.map(limits).transpose()?.unwrap_or_default(),
    })
}

/// What of a credential `body` changes.
pub fn change(body: &[u8]) -> Result<Change, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        display_name: Option<String>,
        email: Option<String>,
        grants: Option<Vec<Grant>>,
        #[serde(default, deserialize_with = "given")]
        expires_at: Option<Expiry>,
        enabled: Option<bool>,
        limits: Option<Limits>,
    }
    let body: Body = object(body)?;
    let ends = |expiry| match expiry {
        Expiry::Never => Ok(Ends::Never),
        Expiry::At(text) => time(&text).map(Ends::At),
    };
    Ok(Change {
        display_name: body.display_name,
        email: body.email,
        grants: body.grants.map(granted).transpose()?,
        expires_at: body.expires_at.map(ends).transpose()?,
        enabled: body.enabled,
        limits: body.limits.map(limits).transpose()?,
    })
}

/// `null` is something that is given.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Expiry>, D::Error> {
    Expiry::deserialize(from).map(Some)
}

/// How long the secret that is replaced is still taken, out of `{"overlap":"1d"}`. Without a body it is not.
pub fn overlap(body: &[u8]) -> Result<Duration, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        overlap: Option<String>,
    }
    if body.is_empty() {
        return Ok(Duration::ZERO);
    }
    let Body { overlap } = object(body)?;
    let Some(text) = overlap else {
        return Ok(Duration::ZERO);
    };
    let overlap = span::parse(&text).filter(|overlap| *overlap <= OVERLAP_MAX);
    let refused = || Error::member("overlap", "it has to be a span such as 1d, of at most 90d");
    overlap.ok_or_else(refused)
}

/// The project that is to be made, out of `{"name":"acme"}`.
pub fn project(body: &[u8]) -> Result<ProjectName, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
    }
    let Body { name } = object(body)?;
    ProjectName::new(&name).map_err(|error| Error::member("name", &error))
}

/// Limits out of `{"requests_per_second":100}`; what is `null` or not there has none.
pub fn limits_of(body: &[u8]) -> Result<RateLimits, Error> {
    limits(object(body)?)
}

fn limits(given: Limits) -> Result<RateLimits, Error> {
    let limit =
        |name, number: Option<Number>| number.map(|number| limit(name, &number)).transpose();
    Ok(RateLimits {
        requests_per_second: limit("requests_per_second", given.requests_per_second)?,
        publish_bytes_per_second: limit(
            "publish_bytes_per_second",
            given.publish_bytes_per_second,
        )?,
        readers: limit("readers", given.readers)?,
    })
}

fn limit(name: &'static str, number: &Number) -> Result<u64, Error> {
    let limit = whole(number).filter(|limit| (1..=LIMIT_MAX).contains(limit));
    let refused = || {
        let reason = format!("it has to be a whole number from 1 to {LIMIT_MAX}, or null");
        Error::member(name, &reason)
    };
    limit.ok_or_else(refused)
}

fn time(text: &str) -> Result<Timestamp, Error> {
    let refused = |error| Error::member("expires_at", &error);
    text.parse().map_err(refused)
}

fn granted(grants: Vec<Grant>) -> Result<Vec<Granted>, Error> {
    let grants = grants.into_iter().enumerate();
    let granted = grants.map(|(index, grant)| {
        let projects = grant.project.clone();
        let allowance = allowance(grant).map_err(|reason| {
            let reason = format!("grant {index}: {reason}");
            Error::member("grants", &reason)
        })?;
        Ok(Granted {
            projects,
            allowance,
        })
    });
    granted.collect()
}

fn allowance(grant: Grant) -> Result<Allowance, String> {
    fn each<T, E: Display>(
        name: &str,
        texts: Option<Vec<String>>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, String> {
        let texts = texts.unwrap_or_default();
        let read = texts
            .iter()
            .map(|text| read(text).map_err(|error| format!("{name}: {text:?}: {error}")));
        read.collect()
    }
    for (name, texts) in [
        ("feeds", &grant.feeds),
        ("subjects", &grant.subjects),
        ("labels", &grant.labels),
    ] {
        // Taken as if it were not there, a list that happens to have nothing in it would grant everything.
        if texts.as_ref().is_some_and(Vec::is_empty) {
            return Err(format!(
                "{name}: an empty list grants nothing; without {name}, all are granted"
            ));
        }
    }
    let rights: Rights = each("rights", Some(grant.rights), str::parse::<Right>)?
        .into_iter()
        .collect();
    let subjects = each("subjects", grant.subjects, Subject::new)?;
    let labels = each("labels", grant.labels, label)?;
    let confinement = match (subjects.is_empty(), labels.is_empty()) {
        (true, true) => None,
        (false, true) => Some(Confinement::Subjects(subjects)),
        (true, false) => Some(Confinement::Labels(labels)),
        (false, false) => return Err("it is confined to subjects or to labels, not to both".into()),
    };
    Ok(Allowance {
        rights,
        feeds: each("feeds", grant.feeds, str::parse::<FeedPattern>)?,
        confinement,
    })
}

pub(crate) fn label(text: &str) -> Result<LabelFilter, &'static str> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, None),
    };
    if key.is_empty() {
        return Err("a label is written as key or key=value");
    }
    Ok(LabelFilter {
        key: key.to_owned(),
        value,
    })
}

/// Limits as they are told.
pub fn rate_limits(limits: RateLimits) -> feedwire_api::RateLimits {
    feedwire_api::RateLimits {
        requests_per_second: limits.requests_per_second,
        publish_bytes_per_second: limits.publish_bytes_per_second,
        readers: limits.readers,
    }
}

/// A grant as it is told.
pub fn grant(projects: &str, allowance: &Allowance) -> CredentialGrant {
    let (subjects, labels) = match &allowance.confinement {
        None => (Vec::new(), Vec::new()),
        Some(Confinement::Subjects(own)) => {
            (own.iter().map(Subject::to_string).collect(), Vec::new())
        }
        Some(Confinement::Labels(own)) => (Vec::new(), own.iter().map(written).collect()),
    };
    CredentialGrant {
        project: projects.to_owned(),
        rights: allowance
            .rights
            .iter()
            .map(|right| right.to_string())
            .collect(),
        feeds: allowance.feeds.iter().map(FeedPattern::to_string).collect(),
        subjects,
        labels,
    }
}

fn written(label: &LabelFilter) -> String {
    match &label.value {
        Some(value) => format!("{}={value}", label.key),
        None => label.key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_told_as_it_was_given() {
        let body = r#"{"grants":[
            {"project":"acme","rights":["publish","read"],"feeds":["orders","audit.*","*"],"subjects":["42","Ærø"]},
            {"project":"acme.*","rights":["read"],"labels":["room","floor=2","empty="]},
            {"project":"*","rights":["admin"]}]}"#;
        let draft = draft(body.as_bytes()).expect("a draft");
        let told = draft
            .grants
            .iter()
            .map(|granted| grant(&granted.projects, &granted.allowance));
        let told = serde_json::to_value(told.collect::<Vec<_>>()).expect("JSON");
        let given: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(told, given["grants"]);
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let check = |body: &str, words: &str| {
            let told = draft(body.as_bytes())
                .expect_err("it is refused")
                .to_string();
            assert!(told.contains(words), "{body}: {told}");
        };
        check("{}", "missing field `grants`");
        check(r#"{"grants":[],"name":"x"}"#, "unknown field `name`");
        let grant = |members: &str| {
            format!(r#"{{"grants":[{{"project":"p","rights":["read"]{members}}}]}}"#)
        };
        check(&grant(r#","rights":[]"#), "duplicate field `rights`");
        for list in ["feeds", "subjects", "labels"] {
            check(
                &grant(&format!(r#","{list}":[]"#)),
                &format!("grants: grant 0: {list}: an empty list grants nothing"),
            );
        }
        check(
            &grant(r#","feeds":["_x"]"#),
            "grants: grant 0: feeds: \"_x\"",
        );
        check(
            &grant(r#","subjects":[""]"#),
            "grants: grant 0: subjects: \"\"",
        );
        check(
            &grant(r#","labels":["=x"]"#),
            "a label is written as key or key=value",
        );
        check(&grant(r#","labels":["a"],"subjects":["1"]"#), "not to both");
        check(
            r#"{"grants":[{"project":"p","rights":["write"]}]}"#,
            "a right is publish, read",
        );
        check(r#"{"grants":[],"expires_at":"soon"}"#, "expires_at: ");
        check(
            r#"{"grants":[],"limits":{"readers":0}}"#,
            "readers: it has to be a whole number from 1",
        );
        check(
            r#"{"grants":[],"limits":{"reads":1}}"#,
            "unknown field `reads`",
        );
    }

    #[test]
    fn a_change_tells_never_from_nothing() {
        let expires_at = |body: &str| change(body.as_bytes()).expect("a change").expires_at;
        assert_eq!(expires_at("{}"), None);
        assert_eq!(expires_at(r#"{"expires_at":null}"#), Some(Ends::Never));
        let at = Ends::At("2027-01-01T00:00:00Z".parse().expect("a time"));
        assert_eq!(
            expires_at(r#"{"expires_at":"2027-01-01T00:00:00Z"}"#),
            Some(at)
        );
    }

    #[test]
    fn an_overlap_is_a_span_or_none() {
        let read = |body: &str| overlap(body.as_bytes()).ok();
        assert_eq!(read(""), Some(Duration::ZERO));
        assert_eq!(read("{}"), Some(Duration::ZERO));
        assert_eq!(read(r#"{"overlap":"1d"}"#), Some(Duration::from_hours(24)));
        assert_eq!(read(r#"{"overlap":"91d"}"#), None);
        assert_eq!(read(r#"{"overlap":"soon"}"#), None);
    }
}
