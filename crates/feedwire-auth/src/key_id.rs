//! What names a credential.

use std::fmt;
use std::str::FromStr;

const LENGTH: usize = 20;
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// The name of a credential: 20 random characters of `a-z0-9`, never given twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; LENGTH]);

/// A text that is no key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id has {LENGTH} characters of a-z and 0-9")]
pub struct KeyIdError;

impl KeyId {
    /// How many characters it has.
    pub const LENGTH: usize = LENGTH;

    /// A new one. With 103 random bits none comes twice.
    pub fn random() -> Self {
        // Bytes from 252 on would make the first characters likelier than the others.
        const FAIR: u8 = 252;
        let mut id = [0; LENGTH];
        let mut filled = 0;
        while filled < LENGTH {
            let mut random = [0; 32];
            aws_lc_rs::rand::fill(&mut random).expect("the system has random numbers");
            let fair = random.into_iter().filter(|byte| *byte < FAIR);
            for (place, byte) in id[filled..].iter_mut().zip(fair) {
                *place = ALPHABET[usize::from(byte) % ALPHABET.len()];
                filled += 1;
            }
        }
        Self(id)
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a key id is ASCII")
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let bytes = <[u8; LENGTH]>::try_from(text.as_bytes()).ok();
        // Asked by every proof: the alphabet is not gone through for each character.
        let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = bytes.filter(|bytes| bytes.iter().all(is_plain));
        bytes.map(Self).ok_or(KeyIdError)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_that_was_made_is_read_again_and_comes_once() {
        let (one, other) = (KeyId::random(), KeyId::random());
        assert_eq!(one.to_string().parse(), Ok(one));
        assert_ne!(one, other);
    }

    #[test]
    fn nothing_else_is_a_key_id() {
        for text in [
            "",
            "abcdefghij012345678",
            "abcdefghij01234567890",
            "Abcdefghij0123456789",
            "abcdefghij012345678-",
            "abcdefghij01234567é",
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(KeyIdError), "{text:?}");
        }
    }
}
