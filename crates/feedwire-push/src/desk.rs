//! What is known of a connector since the server was started: how pushing goes, and its last requests.

use std::collections::VecDeque;

use feedwire_core::connectors::{Attempt, Health, Numbers};
use feedwire_event::Timestamp;
use parking_lot::Mutex;

use crate::numbers::Window;

/// How many requests are remembered of a connector.
pub(crate) const ATTEMPTS_MAX: usize = 100;

/// Where a connector's task notes what others are told.
#[derive(Debug, Default)]
pub(crate) struct Desk(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    health: Health,
    /// The newest last.
    attempts: VecDeque<Attempt>,
    window: Window,
    /// What is latest is being pushed.
    is_syncing: bool,
}

impl Desk {
    /// A request was made.
    pub(crate) fn note(&self, attempt: Attempt) {
        let mut state = self.0.lock();
        let is_success = attempt.answered.is_success();
        state.window.count(attempt.at, is_success, attempt.latency);
        state.health.requests += 1;
        state.health.failed += u64::from(!is_success);
        if state.attempts.len() == ATTEMPTS_MAX {
            state.attempts.pop_front();
        }
        state.attempts.push_back(attempt);
    }

    /// The last requests, the newest first.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.0.lock().attempts.iter().rev().cloned().collect()
    }

    /// The numbers of the last three hours.
    pub(crate) fn numbers(&self, now: Timestamp) -> Numbers {
        self.0.lock().window.numbers(now)
    }

    /// What is latest is pushed from now on, unless it is already.
    pub(crate) fn begin_sync(&self) -> bool {
        !std::mem::replace(&mut self.0.lock().is_syncing, true)
    }

    /// That is done.
    pub(crate) fn end_sync(&self) {
        self.0.lock().is_syncing = false;
    }

    /// How pushing goes.
    pub(crate) fn health(&self) -> Health {
        self.0.lock().health.clone()
    }

    /// Has `change` note how pushing goes.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.0.lock().health);
    }
}
