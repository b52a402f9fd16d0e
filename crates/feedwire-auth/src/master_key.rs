//! The one secret of a server: every other one is derived from it.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

const NAME: &str = "feedwire-master-key-";
const PREFIX: &str = "feedwire-master-key-1:";

/// 32 random bytes. Written as `feedwire-master-key-1:` and 43 characters of base64url; nothing else shows it.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why a text is not a master key. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// There is nothing.
    #[error("the master key is empty")]
    Empty,
    /// It is something else.
    #[error("this is no master key: one begins with {PREFIX}")]
    Unknown,
    /// It is one of another version.
    #[error("this is a master key of a version that this server does not know")]
    Version,
    /// There are too few or too many characters, or other ones.
    #[error("the master key is damaged: after {PREFIX} come 43 characters of base64url")]
    Damaged,
}

impl MasterKey {
    /// A new one.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *bytes).expect("the system has random numbers");
        Self(bytes)
    }

    /// It as it is written, without an end of line.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 43));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(*self.0, &mut text);
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for MasterKey {
    type Err = MasterKeyError;

    /// White space at the end is let pass: files end with a line.
    fn from_str(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim_ascii_end();
        if text.is_empty() {
            return Err(MasterKeyError::Empty);
        }
        let Some(encoded) = text.strip_prefix(PREFIX) else {
            let is_ours = text.starts_with(NAME);
            return Err(if is_ours {
                MasterKeyError::Version
            } else {
                MasterKeyError::Unknown
            });
        };
        // Room for more than a key, which `decode_slice` asks for.
        let mut bytes = Zeroizing::new([0; 48]);
        let is_long = encoded.len() != 43;
        let decoded = URL_SAFE_NO_PAD.decode_slice(encoded, &mut *bytes);
        let mut key = Zeroizing::new([0; 32]);
        if is_long || decoded != Ok(key.len()) {
            return Err(MasterKeyError::Damaged);
        }
        key.copy_from_slice(&bytes[..32]);
        Ok(Self(key))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Option<MasterKeyError> {
        text.parse::<MasterKey>().err()
    }

    #[test]
    fn a_key_is_read_as_it_was_written_with_any_end_of_line() {
        let key = MasterKey::generate();
        let text = key.to_text();
        for end in ["", "\n", "\r\n", " \n\n"] {
            let read: MasterKey = format!("{}{end}", *text).parse().expect("a key");
            assert_eq!(read.as_bytes(), key.as_bytes());
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_and_not_repeated() {
        let key = MasterKey::generate().to_text();
        let encoded = &key[PREFIX.len()..];
        assert_eq!(error(" \n"), Some(MasterKeyError::Empty));
        assert_eq!(error(encoded), Some(MasterKeyError::Unknown));
        assert_eq!(error(&format!(" {}", *key)), Some(MasterKeyError::Unknown));
        let newer = key.replace("key-1:", "key-2:");
        assert_eq!(error(&newer), Some(MasterKeyError::Version));
        for damaged in [
            &key[..key.len() - 1],
            &format!("{}A", *key),
            &format!("{}=", *key),
            &format!("{PREFIX}{}", "+".repeat(43)),
            &format!("{PREFIX}{}B", &encoded[..42]),
            PREFIX,
        ] {
            assert_eq!(error(damaged), Some(MasterKeyError::Damaged), "{damaged}");
        }
        let said = MasterKeyError::Damaged.to_string();
        assert!(!said.contains(encoded), "{said}");
    }

    #[test]
    fn nothing_shows_a_key() {
        let key = MasterKey::generate();
        assert_eq!(format!("{key:?}"), "MasterKey { .. }");
    }
}
