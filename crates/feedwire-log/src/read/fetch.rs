//! Reading records at known offsets: one read each, or one for several that stand near each other.

use bytes::{Bytes, BytesMut};

use super::collect::Collect;
use super::source::Source;
use crate::fault::Fault;
use crate::format::record::{HEAD, Parsed, parse};

/// Records nearer than this are read together: copying what is between costs less than another call.
const NEAR: u32 = 4 << 10;

/// What is read in one go at most, unless a record is larger.
const SPAN_MAX: u32 = 256 << 10;

/// Where records take less of what was read than one in so many bytes, they are copied out of it: what a reader keeps
/// should not hold much more memory than it shows.
const SPARSE: usize = 1 << 10;

/// A record whose length is not known is read with this many bytes at least, and twice the average at best.
const GUESS_MIN: usize = 512;
const GUESS_MAX: usize = 64 << 10;

/// What small records are copied to, together.
const ARENA: usize = 64 << 10;

pub(super) struct Fetch<'a> {
    source: &'a Source,
    guess: usize,
    /// Read into again and again.
    scratch: Vec<u8>,
    arena: BytesMut,
    position: u64,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        let average = source.extent().record_bytes();
        Self {
            source,
            guess: average.saturating_mul(2).clamp(GUESS_MIN, GUESS_MAX),
            scratch: Vec::new(),
            arena: BytesMut::new(),
            position: 0,
        }
    }

    /// Reads the records at `offsets`, which all ascend or all descend, until one is not wanted; then `false`.
    pub(super) fn each(&mut self, offsets: &[u32], collect: &mut Collect) -> Result<bool, Fault> {
        let mut rest = offsets;
        while let Some(first) = rest.first() {
            let near = rest.windows(2).take_while(|pair| {
                pair[0].abs_diff(pair[1]) <= NEAR && pair[1].abs_diff(*first) <= SPAN_MAX
            });
            let (group, behind) = rest.split_at(1 + near.count());
            rest = behind;
            if !self.group(group, collect)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads some records in one go.
    fn group(&mut self, group: &[u32], collect: &mut Collect) -> Result<bool, Fault> {
        let (first, last) = (group[0], group[group.len() - 1]);
        let (low, high) = (first.min(last), first.max(last));
        let len = (high - low) as usize + self.guess;
        if len / group.len() >= SPARSE || group.len() == 1 {
            return self.sparse(group, low, len, collect);
        }
        let window = Bytes::from(self.read(low, len, Vec::with_capacity(len))?);
        for offset in group {
            let at = (offset - low) as usize;
            let is_wanted = match parse(window.get(at..).unwrap_or_default()) {
                Parsed::Right(head) => {
                    self.position = head.position;
                    collect.take(&head, || window.slice(at + HEAD..at + head.len()))
                }
                Parsed::Short(len) => self.alone(*offset, len, collect)?,
                Parsed::Wrong => return Err(self.wrong(*offset)),
            };
            if !is_wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads some records in one go, and copies them out of what else was read.
    fn sparse(
        &mut self,
        group: &[u32],
        low: u32,
        len: usize,
        collect: &mut Collect,
    ) -> Result<bool, Fault> {
        let scratch = std::mem::take(&mut self.scratch);
        let scratch = self.read(low, len, scratch)?;
        for offset in group {
            let at = (offset - low) as usize;
            let is_wanted = match parse(scratch.get(at..).unwrap_or_default()) {
                Parsed::Right(head) => {
                    self.position = head.position;
                    let arena = &mut self.arena;
                    collect.take(&head, || copy(arena, &scratch[at + HEAD..at + head.len()]))
                }
                Parsed::Short(len) => self.alone(*offset, len, collect)?,
                Parsed::Wrong => return Err(self.wrong(*offset)),
            };
            if !is_wanted {
                return Ok(false);
            }
        }
        self.scratch = scratch;
        Ok(true)
    }

    /// Reads a record that turned out to be longer than was guessed.
    fn alone(&mut self, offset: u32, len: usize, collect: &mut Collect) -> Result<bool, Fault> {
        if u64::from(offset) + len as u64 > self.source.extent().end {
            return Err(self.wrong(offset));
        }
        let bytes = Bytes::from(self.read(offset, len, Vec::with_capacity(len))?);
        match parse(&bytes) {
            Parsed::Right(head) => {
                self.position = head.position;
                Ok(collect.take(&head, || bytes.slice(HEAD..head.len())))
            }
            // Of a head that was cut short, only the head's length was known.
            Parsed::Short(longer) if longer > len => self.alone(offset, longer, collect),
            Parsed::Short(_) | Parsed::Wrong => Err(self.wrong(offset)),
        }
    }

    /// Reads up to `len` bytes, fewer only at the end of the segment.
    fn read(&self, offset: u32, len: usize, mut into: Vec<u8>) -> Result<Vec<u8>, Fault> {
        into.clear();
        let left = self.source.extent().end.saturating_sub(u64::from(offset));
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(len);
        self.source
            .file()
            .read_at(u64::from(offset), len, &mut into)?;
        if into.len() < len {
            return Err(self.wrong(offset));
        }
        Ok(into)
    }

    fn wrong(&self, offset: u32) -> Fault {
        let what = "no record that is right, where the index has one";
        let extent = self.source.extent();
        extent.damaged(self.position, u64::from(offset), what)
    }
}

fn copy(arena: &mut BytesMut, body: &[u8]) -> Bytes {
    if arena.capacity() < body.len() {
        *arena = BytesMut::with_capacity(body.len().max(ARENA));
    }
    arena.extend_from_slice(body);
    arena.split().freeze()
}
