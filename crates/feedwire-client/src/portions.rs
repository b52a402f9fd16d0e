//! Lines out of a reader, a portion at a time.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The most lines of a portion: one batch.
const LINES_MAX: usize = 1_000;
/// A portion ends with the line that reaches this. An eighth of the largest batch, for a character can become six when it is
/// made ASCII.
const BYTES_MAX: usize = 1024 * 1024;
/// The longest line; the largest event, escaped and with room for white space.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most that is read where all lines have to be one portion: more than the largest batch with room for white space.
const WHOLE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A portion ends when nothing more is read for so long, so that lines that come one by one are not held back.
const PAUSE: Duration = Duration::from_millis(100);
/// How much is read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Whole lines, blank ones too.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    pub(crate) text: Bytes,
    /// How many lines were read before it.
    pub(crate) before: u64,
    /// How many lines it has.
    pub(crate) lines: u64,
}

/// The portions of what `source` reads, in order.
#[derive(Debug)]
pub(crate) struct Portions<R> {
    source: R,
    /// Whether all of it is one portion.
    whole: bool,
    /// What was read and is in no portion yet.
    buffer: BytesMut,
    /// Where the last whole line in the buffer ends.
    lines_end: usize,
    /// Up to where no line end was found.
    searched: usize,
    /// How many whole lines are in the buffer.
    lines: u64,
    /// How many lines the portions so far had.
    before: u64,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Portions<R> {
    pub(crate) fn new(source: R, whole: bool) -> Self {
        Self {
            source,
            whole,
            buffer: BytesMut::new(),
            lines_end: 0,
            searched: 0,
            lines: 0,
            before: 0,
            ended: false,
        }
    }

    /// The next portion; `None` at the end. Cancel safe.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Portion>> {
        loop {
            if self.is_full() {
                return Ok(Some(self.cut()));
            }
            self.check()?;
            if self.ended {
                return Ok((!self.buffer.is_empty()).then(|| self.rest()));
            }
            self.buffer.reserve(READ_BYTES);
            let reading = self.source.read_buf(&mut self.buffer);
            let read = if self.lines > 0 && !self.whole {
                match tokio::time::timeout(PAUSE, reading).await {
                    Ok(read) => read?,
                    Err(_) => return Ok(Some(self.cut())),
                }
            } else {
                reading.await?
            };
            self.ended = read == 0;
        }
    }

    /// Looks for line ends until there are enough for a portion.
    fn is_full(&mut self) -> bool {
        let is_full = |this: &Self| this.lines >= LINES_MAX as u64 || this.lines_end >= BYTES_MAX;
        while self.whole || !is_full(self) {
            let rest = &self.buffer[self.searched..];
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                return false;
            };
            self.searched += end + 1;
            self.lines_end = self.searched;
            self.lines += 1;
        }
        true
    }

    fn check(&self) -> io::Result<()> {
        let line = self.before + self.lines + 1;
        let words = if self.buffer.len() - self.lines_end > LINE_BYTES_MAX {
            format!("line {line} is longer than {LINE_BYTES_MAX} bytes")
        } else if self.whole && self.buffer.len() > WHOLE_BYTES_MAX {
            format!(
                "with an expectation all lines have to fit one batch; these are more than {WHOLE_BYTES_MAX} bytes"
            )
        } else {
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::InvalidData, words))
    }

    /// What is left, of which the last line need not have an end.
    fn rest(&mut self) -> Portion {
        self.lines += u64::from(self.lines_end < self.buffer.len());
        self.lines_end = self.buffer.len();
        self.cut()
    }

    fn cut(&mut self) -> Portion {
        let portion = Portion {
            text: self.buffer.split_to(self.lines_end).freeze(),
            before: self.before,
            lines: self.lines,
        };
        self.before += self.lines;
        self.lines = 0;
        self.searched -= self.lines_end;
        self.lines_end = 0;
        portion
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    async fn all(text: &[u8], whole: bool) -> io::Result<Vec<Portion>> {
        let mut portions = Portions::new(text, whole);
        let mut all = Vec::new();
        while let Some(portion) = portions.next().await? {
            all.push(portion);
        }
        Ok(all)
    }

    fn sizes(portions: &[Portion]) -> Vec<(u64, u64)> {
        let size = |portion: &Portion| (portion.before, portion.lines);
        portions.iter().map(size).collect()
    }

    #[tokio::test]
    async fn a_portion_is_a_batch_unless_all_has_to_be_one() {
        let text = "{}\n".repeat(2_001);
        let portions = all(text.as_bytes(), false).await.expect("lines");
        assert_eq!(sizes(&portions), [(0, 1_000), (1_000, 1_000), (2_000, 1)]);
        let portions = all(text.as_bytes(), true).await.expect("lines");
        assert_eq!(sizes(&portions), [(0, 2_001)]);
        assert_eq!(portions[0].text, text);
        assert_eq!(all(b"", false).await.expect("nothing"), []);
    }

    #[tokio::test]
    async fn a_portion_ends_with_the_line_that_makes_it_large() {
        let text = format!("{}\n", "x".repeat(BYTES_MAX / 2)).repeat(4);
        let portions = all(text.as_bytes(), false).await.expect("lines");
        assert_eq!(sizes(&portions), [(0, 2), (2, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_a_portion_but_not_a_line() {
        let (mut sender, receiver) = tokio::io::duplex(64);
        let mut portions = Portions::new(receiver, false);
        sender.write_all(b"a\nb\nc").await.expect("room");
        let first = portions.next().await.expect("lines").expect("a portion");
        assert_eq!((&first.text[..], first.lines), (&b"a\nb\n"[..], 2));
        sender.write_all(b"d\n").await.expect("room");
        drop(sender);
        let second = portions.next().await.expect("lines").expect("a portion");
        assert_eq!((&second.text[..], second.before), (&b"cd\n"[..], 2));
        assert_eq!(portions.next().await.expect("the end"), None);
    }

    #[tokio::test]
    async fn what_has_no_end_is_refused_before_it_fills_the_memory() {
        for (whole, line, words) in [
            (false, "x", "line 3 is longer"),
            (true, "x\n", "fit one batch"),
        ] {
            let endless = tokio::io::repeat(line.as_bytes()[line.len() - 1]);
            let mut portions = Portions::new((&b"a\nb\n"[..]).chain(endless), whole);
            let error = loop {
                match portions.next().await {
                    Ok(portion) => assert!(portion.is_some()),
                    Err(error) => break error,
                }
            };
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    proptest! {
        #[test]
        fn the_portions_are_what_was_read(text in "[a\n]{0,200}", whole: bool) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let portions = runtime.expect("a runtime").block_on(all(text.as_bytes(), whole)).expect("lines");
            let mut line = 0;
            for portion in &portions {
                prop_assert_eq!(portion.before, line);
                line += portion.lines;
            }
            let texts: Vec<_> = portions.iter().map(|portion| &portion.text[..]).collect();
            prop_assert_eq!(texts.concat(), text.as_bytes());
            prop_assert_eq!(line, text.split_inclusive('\n').count() as u64);
        }
    }
}
