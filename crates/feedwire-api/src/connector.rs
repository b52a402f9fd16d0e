//! Connectors: streams whose events the server pushes to a URL, and what became of that.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{StreamFilter, StreamLag};

/// What `POST …/connectors` takes, and, without what is for good, `PATCH …/connectors/{name}`. What is not there has its default, or
/// stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewConnector {
    /// What it is named by: 1 to 128 of `A-Z a-z 0-9 . _ -`. For good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A stream that is there, which it pushes; without it, it has one of its own. For good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Which events its own stream is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<StreamFilter>,
    /// Where its own stream starts: `start`, `now`, a time that is past (RFC 3339), a span ago (`5hours`), or a position. For good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// How its bodies look: `structured`, `binary` or `batch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Most events of a request, of format `batch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u64>,
    /// How long an event waits for others to be in one request with it, such as `500ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linger: Option<String>,
    /// Most requests on their way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
    /// How long an answer is waited for, such as `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// How long the first wait before a retry may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_first: Option<String>,
    /// How long any wait before a retry may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_most: Option<String>,
    /// How long after its first failure an event is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_age: Option<String>,
    /// After how long without a success it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_after: Option<String>,
    /// How many redirects a request follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirects: Option<u64>,
    /// Headers that are added to its requests. In a change, `None` takes one away, and those that are not named stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, Option<String>>>,
    /// What its requests are signed by: `whsec_` and the base64 of 24 to 64 bytes; without it, one is made. Changed by rotating it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Whether it waits to be resumed. Only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

impl fmt::Debug for NewConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewConnector")
            .field("name", &self.name)
            .field("stream", &self.stream)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// A connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connector {
    /// What it is named by.
    pub name: String,
    /// What people call it; may be empty.
    pub display_name: String,
    /// Where to.
    pub url: String,
    /// The stream that it pushes.
    pub stream: String,
    /// Whether the stream was made with it, and is deleted with it.
    pub owns_stream: bool,
    /// Which events its stream is of; `None` where that is gone.
    pub filter: Option<StreamFilter>,
    /// How its bodies look: `structured`, `binary`, `batch` or `disruptive`.
    pub format: String,
    /// Most events of a request.
    pub batch_size: u64,
    /// How long an event waits for others to be in one request with it.
    pub linger: String,
    /// Most requests on their way at once.
    pub concurrency: u64,
    /// How long an answer is waited for.
    pub timeout: String,
    /// How long the first wait before a retry may be.
    pub retry_first: String,
    /// How long any wait before a retry may be.
    pub retry_most: String,
    /// How long after its first failure an event is given up.
    pub retry_age: String,
    /// After how long without a success it is disabled.
    pub disable_after: String,
    /// How many redirects a request follows.
    pub redirects: u64,
    /// The names of the headers that are added to its requests, in lower case.
    pub headers: Vec<String>,
    /// Whether its requests are signed.
    pub signed: bool,
    /// Until when they are signed by the secret before, too, RFC 3339.
    pub previous_secret_until: Option<String>,
    /// `active`, `paused`, `disabled` or `done`.
    pub state: String,
    /// Why it is disabled.
    pub reason: Option<String>,
    /// Since when it is in this state, RFC 3339.
    pub state_since: String,
    /// What it pushes once more, where it was made for that.
    pub replay: Option<ConnectorReplay>,
    /// How pushing goes.
    pub health: ConnectorHealth,
    /// How much of its stream is not settled; `None` where that is gone.
    pub lag: Option<StreamLag>,
    /// How many events of its stream were put aside; `None` where that is gone.
    pub dead_letters: Option<u64>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it was changed last, RFC 3339.
    pub updated_at: String,
}

/// What a connector pushes once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorReplay {
    /// The connector whose events they are.
    pub of: String,
    /// The last position.
    pub until: u64,
}

/// How pushing goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorHealth {
    /// How many requests are on their way.
    pub in_flight: u64,
    /// Since when nothing has succeeded, where something has failed since, RFC 3339.
    pub failing_since: Option<String>,
    /// How many requests failed since one succeeded.
    pub failures: u64,
    /// When one succeeded last, since the server was started, RFC 3339.
    pub succeeded_at: Option<String>,
    /// When the next is sent at the earliest, where all of them wait for that, RFC 3339.
    pub held_until: Option<String>,
    /// Why nothing is pushed, though it is to be.
    pub hindrance: Option<String>,
    /// How many requests there were since the server was started, and how many of them failed.
    pub requests: u64,
    /// See `requests`.
    pub failed_requests: u64,
    /// Events that were delivered since then.
    pub delivered: u64,
    /// Events that were put among the dead letters since then.
    pub buried: u64,
}

/// What `POST …/connectors` and `…/replays` answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeConnector {
    /// The connector.
    #[serde(flatten)]
    pub connector: Connector,
    /// The secret that was made for it, where none was given: it is told this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl fmt::Debug for MadeConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeConnector")
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

/// What `GET …/connectors` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connectors {
    /// In order of their names.
    pub connectors: Vec<Connector>,
    /// What to ask for as `after` for more; `None` when there are none.
    pub next: Option<String>,
}

/// What `POST …/connectors/{name}/secret` takes.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewConnectorSecret {
    /// What its requests are to be signed by; without it, one is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// How long they are signed by the present one too, such as `1d`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
}

impl fmt::Debug for NewConnectorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewConnectorSecret")
            .field("overlap", &self.overlap)
            .finish_non_exhaustive()
    }
}

/// What `POST …/connectors/{name}/secret` answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorSecret {
    /// The new secret, where none was given: it is told this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Until when requests are signed by the one before, too, RFC 3339.
    pub previous_until: Option<String>,
}

impl fmt::Debug for ConnectorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorSecret")
            .field("previous_until", &self.previous_until)
            .finish_non_exhaustive()
    }
}

/// What `POST …/connectors/{name}/replays` takes.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewReplay {
    /// From where: `start`, a time (RFC 3339), a span ago (`5hours`), or a position, behind which it begins.
    pub from: String,
    /// To where, in the same words: before a time, or up to a position. Without it, to the end as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Where to; without it, where the connector pushes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is named by; without it, a name is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl fmt::Debug for NewReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewReplay")
            .field("from", &self.from)
            .field("until", &self.until)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One request of a connector, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectorDelivery {
    /// What the receiver was told as `webhook-id`.
    pub id: String,
    /// Why it was sent: `event`, `test` or `sync`.
    pub occasion: String,
    /// When it was sent, RFC 3339.
    pub at: String,
    /// Its events; `None` of what is no event of the log.
    pub events: Option<DeliveredEvents>,
    /// The how-manieth time it was, of the event that was sent most often.
    pub attempt: u64,
    /// Whether the receiver took it.
    pub delivered: bool,
    /// The status of the answer; `None` where there was none.
    pub status: Option<u16>,
    /// The beginning of the answer's body.
    pub answer: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// How long it took.
    pub latency_seconds: f64,
}

/// Which events were in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredEvents {
    /// The position of the first.
    pub first: u64,
    /// The position of the last.
    pub last: u64,
    /// How many.
    pub count: u64,
}

/// What `GET …/connectors/{name}/deliveries` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectorDeliveries {
    /// The newest first.
    pub deliveries: Vec<ConnectorDelivery>,
}

/// What `GET …/connectors/{name}/metrics` answers: the requests of the last three hours, since the server was started.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectorMetrics {
    /// How many succeeded.
    pub succeeded: u64,
    /// How many failed.
    pub failed: u64,
    /// How long 99 of 100 of them took at most.
    pub latency_p99_seconds: f64,
}
