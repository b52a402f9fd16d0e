//! What a member has to say about events that are dealt with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use feedwire_api::{Ack, HeldPartition, Nack, Settled};

use super::delivery::Place;
use crate::{Client, Error};

/// Most receipts in one call, so that its answer does not take long.
const RECEIPTS_MAX: usize = 1_000;

/// What is dealt with and was not said yet.
#[derive(Debug, Default)]
pub(super) struct Settling {
    lines: BTreeMap<u64, Line>,
    /// Done, and said one by one.
    single: BTreeSet<Place>,
    /// Failed, by how much later they are to come again.
    failed: BTreeMap<Duration, Vec<Place>>,
    /// Whether the last call was about what is done.
    is_after_ack: bool,
}

/// A partition, under the lease that was heard of last.
#[derive(Debug, Default)]
struct Line {
    generation: u64,
    highest: u64,
    /// What was sent and is not dealt with.
    open: BTreeSet<u64>,
    done: BTreeSet<u64>,
    /// Whether something of it came again, or will. From then on an event may be on its way that stands before others which are done,
    /// so that nothing can be said of all up to one.
    is_disturbed: bool,
}

/// What is said in one call.
#[derive(Debug)]
pub(super) enum Call {
    Ack {
        receipts: Vec<Place>,
        through: Vec<Place>,
        /// What is meant by `through`.
        covered: Vec<Place>,
    },
    Nack {
        receipts: Vec<Place>,
        delay: Duration,
    },
}

impl Settling {
    /// An event was sent.
    pub(super) fn sent(&mut self, place: Place) {
        let line = self.lines.entry(place.partition).or_default();
        if line.generation < place.generation {
            *line = Line {
                generation: place.generation,
                ..Line::default()
            };
        }
        line.is_disturbed |= place.position <= line.highest;
        line.highest = line.highest.max(place.position);
        line.open.insert(place.position);
    }

    /// Its work is done.
    pub(super) fn done(&mut self, place: Place) {
        if let Some(line) = self.line(place) {
            line.open.remove(&place.position);
            line.done.insert(place.position);
        }
    }

    /// It failed, and is to come again after `delay`.
    pub(super) fn failed(&mut self, place: Place, delay: Duration) {
        self.left(place);
        if self.line(place).is_some() {
            self.failed.entry(delay).or_default().push(place);
        }
    }

    /// It was not dealt with, and comes again.
    pub(super) fn left(&mut self, place: Place) {
        if let Some(line) = self.line(place) {
            line.open.remove(&place.position);
            line.is_disturbed = true;
        }
    }

    /// Its partition, if the lease still stands.
    fn line(&mut self, place: Place) -> Option<&mut Line> {
        let line = self.lines.get_mut(&place.partition);
        line.filter(|line| line.generation == place.generation)
    }

    /// These are the partitions that the member holds.
    pub(super) fn holds(&mut self, held: &[HeldPartition]) {
        self.lines.retain(|partition, line| {
            let held = held.iter().find(|held| held.partition == *partition);
            held.is_some_and(|held| held.generation <= line.generation)
        });
    }

    /// The connection is lost, and all leases with it.
    pub(super) fn away(&mut self) {
        *self = Self::default();
    }

    /// What is to be said next.
    pub(super) fn next(&mut self) -> Option<Call> {
        let call = if self.is_after_ack {
            self.nack().or_else(|| self.ack())
        } else {
            self.ack().or_else(|| self.nack())
        };
        self.is_after_ack = matches!(call, Some(Call::Ack { .. }));
        call
    }

    fn nack(&mut self) -> Option<Call> {
        let mut entry = self.failed.first_entry()?;
        let delay = *entry.key();
        let rest = entry.get().len().saturating_sub(RECEIPTS_MAX);
        let receipts = entry.get_mut().split_off(rest);
        if rest == 0 {
            entry.remove();
        }
        Some(Call::Nack { receipts, delay })
    }

    fn ack(&mut self) -> Option<Call> {
        let (mut receipts, mut through, mut covered) = (Vec::new(), Vec::new(), Vec::new());
        while receipts.len() < RECEIPTS_MAX
            && let Some(place) = self.single.pop_first()
        {
            receipts.push(place);
        }
        for (partition, line) in &mut self.lines {
            let room = RECEIPTS_MAX.saturating_sub(receipts.len() + through.len());
            if room == 0 {
                break;
            }
            let place = |position| Place {
                partition: *partition,
                generation: line.generation,
                position,
            };
            if !line.is_disturbed {
                let bound = line.open.first().copied().unwrap_or(u64::MAX);
                let rest = line.done.split_off(&bound);
                let up_to = std::mem::replace(&mut line.done, rest);
                match up_to.last() {
                    Some(last) if up_to.len() > 1 => {
                        through.push(place(*last));
                        covered.extend(up_to.into_iter().map(place));
                    }
                    Some(only) => receipts.push(place(*only)),
                    None => {}
                }
            }
            while receipts.len() + through.len() < RECEIPTS_MAX
                && let Some(position) = line.done.pop_first()
            {
                receipts.push(place(position));
            }
        }
        let is_some = !receipts.is_empty() || !through.is_empty();
        is_some.then_some(Call::Ack {
            receipts,
            through,
            covered,
        })
    }

    /// What the server said to `call`.
    pub(super) fn said(&mut self, call: Call, settled: &Settled) {
        let Call::Ack {
            receipts, covered, ..
        } = call
        else {
            return;
        };
        let taken = usize::try_from(settled.settled).unwrap_or(usize::MAX);
        let heard = taken.saturating_add(settled.refused.len());
        if heard < receipts.len() + covered.len() {
            // A letter that is sent once more stands in no line, and what has timed out is not up to anything: each is said by itself.
            let mut stands = |place: &Place| self.line(*place).is_some();
            let covered: Vec<_> = covered.into_iter().filter(&mut stands).collect();
            self.single.extend(covered);
        }
    }
}

