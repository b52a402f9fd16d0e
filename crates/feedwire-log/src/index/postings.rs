//! One list of postings, walked in either direction and read in windows.

use super::{Index, List};
use crate::fault::Fault;

/// Postings that are read in one go: about a page of an index.
const WINDOW: u32 = 1023;

/// Which way a reading goes.
///
/// Backward, postings are turned around by complementing them, so that "ascending" and "at least" hold both ways and
/// whatever combines lists needs to know one direction only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Backward,
}

impl Direction {
    /// Turns an offset for the walk, and back.
    pub(crate) const fn turn(self, offset: u32) -> u32 {
        match self {
            Self::Forward => offset,
            Self::Backward => !offset,
        }
    }
}

#[derive(Debug)]
pub(super) struct Cursor {
    list: List,
    direction: Direction,
    window: Vec<u32>,
    /// Where in the walk the window begins.
    start: u32,
    /// How many postings the window has.
    len: u32,
    /// Where in the window the cursor stands.
    at: usize,
}

impl Cursor {
    /// Before the first posting; nothing is read yet.
    pub(super) const fn new(list: List, direction: Direction) -> Self {
        Self {
            list,
            direction,
            window: Vec::new(),
            start: 0,
            len: 0,
            at: 0,
        }
    }

    /// The posting at which the last [`Cursor::seek`] came to stand.
    pub(super) fn current(&self) -> Option<u32> {
        self.window.get(self.at).copied()
    }

    /// Moves on to the first posting that is at least `target`.
    pub(super) fn seek(&mut self, index: &dyn Index, target: u32) -> Result<(), Fault> {
        if self.window.last().is_some_and(|last| *last >= target) {
            self.at += self.window[self.at..].partition_point(|posting| *posting < target);
            return Ok(());
        }
        let (mut low, mut step) = (self.start + self.len, WINDOW);
        // Everything before `low` is less than the target; `high` is the end, or something that is not.
        let mut high = loop {
            let probe = low.saturating_add(step);
            if probe >= self.list.len {
                break self.list.len;
            }
            if self.posting(index, probe)? >= target {
                break probe + 1;
            }
            low = probe + 1;
            step = step.saturating_mul(2);
        };
        while high - low > WINDOW {
            let middle = low + (high - low) / 2;
            if self.posting(index, middle)? < target {
                low = middle + 1;
            } else {
                high = middle + 1;
            }
        }
        self.load(index, low, WINDOW)?;
        self.at = self.window.partition_point(|posting| *posting < target);
        Ok(())
    }

    fn posting(&mut self, index: &dyn Index, at: u32) -> Result<u32, Fault> {
        self.load(index, at, 1)?;
        Ok(self.window[0])
    }

    /// Reads the part of the walk that begins at its `start`-th posting.
    fn load(&mut self, index: &dyn Index, start: u32, len: u32) -> Result<(), Fault> {
        let len = len.min(self.list.len - start);
        self.window.clear();
        (self.start, self.len, self.at) = (start, len, 0);
        match self.direction {
            Direction::Forward => index.postings(self.list, start, len, &mut self.window)?,
            Direction::Backward => {
                let from = self.list.len - start - len;
                index.postings(self.list, from, len, &mut self.window)?;
                self.window.reverse();
            }
        }
        let direction = self.direction;
        self.window
            .iter_mut()
            .for_each(|posting| *posting = direction.turn(*posting));
        Ok(())
    }
}
