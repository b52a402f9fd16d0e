//! What the crate does, told over the in-memory engine and a clock that is driven by hand.

mod asserting;
mod changing;
mod ending;
mod exchanging;
mod forgetting;
mod granting;
mod opening;
mod proving;
mod world;
