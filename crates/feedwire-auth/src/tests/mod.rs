//! What the crate does, told over the in-memory engine.
