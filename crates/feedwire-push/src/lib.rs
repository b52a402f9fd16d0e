//! The outbound edge: connectors, which push what their streams are of to a URL.
//!
//! Whoever may make a connector chooses where the server sends requests, and the server stands inside a network that its users
//! do not. So every request goes through [`Outgoing`], which asks its [`Guard`] about each address that it connects to.
//!
//! Start with [`Push`], which keeps a task for each connector that is active and does what is asked of one.
#![warn(missing_docs)]

mod backoff;
mod desk;
mod hand;
mod limits;
mod numbers;
mod once;
mod outgoing;
mod post;
mod push;
mod session;
mod trouble;
mod vault;
mod wire;

pub use ipnet::IpNet as Network;
pub use once::Replaying;
pub use outgoing::{
    Answer, BadHeader, BadId, BadSecret, BadUrl, CUSTOM_HEADERS_MAX, Delivery, Failure, Guard,
    HEADER_BYTES_MAX, Inside, Outgoing, RedirectFault, Resolve, Roots, RootsError, SigningSecret,
    Stage, SystemResolver, TOLERANCE, Target, URL_BYTES_MAX, Unverified, check_header,
    dt_signature, origin, standard_webhooks, verify, verify_dt_signature,
};
pub use push::{Letters, Made, Push, Rotated, Stats};
