//! What stands behind the last commit that is right.

use std::io;

use crate::format::commit::{self, Commit};
use crate::format::header::Header;
use crate::format::u64_at;
use crate::storage::File;

/// What is read in one go; divisible by 8, so that no commit's first word is split.
const WINDOW: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing was ever written there.
    Clean,
    /// Bytes that were not synced; the last one that is not zero stands before `end`.
    Torn { end: u64 },
    /// A commit behind says that these bytes were synced.
    Rotten,
}

/// Looks at everything from `start` on, where no commit is that is right.
pub(crate) fn inspect(file: &dyn File, header: &Header, start: u64, len: u64) -> io::Result<Tail> {
    let mut tail = Tail::Clean;
    let mut is_rotten = false;
    each_window(file, start, len, |offset, window| {
        if let Some(last) = window.iter().rposition(|byte| *byte != 0) {
            tail = Tail::Torn {
                end: offset + last as u64 + 1,
            };
        }
        for at in (0..window.len().saturating_sub(7)).step_by(8) {
            if u64_at(window, at) == header.nonce {
                is_rotten |= proves(file, header, offset + at as u64, start)?;
            }
        }
        Ok(())
    })?;
    Ok(if is_rotten { Tail::Rotten } else { tail })
}

/// Whether a commit stands at `offset` that was made when more than `start` bytes were synced.
fn proves(file: &dyn File, header: &Header, offset: u64, start: u64) -> io::Result<bool> {
    let mut bytes = Vec::with_capacity(commit::LEN);
    file.read_at(offset, commit::LEN, &mut bytes)?;
    let commit = Commit::decode(&bytes, header.nonce, offset);
    Ok(commit.is_some_and(|commit| commit.synced > start))
}

/// Whether there are only zeros from `start` on.
pub(crate) fn is_zero(file: &dyn File, start: u64, len: u64) -> io::Result<bool> {
    let mut is_zero = true;
    each_window(file, start, len, |_, window| {
        is_zero &= window.iter().all(|byte| *byte == 0);
        Ok(())
    })?;
    Ok(is_zero)
}

fn each_window(
    file: &dyn File,
    start: u64,
    len: u64,
    mut look: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut offset = start;
    let mut window = Vec::with_capacity(WINDOW);
    while offset < len {
        window.clear();
        file.read_at(offset, WINDOW, &mut window)?;
        if window.is_empty() {
            break;
        }
        look(offset, &window)?;
        offset += window.len() as u64;
    }
    Ok(())
}
