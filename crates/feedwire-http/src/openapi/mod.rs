//! `GET /openapi.json`: the API as OpenAPI 3.1 describes it.
//!
//! Written here by hand, in code, beside the routes: what is taken is decided by the dialect's decoders and not by the wire
//! structs, so that a description derived from those would prove nothing. What proves this one are a test that holds its
//! addresses and methods against the router, and schemathesis, which tries the rest on the running server. Bounds are the
//! constants that the decoders have.
//!
//! `paths/` has a file for each file of routes: whoever changes a route changes it there, and nowhere else. What operations
//! share is in `operation.rs` (refusals of the edge), `problems.rs` (every kind of problem), `parameters.rs` and `schemas.rs`.

mod access;
mod connector_schemas;
mod document;
mod entity_schemas;
mod operation;
mod parameters;
pub(crate) mod paths;
mod problems;
mod schemas;
mod stream_schemas;

pub(crate) use document::{ROUTE, document};
