//! What a connector has taken of its stream and not yet dealt with: in a lane for each subject, of which one request at a time is on its way.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// An event in hand.
#[derive(Debug)]
pub(crate) struct Item<E> {
    /// Which lane it is in: one for each subject.
    pub(crate) lane: u64,
    /// How large it is.
    pub(crate) bytes: usize,
    /// How often it has failed.
    pub(crate) failures: u32,
    /// When it was taken.
    pub(crate) since: Instant,
    /// The event itself.
    pub(crate) event: E,
}

/// How much goes into one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most events.
    pub(crate) events: usize,
    /// Bytes of events beyond which none is added.
    pub(crate) bytes: usize,
    /// How long an event waits for others.
    pub(crate) linger: Duration,
    /// Bytes of events in hand beyond which no others come.
    pub(crate) hand_bytes: usize,
    /// Whether every second request is of what has not failed yet, where there is such. What has failed says little of whether others would.
    pub(crate) tries_new: bool,
}

/// What is to be sent next.
#[derive(Debug)]
pub(crate) enum Next<E> {
    /// These events, in one request.
    Parcel(Vec<Item<E>>),
    /// Nothing before then.
    Wait(Instant),
    /// Nothing before something is taken or done.
    Nothing,
}

/// The events in hand.
#[derive(Debug)]
pub(crate) struct Hand<E> {
    lanes: BTreeMap<u64, Lane<E>>,
    /// The lanes that have something to be sent and nothing on its way, the one that waits longest first.
    ready: VecDeque<u64>,
    /// Of all that is in hand.
    bytes: usize,
    /// The last request was of what had not failed, before its turn.
    was_new: bool,
}

#[derive(Debug)]
struct Lane<E> {
    waiting: VecDeque<Item<E>>,
    /// How many of it are in hand that have not failed yet, those on their way among them.
    new: usize,
    is_busy: bool,
}

impl<E> Item<E> {
    /// One where it has not failed yet.
    fn is_new(&self) -> usize {
        usize::from(self.failures == 0)
    }
}

impl<E> Default for Hand<E> {
    fn default() -> Self {
        Self {
            lanes: BTreeMap::new(),
            ready: VecDeque::new(),
            bytes: 0,
            was_new: false,
        }
    }
}

impl<E> Hand<E> {
    /// How many events are in hand that have not failed yet, those on their way among them; of each lane at most `of_lane`, so that one whose
    /// receiver is slow leaves room for others. What has failed stands in nobody's way: it comes again sooner than anything new comes, and
    /// there is one of a subject at most.
    pub(crate) fn count(&self, of_lane: usize) -> usize {
        let lanes = self.lanes.values();
        lanes.map(|lane| lane.new.min(of_lane)).sum()
    }

    /// How large they are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes an event, behind those of its lane.
    pub(crate) fn add(&mut self, item: Item<E>) {
        self.bytes += item.bytes;
        let key = item.lane;
        let lane = self.lanes.entry(key).or_insert_with(|| {
            self.ready.push_back(key);
            Lane {
                waiting: VecDeque::new(),
                new: 0,
                is_busy: false,
            }
        });
        lane.new += item.is_new();
        lane.waiting.push_back(item);
    }

