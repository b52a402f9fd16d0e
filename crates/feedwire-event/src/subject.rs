//! What an event is about.

use std::fmt;
use std::sync::Arc;

use crate::limits::SUBJECT_BYTES_MAX;
use crate::text;

/// What an event is about: an order, a device, an account. 1 to 512 bytes of UTF-8 without control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(Arc<str>);

/// Why a text is not a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It has no characters.
    #[error("a subject has 1 to {SUBJECT_BYTES_MAX} bytes, this one none")]
    Empty,
    /// It is longer than [`SUBJECT_BYTES_MAX`].
    #[error("a subject has at most {SUBJECT_BYTES_MAX} bytes, this one {0}")]
    TooLong(usize),
    /// A control character.
    #[error("a subject has no control characters, this one has {0:?}")]
    Control(char),
}

impl Subject {
    /// Checks `text` and takes it as a subject.
    pub fn new(text: &str) -> Result<Self, SubjectError> {
        if text.is_empty() {
            return Err(SubjectError::Empty);
        }
        if text.len() > SUBJECT_BYTES_MAX {
            return Err(SubjectError::TooLong(text.len()));
        }
        match text::control(text) {
            Some(c) => Err(SubjectError::Control(c)),
            None => Ok(Self(text.into())),
        }
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Subject {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_printable_text_up_to_512_bytes_is_a_subject() {
        for text in ["N14228", "orders/42", "Ærø 🛫", &"é".repeat(256)] {
            assert_eq!(
                Subject::new(text).map(|s| s.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn nothing_else_is() {
        assert_eq!(Subject::new(""), Err(SubjectError::Empty));
        assert_eq!(
            Subject::new(&"x".repeat(513)),
            Err(SubjectError::TooLong(513))
        );
        assert_eq!(Subject::new("a\r\nb"), Err(SubjectError::Control('\r')));
        assert_eq!(
            Subject::new("a\u{85}"),
            Err(SubjectError::Control('\u{85}'))
        );
    }
}
