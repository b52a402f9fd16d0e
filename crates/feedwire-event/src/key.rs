//! Idempotency keys: what a publisher calls a request that it may have to repeat.

use crate::limits::KEY_BYTES_MAX;

/// What tells a request to publish from others to the same feed: 1 to 255 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

/// Why a text is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is empty, or too long.
    #[error("a key has 1 to {KEY_BYTES_MAX} characters, this one {0}")]
    Length(usize),
    /// It has a character that keys do not have.
    #[error("a key is made of printable ASCII characters, not {0:?}")]
    Character(char),
}

impl IdempotencyKey {
    /// Checks `text` and takes it.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        if let Some(odd) = text.chars().find(|c| !matches!(c, ' '..='~')) {
            return Err(KeyError::Character(odd));
        }
        if text.is_empty() || text.len() > KEY_BYTES_MAX {
            return Err(KeyError::Length(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_to_its_bounds() {
        let check = |text: &str, error| assert_eq!(IdempotencyKey::new(text).err(), error);
        check(&"x".repeat(KEY_BYTES_MAX), None);
        check("8e03978e-40d5-43e8 \"~\"", None);
        check("", Some(KeyError::Length(0)));
        let long = KEY_BYTES_MAX + 1;
        check(&"x".repeat(long), Some(KeyError::Length(long)));
        check("a\nb", Some(KeyError::Character('\n')));
        check("é", Some(KeyError::Character('é')));
    }
}
