//! A stream with everything around it: a log that grows and is trimmed, members that take, acknowledge, stall and die, and a server
//! that goes away and comes back with what was kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use feedwire_event::{Position, StreamName, Subject, Timestamp};
use tokio::time::Instant;

use super::random::Random;
use crate::stream::group::partition::Work;
use crate::stream::group::{Aside, AsideRead, Burial, Group, Identity, MemberId, Next, Offered};
use crate::stream::{Mode, OnFailure, Receipt, Settings};

/// Generations that are kept ahead of those that are given.
const GENERATIONS_AHEAD: u64 = 1_000;

#[derive(Debug)]
pub(super) struct World {
    pub(super) random: Random,
    pub(super) settings: Settings,
    pub(super) group: Group,
    pub(super) now: Instant,
    pub(super) log: Vec<Offered>,
    /// Whose each event is: subjects may share a hash.
    pub(super) subjects: BTreeMap<Position, u64>,
    /// How many subjects there are.
    pub(super) variety: u64,
    /// The subject of which nothing succeeds.
    pub(super) cursed: u64,
    /// What is retained begins here.
    pub(super) first: Position,
    pub(super) clients: BTreeMap<MemberId, Client>,
    pub(super) kept: Kept,
    /// Events that were sent once more as letters: where they are in line, too, a receipt is of either.
    pub(super) posted: BTreeSet<Position>,
    /// Members that wait until they are woken.
    pub(super) asleep: BTreeSet<MemberId>,
    /// What is on its way to the dead letters.
    burials: Vec<Burial>,
    pub(super) model: Model,
    /// What happened, to be told when something is wrong.
    story: Vec<String>,
}

/// A member, seen from its own side.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) joined: Position,
    pub(super) has: Vec<(Receipt, Instant)>,
    /// What it is reading: behind which position, up to which.
    pub(super) reading: Option<(Position, Position)>,
    /// The same of a subject aside.
    pub(super) reading_aside: Option<(AsideRead, Position)>,
    /// What it was sent, and will never say anything of.
    pub(super) forgotten: Vec<(Receipt, Instant)>,
    /// Receipts of events that were taken back, as one before them failed.
    pub(super) void: BTreeSet<(u64, Position)>,
    pub(super) is_stalled: bool,
}

/// What a server finds when it comes back.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    checkpoints: Vec<Position>,
    asides: Vec<Aside>,
    next_generation: u64,
    /// Dead letters, and whether each is to be sent once more.
    pub(super) letters: BTreeMap<Position, (Burial, bool)>,
}

