//! Lines out of pieces: only the beginning of one that is not whole yet is copied.

use anyhow::{Result, ensure};

/// The longest line: an event that is read, with what a server puts around it.
const LINE_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Hands out every line that `bytes` bring to its end, without that end.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        if !self.rest.is_empty() {
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                return self.keep(bytes);
            };
            self.rest.extend_from_slice(&bytes[..end]);
            take(&self.rest)?;
            self.rest.clear();
            bytes = &bytes[end + 1..];
        }
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            take(&bytes[..end])?;
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        ensure!(
            self.rest.len() + bytes.len() <= LINE_BYTES_MAX,
            "a line without an end"
        );
        self.rest.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let text = b"one\n\ntwo\r\nthree\nfo";
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut lines = Lines::default();
                let mut seen = Vec::new();
                for piece in [&text[..first], &text[first..second], &text[second..]] {
                    lines
                        .feed(piece, |line| {
                            seen.push(String::from_utf8_lossy(line).into_owned());
                            Ok(())
                        })
                        .expect("short lines");
                }
                assert_eq!(seen, ["one", "", "two\r", "three"], "{first} {second}");
            }
        }
    }
}
