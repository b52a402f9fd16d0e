//! The engine that keeps everything in memory: for tests, and for whoever needs no disk.
//!
//! It is written to be obviously right rather than fast: plain vectors and ordered maps behind one lock for each log,
//! view and store. What another engine does differently from this one, it does wrongly.

mod engine;
mod log;
mod place;
mod primary;
mod records;
mod retention;
mod view;

pub use engine::Memory;
pub use place::{Occupied, Options, Place};
