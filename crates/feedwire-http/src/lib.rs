//! The inbound edge: HTTP/1.1 on our own accept loop, a thin file of routes per dialect, and readers delivered as pages and streams.
//!
//! Start with [`Server`], which accepts; `connection.rs` is one connection from its first byte to its last; `native/` holds the
//! routes. Whatever a client can make large, slow or many is bounded in [`Limits`].
#![warn(missing_docs)]

mod access;
mod answer;
mod aria;
mod asked;
mod audit;
mod body;
mod conditions;
mod connection;
mod cors;
mod deletions;
mod disruptive;
mod edge;
mod failing;
mod gate;
mod head;
mod hosts;
mod intake;
mod limits;
mod linger;
mod member_turns;
mod metrics;
mod native;
mod oauth;
mod openapi;
mod patience;
mod peers;
mod probes;
mod process;
mod proof;
mod quota;
mod room;
mod routes;
mod serialized;
mod server;
mod socket;
mod sources;
mod stall;
mod states;
mod stay;
mod stream;
mod tally;
mod tls;
mod transport;
mod turns;
mod validic;
mod waiting;

pub use access::Access;
pub use aria::Aria;
pub use cors::{Origin, OriginError, Origins};
pub use feedwire_dialects::Zone;
pub use hosts::Hosts;
pub use limits::Limits;
pub use peers::Peers;
pub use process::Process;
pub use server::{Server, Settings, Stopped};
pub use tls::{Certificate, CertificateError, Tls};
