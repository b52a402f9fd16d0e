//! The events that a member has in hand, and which of them is next: those of a subject one after the other, in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use feedwire_api::{HeldPartition, Stream};

use super::Delivery;
use super::delivery::Place;

#[derive(Debug, Default)]
pub(super) struct Hand {
    /// By subject; events without one are in one lane.
    lanes: BTreeMap<Arc<str>, Lane>,
    /// Those of which an event can be begun.
    ready: VecDeque<Arc<str>>,
    /// How many events there are.
    held: usize,
    rules: Rules,
}

/// What of a stream's settings the order depends on.
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    /// Whether the later events of a subject wait for one that failed.
    is_waiting: bool,
    /// How often an event is sent before it is put aside.
    deliveries_max: Option<u64>,
}

#[derive(Debug, Default)]
struct Lane {
    /// In order of positions.
    queue: VecDeque<Delivery>,
    running: Option<Given>,
    hold: Option<Hold>,
    is_ready: bool,
}

/// An event as it was given last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) position: u64,
    /// `None` where it is not acknowledged.
    pub(super) place: Option<Place>,
    pub(super) attempt: u64,
}

/// An event failed: those behind it that were on their way come again behind it, and are passed over until then.
#[derive(Debug)]
struct Hold {
    /// The event that comes again first.
    first: u64,
    partition: u64,
    generation: u64,
    /// What was passed over, and which attempt that was.
    passed: BTreeMap<u64, u64>,
}

/// What became of an event that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in hand, be it since now or since before.
    InHand,
    /// It is passed over, and comes again.
    PassedOver,
}

/// What an event that failed leaves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) of: Given,
    /// Those behind it that are not in hand any more.
    pub(super) passed_over: Vec<Place>,
}

impl Given {
    fn of(delivery: &Delivery) -> Self {
        Self {
            position: delivery.event.attributes().position,
            place: delivery.place(),
            attempt: delivery.attempt.unwrap_or(1),
        }
    }
}

impl Hold {
    /// Whether `given` was on its way when the event failed.
    fn is_before(&self, given: &Given) -> bool {
        let generation = given.place.map_or(u64::MAX, |place| place.generation);
        let passed = self.passed.get(&given.position);
        generation <= self.generation
            && given.position > self.first
            && passed.is_none_or(|attempt| given.attempt <= *attempt)
    }
}

impl Hand {
    /// How many events there are, those that are being dealt with among them.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// The stream is as `stream` says, and everything that was sent before is void.
    pub(super) fn joined(&mut self, stream: &Stream) {
        self.away();
        self.rules = Rules {
            is_waiting: stream.on_failure != "go_on",
            deliveries_max: stream.max_deliveries,
        };
    }

    /// The connection is lost: what was not begun comes again, here or elsewhere.
    pub(super) fn away(&mut self) {
        self.let_go(|_| true);
        for lane in self.lanes.values_mut() {
            lane.hold = None;
            if let Some(running) = &mut lane.running {
                running.place = None;
            }
        }
        self.lanes.retain(|_, lane| !lane.is_idle());
    }

    /// These are the partitions that the member holds: what was not begun of others is another's now.
    pub(super) fn holds(&mut self, held: &[HeldPartition]) {
        let is_held = |partition, generation| {
            let mut held = held.iter();
            held.any(|held| held.partition == partition && held.generation <= generation)
        };
        self.let_go(|delivery| {
            let place = delivery.place();
            place.is_some_and(|place| !is_held(place.partition, place.generation))
        });
        for lane in self.lanes.values_mut() {
            lane.hold
                .take_if(|hold| !is_held(hold.partition, hold.generation));
        }
        self.lanes.retain(|_, lane| !lane.is_idle());
    }

    fn let_go(&mut self, mut is_gone: impl FnMut(&Delivery) -> bool) {
        for lane in self.lanes.values_mut() {
            let before = lane.queue.len();
            lane.queue.retain(|delivery| !is_gone(delivery));
            self.held -= before - lane.queue.len();
        }
    }

    /// An event was sent.
    pub(super) fn take(&mut self, delivery: Delivery) -> Taken {
        let given = Given::of(&delivery);
        let subject = delivery.event.attributes().subject.as_deref();
        let subject: Arc<str> = subject.unwrap_or_default().into();
        let lane = self.lanes.entry(subject.clone()).or_default();
        if let Some(hold) = &mut lane.hold {
            if hold.is_before(&given) {
                hold.passed.insert(given.position, given.attempt);
                return Taken::PassedOver;
            }
            lane.hold = None;
        }
        match &mut lane.running {
            // It came again, for its work takes long: the receipt that counts is the last.
            Some(running) if running.position == given.position => {
                *running = given;
                return Taken::InHand;
            }
            _ => {}
        }
        let position = |delivery: &Delivery| delivery.event.attributes().position;
        match lane.queue.binary_search_by_key(&given.position, position) {
            Ok(index) => lane.queue[index] = delivery,
            Err(index) => {
                lane.queue.insert(index, delivery);
                self.held += 1;
            }
        }
        if lane.running.is_none() && !std::mem::replace(&mut lane.is_ready, true) {
            self.ready.push_back(subject);
        }
        Taken::InHand
    }

