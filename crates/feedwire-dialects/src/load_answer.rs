//! What is answered about load jobs, and why something is not done with one.

use feedwire_api::Problem;
use feedwire_core::loads::{Error, Load, Phase};
use feedwire_core::{LabelFilter, limits};
use feedwire_event::{Attribute, FeedName, ProjectName, Subject, Timestamp};
use http::StatusCode;

use crate::native::error::{self, problem};

/// A load job.
pub fn load(load: &Load) -> feedwire_api::Load {
    let settings = &load.settings;
    let (phase, error) = phase(&load.phase);
    feedwire_api::Load {
        id: load.id.as_str().to_owned(),
        feeds: settings.feeds.iter().map(FeedName::to_string).collect(),
        subjects: settings.subjects.iter().map(Subject::to_string).collect(),
        labels: settings.labels.iter().map(label).collect(),
        filter: (settings.expression.as_ref()).map(|expression| expression.text().to_owned()),
        phase: phase.to_owned(),
        error,
        start: load.start.get(),
        total: load.total,
        done: load.done,
        written: load.written,
        bytes: load.bytes,
        max_bytes: settings.bytes_max.unwrap_or(limits::LOAD_BYTES),
        // A tenth is exact enough for whoever watches it.
        rate: (load.rate * 10.0).round() / 10.0,
        started_at: load.started_at.to_text(),
        ended_at: load.ended_at.map(Timestamp::to_text),
    }
}

fn phase(phase: &Phase) -> (&'static str, Option<String>) {
    match phase {
        Phase::Waiting => ("waiting", None),
        Phase::Running => ("running", None),
        Phase::Done => ("done", None),
        Phase::Cancelled => ("cancelled", None),
        Phase::Failed(reason) => ("failed", Some(reason.clone())),
    }
}

fn label(label: &LabelFilter) -> String {
    match &label.value {
        Some(value) => format!("{}={value}", label.key),
        None => label.key.clone(),
    }
}

/// Where the load job is read again.
pub fn address(project: &ProjectName, load: &Load) -> String {
    format!("/v1/projects/{project}/loads/{}", load.id.as_str())
}

/// There is no such load job.
pub fn unknown() -> Problem {
    error::not_found("there is no load job of this id")
}

/// Something that is not done with a load job.
pub fn refused(told: &Error) -> Problem {
    match told {
        Error::Store(store) => error::store(store),
        Error::TooManyWait(_) | Error::TooMany(_) => problem(
            StatusCode::CONFLICT,
            "too-many-loads",
            "There are as many load jobs as there may be",
            told,
        ),
    }
}
