//! Cutting a body that arrives in pieces into lines.

/// Cuts what is pushed into lines of a bounded length.
#[derive(Debug)]
pub struct Lines {
    buffer: Vec<u8>,
    /// Where the next line starts.
    start: usize,
    /// Up to where no line end was found.
    searched: usize,
    line_bytes_max: usize,
    /// The number of the line that was handed out last, from 1.
    number: u64,
}

/// A line is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} has more than {line_bytes_max} bytes")]
pub struct TooLong {
    /// Which, from 1.
    pub line: u64,
    /// The most it may have.
    pub line_bytes_max: usize,
}

impl Lines {
    /// Lines of at most `line_bytes_max` bytes.
    pub const fn new(line_bytes_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            line_bytes_max,
            number: 0,
        }
    }

    /// Adds a piece. Every line that stood there was to be taken out before: what is kept is one unfinished line at most.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        // What one long line took is not kept for the short ones behind it.
        self.buffer.shrink_to(2 * (self.buffer.len() + piece.len()));
        self.buffer.extend_from_slice(piece);
    }

    /// How much memory what was pushed takes.
    pub fn held_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// The next line that is not blank, without its end, and its number; `None` when another piece is needed.
    pub fn take(&mut self) -> Result<Option<(u64, &[u8])>, TooLong> {
        while let Some(end) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
            let line = self.start..self.searched + end;
            self.searched = line.end + 1;
            self.start = self.searched;
            self.number += 1;
            self.check(line.len(), self.number)?;
            if !is_blank(&self.buffer[line.clone()]) {
                return Ok(Some((self.number, &self.buffer[line])));
            }
        }
        self.searched = self.buffer.len();
        self.check(self.searched - self.start, self.number + 1)?;
        Ok(None)
    }

    /// The last line, if it is not blank: the body is over and need not end with a line end. It is handed out once.
    pub fn last(&mut self) -> Option<(u64, &[u8])> {
        let start = std::mem::replace(&mut self.start, self.buffer.len());
        self.searched = self.buffer.len();
        let line = &self.buffer[start..];
        (!is_blank(line)).then_some((self.number + 1, line))
    }

    fn check(&self, len: usize, line: u64) -> Result<(), TooLong> {
        let line_bytes_max = self.line_bytes_max;
        if len > line_bytes_max {
            Err(TooLong {
                line,
                line_bytes_max,
            })
        } else {
            Ok(())
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines of `pieces` with their numbers.
    fn cut<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
        max: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, TooLong> {
        let mut lines = Lines::new(max);
        let mut found = Vec::new();
        for piece in pieces {
            lines.push(piece);
            while let Some((number, line)) = lines.take()? {
                found.push((number, line.to_vec()));
            }
        }
        found.extend(lines.last().map(|(number, line)| (number, line.to_vec())));
        assert_eq!(lines.last(), None, "handed out once");
        assert_eq!(lines.last(), None, "it is handed out once");
        Ok(found)
    }

    #[test]
    fn blank_lines_are_passed_over_and_counted() {
        let lines = cut([&b"\na\r\n \t\r\n\nb"[..]], 9).expect("short lines");
        assert_eq!(lines, [(2, b"a\r".to_vec()), (5, b"b".to_vec())]);
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_before_its_end_arrives() {
        let long = TooLong {
            line: 2,
            line_bytes_max: 3,
        };
        assert_eq!(cut([&b"abc\nab"[..], b"cd"], 3), Err(long));
        assert_eq!(cut([&b"abc\nabcd\n"[..]], 3), Err(long));
    }

    #[test]
    fn what_a_long_line_takes_is_given_back_behind_it() {
        let mut lines = Lines::new(10_000);
        lines.push(&[b'x'; 10_000]);
        assert!(lines.held_bytes() >= 10_000);
        lines.push(b"\n");
        assert!(lines.take().is_ok_and(|line| line.is_some()));
        lines.push(b"y\n");
        assert!(lines.held_bytes() < 100);
        assert_eq!(lines.take(), Ok(Some((2, &b"y"[..]))));
    }

    proptest! {
        #[test]
        fn where_a_body_is_cut_into_pieces_makes_no_difference(
            body in "[ab\n]{0,60}", cuts in prop::collection::vec(0_usize..61, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &body.as_bytes()[pair[0]..pair[1]]);
            let expected = body.split('\n').enumerate().filter(|(_, line)| !line.is_empty());
            let expected = expected.map(|(index, line)| (index as u64 + 1, line.as_bytes().to_vec()));
            prop_assert_eq!(cut(pieces, 100), Ok(expected.collect()));
        }
    }
}