    /// The next event that can be begun, and its subject.
    pub(super) fn begin(&mut self) -> Option<(Arc<str>, Delivery)> {
        loop {
            let subject = self.ready.pop_front()?;
            // What was in it may have been let go of.
            let Some(lane) = self.lanes.get_mut(&subject) else {
                continue;
            };
            lane.is_ready = false;
            if lane.running.is_some() {
                continue;
            }
            if let Some(delivery) = lane.queue.pop_front() {
                lane.running = Some(Given::of(&delivery));
                return Some((subject, delivery));
            }
        }
    }

    /// The event about `subject` that was begun is done; how it was given last.
    pub(super) fn done(&mut self, subject: &Arc<str>) -> Option<Given> {
        let lane = self.lanes.get_mut(subject)?;
        let given = lane.running.take()?;
        self.held -= 1;
        self.goes_on(subject);
        Some(given)
    }

    /// The event about `subject` that was begun failed.
    pub(super) fn failed(&mut self, subject: &Arc<str>) -> Option<Failure> {
        let lane = self.lanes.get_mut(subject)?;
        let of = lane.running.take()?;
        self.held -= 1;
        let mut passed_over = Vec::new();
        if let Some(place) = of.place
            && self.rules.is_waiting
        {
            let behind = lane.queue.iter().map(Given::of);
            let behind = behind.filter(|given| given.position > of.position);
            let passed: BTreeMap<u64, u64> = behind
                .map(|given| (given.position, given.attempt))
                .collect();
            let ahead = lane.queue.len() - passed.len();
            passed_over = lane
                .queue
                .drain(ahead..)
                .filter_map(|delivery| delivery.place())
                .collect();
            self.held -= passed.len();
            let is_last = self
                .rules
                .deliveries_max
                .is_some_and(|max| of.attempt >= max);
            // One that is put aside does not come again: the first behind it does, if there is one.
            let first = if is_last {
                passed.first_key_value().map(|(position, _)| *position)
            } else {
                Some(of.position)
            };
            lane.hold = first.map(|first| Hold {
                first,
                partition: place.partition,
                generation: place.generation,
                passed,
            });
        }
        self.goes_on(subject);
        Some(Failure { of, passed_over })
    }

    /// Nothing of `subject` is being dealt with any more.
    fn goes_on(&mut self, subject: &Arc<str>) {
        if let Some(lane) = self.lanes.get_mut(subject) {
            if lane.is_idle() {
                self.lanes.remove(subject);
            } else if !lane.queue.is_empty() && !std::mem::replace(&mut lane.is_ready, true) {
                self.ready.push_back(subject.clone());
            }
        }
    }
}

impl Lane {
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.running.is_none() && self.hold.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::delivery::delivery;
    use super::*;

    fn place(position: u64) -> Place {
        Place {
            partition: 1,
            generation: 3,
            position,
        }
    }

    fn hand(deliveries_max: Option<u64>) -> Hand {
        Hand {
            rules: Rules {
                is_waiting: true,
                deliveries_max,
            },
            ..Hand::default()
        }
    }

    impl Hand {
        /// Those of `events`, each a position and an attempt of the subject, that are in hand then.
        fn takes(&mut self, subject: &str, events: &[(u64, u64)]) -> Vec<u64> {
            let taken = events.iter().filter(|(position, attempt)| {
                self.take(delivery(subject, place(*position), *attempt)) == Taken::InHand
            });
            taken.map(|(position, _)| *position).collect()
        }

        /// Begins what can be begun; the subjects and positions.
        fn begins(&mut self) -> Vec<(Arc<str>, u64)> {
            std::iter::from_fn(|| self.begin())
                .map(|(subject, delivery)| (subject, Given::of(&delivery).position))
                .collect()
        }

        /// Begins one, and is done with it; its position.
        fn does(&mut self) -> Option<u64> {
            let (subject, _) = self.begin()?;
            self.done(&subject).map(|given| given.position)
        }
    }

