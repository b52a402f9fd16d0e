//! What a receiver answers: a status, when to come again, and the beginning of a text.

use std::time::Duration;

use feedwire_event::Timestamp;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::retry_after::retry_after;

/// How much of an answer is shown.
const EXCERPT_CHARS: usize = 256;
/// How many of its first bytes are kept for that: what most characters can have.
const KEPT_BYTES: usize = 4 * EXCERPT_CHARS;
/// How much of an answer is read, so that its connection can be used again. One that says more is closed, which costs less.
const READ_BYTES_MAX: usize = 16 * 1024;
/// How long it is read at most: the answer counts by its head.
const READ_WAIT: Duration = Duration::from_secs(1);

/// An answer of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status, which is no redirect.
    pub status: StatusCode,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The first 256 characters of its body, less those that control.
    pub excerpt: String,
    /// How long it took until its head was there.
    pub latency: Duration,
}

impl Answer {
    /// Reads what is shown of `response`. A body that is too long, too slow or breaks off is left: it changes nothing of the status.
    pub(super) async fn read(
        response: Response<Incoming>,
        latency: Duration,
        deadline: Instant,
        now: Timestamp,
    ) -> Self {
        let (head, body) = response.into_parts();
        let mut kept = Vec::new();
        let until = deadline.min(Instant::now() + READ_WAIT);
        // In time or not, what came is shown.
        drop(timeout_at(until, keep(body, &mut kept)).await);
        Self {
            status: head.status,
            retry_after: retry_after(&head.headers, now),
            excerpt: excerpt(&kept),
            latency,
        }
    }
}

/// Reads to the end, or as far as is worth it, and keeps the beginning.
async fn keep(mut body: Incoming, kept: &mut Vec<u8>) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let room = KEPT_BYTES - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
        read += data.len();
        if read > READ_BYTES_MAX {
            return;
        }
    }
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = text.chars().filter(|c| !controls(*c));
    shown.take(EXCERPT_CHARS).collect()
}

/// Whether `c` could change how the text around it is shown: lines, terminals, the direction of writing.
fn controls(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_controls_nothing() {
        let of = |bytes: &[u8]| excerpt(bytes);
        assert_eq!(of(b"no\r\nmore\x1b[31m\0"), "nomore[31m");
        assert_eq!(of("a\u{202e}b\u{2028}c".as_bytes()), "abc");
        assert_eq!(of(b"\xff\xfe"), "\u{fffd}\u{fffd}");
        assert_eq!(of(b""), "");
        let long = "\u{1f600}".repeat(300);
        assert_eq!(of(long.as_bytes()), "\u{1f600}".repeat(256));
    }
}
