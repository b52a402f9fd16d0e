//! Where a reading of states stands, as a text that a client can send back.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feedwire_event::{Cursor, FeedName, Position, Subject};

use super::EntityKey;

/// What a reading of states has come to: written `state:<start>:<key>`, where the key is the last entity that was told, its feed and its
/// subject with a zero byte between them in base64url (RFC 4648, without padding), or empty where none was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateCursor {
    /// The position of the log when the reading started: what changed behind it is told behind the states.
    pub start: Position,
    /// The last entity that was told.
    pub after: Option<EntityKey>,
}

/// The text is no such cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor within states is `state:<start>:<key>`, as it was sent")]
pub struct StateCursorError;

const PREFIX: &str = "state:";

impl fmt::Display for StateCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:", self.start)?;
        let Some(EntityKey { feed, subject }) = &self.after else {
            return Ok(());
        };
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{feed}\0{subject}")))
    }
}

impl FromStr for StateCursor {
    type Err = StateCursorError;

    fn from_str(text: &str) -> Result<Self, StateCursorError> {
        let read = || {
            let (start, key) = text.strip_prefix(PREFIX)?.split_once(':')?;
            let Cursor(start) = start.parse().ok()?;
            if key.is_empty() {
                return Some(Self { start, after: None });
            }
            let key = String::from_utf8(URL_SAFE_NO_PAD.decode(key).ok()?).ok()?;
            let (feed, subject) = key.split_once('\0')?;
            let feed = FeedName::new(feed).ok()?;
            let subject = Subject::new(subject).ok()?;
            let after = Some(EntityKey { feed, subject });
            Some(Self { start, after })
        };
        read().ok_or(StateCursorError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_is_one_word_that_says_start_and_entity() {
        let start = Position::new(17).expect("a position");
        let none = StateCursor { start, after: None };
        assert_eq!(none.to_string(), "state:17:");
        assert_eq!("state:17:".parse(), Ok(none));
        let key = EntityKey {
            feed: FeedName::new("planes").expect("a name"),
            subject: Subject::new("N1 é").expect("a subject"),
        };
        let cursor = StateCursor {
            start,
            after: Some(key),
        };
        assert_eq!(cursor.to_string(), "state:17:cGxhbmVzAE4xIMOp");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn another_text_is_none() {
        for text in [
            "",
            "17",
            "state:",
            "state:17",
            "state:-1:",
            "state:a:",
            "state:17:!",
            "state:17:cGxhbmVz",
            "state:17:AE4x",
            "state:17:cGxhbmVzAA",
            "state:17:cGxhbmVzAE4xIMOp=",
            "State:17:",
        ] {
            assert_eq!(text.parse::<StateCursor>(), Err(StateCursorError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>(), key in "[A-Za-z0-9_-]{0,40}") {
            drop(text.parse::<StateCursor>());
            drop(format!("state:1:{key}").parse::<StateCursor>());
        }
    }
}
