//! How settings are written as bytes in the primary store: lists begin with how many there are (u32), texts with their length (u16). All
//! integers are little-endian, and what cannot be read is `None`.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_event::{Position, Timestamp};

use crate::LabelFilter;

/// Stands for a time that has not come.
pub(crate) const NEVER: i64 = i64::MIN;

/// A length that limits hold far below this.
pub(crate) fn count(len: usize) -> u16 {
    u16::try_from(len).expect("it is held to limits that are far less")
}

/// How many there are of what follows.
pub(crate) fn put_count(len: usize, out: &mut BytesMut) {
    out.put_u32_le(u32::try_from(len).expect("there are at most a thousand"));
}

/// The length of a text, and the text.
pub(crate) fn put_text(text: &str, out: &mut BytesMut) {
    out.put_u16_le(count(text.len()));
    out.put_slice(text.as_bytes());
}

/// How many texts there are, and each.
pub(crate) fn put_all<'t>(texts: impl ExactSizeIterator<Item = &'t str>, out: &mut BytesMut) {
    put_count(texts.len(), out);
    texts.for_each(|text| put_text(text, out));
}

/// One byte, 0 or 1.
pub(crate) fn bit(value: &mut Bytes) -> Option<bool> {
    match value.try_get_u8().ok()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// What is written as `micros`.
pub(crate) fn time(micros: i64) -> Option<Timestamp> {
    (micros != NEVER).then(|| Timestamp::from_micros(micros))
}

/// A position of eight bytes.
pub(crate) fn position(value: &mut Bytes) -> Option<Position> {
    Position::new(value.try_get_u64_le().ok()?)
}

/// What [`put_text`] wrote.
pub(crate) fn text(value: &mut Bytes) -> Option<String> {
    let len = usize::from(value.try_get_u16_le().ok()?);
    if value.remaining() < len {
        return None;
    }
    String::from_utf8(value.split_to(len).to_vec()).ok()
}

/// What [`put_all`] wrote, each read by `read`.
pub(crate) fn all<T>(value: &mut Bytes, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let count = value.try_get_u32_le().ok()?;
    (0..count).map(|_| read(&text(value)?)).collect()
}

/// Labels: how many there are, and of each whether there is a value, the key and the value.
pub(crate) fn put_labels(labels: &[LabelFilter], out: &mut BytesMut) {
    put_count(labels.len(), out);
    for LabelFilter { key, value } in labels {
        out.put_u8(u8::from(value.is_some()));
        put_text(key, out);
        put_text(value.as_deref().unwrap_or_default(), out);
    }
}

/// What [`put_labels`] wrote.
pub(crate) fn labels(value: &mut Bytes) -> Option<Vec<LabelFilter>> {
    let count = value.try_get_u32_le().ok()?;
    let label = |_| {
        let has_value = bit(value)?;
        let (key, text) = (text(value)?, text(value)?);
        Some(LabelFilter {
            key,
            value: has_value.then_some(text),
        })
    };
    (0..count).map(label).collect()
}
