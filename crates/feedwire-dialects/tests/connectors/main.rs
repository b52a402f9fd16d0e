//! Connectors of the native API at its boundary: what is sent about them, and what they are told as.

mod answers;
mod bodies;
