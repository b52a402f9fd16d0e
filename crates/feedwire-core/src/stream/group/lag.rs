//! How much of a partition was counted in the log and not yet handed out, in bounded memory.
//!
//! Neighbouring events are counted together in runs, which grow as there are more of them: what is near the front is exact once the
//! events are handed out one by one, and what never comes any more, as it was erased, goes with its run.

use std::collections::VecDeque;

use feedwire_event::{Position, Timestamp};

/// Most runs of a partition.
const RUNS_MAX: usize = 128;

/// The events of a partition that are ahead of its cursor.
#[derive(Clone, Debug)]
pub(super) struct Lag {
    runs: VecDeque<Run>,
    /// How many events a run has before the next one begins.
    grain: u64,
    events: u64,
    newest: Position,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    through: Position,
    events: u64,
    /// When the first of them was recorded, or one before it.
    since: Timestamp,
}

impl Lag {
    pub(super) fn new() -> Self {
        Self {
            runs: VecDeque::new(),
            grain: 1,
            events: 0,
            newest: Position::ZERO,
        }
    }

    /// Counts an event behind all others.
    pub(super) fn add(&mut self, position: Position, recorded_at: Timestamp) {
        self.events += 1;
        self.newest = position;
        let grain = self.grain;
        match self.runs.back_mut().filter(|run| run.events < grain) {
            Some(run) => {
                run.events += 1;
                run.through = position;
            }
            None => self.runs.push_back(Run {
                through: position,
                events: 1,
                since: recorded_at,
            }),
        }
        if self.runs.len() > RUNS_MAX {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        self.grain *= 2;
        let mut coarse: VecDeque<Run> = VecDeque::with_capacity(RUNS_MAX);
        for run in self.runs.drain(..) {
            let grain = self.grain;
            match coarse
                .back_mut()
                .filter(|last| last.events + run.events <= grain)
            {
                Some(last) => {
                    last.events += run.events;
                    last.through = run.through;
                }
                None => coarse.push_back(run),
            }
        }
        self.runs = coarse;
    }

    /// The event at `position` is handed out; those before it are, or never will be.
    pub(super) fn take(&mut self, position: Position, recorded_at: Timestamp) {
        self.pass(position.previous());
        if let Some(first) = self.runs.front_mut() {
            first.events -= 1;
            first.since = recorded_at;
            self.events -= 1;
            if first.events == 0 {
                self.pass(position);
            }
        }
    }

    /// Nothing up to `through` is ahead any more.
    pub(super) fn pass(&mut self, through: Position) {
        let is_past = |run: &&Run| run.through <= through || run.events == 0;
        while let Some(first) = self.runs.front().filter(is_past) {
            self.events -= first.events;
            self.runs.pop_front();
        }
        if self.runs.is_empty() {
            self.grain = 1;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// When the first of them was recorded, or one before it.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.runs.front().map(|run| run.since)
    }

    /// The position of the last event that was counted.
    pub(super) fn newest(&self) -> Position {
        self.newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> (Position, Timestamp) {
        let time = i64::try_from(position).expect("it is small");
        (
            Position::new(position).expect("a position"),
            Timestamp::from_micros(time),
        )
    }

    #[test]
    fn what_is_handed_out_one_by_one_is_counted_exactly() {
        let mut lag = Lag::new();
        for position in 1..=10_000 {
            let (position, time) = at(position * 3);
            lag.add(position, time);
        }
        assert!(lag.runs.len() <= RUNS_MAX);
        for handed in 1..=10_000 {
            let (position, time) = at(handed * 3);
            lag.take(position, time);
            assert_eq!(lag.events(), 10_000 - handed);
        }
        assert_eq!((lag.since(), lag.grain), (None, 1));
        assert_eq!(lag.newest(), at(30_000).0);
    }

    #[test]
    fn what_never_comes_goes_with_its_run() {
        let mut lag = Lag::new();
        for position in 1..=1_000 {
            let (position, time) = at(position);
            lag.add(position, time);
        }
        lag.take(at(1).0, at(1).1);
        // The 898 between are gone, and the run that has the 900th is still counted with what is left of it.
        lag.take(at(900).0, at(900).1);
        assert!((100..=100 + lag.grain).contains(&lag.events()), "{lag:?}");
        lag.pass(at(1_000).0);
        assert_eq!(lag.events(), 0);
    }
}
