//! Streams of the native API at its boundary: what is sent about them, and what is made of it.

mod bodies;
