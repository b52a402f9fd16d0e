//! The states of entities: what they are, when two are the same, how one differs from another, and what is shown of that.
//!
//! **Equality** is that of JSON. Objects are equal with the same members in any order, arrays with the same elements in the same order,
//! strings with the same characters however they are escaped, numbers with the same value (`1`, `1.0` and `1e0` are one); nothing else is.
//!
//! **Differences** are told member by member, in nested objects too, down to [`DIFFERENCE_DEPTH`]; an object that is nested deeper, and an
//! array wherever it is, differs as a whole. Where so much
//! changed that the pointers to it would be too long, it is told less deep.

mod difference;
mod equal;
mod ids;
mod merge;
mod pointer;
mod pointers;
mod show;
mod state;
mod tree;

use crate::Position;

pub use difference::Difference;
pub use ids::{Ids, IdsError};
pub use merge::Patch;
pub use state::{State, StateError};

/// How many members deep differences of two states are told: the members of the state itself are the first.
pub const DIFFERENCE_DEPTH: usize = 8;

/// What an event says of its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is there from now on.
    Create,
    /// Its state is another.
    Update,
    /// It is there no more.
    Delete,
    /// Its state, told again: nothing changed.
    Load,
}

impl ChangeKind {
    /// Its name, which is the type of such an event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Load => "load",
        }
    }
}

/// What an event of an entity has beside its data, which is the whole state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it says.
    pub kind: ChangeKind,
    /// Where the change stands that made the state, in one that tells it again.
    pub at: Option<Position>,
    /// The ids of the entity.
    pub ids: Option<Ids>,
    /// How the state differs from the one before.
    pub difference: Difference,
}

/// The same, borrowed from the bytes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeText<'a> {
    /// What it says.
    pub kind: ChangeKind,
    /// Where the change stands that made the state, in one that tells it again.
    pub at: Option<Position>,
    /// The ids of the entity, a JSON object; empty where it has none.
    pub ids: &'a str,
    /// What changed, a JSON array of JSON Pointers (RFC 6901); empty where nothing did.
    pub changed: &'a str,
    /// What is no longer there, in the same form. Where it is there nevertheless, it is an object that takes the place of the one before.
    pub removed: &'a str,
}