impl Call {
    /// Says it to the stream `name`.
    pub(super) async fn say(&self, client: &Client, name: &str) -> Result<Settled, Error> {
        let texts = |places: &[Place]| places.iter().map(Place::to_string).collect();
        match self {
            Self::Ack {
                receipts, through, ..
            } => {
                let ack = Ack {
                    receipts: texts(receipts),
                    through: texts(through),
                };
                client.ack(name, &ack).await
            }
            Self::Nack { receipts, delay } => {
                let nack = Nack {
                    receipts: texts(receipts),
                    delay: Some(format!("{}ms", delay.as_millis())),
                };
                client.nack(name, &nack).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(partition: u64, position: u64) -> Place {
        Place {
            partition,
            generation: 3,
            position,
        }
    }

    /// Settling, sent these positions of partition 1.
    fn sent(positions: impl IntoIterator<Item = u64>) -> Settling {
        let mut settling = Settling::default();
        for position in positions {
            settling.sent(place(1, position));
        }
        settling
    }

    /// The receipts and the ends of what is said next to be done.
    fn said(settling: &mut Settling) -> (Vec<String>, Vec<String>) {
        let texts = |places: Vec<Place>| places.iter().map(Place::to_string).collect();
        match settling.next() {
            Some(Call::Ack {
                receipts, through, ..
            }) => (texts(receipts), texts(through)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_that_is_done_up_to_one_that_is_not_is_said_at_once() {
        let mut settling = sent([1, 4, 6, 9, 12]);
        settling.sent(place(2, 5));
        for position in [4, 1, 9] {
            settling.done(place(1, position));
        }
        settling.done(place(2, 5));
        assert_eq!(
            said(&mut settling),
            (
                vec!["1.3.9".to_owned(), "2.3.5".to_owned()],
                vec!["1.3.4".to_owned()]
            )
        );
        assert!(settling.next().is_none());
        for position in [6, 12] {
            settling.done(place(1, position));
        }
        assert_eq!(said(&mut settling), (vec![], vec!["1.3.12".to_owned()]));
    }

    #[test]
    fn once_something_comes_again_events_are_said_one_by_one() {
        let check = |disturb: fn(&mut Settling)| {
            let mut settling = sent([1, 4, 6]);
            disturb(&mut settling);
            settling.done(place(1, 4));
            settling.done(place(1, 6));
            let both = vec!["1.3.4".to_owned(), "1.3.6".to_owned()];
            assert_eq!(said(&mut settling), (both, vec![]));
        };
        check(|settling| settling.left(place(1, 1)));
        check(|settling| settling.sent(place(1, 1)));
        check(|settling| {
            settling.failed(place(1, 1), Duration::from_secs(1));
            match settling.next() {
                Some(Call::Nack { receipts, delay }) => {
                    assert_eq!((receipts, delay.as_secs()), (vec![place(1, 1)], 1));
                }
                other => panic!("{other:?}"),
            }
        });
    }

    #[test]
    fn failures_and_what_is_done_are_said_in_turn() {
        let mut settling = sent([1, 4, 6, 8]);
        for position in [1, 4] {
            settling.failed(place(1, position), Duration::from_secs(position));
        }
        settling.done(place(1, 6));
        let mut is_ack = || settling.next().map(|call| matches!(call, Call::Ack { .. }));
        let turns = [is_ack(), is_ack(), is_ack(), is_ack()];
        assert_eq!(turns, [Some(true), Some(false), Some(false), None]);
    }

    #[test]
    fn nothing_is_said_under_a_lease_that_has_passed_on() {
        let held = HeldPartition {
            partition: 1,
            generation: 4,
            lag: 0,
            leaving: false,
        };
        let mut settling = sent([1, 4]);
        settling.done(place(1, 1));
        settling.holds(&[held]);
        settling.done(place(1, 4));
        settling.failed(place(1, 4), Duration::ZERO);
        assert!(settling.next().is_none());

        let newer = Place {
            generation: 4,
            ..place(1, 4)
        };
        settling.sent(newer);
        settling.done(newer);
        settling.holds(&[held]);
        assert_eq!(said(&mut settling), (vec!["1.4.4".to_owned()], vec![]));
    }

    #[test]
    fn what_the_server_did_not_find_up_to_a_receipt_is_said_by_itself() {
        for (settled, is_said_again) in [(3, false), (2, false), (1, true)] {
            let mut settling = sent([1, 4]);
            settling.done(place(1, 1));
            settling.done(place(1, 4));
            let call = settling.next().expect("both are done");
            let answer = Settled {
                settled,
                refused: Vec::new(),
            };
            settling.said(call, &answer);
            match settling.next() {
                None => assert!(!is_said_again),
                Some(Call::Ack {
                    receipts, through, ..
                }) => {
                    assert!(is_said_again);
                    assert_eq!(receipts, [place(1, 1), place(1, 4)]);
                    assert_eq!(through, []);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_call_has_so_many_receipts_at_most() {
        let most = RECEIPTS_MAX as u64;
        let mut settling = sent(1..=2 * most + 1);
        settling.left(place(1, 1));
        for position in 2..=2 * most + 1 {
            settling.done(place(1, position));
        }
        for _ in 0..2 {
            assert_eq!(said(&mut settling).0.len(), RECEIPTS_MAX);
        }
        assert!(settling.next().is_none());
    }
}
