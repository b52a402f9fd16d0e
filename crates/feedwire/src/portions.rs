//! A file of lines, read in portions of one batch while the ones before are published.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use feedwire_client::with_ids;
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The most lines of a portion: one batch.
const LINES_MAX: usize = 1_000;
/// A portion ends with the line that reaches this. An eighth of the largest batch, for a character can become six
/// when it is made ASCII.
const BYTES_MAX: usize = 1024 * 1024;
/// The longest line; the largest event, escaped and with room for white space.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Portions that are read ahead.
const AHEAD_MAX: usize = 2;
/// What a zstd file starts with.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Lines that are published together.
#[derive(Debug, Default)]
pub(crate) struct Portion {
    /// The lines, each with an id, blank ones left out.
    pub(crate) text: Bytes,
    /// The number in the file of each line.
    numbers: Vec<u64>,
}

impl Portion {
    pub(crate) fn first_line(&self) -> u64 {
        self.numbers.first().copied().unwrap_or_default()
    }

    pub(crate) fn last_line(&self) -> u64 {
        self.numbers.last().copied().unwrap_or_default()
    }

    /// What is left behind its first `published` lines, without line `refused`, both counted from 1.
    pub(crate) fn rest(&self, published: u64, refused: u64) -> Self {
        let lines = self.text.split_inclusive(|byte| *byte == b'\n');
        let left = (1..).zip(lines.zip(&self.numbers));
        let left = left.filter(|(line, _)| *line > published && *line != refused);
        let (text, numbers): (Vec<_>, _) = left.map(|(_, (text, number))| (text, number)).unzip();
        Self {
            text: text.concat().into(),
            numbers,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The number in the file of line `line` of this portion, counted from 1.
    pub(crate) fn line(&self, line: u64) -> Option<u64> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.numbers.get(index).copied()
    }
}

/// The portions of a file, in order.
#[derive(Debug)]
pub(crate) struct Portions {
    portions: mpsc::Receiver<io::Result<Portion>>,
    reading: JoinHandle<()>,
}

impl Portions {
    /// Opens the file at `path` and begins to read behind the first `skip` lines. `bar` is told how much of the file is read.
    pub(crate) fn open(path: &Path, skip: u64, bar: &ProgressBar) -> io::Result<Self> {
        let file = BufReader::new(bar.wrap_read(File::open(path)?));
        let lines = decompressed(file)?;
        let (sender, portions) = mpsc::channel(AHEAD_MAX);
        // On a thread of its own, because reading a file and decompressing block.
        let reading = tokio::task::spawn_blocking(move || read(lines, skip, &sender));
        Ok(Self { portions, reading })
    }

    /// The next portion; `None` at the end of the file. Cancel safe.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Portion>> {
        if let Some(portion) = self.portions.recv().await {
            return portion.map(Some);
        }
        // A reading that came to grief must not pass for the end of the file.
        (&mut self.reading).await.map_err(io::Error::other)?;
        Ok(None)
    }
}

fn decompressed(mut file: impl BufRead + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    if file.fill_buf()?.starts_with(&ZSTD_MAGIC) {
        let decoder = zstd::stream::read::Decoder::with_buffer(file)?;
        Ok(Box::new(BufReader::new(decoder)))
    } else {
        Ok(Box::new(file))
    }
}

fn read(
    mut lines: Box<dyn BufRead + Send>,
    skip: u64,
    portions: &mpsc::Sender<io::Result<Portion>>,
) {
    let mut number = 0;
    loop {
        let portion = next_portion(&mut *lines, &mut number, skip);
        let last = match &portion {
            Ok(portion) if portion.numbers.is_empty() => return,
            Ok(_) => false,
            Err(_) => true,
        };
        if portions.blocking_send(portion).is_err() || last {
            return;
        }
    }
}

/// Reads the next portion; `number` is the number of the last line read.
fn next_portion(lines: &mut dyn BufRead, number: &mut u64, skip: u64) -> io::Result<Portion> {
    let mut text = Vec::new();
    let mut numbers = Vec::new();
    while numbers.len() < LINES_MAX && text.len() < BYTES_MAX {
        let start = text.len();
        if Read::take(&mut *lines, LINE_BYTES_MAX).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        *number += 1;
        let line = &text[start..];
        if line.len() as u64 >= LINE_BYTES_MAX {
            let words = format!("line {number} is longer than {LINE_BYTES_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        if *number <= skip || line.trim_ascii().is_empty() {
            text.truncate(start);
        } else {
            numbers.push(*number);
        }
    }
    Ok(Portion {
        // Here, so that what is left of a portion is sent again as the same events.
        text: with_ids(text),
        numbers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portions(text: &str, skip: u64) -> Vec<Portion> {
        let mut lines = text.as_bytes();
        let mut number = 0;
        let next = || next_portion(&mut lines, &mut number, skip).expect("lines");
        let full = |portion: &Portion| !portion.numbers.is_empty();
        std::iter::repeat_with(next).take_while(full).collect()
    }

    #[test]
    fn blank_and_skipped_lines_keep_their_numbers_for_the_others() {
        let portions = portions("a\n\n \r\nb\nc", 1);
        assert_eq!(portions.len(), 1);
        assert_eq!(&portions[0].text[..], b"b\nc");
        assert_eq!(
            (portions[0].first_line(), portions[0].line(2)),
            (4, Some(5))
        );
        assert_eq!((portions[0].line(0), portions[0].line(3)), (None, None));
    }

    #[test]
    fn a_refused_line_is_taken_out_of_its_portion() {
        let portion = &portions("a\n\nb\nc\nd", 0)[0];
        let check = |published, refused, text: &str, numbers: &[u64]| {
            let rest = portion.rest(published, refused);
            assert_eq!(rest.text, text);
            assert_eq!(rest.numbers, numbers);
            assert_eq!(rest.is_empty(), numbers.is_empty());
        };
        check(0, 2, "a\nc\nd", &[1, 4, 5]);
        check(2, 3, "d", &[5]);
        check(0, 4, "a\nb\nc\n", &[1, 3, 4]);
        check(3, 4, "", &[]);
    }

    #[test]
    fn a_portion_is_at_most_a_batch() {
        let portions = portions(&"{}\n".repeat(2_500), 0);
        let lines: Vec<_> = portions.iter().map(Portion::last_line).collect();
        assert_eq!(lines, [1_000, 2_000, 2_500]);
    }
}
