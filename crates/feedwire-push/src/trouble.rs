//! How a connector fails: which events, since when, and whether it is the receiver's fault.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use feedwire_core::connectors::{Condition, Retry, Settings, Trying};
use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

use crate::backoff;
use crate::limits::{GOOD_MAX, HOLD_MAX, RETRY_AFTER_MAX, SUSPECTS, TOLD_INTERVAL, TRYING_MAX};

/// What is known of a connector's failures.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    failing_since: Option<Timestamp>,
    /// When something failed last, since the server was started.
    failed_at: Option<Timestamp>,
    trying: BTreeMap<Position, Trying>,
    /// How many requests failed since one succeeded.
    failures: u32,
    /// The subjects of which something failed that had not before, since a request succeeded; up to so many that it is the receiver's fault.
    /// That an event fails again says nothing new, and may go on for hours with nothing else to be sent between.
    suspects: HashSet<u64>,
    /// Subjects of which something has succeeded, the last one first.
    good: VecDeque<u64>,
    /// How many requests failed since it was taken for the receiver's fault.
    trials: u32,
    /// Nothing is sent before then, unless something that is on its way succeeds.
    held_until: Option<Instant>,
    /// Nothing is sent before then, whatever succeeds: the receiver asks for it.
    asked_until: Option<Instant>,
    is_changed: bool,
    /// Whoever runs the server was told that it fails, and when that was last.
    is_told: bool,
    told_at: Option<Instant>,
}

/// Whose fault a failure seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// That of what was sent: the receiver does not want it.
    Event,
    /// That of the receiver, which answers that it cannot.
    Receiver,
    /// That of the way there: nothing answers.
    Way,
}

impl Blame {
    /// Whose fault it is that a request was answered with `status`, or not at all.
    pub(crate) fn of(status: Option<u16>) -> Self {
        match status {
            None => Self::Way,
            Some(408 | 429 | 500..) => Self::Receiver,
            Some(_) => Self::Event,
        }
    }
}

/// What becomes of an event that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sentence {
    /// It is tried again, so much later.
    Again(Duration),
    /// It has failed for too long.
    GivenUp,
}

impl Trouble {
    /// As it was noted. What failed before it was resumed counts from `resumed_at`: while nothing was tried, nothing failed.
    pub(crate) fn new(condition: Condition, resumed_at: Timestamp) -> Self {
        let trying = condition.trying.into_iter().map(|(position, trying)| {
            let since = trying.since.max(resumed_at);
            (position, Trying { since, ..trying })
        });
        Self {
            failing_since: condition.failing_since.map(|since| since.max(resumed_at)),
            trying: trying.collect(),
            ..Self::default()
        }
    }

    /// What is to be noted of it, if that is another than it was.
    pub(crate) fn take_changed(&mut self) -> Option<Condition> {
        std::mem::take(&mut self.is_changed).then(|| Condition {
            failing_since: self.failing_since,
            trying: self
                .trying
                .iter()
                .map(|(at, trying)| (*at, *trying))
                .collect(),
        })
    }

    /// Whether something is to be noted.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// It is not noted after all.
    pub(crate) fn note_again(&mut self) {
        self.is_changed = true;
    }

