//! What is told about connectors.

use std::time::Duration;

use feedwire_api::{
    ConnectorDelivery, ConnectorHealth, ConnectorMetrics, ConnectorReplay, DeliveredEvents,
    MadeConnector,
};
use feedwire_core::connectors::{
    Answered, Attempt, Form, Health, Numbers, Occasion, Phase, SecretText, Shown,
};
use feedwire_event::{ConnectorName, ProjectName, Timestamp};

use crate::{span, stream_answer};

/// A connector.
pub fn connector(shown: &Shown) -> feedwire_api::Connector {
    let connector = &shown.overview.connector;
    let stream = shown.overview.stream.as_ref();
    let settings = &connector.settings;
    let (state, reason) = match &connector.phase {
        Phase::Active => ("active", None),
        Phase::Paused => ("paused", None),
        Phase::Disabled(why) => ("disabled", Some(why.clone())),
        Phase::Done => ("done", None),
    };
    feedwire_api::Connector {
        name: settings.name.to_string(),
        display_name: settings.display_name.clone(),
        url: settings.url.clone(),
        stream: connector.stream.to_string(),
        owns_stream: connector.owns_stream,
        filter: stream.map(|stream| stream_answer::filter(&stream.settings.selection)),
        format: match settings.form {
            Form::Structured => "structured",
            Form::Binary => "binary",
            Form::Batch => "batch",
            Form::Reading { .. } => "disruptive",
        }
        .to_owned(),
        batch_size: settings.batch_events as u64,
        linger: span::write(settings.linger),
        concurrency: settings.concurrency as u64,
        timeout: span::write(settings.timeout),
        retry_first: span::write(settings.retry.first),
        retry_most: span::write(settings.retry.most),
        retry_age: span::write(settings.retry.age),
        disable_after: span::write(settings.disable_after),
        redirects: settings.redirects.into(),
        headers: shown.headers.clone(),
        signed: shown.is_signed,
        previous_secret_until: text(shown.previous_until),
        state: state.to_owned(),
        reason,
        state_since: connector.phase_since.to_string(),
        replay: connector.replay.as_ref().map(|replay| ConnectorReplay {
            of: replay.of.to_string(),
            until: replay.until.get(),
        }),
        health: health(&shown.health),
        lag: stream.map(|stream| stream_answer::lag(stream.lag)),
        dead_letters: stream.map(|stream| stream.dead_letters),
        created_at: connector.created_at.to_string(),
        updated_at: connector.updated_at.to_string(),
    }
}

/// A connector that was made, with the secret that was made for it.
pub fn made(shown: &Shown, secret: Option<&SecretText>) -> MadeConnector {
    MadeConnector {
        connector: connector(shown),
        secret: secret.map(|secret| secret.reveal().to_owned()),
    }
}

/// A secret that has taken another's place.
pub fn secret(
    secret: Option<&SecretText>,
    previous_until: Option<Timestamp>,
) -> feedwire_api::ConnectorSecret {
    feedwire_api::ConnectorSecret {
        secret: secret.map(|secret| secret.reveal().to_owned()),
        previous_until: text(previous_until),
    }
}

fn health(health: &Health) -> ConnectorHealth {
    ConnectorHealth {
        in_flight: health.in_flight as u64,
        failing_since: text(health.failing_since),
        failures: health.failures.into(),
        succeeded_at: text(health.succeeded_at),
        held_until: text(health.held_until),
        hindrance: health.hindrance.clone(),
        requests: health.requests,
        failed_requests: health.failed,
        delivered: health.delivered,
        buried: health.buried,
    }
}

/// One request and what came of it.
pub fn delivery(attempt: &Attempt) -> ConnectorDelivery {
    let (status, answer, error) = match &attempt.answered {
        Answered::Status(status, body) => (Some(*status), Some(body.to_string()), None),
        Answered::Nothing(why) => (None, None, Some(why.to_string())),
    };
    ConnectorDelivery {
        id: attempt.id.to_string(),
        occasion: match attempt.occasion {
            Occasion::Event => "event",
            Occasion::Test => "test",
            Occasion::Sync => "sync",
        }
        .to_owned(),
        at: attempt.at.to_string(),
        events: attempt.events.map(|(first, last, count)| DeliveredEvents {
            first: first.get(),
            last: last.get(),
            count: count as u64,
        }),
        attempt: attempt.number.into(),
        delivered: attempt.answered.is_success(),
        status,
        answer,
        error,
        latency_seconds: seconds(attempt.latency),
    }
}

/// The requests of the last three hours.
pub fn numbers(numbers: &Numbers) -> ConnectorMetrics {
    ConnectorMetrics {
        succeeded: numbers.succeeded,
        failed: numbers.failed,
        latency_p99_seconds: seconds(numbers.latency_p99),
    }
}

/// Where a connector is looked at.
pub fn address(project: &ProjectName, name: &ConnectorName) -> String {
    format!("/v1/projects/{project}/connectors/{name}")
}

fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// To the millisecond.
fn seconds(span: Duration) -> f64 {
    let millis = u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
    f64::from(millis) / 1_000.0
}
