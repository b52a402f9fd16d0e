//! What a connector knows and nobody is told.

use std::fmt;

use feedwire_event::Timestamp;
use zeroize::Zeroizing;

/// A text that is not shown, and does not stay in memory that was given back.
#[derive(Clone)]
pub struct SecretText {
    text: Zeroizing<String>,
    is_kept: bool,
}

impl SecretText {
    /// A text that somebody knows who asks for something with it.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            is_kept: false,
        }
    }

    /// A text that was kept: whoever asks for something need not know it.
    pub fn kept(text: impl Into<String>) -> Self {
        Self {
            is_kept: true,
            ..Self::new(text)
        }
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Whether it was kept.
    pub fn is_kept(&self) -> bool {
        self.is_kept
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SecretText {}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

/// The secrets of a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// What its requests are signed by; `None` is by nothing, or, for a connector that is being made, by a secret that is made with it.
    pub signing: Option<SecretText>,
    /// What they are signed by too until then.
    pub previous: Option<(SecretText, Timestamp)>,
    /// Its headers: their names, in lower case, and values.
    pub headers: Vec<(String, SecretText)>,
}
