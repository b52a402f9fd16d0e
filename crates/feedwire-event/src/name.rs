//! Names of projects, feeds and types.

use std::fmt;
use std::sync::Arc;

use crate::limits::NAME_BYTES_MAX;
use crate::text;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has no characters.
    #[error("a name has 1 to {NAME_BYTES_MAX} characters, this one none")]
    Empty,
    /// It is longer than [`NAME_BYTES_MAX`].
    #[error("a name has at most {NAME_BYTES_MAX} characters, this one {0}")]
    TooLong(usize),
    /// A character that names do not have.
    #[error("a name is made of A-Z a-z 0-9 . _ -, not {0:?}")]
    Character(char),
    /// It starts with `_` or `.`, which are kept for the server's own.
    #[error("a name does not start with {0:?}: names that do are the server's own")]
    Reserved(char),
}

fn check(text: &str) -> Result<(), NameError> {
    let first = text.chars().next().ok_or(NameError::Empty)?;
    if text.len() > NAME_BYTES_MAX {
        return Err(NameError::TooLong(text.len()));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !text::is_of(text, is_plain) {
        let odd = |c: &char| u8::try_from(*c).map_or(true, |byte| !is_plain(byte));
        return Err(NameError::Character(
            text.chars().find(odd).unwrap_or(first),
        ));
    }
    if matches!(first, '_' | '.') {
        return Err(NameError::Reserved(first));
    }
    Ok(())
}

macro_rules! name {
    ($name:ident, $what:literal) => {
        #[doc = concat!("The name of a ", $what, ": 1 to 128 of `A-Z a-z 0-9 . _ -`, not starting with `_` or `.`.")]
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and takes it as a name.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check(text).map(|()| Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}

name!(ProjectName, "project");
name!(FeedName, "feed");
name!(TypeName, "type of event");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_documented_characters_are_taken() {
        for text in ["orders", "a", "A.b_c-9", &"x".repeat(NAME_BYTES_MAX)] {
            assert_eq!(
                FeedName::new(text).map(|n| n.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let check = |text: &str, error: NameError| assert_eq!(FeedName::new(text), Err(error));
        check("", NameError::Empty);
        check(&"x".repeat(129), NameError::TooLong(129));
        check("a/b", NameError::Character('/'));
        check("a\n", NameError::Character('\n'));
        check("é", NameError::Character('é'));
        check("_all", NameError::Reserved('_'));
        check("..", NameError::Reserved('.'));
    }
}
