//! What a connector knows and nobody is told.

use std::fmt;

use feedwire_event::Timestamp;
use zeroize::Zeroizing;

/// A text that is not shown, and does not stay in memory that was given back.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Keeps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

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