/// What is true whatever the group says.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// Everything up to here is behind the start of the stream.
    pub(super) base: Position,
    /// When each was first handed to somebody.
    pub(super) handed: BTreeMap<Position, Instant>,
    pub(super) acknowledged: BTreeSet<Position>,
    pub(super) buried: BTreeSet<Position>,
    /// What retention took, or nobody was there for.
    pub(super) excused: BTreeSet<Position>,
    /// What is on its way there, since it was sent last.
    pub(super) burying: BTreeSet<Position>,
    pub(super) has_excuses: bool,
    seeks: u32,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut settings = Settings::new(StreamName::new("s").expect("a name"));
        settings.mode = if random.chance(3) {
            Mode::Delivered
        } else {
            Mode::Explicit
        };
        settings.on_failure = if random.chance(3) {
            OnFailure::GoOn
        } else {
            OnFailure::Wait
        };
        settings.partitions = 1 << random.below(5);
        settings.members_max = 1 + usize::try_from(random.below(5)).expect("it is small");
        settings.max_in_flight = 1 + usize::try_from(random.below(12)).expect("it is small");
        settings.max_deliveries = (!random.chance(3)).then_some(4);
        let mut variety = 20;
        if random.chance(2) {
            // One in which subjects fail for long, and hold up much.
            settings.mode = Mode::Explicit;
            settings.on_failure = OnFailure::Wait;
            settings.partitions = 1 << random.below(2);
            settings.members_max = settings.members_max.min(settings.partitions.into());
            settings.max_deliveries = random.chance(3).then_some(20);
            variety = 1 + random.below(6);
        }
        settings.ack_timeout = Duration::from_secs(10);
        settings.until = random
            .chance(4)
            .then(|| Position::ZERO.plus(random.below(200)));
        let checkpoints = vec![Position::ZERO; usize::from(settings.partitions)];
        let mut group = Group::new(settings.clone(), &checkpoints, 1);
        group.letters_posted();
        Self {
            group,
            random,
            now: Instant::now(),
            log: Vec::new(),
            subjects: BTreeMap::new(),
            variety,
            cursed: 0,
            first: Position::ZERO.next(),
            clients: BTreeMap::new(),
            kept: Kept {
                checkpoints,
                asides: Vec::new(),
                next_generation: 1 + GENERATIONS_AHEAD,
                letters: BTreeMap::new(),
            },
            posted: BTreeSet::new(),
            asleep: BTreeSet::new(),
            burials: Vec::new(),
            model: Model::default(),
            story: Vec::new(),
            settings,
        }
    }

    pub(super) fn head(&self) -> Position {
        self.log
            .last()
            .map_or(Position::ZERO, |event| event.position)
    }

    /// The last position that the stream can come to.
    pub(super) fn end(&self) -> Position {
        self.settings.until.unwrap_or(Position::MAX)
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        self.story.push(what());
    }

    pub(super) fn story(&self) -> String {
        self.story.join("\n")
    }

    /// Something happens.
    pub(super) fn step(&mut self) {
        let before = self.group.clone();
        let seeks = self.model.seeks;
        match self.random.below(32) {
            0..=5 => self.append(),
            6..=9 => self.count(),
            10..=17 => self.take(),
            18..=21 => self.acknowledge(),
            22 => self.refuse(),
            23 => self.join(),
            24 if self.random.chance(2) => self.die(),
            25 => self.beat(),
            26 => self.pass(Duration::from_millis(
                100 + self.random.clone().below(4_000),
            )),
            27 => self.keep(),
            28 if self.random.chance(8) => self.restart(),
            29 if self.random.chance(8) => self.seek(),
            30 if self.random.chance(6) => self.trim(),
            31 => self.letters(),
            _ => self.stall(),
        }
        self.bury(false);
        // What was sent before a seek is void.
        if seeks == self.model.seeks {
            self.check_handovers(&before);
        }
        self.check();
    }

    fn append(&mut self) {
        for _ in 0..=self.random.below(6) {
            let subject = self.random.below(self.variety);
            // Some have the hash of another one.
            let hash = self.hash_of(subject);
            // Positions may be skipped.
            let position = self.head().plus(1 + self.random.below(2));
            self.subjects.insert(position, subject);
            let micros = i64::try_from(position.get()).expect("it is small");
            self.log.push(Offered {
                partition: u16::try_from(hash % u64::from(self.settings.partitions))
                    .expect("it is below"),
                position,
                subject: hash,
                recorded_at: Timestamp::from_micros(micros),
                bytes: 1,
                is_live_only: self.random.chance(12),
            });
        }
    }

    fn hash_of(&self, subject: u64) -> u64 {
        subject % (self.variety * 3 / 4).max(1)
    }

    /// The hash of the subject of an event.
    pub(super) fn hash(&self, position: Position) -> Option<u64> {
        let event = self.log.iter().find(|event| event.position == position);
        event.map(|event| event.subject)
    }

    /// The subject of an event.
    pub(super) fn subject(&self, position: Position) -> u64 {
        self.subjects[&position]
    }

    /// The name of a subject; one is that of the events without one.
    pub(super) fn name(subject: u64) -> Option<Subject> {
        let name = format!("{subject}");
        (subject > 0).then(|| Subject::new(&name).expect("a subject"))
    }

    /// The subject of that name.
    pub(super) fn named(subject: Option<&Subject>) -> u64 {
        subject.map_or(0, |name| name.as_str().parse().expect("it was a number"))
    }

    pub(super) fn between(&self, after: Position, through: Position) -> Vec<Offered> {
        let within = self
            .log
            .iter()
            .filter(|event| event.position > after && event.position <= through);
        within.copied().collect()
    }

    pub(super) fn count(&mut self) {
        let after = self.group.counted();
        if self.behind(after) {
            return;
        }
        let through = after.plus(self.random.below(12)).min(self.head());
        let events = self.between(after, through);
        self.group.count(
            events
                .iter()
                .map(|event| (event.partition, event.position, event.recorded_at)),
            through,
        );
    }

    /// Tells the group where retention is, if what is behind `after` is no longer there.
    pub(super) fn behind(&mut self, after: Position) -> bool {
        let is_behind = after.next() < self.first;
        if is_behind {
            let first = self.first;
            self.tell(|| format!("lost up to {first}"));
            self.group
                .trimmed(after, first, first.get() - after.get() - 1);
        }
        is_behind
    }

    pub(super) fn join(&mut self) {
        let head = self.head();
        let is_full = self.clients.len() >= self.settings.members_max;
        match self.group.join(head, self.now) {
            Ok(id) => {
                assert!(!is_full, "there were as many as may be");
                self.tell(|| format!("{id:?} joins"));
                let client = Client {
                    joined: head,
                    ..Client::default()
                };
                self.clients.insert(id, client);
            }
            Err(_) => assert!(is_full, "there was room for another"),
        }
    }

    fn die(&mut self) {
        if let Some(id) = self.client() {
            self.tell(|| format!("{id:?} dies"));
            self.clients.remove(&id);
            self.group.leave(id, self.now);
            assert_eq!(self.group.next(id, self.now), Next::Gone);
        }
    }

    fn stall(&mut self) {
        if let Some(id) = self.client() {
            let client = self.clients.get_mut(&id).expect("it is there");
            client.is_stalled ^= true;
        }
    }

    fn beat(&mut self) {
        if let Some(id) = self.client()
            && !self.clients[&id].is_stalled
        {
            self.group.beat(id, self.now);
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.tell(|| format!("{time:?} pass"));
        self.group.tick(self.now);
    }

    /// What failed too often is put aside, sooner or later.
    pub(super) fn bury(&mut self, at_once: bool) {
        let burials = self.group.take_burials();
        self.model
            .burying
            .extend(burials.iter().map(|burial| burial.position));
        self.burials.extend(burials);
        if !at_once && self.random.chance(2) {
            return;
        }
        for burial in std::mem::take(&mut self.burials) {
            self.model.burying.remove(&burial.position);
            if self.random.chance(5) {
                self.group.unburied(&burial, self.now);
            } else {
                self.tell(|| format!("buries {burial:?}"));
                // What has been a letter before, or was sought behind, comes again.
                let partition = &self.group.partitions[usize::from(burial.partition)];
                if let Work::Explicit(work) = &partition.work
                    && work.has_in_line(burial.position)
                {
                    self.model.buried.insert(burial.position);
                }
                self.group.buried(&burial, self.now);
                self.kept.letters.insert(burial.position, (burial, false));
            }
        }
        self.forget_letters();
    }

    /// What was sent once more and is done is a letter no more.
    pub(super) fn forget_letters(&mut self) {
        for done in self.group.take_delivered_letters() {
            self.kept.letters.remove(&done);
        }
    }

    /// A dead letter is sent once more, or forgotten.
    fn letters(&mut self) {
        let dead: Vec<Position> = self.kept.letters.keys().copied().collect();
        let Some(position) = self.random.pick(&dead).copied() else {
            return;
        };
        let (burial, _) = self.kept.letters[&position].clone();
        if self.random.chance(3) {
            self.tell(|| format!("drops the letter {position}"));
            self.kept.letters.remove(&position);
            self.group.drop_letter(burial.partition, position);
        } else {
            self.kept.letters.insert(position, (burial.clone(), true));
            self.post(&burial);
        }
    }

    fn post(&mut self, burial: &Burial) {
        let Burial {
            partition,
            position,
            subject,
            ..
        } = *burial;
        let now = self.now;
        self.posted.insert(position);
        self.tell(|| format!("sends {burial:?} once more"));
        self.group.post(
            (partition, position, subject),
            Timestamp::from_micros(0),
            now,
        );
    }

    fn keep(&mut self) {
        self.kept.checkpoints = self.group.checkpoints();
        self.kept.asides = self.group.asides();
        self.kept.next_generation = self.group.next_generation() + GENERATIONS_AHEAD;
    }

    fn restart(&mut self) {
        if self.random.chance(2) {
            self.keep();
        }
        self.tell(|| "the server comes back".to_owned());
        self.clients.clear();
        self.burials.clear();
        self.model.burying.clear();
        // What was put aside since it was kept how far the stream is comes again.
        let kept = &self.kept;
        let is_behind = |event: &&Offered| {
            let checkpoint = kept.checkpoints[usize::from(event.partition)];
            let subject = self.subject(event.position);
            let is_aside = |aside: &Aside| {
                Self::named(aside.subject.as_ref()) == subject && aside.after < event.position
            };
            event.position <= checkpoint && !kept.asides.iter().any(is_aside)
        };
        let behind: BTreeSet<Position> = self
            .log
            .iter()
            .filter(is_behind)
            .map(|event| event.position)
            .collect();
        self.model
            .buried
            .retain(|position| behind.contains(position));
        // What is dead of a subject aside, and comes again for one before it, is not counted.
        self.model.has_excuses |= !kept.asides.is_empty();
        self.group = Group::new(
            self.settings.clone(),
            &self.kept.checkpoints,
            self.kept.next_generation,
        );
        for aside in self.kept.asides.clone() {
            let subject = Self::named(aside.subject.as_ref());
            self.group
                .resume(aside, (self.hash_of(subject), Identity(subject)));
        }
        self.kept.next_generation += GENERATIONS_AHEAD;
        let again: Vec<Burial> = self
            .kept
            .letters
            .values()
            .filter(|(_, again)| *again)
            .map(|(burial, _)| burial.clone())
            .collect();
        for burial in again {
            self.post(&burial);
        }
        self.group.letters_posted();
    }

    fn seek(&mut self) {
        let oldest = self.first.previous().get();
        let to = Position::new(
            oldest
                + self
                    .random
                    .below(self.head().get().saturating_sub(oldest) + 1),
        );
        let to = to.expect("a position");
        self.tell(|| format!("seeks {to}"));
        self.group.seek(to, self.now);
        self.keep();
        self.model = Model {
            base: to,
            has_excuses: self.model.has_excuses,
            seeks: self.model.seeks + 1,
            ..Model::default()
        };
        for client in self.clients.values_mut() {
            client.has.clear();
        }
    }

    fn trim(&mut self) {
        let head = self.head();
        let first = self.first.plus(self.random.below(20)).min(head.next());
        self.tell(|| format!("retention goes to {first}"));
        self.first = self.first.max(first);
        self.model.has_excuses = true;
    }
}
