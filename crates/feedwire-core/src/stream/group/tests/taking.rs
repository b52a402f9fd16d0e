//! What members take: they read, are offered what they have read, and have it.

use feedwire_event::Position;

use super::world::World;
use crate::stream::group::{AsideRead, Identity, MemberId, Next, Portion};
use crate::stream::{Mode, OnFailure, Receipt};

impl World {
    pub(super) fn client(&mut self) -> Option<MemberId> {
        let ids: Vec<MemberId> = self.clients.keys().copied().collect();
        self.random.pick(&ids).copied()
    }

    /// A member takes what there is for it.
    pub(super) fn take(&mut self) {
        if let Some(id) = self.client()
            && !self.clients[&id].is_stalled
        {
            self.take_as(id);
        }
    }

    /// Whether there was something for it to do.
    pub(super) fn take_as(&mut self, id: MemberId) -> bool {
        for woken in self.group.take_wakes() {
            self.asleep.remove(&woken);
        }
        if self.asleep.contains(&id) {
            return false;
        }
        if self.clients[&id].reading.is_some() {
            self.offer(id);
            return true;
        }
        if self.clients[&id].reading_aside.is_some() {
            self.offer_aside(id);
            return true;
        }
        let next = self.group.next(id, self.now);
        match next {
            Next::Gone => panic!("{id:?} was sent away"),
            Next::Lost(_) | Next::Changed => {}
            Next::Done => {
                self.forget_letters();
                self.check_end();
                self.asleep.insert(id);
                return false;
            }
            Next::Wait => {
                self.asleep.insert(id);
                return false;
            }
            Next::Again(receipts) => {
                for receipt in receipts {
                    let event = self
                        .log
                        .iter()
                        .find(|event| event.position == receipt.position)
                        .copied();
                    match event.filter(|event| event.position >= self.first) {
                        None => self.group.gone(receipt),
                        Some(event) => {
                            if event.is_live_only && event.position <= self.clients[&id].joined {
                                self.excuse(event.position);
                            }
                            let sent =
                                self.group
                                    .send_again(id, receipt, event.is_live_only, self.now);
                            if sent.is_some() {
                                self.tell(|| format!("{id:?} again {receipt:?}"));
                                self.handed(id, receipt);
                            }
                        }
                    }
                }
            }
            Next::SetAside(receipt) => self.set_aside(id, receipt),
            Next::ReadAside(read) => self.read_aside(id, read),
            Next::Read { after } => {
                if self.behind(after) {
                    return true;
                }
                let through = after.plus(1 + self.random.below(20)).min(self.head());
                let client = self.clients.get_mut(&id).expect("it is there");
                client.reading = Some((after, through));
                // Others may do something while it reads.
                if !self.random.chance(3) {
                    self.offer(id);
                }
            }
        }
        true
    }

    /// A member is offered what it has read.
    pub(super) fn offer(&mut self, id: MemberId) {
        let client = self.clients.get_mut(&id).expect("it is there");
        let joined = client.joined;
        let Some((after, through)) = client.reading.take() else {
            return;
        };
        let events = self.between(after, through);
        let portion = Portion {
            events: 1 + usize::try_from(self.random.below(8)).expect("it is small"),
            bytes: usize::MAX,
        };
        for event in events.iter().filter(|event| event.is_live_only) {
            let partition = &self.group.partitions[usize::from(event.partition)];
            if event.position <= joined && partition.lease.open_to(id).is_some() {
                self.excuse(event.position);
            }
        }
        let subjects = &self.subjects;
        let handed = self.group.offer(
            id,
            (after, through),
            events.iter(),
            |index| Some(Identity(subjects[&events[index].position])),
            portion,
            self.now,
        );
        self.tell(|| format!("{id:?} reads {after}..{through}, and has {handed:?}"));
        for handed in handed {
            assert_eq!(handed.receipt.position, events[handed.index].position);
            self.handed(id, handed.receipt);
        }
    }

    fn set_aside(&mut self, id: MemberId, receipt: Receipt) {
        if receipt.position < self.first {
            self.group.gone(receipt);
        } else {
            let subject = self.subject(receipt.position);
            self.tell(|| format!("{id:?} sets {subject} aside for {receipt:?}"));
            self.group.set_aside(id, receipt, Self::name(subject));
        }
    }

