//! For tests: a server on a free port over the in-memory engine, a clock that is driven by hand, and a raw HTTP client.
//!
//! Everything here panics when it is not as a test expects: it is a test that reads the panic.

mod answer;
mod certificates;
mod clock;
mod guard;
mod ids;
mod server;
mod socket;

pub use answer::Answer;
pub use certificates::{AUTHORITY, Pair, STRANGER};
pub use clock::HandClock;
pub use ids::CountedIds;
pub use server::{Asks, Setup, TestServer};
pub use socket::Socket;

use std::time::Duration;

/// How long a test waits for what has to come, before it is taken for never coming.
pub const PATIENCE: Duration = Duration::from_secs(10);
