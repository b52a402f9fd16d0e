//! Percent signs and what they stand for.

use std::borrow::Cow;

/// `text` with each percent sign and its two digits taken for a byte; `None` where digits are missing, or where that leaves no UTF-8.
pub fn percent(text: &str) -> Option<Cow<'_, str>> {
    decode(text, |byte| byte)
}

/// As [`percent`], with plus signs for spaces, as forms write them.
pub fn form(text: &str) -> Option<Cow<'_, str>> {
    decode(text, |byte| if byte == b'+' { b' ' } else { byte })
}

fn decode(text: &str, plain: impl Fn(u8) -> u8) -> Option<Cow<'_, str>> {
    if text.bytes().all(|byte| byte != b'%' && plain(byte) == byte) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(if *first == b'%' {
            let (digits, tail) = rest.split_first_chunk::<2>()?;
            rest = tail;
            hex(digits[0])? << 4 | hex(digits[1])?
        } else {
            plain(*first)
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}
