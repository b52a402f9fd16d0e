//! Answers as JSON in ASCII, on one line.

use feedwire_event::json::Canonical;
use serde::Serialize;

/// `answer` as one line of ASCII.
pub fn json(answer: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    serde_json::to_writer(&mut text, answer).expect("wire structs hold texts and numbers");
    if text.is_ascii() {
        return text;
    }
    let raw = serde_json::from_slice(&text).expect("what was written is JSON");
    let canonical = Canonical::new(raw).expect("what holds strings of ours has whole characters");
    canonical.bytes().to_vec()
}
