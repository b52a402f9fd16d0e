//! Walking all records of a stretch of a segment, read in large pieces that records share.

use bytes::Bytes;

use super::collect::Collect;
use super::source::Source;
use crate::fault::Fault;
use crate::format::commit::{self, Commit};
use crate::format::record::{HEAD, Head, Parsed, parse};
use crate::format::{aligned, record};
use crate::index::{Anchor, Direction};

/// What is read in one go: large enough that the calls cost little beside the copying.
const WINDOW: usize = 256 << 10;

/// The first piece, for readings that want little.
const WINDOW_MIN: usize = 16 << 10;

pub(super) struct Walk<'a> {
    source: &'a Source,
    offset: u64,
    commit_end: u64,
    /// Walking ends here.
    end: u64,
    position: u64,
    window: Bytes,
    window_start: u64,
    read_next: usize,
}

impl<'a> Walk<'a> {
    /// From an anchor on; about `hint` bytes will be wanted.
    pub(super) fn new(source: &'a Source, anchor: &Anchor, end: u64, hint: usize) -> Self {
        Self {
            source,
            offset: u64::from(anchor.offset),
            commit_end: u64::from(anchor.commit_end),
            end,
            position: anchor.position,
            window: Bytes::new(),
            window_start: 0,
            read_next: hint.clamp(WINDOW_MIN, WINDOW),
        }
    }

    /// The next record, and its tags and payload.
    pub(super) fn next(&mut self) -> Result<Option<(Head, Bytes)>, Fault> {
        while self.offset >= self.commit_end {
            self.offset = aligned(self.commit_end);
            if self.offset >= self.end {
                return Ok(None);
            }
            self.enter_commit()?;
        }
        if self.offset >= self.end {
            return Ok(None);
        }
        let mut needed = HEAD;
        loop {
            let bytes = self.bytes(needed)?;
            match parse(&self.window[bytes..]) {
                Parsed::Right(head) => {
                    let body = bytes + record::HEAD..bytes + head.len();
                    self.offset += head.len() as u64;
                    self.position = head.position;
                    return Ok(Some((head, self.window.slice(body))));
                }
                Parsed::Short(len) if self.offset + len as u64 <= self.commit_end => needed = len,
                Parsed::Short(_) => return Err(self.damaged("a record's length cannot be")),
                Parsed::Wrong => return Err(self.damaged("a record's checksum does not match")),
            }
        }
    }

    fn enter_commit(&mut self) -> Result<(), Fault> {
        let at = self.bytes(commit::LEN)?;
        let nonce = self.source.extent().header.nonce;
        let Some(commit) = Commit::decode(&self.window[at..], nonce, self.offset) else {
            return Err(self.damaged("no commit, where one has to be"));
        };
        self.offset = commit.body();
        self.commit_end = commit.body_end();
        Ok(())
    }

    /// Has `len` bytes from where the walk is in the window, and tells where in it they begin.
    fn bytes(&mut self, len: usize) -> Result<usize, Fault> {
        let at = usize::try_from(self.offset.wrapping_sub(self.window_start));
        if let Ok(at) = at
            && at
                .checked_add(len)
                .is_some_and(|end| end <= self.window.len())
        {
            return Ok(at);
        }
        let left = self.source.extent().end - self.offset;
        let len = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(len.max(self.read_next));
        let mut window = Vec::new();
        self.source.file().read_at(self.offset, len, &mut window)?;
        if window.len() < len {
            return Err(self.damaged("the file is too short"));
        }
        self.read_next = WINDOW;
        self.window = Bytes::from(window);
        self.window_start = self.offset;
        Ok(0)
    }

    fn damaged(&self, what: &str) -> Fault {
        let extent = self.source.extent();
        extent.damaged(self.position, self.offset, what)
    }
}

/// Collects every record of a segment, in the direction of the reading; `false` if there is enough.
pub(super) fn collect(source: &Source, collect: &mut Collect) -> Result<bool, Fault> {
    match collect.direction {
        Direction::Forward => forward(source, collect),
        Direction::Backward => backward(source, collect),
    }
}

fn forward(source: &Source, collect: &mut Collect) -> Result<bool, Fault> {
    let index = source.index();
    let behind = index.anchors_before(&|anchor| anchor.position > collect.from + 1);
    let Some(anchor) = index.anchor(behind.saturating_sub(1)) else {
        return Ok(true);
    };
    let heads = collect.wanted() * HEAD;
    let bytes = collect
        .wanted()
        .saturating_mul(source.extent().record_bytes());
    let hint = bytes.min(collect.bytes_left()).saturating_add(heads);
    let mut walk = Walk::new(source, &anchor, source.extent().end, hint);
    while let Some((head, body)) = walk.next()? {
        if !collect.take(&head, || body) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// From anchor to anchor, each stretch walked forward and then taken from its end.
fn backward(source: &Source, collect: &mut Collect) -> Result<bool, Fault> {
    let index = source.index();
    let mut number = index.anchors_before(&|anchor| anchor.position >= collect.from);
    let whole = source.extent().end;
    // The index of the active segment may have grown since its extent was taken.
    let mut end = index
        .anchor(number)
        .map_or(whole, |anchor| whole.min(anchor.offset.into()));
    let mut stretch = Vec::new();
    while let Some(before) = number.checked_sub(1)
        && let Some(anchor) = index.anchor(before)
    {
        let hint = usize::try_from(end - u64::from(anchor.offset)).unwrap_or(WINDOW);
        let mut walk = Walk::new(source, &anchor, end, hint);
        while let Some(record) = walk.next()? {
            stretch.push(record);
        }
        for (head, body) in stretch.drain(..).rev() {
            if !collect.take(&head, || body) {
                return Ok(false);
            }
        }
        (number, end) = (before, anchor.offset.into());
    }
    Ok(true)
}
