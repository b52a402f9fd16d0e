//! Answers, understood as far as needed: where one ends, that it is good, and its body.

use std::ops::Range;

use anyhow::{Context as _, bail};
use memchr::memmem;

/// How a peer is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    /// Redis' own; an answer is a bulk string.
    Redis,
}

/// Where an answer lies in what was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) body: Range<usize>,
}

impl Protocol {
    /// The answer that `bytes` begin with, once all of it is there; one that is not good is an error.
    pub(crate) fn answer(self, bytes: &[u8]) -> anyhow::Result<Option<Answer>> {
        match self {
            Self::Http => http(bytes),
            Self::Redis => redis(bytes),
        }
    }
}

fn http(bytes: &[u8]) -> anyhow::Result<Option<Answer>> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = &bytes[..end];
    let start = end + 4;
    let is_good = head.starts_with(b"HTTP/1.1 20");
    let Some(length) = content_length(head) else {
        bail!("an answer without a length: {}", head.escape_ascii());
    };
    let body = start..start + length;
    if bytes.len() < body.end {
        return Ok(None);
    }
    if !is_good {
        bail!("refused: {}", bytes[..body.end].escape_ascii());
    }
    Ok(Some(Answer { body }))
}

pub(super) fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length: ";
    let mut rest = head;
    loop {
        let line = memchr::memchr(b'\n', rest)? + 1;
        rest = &rest[line..];
        let name = rest.get(..NAME.len())?;
        if name.eq_ignore_ascii_case(NAME) {
            let digits = crate::event::read_digits(&rest[NAME.len()..]);
            return usize::try_from(digits).ok();
        }
    }
}

/// `$15\r\n1692632086370-0\r\n`
fn redis(bytes: &[u8]) -> anyhow::Result<Option<Answer>> {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return Ok(None);
    };
    let digits = bytes
        .strip_prefix(b"$")
        .with_context(|| format!("refused: {}", bytes.escape_ascii()))?;
    let length = usize::try_from(crate::event::read_digits(digits))?;
    let body = end + 1..end + 1 + length;
    Ok((bytes.len() >= body.end + 2).then_some(Answer { body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every beginning is waited on, and the whole is an answer with this body.
    fn check(protocol: Protocol, bytes: &[u8], body: &[u8]) {
        for end in 0..bytes.len() {
            let answer = protocol
                .answer(&bytes[..end])
                .expect("the beginning of a good one");
            assert_eq!(answer, None, "{end}");
        }
        let answer = protocol
            .answer(bytes)
            .expect("a good one")
            .expect("all of it");
        assert_eq!(&bytes[answer.body], body);
    }

    #[test]
    fn an_answer_is_waited_for_to_its_end() {
        check(
            Protocol::Http,
            b"HTTP/1.1 200 OK\r\nx: 1\r\nContent-Length: 7\r\ny: 2\r\n\r\n{\"a\":1}",
            b"{\"a\":1}",
        );
        check(
            Protocol::Redis,
            b"$15\r\n1692632086370-0\r\n",
            b"1692632086370-0",
        );
    }

    #[test]
    fn a_refusal_is_an_error() {
        let http = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno";
        assert!(Protocol::Http.answer(http).is_err());
        assert!(
            Protocol::Redis
                .answer(b"-OOM command not allowed\r\n")
                .is_err()
        );
    }
}
