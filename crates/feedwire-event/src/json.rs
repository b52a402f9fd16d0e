//! Canonical JSON: compact, pure ASCII, the text of numbers untouched.
//!
//! Data is brought into this form once, when it is published; every reader is then sent a copy of the same bytes. Pure
//! ASCII because line readers in the field split on U+2028 and U+0085 and decode streams as Latin-1.

use std::fmt;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::limits::JSON_DEPTH_MAX;
use crate::text;

/// A JSON value in canonical form. Members keep their order and their duplicates.
#[derive(Clone, PartialEq, Eq)]
pub struct Canonical(Bytes);

/// Why a JSON text has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Objects and arrays are nested too deeply.
    #[error("JSON is nested at most {JSON_DEPTH_MAX} deep, this goes deeper at byte {at}")]
    TooDeep {
        /// Offset in the value's text.
        at: usize,
    },
    /// A `\u` escape that is half of a surrogate pair; no string holds such a character.
    #[error("half of a surrogate pair at byte {at}: no text has such a character")]
    LoneSurrogate {
        /// Offset in the value's text.
        at: usize,
    },
}

impl Canonical {
    /// The canonical form of `raw`.
    pub fn new(raw: &RawValue) -> Result<Self, Error> {
        let mut out = Vec::with_capacity(raw.get().len());
        write_canonical(raw.get(), &mut out)?;
        Ok(Self(out.into()))
    }

    /// The canonical form of the string `text`.
    pub fn string(text: &str) -> Self {
        let mut out = Vec::with_capacity(text.len() + 2);
        write_string(text, &mut out);
        Self(out.into())
    }

    /// What was written out of one of these, and is not looked at again.
    pub(crate) fn written(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("canonical JSON is ASCII")
    }

    /// The text's bytes, shared.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Appends `text` as a quoted JSON string in ASCII.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if text::is_of(text, plain) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.chars().for_each(|c| write_char(c, out));
    }
    out.push(b'"');
}

fn write_char(c: char, out: &mut Vec<u8>) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        ' '..='~' => out.push(c as u8),
        _ => {
            let mut units = [0; 2];
            c.encode_utf16(&mut units)
                .iter()
                .for_each(|unit| write_unit(*unit, out));
        }
    }
}

fn write_unit(unit: u16, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u16| HEX[usize::from((unit >> shift) & 0xf)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

/// What a byte of valid JSON outside of strings, or within one, is to the writer of its canonical form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// It is copied as it is.
    Plain,
    Space,
    Open,
    Close,
    Quote,
    Backslash,
    /// The start of a character that is escaped.
    Beyond,
}

const fn class(byte: u8) -> Class {
    match byte {
        b'"' => Class::Quote,
        b'\\' => Class::Backslash,
        b' ' | b'\n' | b'\r' | b'\t' => Class::Space,
        b'{' | b'[' => Class::Open,
        b'}' | b']' => Class::Close,
        b'!'..=b'~' => Class::Plain,
        _ => Class::Beyond,
    }
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        classes[byte] = class(byte.to_le_bytes()[0]);
        byte += 1;
    }
    classes
};

/// Copies the valid JSON `raw` without white space outside strings and with every character beyond ASCII escaped. What stays as it is
/// is copied in runs as long as they come.
fn write_canonical(raw: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    let bytes = raw.as_bytes();
    let mut depth = 0;
    let mut at = 0;
    let mut copied = 0;
    loop {
        at += run(&bytes[at..], |class| class == Class::Plain);
        let Some(byte) = bytes.get(at) else { break };
        match CLASSES[usize::from(*byte)] {
            Class::Quote => {
                at = write_raw_string(raw, at, &mut copied, out)?;
                continue;
            }
            Class::Space => {
                out.extend_from_slice(&bytes[copied..at]);
                copied = at + 1;
            }
            Class::Open => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return Err(Error::TooDeep { at });
                }
            }
            Class::Close => depth -= 1,
            Class::Plain | Class::Backslash | Class::Beyond => {}
        }
        at += 1;
    }
    out.extend_from_slice(&bytes[copied..]);
    Ok(())
}

/// How many of the first `bytes` are of the `wanted` classes.
fn run(bytes: &[u8], wanted: impl Fn(Class) -> bool) -> usize {
    let other = bytes
        .iter()
        .position(|byte| !wanted(CLASSES[usize::from(*byte)]));
    other.unwrap_or(bytes.len())
}

