//! Where an event stands in its project's log.

use std::fmt;
use std::str::FromStr;

/// An event's place in its project's log: from 1, strictly growing, never reused, below 2^53.
///
/// [`Position::ZERO`] is before every event, so that "after this position" can name the start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Position(u64);

impl Position {
    /// Before the first event.
    pub const ZERO: Self = Self(0);
    /// The last position there can be: the largest integer that a JSON number holds exactly everywhere.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The position `value`, unless it is past [`Position::MAX`].
    pub const fn new(value: u64) -> Option<Self> {
        if value > Self::MAX.0 {
            None
        } else {
            Some(Self(value))
        }
    }

    /// The position as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The position before this one; [`Position::ZERO`] stays.
    #[must_use]
    pub const fn previous(self) -> Self {
        self.minus(1)
    }

    /// The position `count` before this one, at least [`Position::ZERO`].
    #[must_use]
    pub const fn minus(self, count: u64) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// The position `count` further on, at most [`Position::MAX`].
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        let sum = self.0.saturating_add(count);
        if sum > Self::MAX.0 {
            Self::MAX
        } else {
            Self(sum)
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

/// How many batches a subject of a feed has had; 0 before its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Version(pub u64);

impl Version {
    /// The version of a subject that has had nothing.
    pub const NONE: Self = Self(0);

    /// The version after one more batch.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What a consumer keeps to go on where it was: the last position it has dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Cursor(pub Position);

/// Why a text is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is the position of an event, a whole number from 0 to 9007199254740991")]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        // `u64::from_str` takes a leading plus, which no cursor of ours has.
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let value = digits.then(|| text.parse().ok()).flatten();
        value.and_then(Position::new).map(Self).ok_or(CursorError)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_plain_number_below_two_to_the_53rd() {
        let check = |text: &str, value: Option<u64>| {
            assert_eq!(
                text.parse::<Cursor>().ok().map(|c| c.0.get()),
                value,
                "{text:?}"
            );
        };
        check("0", Some(0));
        check("9007199254740991", Some(Position::MAX.get()));
        check("9007199254740992", None);
        check("", None);
        check("+1", None);
        check("-1", None);
        check("1.0", None);
        check("99999999999999999999999", None);
    }

    #[test]
    fn positions_saturate_at_both_ends() {
        assert_eq!(Position::MAX.next(), Position::MAX);
        assert_eq!(Position::ZERO.previous(), Position::ZERO);
    }
}
