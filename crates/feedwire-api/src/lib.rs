//! Wire structs of the native API, shared by server and client.
//!
//! Plain data: what a member means stands beside it, what is allowed in it is checked by whoever reads it. Every struct
//! takes members that it does not know, so that an older client reads a newer server.
#![warn(missing_docs)]

mod connector;
mod credential;
mod entity;
mod erasure;
mod event;
mod feeds;
mod load;
mod new_event;
mod page;
mod problem;
mod project;
mod published;
mod retention;
mod stream;
mod subject;

pub use connector::{
    Connector, ConnectorDeliveries, ConnectorDelivery, ConnectorHealth, ConnectorMetrics,
    ConnectorReplay, ConnectorSecret, Connectors, DeliveredEvents, MadeConnector, NewConnector,
    NewConnectorSecret, NewReplay,
};
pub use credential::{
    Credential, CredentialChange, CredentialGrant, CredentialWithSecret, Credentials, Expiry,
    NewCredential, Rotation,
};
pub use entity::{Entities, EntitiesPut, Entity, EntityChange, PutEntity};
pub use erasure::{NewErasure, Receipt};
pub use event::Event;
pub use feeds::{Feed, Feeds};
pub use load::{Load, Loads, NewLoad};
pub use new_event::NewEvent;
pub use page::Page;
pub use problem::{KIND_PREFIX, Problem};
pub use project::{Deletion, NewProject, Project, Projects, RateLimits};
pub use published::{Published, Uploaded};
pub use retention::Retention;
pub use stream::{
    Ack, DeadLetter, DeadLetters, Heartbeat, HeldPartition, LettersChosen, LostEvents,
    MaxDeliveries, MemberCount, Nack, NewStream, RefusedReceipt, Seek, Settled, Sought, Stream,
    StreamDetails, StreamFilter, StreamLag, StreamMember, StreamPartition, Streams, WhichLetters,
};
pub use subject::SubjectLabels;

/// The media type of a problem document (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// The media type of newline delimited JSON; `application/ndjson` and `application/jsonl` are taken for it too.
pub const NDJSON: &str = "application/x-ndjson";
/// The media type of a JSON array of CloudEvents.
pub const CLOUDEVENTS_BATCH: &str = "application/cloudevents-batch+json";
/// The media type of Server-Sent Events.
pub const EVENT_STREAM: &str = "text/event-stream";
/// The feed name that stands for every feed of a project.
pub const ALL_FEEDS: &str = "_all";
/// The response header that bears the position of the last readable event, and nothing else.
pub const HEAD_HEADER: &str = "feedwire-head";
/// The response header that bears the cursor behind an array of events, which itself has no room for one.
pub const CURSOR_HEADER: &str = "feedwire-cursor";
