//! Reading a segment from its first commit on, every byte compared with its checksum.
//!
//! Recovery, rebuilt indexes, erasure and `check` are made of this; readings walk records without it.

use std::io;

use crate::format::commit::{self, Commit, Kind};
use crate::format::header::{self, Header};
use crate::format::record::{Parsed, parse};
use crate::storage::File;

/// What is read in one go.
const WINDOW: usize = 1 << 20;

/// A place in a segment before which everything is right.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    file: &'a dyn File,
    header: Header,
    /// Nothing behind this is looked at.
    end: u64,
    offset: u64,
    next_position: u64,
    recorded_at: i64,
    window: Vec<u8>,
    window_start: u64,
}

/// What stands at the next place.
#[derive(Debug)]
pub(crate) enum Step {
    Commit(Commit),
    /// The end that the scan was given.
    End,
    /// No commit, or a damaged one.
    Wrong(&'static str),
}

impl<'a> Scan<'a> {
    pub(crate) fn new(file: &'a dyn File, header: Header, end: u64) -> Self {
        Self {
            file,
            header,
            end,
            offset: header::LEN as u64,
            next_position: header.first_position,
            recorded_at: header.recorded_at,
            window: Vec::new(),
            window_start: 0,
        }
    }

    /// Where the next commit would stand.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The position behind everything read so far.
    pub(crate) const fn next_position(&self) -> u64 {
        self.next_position
    }

    /// The recorded time of the last record read so far.
    pub(crate) const fn recorded_at(&self) -> i64 {
        self.recorded_at
    }

    pub(crate) fn step(&mut self) -> io::Result<Step> {
        if self.offset >= self.end {
            return Ok(Step::End);
        }
        if !self.holds(self.offset, commit::LEN)? {
            return Ok(Step::Wrong("a commit's header is cut short"));
        }
        let bytes = self.at(self.offset, commit::LEN);
        let Some(commit) = Commit::decode(bytes, self.header.nonce, self.offset) else {
            return Ok(Step::Wrong("no commit, where one has to be"));
        };
        let len = usize::try_from(commit.end() - self.offset).map_err(io::Error::other)?;
        if !self.holds(self.offset, len)? {
            return Ok(Step::Wrong("a commit is cut short"));
        }
        if let Err(what) = self.verify(&commit) {
            return Ok(Step::Wrong(what));
        }
        self.offset = commit.end();
        self.recorded_at = commit.recorded_at;
        self.next_position = commit.position + u64::from(commit.records);
        Ok(Step::Commit(commit))
    }

    /// The records of the commit that the last step came upon.
    pub(crate) fn body(&self, commit: &Commit) -> &[u8] {
        self.at(commit.body(), commit.body_len as usize)
    }

    /// The commit that the last step came upon, header, padding and all.
    pub(crate) fn whole(&self, commit: &Commit) -> &[u8] {
        let len = usize::try_from(commit.end() - commit.offset);
        self.at(commit.offset, len.expect("the commit was read into memory"))
    }

    fn verify(&self, commit: &Commit) -> Result<(), &'static str> {
        if commit.position < self.next_position || commit.recorded_at < self.recorded_at {
            return Err("a commit's positions or times go back");
        }
        let (mut recorded_at, mut place, mut found) = (self.recorded_at, 0, 0);
        let mut rest = self.body(commit);
        while !rest.is_empty() {
            let Parsed::Right(head) = parse(rest) else {
                return Err("a record's checksum does not match");
            };
            let right = head.position == commit.position + found
                && head.recorded_at >= recorded_at
                && head.index == place
                && head.index < head.count;
            if !right {
                return Err("a record is not in its place");
            }
            recorded_at = head.recorded_at;
            place = if head.index + 1 == head.count {
                0
            } else {
                head.index + 1
            };
            found += 1;
            rest = &rest[head.len()..];
        }
        let padding = self.whole(commit)[commit::LEN + commit.body_len as usize..].iter();
        let right = place == 0
            && found == u64::from(commit.records)
            && (commit.recorded_at == recorded_at || commit.kind != Kind::Records)
            && padding.copied().all(|byte| byte == 0);
        right.then_some(()).ok_or("a commit does not come out even")
    }

    /// Has `len` bytes from `offset` in the window; `false` if they are not all there.
    fn holds(&mut self, offset: u64, len: usize) -> io::Result<bool> {
        let window_end = self.window_start + self.window.len() as u64;
        if offset >= self.window_start && offset + len as u64 <= window_end {
            return Ok(true);
        }
        let left = usize::try_from(self.end - offset).map_err(io::Error::other)?;
        if len > left {
            return Ok(false);
        }
        self.window.clear();
        self.window_start = offset;
        self.file
            .read_at(offset, len.max(WINDOW).min(left), &mut self.window)?;
        Ok(self.window.len() >= len)
    }

    fn at(&self, offset: u64, len: usize) -> &[u8] {
        let start = usize::try_from(offset - self.window_start);
        let start = start.expect("what is asked for was read into the window");
        &self.window[start..start + len]
    }
}
