//! Looking through texts, nearly all of which are printable ASCII: that is seen of many bytes at once.

/// Whether `text` is made of `allowed` bytes; without a branch for each, so that it takes many at a time.
pub(crate) fn is_of(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |is_of, byte| is_of & allowed(byte))
}

/// The first control character.
pub(crate) fn control(text: &str) -> Option<char> {
    if is_of(text, |byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    text.chars().find(|c| c.is_control())
}