    #[test]
    fn events_of_a_subject_are_begun_one_after_the_other_and_of_several_at_once() {
        let mut hand = hand(None);
        hand.takes("a", &[(1, 1), (3, 1)]);
        hand.takes("b", &[(2, 1)]);
        assert_eq!(hand.begins(), [("a".into(), 1), ("b".into(), 2)]);
        assert_eq!(hand.done(&"a".into()).map(|given| given.position), Some(1));
        assert_eq!(hand.begins(), [("a".into(), 3)]);
        assert_eq!(hand.held(), 2);
        hand.done(&"a".into());
        hand.done(&"b".into());
        assert_eq!((hand.held(), hand.lanes.len()), (0, 0));
    }

    #[test]
    fn behind_an_event_that_failed_nothing_of_its_subject_is_done_until_it_came_again() {
        let mut hand = hand(Some(10));
        hand.takes("a", &[(1, 1), (3, 1), (5, 1)]);
        hand.takes("b", &[(2, 1)]);
        hand.begins();
        let failure = hand.failed(&"a".into()).expect("it was begun");
        assert_eq!(failure.of.place, Some(place(1)));
        assert_eq!(failure.passed_over, [place(3), place(5)]);
        assert_eq!(hand.held(), 1);
        // It was on its way.
        assert!(hand.takes("a", &[(7, 1)]).is_empty());
        assert_eq!(
            hand.takes("a", &[(1, 2), (3, 2), (5, 2), (7, 2), (8, 1)]),
            [1, 3, 5, 7, 8]
        );
        let done: Vec<_> = std::iter::from_fn(|| hand.does()).collect();
        assert_eq!(done, [1, 3, 5, 7, 8]);
    }

    #[test]
    fn behind_an_event_that_is_put_aside_its_subject_goes_on() {
        let mut hand = hand(Some(2));
        hand.takes("a", &[(1, 2), (3, 1)]);
        hand.begins();
        hand.failed(&"a".into());
        assert!(hand.takes("a", &[(5, 1)]).is_empty());
        assert_eq!(hand.takes("a", &[(3, 2), (5, 2)]), [3, 5]);

        // With nothing behind it, what comes next is the next.
        hand.takes("b", &[(6, 2)]);
        let failed = hand.begins().into_iter().find(|(_, at)| *at == 6);
        hand.failed(&failed.expect("it is free").0);
        assert_eq!(hand.takes("b", &[(8, 1)]), [8]);
    }

    #[test]
    fn what_was_passed_over_and_comes_again_is_taken_whatever_it_waited_for() {
        let mut hand = hand(None);
        hand.takes("a", &[(1, 1), (3, 1)]);
        hand.begins();
        hand.failed(&"a".into());
        // The first was erased meanwhile.
        assert_eq!(hand.takes("a", &[(3, 2), (5, 1)]), [3, 5]);
    }

    #[test]
    fn where_nothing_waits_a_failure_is_of_one_event_alone() {
        let mut hand = Hand::default();
        hand.takes("a", &[(1, 1), (3, 1)]);
        hand.begins();
        let failure = hand.failed(&"a".into()).expect("it was begun");
        assert_eq!(failure.passed_over, []);
        assert_eq!(hand.does(), Some(3));
    }

    #[test]
    fn an_event_that_comes_again_while_it_is_in_hand_is_done_once_under_its_last_receipt() {
        let mut hand = hand(None);
        hand.takes("a", &[(1, 1), (3, 1)]);
        hand.begins();
        let again = Place {
            generation: 9,
            ..place(1)
        };
        hand.take(delivery("a", again, 2));
        hand.takes("a", &[(3, 2)]);
        assert_eq!(hand.held(), 2);
        let given = hand.done(&"a".into()).expect("it was begun");
        assert_eq!((given.place, given.attempt), (Some(again), 2));
        assert_eq!(hand.does(), Some(3));
        assert_eq!(hand.does(), None);
    }

    #[test]
    fn what_was_not_begun_is_let_go_of_with_its_lease() {
        let held = |generation| HeldPartition {
            partition: 1,
            generation,
            lag: 0,
            leaving: true,
        };
        let mut hand = hand(None);
        hand.takes("a", &[(1, 1), (3, 1)]);
        hand.begins();
        hand.holds(&[held(3)]);
        assert_eq!(hand.held(), 2);
        hand.holds(&[held(4)]);
        assert_eq!(hand.held(), 1);
        assert_eq!(hand.done(&"a".into()).map(|given| given.position), Some(1));
        assert_eq!(hand.does(), None);

        hand.takes("a", &[(5, 1), (7, 1)]);
        hand.begins();
        hand.away();
        // It goes on, and nobody hears of it.
        let given = hand.done(&"a".into()).expect("it was begun");
        assert_eq!((given.position, given.place), (5, None));
        assert_eq!((hand.held(), hand.lanes.len()), (0, 0));
    }
}
