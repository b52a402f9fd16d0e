//! The edge from outside: requests over real sockets against a server with the in-memory engine.

mod access;
mod addresses;
mod aria;
mod body_limits;
mod cloudevents;
mod conditions;
mod connectors;
mod cors;
mod disruptive;
mod entities;
mod erasures;
mod filtering;
mod heads;
mod hostile;
mod http_feeds;
mod live_only;
mod metrics;
mod openapi;
mod pages;
mod probes;
mod publishing;
mod receiver;
mod repeating;
mod retention;
mod serialized;
mod sharing;
mod stopping;
mod streams;
mod tls;
mod validic;

/// A JSON array of `count` events of `subject`.
fn events(count: usize, subject: &str) -> String {
    let event = format!(r#"{{"type":"tick","subject":"{subject}"}}"#);
    format!("[{}]", vec![event; count].join(","))
}
