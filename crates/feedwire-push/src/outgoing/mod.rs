//! One signed request to a URL that a user chose, sent safely.
//!
//! `client.rs` sends; `guard.rs` and `special.rs` say which addresses are let through, and `connect.rs` is the one place that
//! connects, to those alone. What is sent is put together by others, signed by `sign.rs` or `dt_signature.rs`.

mod answer;
mod client;
mod connect;
mod dt_signature;
mod failure;
mod guard;
mod header;
mod held;
mod redirect;
mod resolve;
mod retry_after;
mod roots;
mod secret;
mod sign;
mod special;
mod target;

pub use answer::Answer;
pub use client::{Delivery, Outgoing};
pub use dt_signature::{dt_signature, verify_dt_signature};
pub use failure::{Failure, RedirectFault, Stage};
pub use guard::{Guard, Inside};
pub use header::{BadHeader, CUSTOM_HEADERS_MAX, HEADER_BYTES_MAX, check_header};
pub use resolve::{Resolve, SystemResolver};
pub use roots::{Roots, RootsError};
pub use secret::{BadSecret, SigningSecret};
pub use sign::{BadId, TOLERANCE, Unverified, standard_webhooks, verify};
pub use target::{BadUrl, Target, URL_BYTES_MAX, origin};