    /// A member reads of a subject aside.
    fn read_aside(&mut self, id: MemberId, read: AsideRead) {
        if read.after.next() < self.first {
            let first = self.first;
            let lost = first.get() - read.after.get() - 1;
            self.tell(|| format!("lost up to {first} of {read:?}"));
            self.group.trimmed_aside(&read, first, lost);
            return;
        }
        let through = read.after.plus(1 + self.random.below(40));
        let through = through.min(self.head());
        let client = self.clients.get_mut(&id).expect("it is there");
        client.reading_aside = Some((read, through));
        // Others may do something while it reads.
        if !self.random.chance(3) {
            self.offer_aside(id);
        }
    }

    /// A member is offered what it has read of a subject aside.
    fn offer_aside(&mut self, id: MemberId) {
        let client = self.clients.get_mut(&id).expect("it is there");
        let joined = client.joined;
        let Some((read, through)) = client.reading_aside.take() else {
            return;
        };
        let subject = Self::named(read.subject.as_ref());
        let mut events = self.between(read.after, through);
        events.retain(|event| self.subject(event.position) == subject);
        for event in events.iter().filter(|event| event.is_live_only) {
            let partition = &self.group.partitions[usize::from(event.partition)];
            if event.position <= joined && partition.lease.open_to(id).is_some() {
                self.excuse(event.position);
            }
        }
        let portion = Portion {
            events: 1 + usize::try_from(self.random.below(8)).expect("it is small"),
            bytes: usize::MAX,
        };
        let handed = self.group.offer_aside(
            id,
            (&read, through),
            events.iter(),
            |_| true,
            portion,
            self.now,
        );
        self.tell(|| format!("{id:?} reads {read:?} up to {through}, and has {handed:?}"));
        for handed in handed {
            assert_eq!(handed.receipt.position, events[handed.index].position);
            self.handed(id, handed.receipt);
        }
    }

    pub(super) fn excuse(&mut self, position: Position) {
        self.model.excused.insert(position);
        self.model.has_excuses = true;
    }

    pub(super) fn handed(&mut self, id: MemberId, receipt: Receipt) {
        let position = receipt.position;
        let event = *self
            .log
            .iter()
            .find(|event| event.position == position)
            .expect("it is in the log");
        assert!(
            !event.is_live_only || position > self.clients[&id].joined,
            "{position} was for those who were there"
        );
        // Behind a seek, or a crash, an event may be in line that has been a letter before.
        let is_letter = self.kept.letters.contains_key(&position)
            && !self.open(receipt.partition).contains(&position);
        assert!(
            !self.model.burying.contains(&position) || self.posted.contains(&position),
            "{position} is on its way to the dead letters"
        );
        assert!(
            is_letter || !self.model.buried.contains(&position),
            "{position} is dead"
        );
        let waits =
            self.settings.on_failure == OnFailure::Wait || self.settings.mode == Mode::Delivered;
        let is_first = !self.model.handed.contains_key(&position);
        if !is_letter {
            let now = self.now;
            let subject = self.subject(position);
            let earlier = self.log.iter().filter(|other| {
                self.subject(other.position) == subject
                    && other.position < position
                    && other.position > self.model.base
            });
            for other in earlier.filter(|other| !self.is_done(other.position)) {
                let client = &self.clients[&id];
                let mut sent = client.has.iter().chain(&client.forgotten);
                let is_here = sent.any(|(had, _)| had.position == other.position)
                    || self.posted.contains(&other.position);
                let is_open = self.settings.mode == Mode::Delivered || is_here;
                assert!(
                    !waits || is_open,
                    "{position} comes before {other:?} of its subject"
                );
                assert!(
                    !is_first || self.model.handed.contains_key(&other.position),
                    "{other:?} was left out"
                );
            }
            self.model.handed.entry(position).or_insert(now);
        }
        let now = self.now;
        let client = self.clients.get_mut(&id).expect("it is there");
        client.has.retain(|(had, _)| had.position != position);
        client.has.push((receipt, now));
        client.void.remove(&(receipt.generation, position));
    }

    /// Whether nobody need have the event any more.
    pub(super) fn is_done(&self, position: Position) -> bool {
        position <= self.model.base
            || position < self.first
            || self.model.acknowledged.contains(&position)
            || self.model.buried.contains(&position)
            || self.model.excused.contains(&position)
    }
}
