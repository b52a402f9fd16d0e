//! Expressions over events: conditions in the Common Expression Language, as a part of a filter.
//!
//! An expression is held against events for other people's readers, so nothing in it is without a bound: its text, how deep it is nested,
//! and what it costs at one event. That is why it is parsed and evaluated here: the libraries there are overflow the stack on texts of
//! 2 KiB, and have no bound on what an evaluation costs. Tests hold this against one of them.
//!
//! Start reading at `compiled.rs`. A text becomes tokens (`token.rs`), these a tree (`parse.rs`, `node.rs`), and the tree a value
//! (`evaluate.rs`, `value.rs`) for an event (`event.rs`), whose data stays the JSON text that it is (`json.rs`).

mod arithmetic;
mod call;
mod compiled;
mod cost;
mod duration;
mod error;
mod evaluate;
mod event;
mod json;
mod node;
mod parse;
mod sift;
#[cfg(test)]
mod tests;
mod token;
mod value;

pub use compiled::Expression;
pub use error::ExpressionError;