    pub(crate) fn failing_since(&self) -> Option<Timestamp> {
        self.failing_since
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// How often the event at `position` has failed.
    pub(crate) fn failures_of(&self, position: Position) -> u32 {
        self.trying
            .get(&position)
            .map_or(0, |trying| trying.failures)
    }

    /// Whether whoever runs the server is to be told now that it fails: once until it has recovered, and not with each request of one that
    /// fails now and then.
    pub(crate) fn tells_failing(&mut self, now: Instant) -> bool {
        let is_late = self.told_at.is_none_or(|at| now - at >= TOLD_INTERVAL);
        let tells = is_late && !self.is_told;
        if tells {
            self.is_told = true;
            self.told_at = Some(now);
        }
        tells
    }

    /// Whether they are to be told that it has recovered.
    pub(crate) fn tells_recovered(&mut self) -> bool {
        std::mem::take(&mut self.is_told)
    }

    /// Until when nothing is sent, where that is to come.
    pub(crate) fn held_until(&self, now: Instant) -> Option<Instant> {
        let until = self.held_until.max(self.asked_until);
        until.filter(|until| *until > now)
    }

    /// Whether it seems to be the receiver's fault.
    pub(crate) fn is_general(&self) -> bool {
        self.suspects.len() >= SUSPECTS
    }

    /// Whether something of the subject `lane` has succeeded of late.
    pub(crate) fn is_good(&self, lane: u64) -> bool {
        self.good.contains(&lane)
    }

    /// A request about these subjects succeeded.
    pub(crate) fn succeeded(&mut self, subjects: impl Iterator<Item = u64>) {
        for subject in subjects {
            if !self.good.contains(&subject) {
                self.good.truncate(GOOD_MAX - 1);
                self.good.push_front(subject);
            }
        }
        self.is_changed |= self.failing_since.take().is_some();
        self.failures = 0;
        self.suspects.clear();
        self.trials = 0;
        self.held_until = None;
    }

    /// The event at `position` is done with.
    pub(crate) fn forget(&mut self, position: Position) {
        self.is_changed |= self.trying.remove(&position).is_some();
    }

    /// A request failed, and of these subjects something for the first time. The receiver asks to be left alone for `retry_after`, if that is
    /// meant for all.
    pub(crate) fn failed(
        &mut self,
        subjects: impl Iterator<Item = u64>,
        settings: &Settings,
        (at, now): (Timestamp, Instant),
        (blame, retry_after): (Blame, Option<Duration>),
    ) {
        self.note_failing(settings, at);
        self.failures = self.failures.saturating_add(1);
        if blame != Blame::Event {
            for subject in subjects {
                if !self.is_general() {
                    self.suspects.insert(subject);
                }
            }
            if self.is_general() {
                self.trials = self.trials.saturating_add(1);
                let most = match blame {
                    Blame::Receiver => HOLD_MAX,
                    Blame::Event | Blame::Way => settings.retry.most,
                };
                let until = now + backoff::wait(&settings.retry, self.trials).min(most);
                self.held_until = self.held_until.max(Some(until));
            }
        }
        if let Some(wait) = retry_after {
            let until = now + wait.min(RETRY_AFTER_MAX);
            self.asked_until = self.asked_until.max(Some(until));
        }
    }

    /// What is with the event at `position` in its request is to be sent apart from it.
    pub(crate) fn split(&mut self, position: Position, since: Timestamp) {
        let trying = Trying { since, failures: 0 };
        let trying = self.trying.entry(position).or_insert(trying);
        trying.failures += 1;
    }

    /// Something fails at the time `at`: since then, if nothing has been tried for so long that nobody can say it has failed all the time.
    fn note_failing(&mut self, settings: &Settings, at: Timestamp) {
        let failed_at = self.failed_at.replace(at);
        let quiet = failed_at.map_or(Duration::ZERO, |failed_at| failed_at.until(at));
        if self.trying.is_empty() && quiet > settings.disable_after / 2 {
            self.failing_since = None;
        }
        self.is_changed |= self.failing_since.is_none();
        self.failing_since.get_or_insert(at);
    }

    /// What becomes of the event at `position`, which failed, having been sent for the `attempt`th time. The receiver wants it not before
    /// `retry_after`.
    pub(crate) fn sentence(
        &mut self,
        (position, attempt): (Position, u32),
        retry: &Retry,
        at: Timestamp,
        retry_after: Option<Duration>,
    ) -> Sentence {
        if self.trying.len() >= TRYING_MAX {
            self.forget_stale(retry, at);
        }
        self.is_changed = true;
        let trying = self.trying.entry(position).or_insert(Trying {
            since: at,
            failures: 0,
        });
        trying.failures = trying.failures.saturating_add(1).max(attempt);
        let Trying { since, failures } = *trying;
        if since.until(at) >= retry.age {
            return Sentence::GivenUp;
        }
        if self.trying.len() > TRYING_MAX {
            // There is no room for it: it is tried for longer than it should be.
            self.trying.remove(&position);
        }
        let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        Sentence::Again(backoff::wait(retry, failures).max(asked))
    }

    /// Lets go of events of which nothing was heard for longer than they are tried: they were settled elsewhere, or passed over.
    fn forget_stale(&mut self, retry: &Retry, at: Timestamp) {
        let longest = (retry.age + 2 * retry.most).max(RETRY_AFTER_MAX);
        self.trying
            .retain(|_, trying| trying.since.until(at) <= longest);
    }

    /// Whether it has failed for so long that the connector is to be disabled.
    pub(crate) fn is_hopeless(&self, settings: &Settings, at: Timestamp) -> bool {
        let since = self.failing_since;
        since.is_some_and(|since| since.until(at) >= settings.disable_after)
    }
}
