//! What Feedwire does: publish, read, follow and filter, over any engine.
//!
//! Knows no HTTP, no file, no clock and no environment: time and ids come through [`Seams`], events go to and come from an
//! engine. Start reading at [`Core`], then `reader.rs`, which hands a reading over from the log to its tail.

pub mod audit;
pub mod back;
pub mod connectors;
mod core;
mod counts;
mod delivery;
mod encoding;
pub mod entities;
mod erasure;
mod expression;
mod filter;
mod grant;
mod hidden;
pub mod history;
mod label_filter;
mod labels;
mod latest;
pub mod limits;
mod listing;
pub mod loads;
mod own_counts;
mod partition;
mod project;
pub mod projects;
pub mod publish;
mod rate_limits;
pub mod read;
mod reader;
mod receipts;
pub mod retention;
pub mod roster;
mod seams;
pub mod stats;
pub mod store;
pub mod stream;
mod subjects;
mod sync;
mod tail;
mod takes;
pub mod tenants;
#[cfg(test)]
mod tests;
mod turns;

pub use crate::core::{Core, open};
pub use counts::{Erased, FeedCount, Feeds};
pub use delivery::{Delivered, Delivery, Rendition, Step};
pub use expression::{Expression, ExpressionError};
pub use filter::{EntityFeed, Filter, TypesIn};
pub use grant::{Allowance, Confinement, FeedPattern, Forbidden, Grant, Right, RightError, Rights};
pub use label_filter::{LabelFilter, LabelGroup};
pub use listing::{ListedSubject, Listing};
pub use own_counts::Span;
pub use partition::Partition;
pub use projects::Listed;
pub use publish::{Published, Repetition};
pub use rate_limits::RateLimits;
pub use read::{Reading, Start, Until};
pub use reader::Reader;
pub use receipts::Receipt;
pub use seams::{Clock, Ids, Seams};
pub use stats::Stats;
