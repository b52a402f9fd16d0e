//! What an evaluation may cost.

use std::cell::Cell;

use super::value::Fail;

/// How many times over an event can be read for one expression.
const READINGS_MAX: usize = 32;
/// What is counted beside the bytes of an event: small ones, too, are held against long expressions.
const BYTES_MIN: usize = 4 * 1024;
/// What a step costs beside the bytes that it looks at.
const STEP: usize = 16;

/// What is left for one evaluation, in bytes that are looked at; each takes two nanoseconds at most.
///
/// It grows with the event, so that a batch has a bound, too: of the largest that is less than a second.
#[derive(Debug)]
pub(super) struct Cost {
    left: Cell<usize>,
    all: usize,
}

impl Cost {
    /// What there is for an event of `bytes`.
    pub(super) fn of(bytes: usize) -> Self {
        let all = READINGS_MAX * (bytes + BYTES_MIN);
        Self {
            left: Cell::new(all),
            all,
        }
    }

    /// Counts a step that looks at `bytes`.
    pub(super) fn step(&self, bytes: usize) -> Result<(), Fail> {
        let left = self.left.get().checked_sub(STEP + bytes);
        self.left.set(left.unwrap_or(0));
        left.map(drop).ok_or(Fail)
    }

    pub(super) fn spent(&self) -> usize {
        self.all - self.left.get()
    }
}