/// Passes over the string that starts with the quote at `start`; returns the offset behind its closing quote. What was passed over from
/// `copied` on is still to be copied.
fn write_raw_string(
    raw: &str,
    start: usize,
    copied: &mut usize,
    out: &mut Vec<u8>,
) -> Result<usize, Error> {
    let bytes = raw.as_bytes();
    let mut at = start + 1;
    loop {
        at += run(&bytes[at..], |class| {
            matches!(
                class,
                Class::Plain | Class::Space | Class::Open | Class::Close
            )
        });
        match CLASSES[usize::from(bytes[at])] {
            Class::Quote => return Ok(at + 1),
            Class::Backslash if bytes[at + 1] == b'u' => at = escape_end(bytes, at)?,
            Class::Backslash => at += 2,
            Class::Space | Class::Open | Class::Close | Class::Plain => at += 1,
            Class::Beyond => {
                out.extend_from_slice(&bytes[*copied..at]);
                let c = raw[at..]
                    .chars()
                    .next()
                    .expect("there is a byte at this offset");
                write_char(c, out);
                at += c.len_utf8();
                *copied = at;
            }
        }
    }
}

/// The offset behind the `\u` escape at `at`, or behind both of a surrogate pair.
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, Error> {
    let unit = |at: usize| {
        let digits = bytes
            .get(at..at + 6)
            .filter(|escape| escape.starts_with(b"\\u"))?;
        u16::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
    };
    match unit(at) {
        Some(0xd800..=0xdbff) => match unit(at + 6) {
            Some(0xdc00..=0xdfff) => Ok(at + 12),
            _ => Err(Error::LoneSurrogate { at }),
        },
        Some(0xdc00..=0xdfff) => Err(Error::LoneSurrogate { at }),
        _ => Ok(at + 6),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn canonical(text: &str) -> Result<String, Error> {
        let raw = serde_json::from_str::<&RawValue>(text).expect("JSON");
        Canonical::new(raw).map(|c| c.as_str().to_owned())
    }

    #[test]
    fn white_space_goes_and_numbers_keep_their_text() {
        let text = "{ \"a b\" : [ 1.0, 1e400,\t-0,\n12345678901234567890.10 ] , \"a b\":null}";
        let compact = r#"{"a b":[1.0,1e400,-0,12345678901234567890.10],"a b":null}"#;
        assert_eq!(canonical(text).as_deref(), Ok(compact));
    }

    #[test]
    fn everything_beyond_printable_ascii_is_escaped() {
        let check = |text: &str, out: &str| assert_eq!(canonical(text).as_deref(), Ok(out));
        check(
            "\"é\u{2028}\u{85}\u{7f}🛫\"",
            r#""\u00e9\u2028\u0085\u007f\ud83d\udeeb""#,
        );
        check(
            r#""\"\\\/\n\u00e9\ud83d\udeeb""#,
            r#""\"\\\/\n\u00e9\ud83d\udeeb""#,
        );
        check("\"\"", "\"\"");
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_where_it_stands() {
        let check = |text: &str, at| assert_eq!(canonical(text), Err(Error::LoneSurrogate { at }));
        check(r#""\ud800""#, 1);
        check(r#""ab\udc00\ud800""#, 3);
        check(r#"["\ud800\u0041"]"#, 2);
    }

    #[test]
    fn nesting_stops_at_its_limit() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(canonical(&nested(JSON_DEPTH_MAX)).is_ok());
        assert_eq!(
            canonical(&nested(JSON_DEPTH_MAX + 1)),
            Err(Error::TooDeep { at: JSON_DEPTH_MAX })
        );
    }

    proptest! {
        #[test]
        fn a_string_reads_back_as_itself_and_is_ascii(text in any::<String>()) {
            let canonical = Canonical::string(&text);
            prop_assert!(canonical.as_str().bytes().all(|b| matches!(b, b' '..=b'~')));
            prop_assert_eq!(serde_json::from_str::<String>(canonical.as_str()).expect("JSON"), text);
        }

        #[test]
        fn canonical_form_keeps_the_value_and_is_a_fixed_point(text in any::<String>(), n in any::<i64>()) {
            let value = serde_json::json!({ "k": [text.clone(), n, { &text: null }] });
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            let once = canonical(&pretty).expect("canonical");
            prop_assert_eq!(&serde_json::from_str::<Value>(&once).expect("JSON"), &value);
            prop_assert_eq!(&canonical(&once).expect("canonical"), &once);
        }
    }
}