    /// What is to be sent now. Events that are not `current` any more are let go of: they come again, or were dealt with elsewhere.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        bounds: Bounds,
        current: impl Fn(&E) -> bool,
        is_good: impl Fn(u64) -> bool,
    ) -> Next<E> {
        if let Some(until) = self.lingers(bounds)
            && until > now
        {
            return Next::Wait(until);
        }
        self.was_new = bounds.tries_new && !self.was_new && self.put_new_first(is_good);
        let (mut parcel, mut most, mut bytes) = (Vec::new(), bounds.events, 0);
        while let Some(key) = self.ready.pop_front() {
            let Some(lane) = self.lanes.get_mut(&key) else {
                continue;
            };
            let before = parcel.len();
            while let Some(item) = lane.waiting.front() {
                if !current(&item.event) {
                    lane.new -= item.is_new();
                    self.bytes -= item.bytes;
                    lane.waiting.pop_front();
                    continue;
                }
                // Of what has failed together, less and less is tried together: what is at fault is alone soon.
                let own = (bounds.events >> item.failures.min(31)).max(1);
                let is_room = parcel.len() < most.min(own) && bytes + item.bytes <= bounds.bytes;
                if !(is_room || parcel.is_empty()) {
                    break;
                }
                most = most.min(own);
                bytes += item.bytes;
                parcel.extend(lane.waiting.pop_front());
            }
            if parcel.len() == before {
                if lane.waiting.is_empty() {
                    self.lanes.remove(&key);
                    continue;
                }
                self.ready.push_front(key);
                break;
            }
            lane.is_busy = true;
            if parcel.len() >= most {
                break;
            }
        }
        if parcel.is_empty() {
            Next::Nothing
        } else {
            Next::Parcel(parcel)
        }
    }

    /// Has the first lane that is ready be one whose next event has not failed, before all one that `is_good`; whether there is one.
    fn put_new_first(&mut self, is_good: impl Fn(u64) -> bool) -> bool {
        let is_new = |key: &u64| {
            let next = self.lanes.get(key).and_then(|lane| lane.waiting.front());
            next.is_some_and(|item| item.failures == 0)
        };
        let mut ready = self.ready.iter();
        let good = ready.position(|key| is_good(*key) && is_new(key));
        let at = good.or_else(|| self.ready.iter().position(is_new));
        let found = at.and_then(|at| self.ready.remove(at));
        self.ready.extend(found);
        self.ready.rotate_right(usize::from(found.is_some()));
        found.is_some()
    }

    /// Until when what could be sent waits for more of it.
    fn lingers(&self, bounds: Bounds) -> Option<Instant> {
        if bounds.linger.is_zero() {
            return None;
        }
        if self.bytes >= bounds.hand_bytes {
            // There is no room for others to wait for.
            return None;
        }
        let lanes = self.ready.iter().filter_map(|key| self.lanes.get(key));
        let (mut count, mut until) = (0, None::<Instant>);
        for item in lanes.flat_map(|lane| &lane.waiting) {
            count += 1;
            if count >= bounds.events || item.failures > 0 {
                return None;
            }
            let own = item.since + bounds.linger;
            until = Some(until.map_or(own, |until| until.min(own)));
        }
        until
    }

    /// A parcel is dealt with, whatever came of it.
    pub(crate) fn done(&mut self, parcel: &[Item<E>]) {
        self.bytes -= parcel.iter().map(|item| item.bytes).sum::<usize>();
        for item in parcel {
            let Some(lane) = self.lanes.get_mut(&item.lane) else {
                continue;
            };
            lane.new -= item.is_new();
            if !std::mem::take(&mut lane.is_busy) {
                // One of the same lane stood before it.
                continue;
            }
            if lane.waiting.is_empty() {
                self.lanes.remove(&item.lane);
            } else {
                self.ready.push_back(item.lane);
            }
        }
    }

    /// Lets go of what is not on its way and was taken before `since`, and of what is behind that in its lane.
    pub(crate) fn give_back_from(&mut self, since: Instant) -> Vec<E> {
        let mut given = Vec::new();
        for lane in self.lanes.values_mut() {
            let old = lane.waiting.iter().position(|item| item.since < since);
            for item in lane.waiting.drain(old.unwrap_or(lane.waiting.len())..) {
                lane.new -= item.is_new();
                self.bytes -= item.bytes;
                given.push(item.event);
            }
        }
        self.lanes
            .retain(|_, lane| lane.is_busy || !lane.waiting.is_empty());
        let lanes = &self.lanes;
        self.ready.retain(|key| lanes.contains_key(key));
        given
    }

    /// What waits in the lane `key`.
    pub(crate) fn waiting(&self, key: u64) -> impl Iterator<Item = &E> {
        let lane = self.lanes.get(&key).into_iter();
        lane.flat_map(|lane| lane.waiting.iter().map(|item| &item.event))
    }

    /// Lets go of everything that is not on its way.
    pub(crate) fn give_back(&mut self) -> Vec<E> {
        self.ready.clear();
        let mut given = Vec::new();
        for lane in self.lanes.values_mut() {
            for item in lane.waiting.drain(..) {
                lane.new -= item.is_new();
                self.bytes -= item.bytes;
                given.push(item.event);
            }
        }
        self.lanes.retain(|_, lane| lane.is_busy);
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Bounds = Bounds {
        events: 1,
        bytes: usize::MAX,
        linger: Duration::ZERO,
        hand_bytes: usize::MAX,
        tries_new: false,
    };

    fn many(events: usize) -> Bounds {
        Bounds { events, ..ONE }
    }

    fn item(lane: u64, event: u32) -> Item<u32> {
        Item {
            lane,
            bytes: 10,
            failures: 0,
            since: Instant::now(),
            event,
        }
    }

    fn hand(events: &[(u64, u32)]) -> Hand<u32> {
        let mut hand = Hand::default();
        for (lane, event) in events {
            hand.add(item(*lane, *event));
        }
        hand
    }

    fn parcel(hand: &mut Hand<u32>, bounds: Bounds) -> Vec<Item<u32>> {
        match hand.next(Instant::now(), bounds, |_| true, |_| false) {
            Next::Parcel(parcel) => parcel,
            Next::Wait(_) | Next::Nothing => Vec::new(),
        }
    }

    fn events(parcel: &[Item<u32>]) -> Vec<u32> {
        parcel.iter().map(|item| item.event).collect()
    }

    #[test]
    fn the_next_event_of_a_subject_waits_for_the_one_before_and_for_no_other() {
        let mut hand = hand(&[(1, 10), (1, 11), (2, 20)]);
        let first = parcel(&mut hand, ONE);
        let second = parcel(&mut hand, ONE);
        assert_eq!((events(&first), events(&second)), (vec![10], vec![20]));
        assert!(parcel(&mut hand, ONE).is_empty());
        hand.done(&first);
        assert_eq!(events(&parcel(&mut hand, ONE)), [11]);
    }

    #[test]
    fn one_request_has_events_of_several_subjects_each_in_order() {
        let mut hand = hand(&[(1, 10), (2, 20), (1, 11), (3, 30), (1, 12)]);
        let first = parcel(&mut hand, many(4));
        assert_eq!(events(&first), [10, 11, 12, 20]);
        // The third subject is not held up.
        assert_eq!(events(&parcel(&mut hand, many(4))), [30]);
        hand.add(item(1, 13));
        assert!(parcel(&mut hand, many(4)).is_empty());
        hand.done(&first);
        assert_eq!(events(&parcel(&mut hand, many(4))), [13]);
    }

    #[test]
    fn what_failed_together_is_tried_in_ever_smaller_parts() {
        let mut hand = Hand::default();
        for event in 0..8 {
            let failures = 2;
            hand.add(Item {
                failures,
                ..item(event, 0)
            });
        }
        assert_eq!(parcel(&mut hand, many(8)).len(), 2);
        // What has not failed is not mixed with it beyond that.
        let mut hand = Hand::default();
        hand.add(item(0, 0));
        hand.add(Item {
            failures: 9,
            ..item(1, 1)
        });
        assert_eq!(events(&parcel(&mut hand, many(8))), [0]);
        assert_eq!(events(&parcel(&mut hand, many(8))), [1]);
    }

    #[test]
    fn events_are_not_put_together_beyond_so_many_bytes() {
        let mut hand = hand(&[(1, 10), (1, 11), (1, 12)]);
        let bounds = Bounds {
            bytes: 25,
            ..many(100)
        };
        assert_eq!(events(&parcel(&mut hand, bounds)), [10, 11]);
        let mut large = self::hand(&[(1, 10), (2, 20)]);
        let bounds = Bounds {
            bytes: 5,
            ..many(100)
        };
        assert_eq!(events(&parcel(&mut large, bounds)), [10]);
    }

    #[test]
    fn an_event_waits_for_others_for_a_while_and_not_once_there_are_enough() {
        let start = Instant::now();
        let linger = Duration::from_secs(5);
        let bounds = Bounds { linger, ..many(2) };
        let mut hand = Hand::default();
        hand.add(Item {
            since: start,
            ..item(1, 10)
        });
        let Next::Wait(until) = hand.next(start, bounds, |_| true, |_| false) else {
            panic!("it waits");
        };
        assert_eq!(until, start + linger);
        let late = hand.next(until, bounds, |_| true, |_| false);
        assert!(matches!(late, Next::Parcel(parcel) if events(&parcel) == [10]));
        let mut hand = self::hand(&[(1, 10), (2, 20)]);
        assert_eq!(events(&parcel(&mut hand, bounds)), [10, 20]);
    }

    #[test]
    fn what_is_given_back_is_what_is_not_on_its_way() {
        let mut hand = hand(&[(1, 10), (1, 11), (2, 20)]);
        let first = parcel(&mut hand, ONE);
        let mut given = hand.give_back();
        given.sort_unstable();
        assert_eq!(given, [11, 20]);
        assert_eq!((hand.count(100), hand.bytes()), (1, 10));
        hand.done(&first);
        assert_eq!((hand.count(100), hand.bytes()), (0, 0));
        assert!(parcel(&mut hand, ONE).is_empty() && hand.lanes.is_empty());
    }

    #[test]
    fn what_is_not_current_any_more_is_let_go_of() {
        let mut hand = hand(&[(1, 10), (1, 11), (2, 20)]);
        let current = |event: &u32| *event != 10 && *event != 20;
        let next = hand.next(Instant::now(), many(8), current, |_| false);
        assert!(matches!(&next, Next::Parcel(parcel) if events(parcel) == [11]));
        assert_eq!((hand.count(100), hand.bytes()), (1, 10));
        let Next::Parcel(parcel) = next else {
            panic!("there is one");
        };
        hand.done(&parcel);
        assert_eq!((hand.count(100), hand.bytes()), (0, 0));
        assert!(hand.lanes.is_empty() && hand.ready.is_empty());
    }
}
