//! Random histories beside a plain list of records.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::history::{Wanted, create, encode, open, read_all, read_all_back};
use super::sim::Sim;
use crate::{Chunk, Erasure, FeedTrim, Keep, Limit, Log, Record, Scope, read};

#[derive(Clone, Debug)]
enum Action {
    Append {
        records: Vec<Wanted>,
        later: i64,
    },
    Read {
        scope: Scope,
        from: usize,
        limit: Limit,
        is_back: bool,
    },
    Trim {
        bytes: Option<u64>,
        younger: Option<i64>,
        spared: usize,
    },
    Erase {
        feed: Option<Bytes>,
        subject: Option<Bytes>,
        spared: usize,
    },
    Seek {
        ago: i64,
    },
    Reopen,
}

/// A record, as it must read.
#[derive(Clone, Debug)]
struct Entry {
    position: u64,
    recorded_at: i64,
    wanted: Wanted,
    version: u64,
    place: (usize, usize),
    is_first_of_feed: bool,
    is_first_of_subject: bool,
    is_erased: bool,
}

#[derive(Debug)]
struct Model {
    sim: Sim,
    log: Option<Log>,
    entries: Vec<Entry>,
    first: u64,
    versions: BTreeMap<(String, String), u64>,
    now: i64,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let time = option::of(-50..50_i64);
    (0..4_u8, 0..3_u8, 0..6_u8, time, 0..300_usize).prop_map(|(feed, ty, subject, time, len)| {
        Wanted {
            feed: format!("f{feed}"),
            ty: format!("t{ty}"),
            subject: if subject == 0 {
                String::new()
            } else {
                format!("s{subject}")
            },
            time,
            payload: vec![subject; len],
        }
    })
}

fn tags(letter: char, end: u8) -> impl Strategy<Value = Vec<Bytes>> {
    let tag = (0..end).prop_map(move |number| Bytes::from(format!("{letter}{number}")));
    prop_oneof![2 => Just(Vec::new()), 3 => vec(tag, 1..4)]
}

fn scope() -> impl Strategy<Value = Scope> {
    let scope = (tags('f', 5), tags('t', 4), tags('s', 7));
    scope.prop_map(|(feeds, types, subjects)| Scope {
        feeds,
        types,
        subjects,
    })
}

fn action() -> impl Strategy<Value = Action> {
    let limit = (1..40_usize, 1..4000_usize);
    let limit = limit.prop_map(|(records, bytes)| Limit { records, bytes });
    let tag = |letter: char| (0..5_u8).prop_map(move |n| Bytes::from(format!("{letter}{n}")));
    prop_oneof![
        12 => (vec(wanted(), 1..8), -10..60_i64)
            .prop_map(|(records, later)| Action::Append { records, later }),
        12 => (scope(), 0..120_usize, limit, any::<bool>())
            .prop_map(|(scope, from, limit, is_back)| Action::Read { scope, from, limit, is_back }),
        1 => (option::of(0..9000_u64), option::of(0..500_i64), 0..30_usize)
            .prop_map(|(bytes, younger, spared)| Action::Trim { bytes, younger, spared }),
        1 => (option::of(tag('f')), option::of(tag('s')), 0..30_usize)
            .prop_map(|(feed, subject, spared)| Action::Erase { feed, subject, spared }),
        2 => (0..900_i64).prop_map(|ago| Action::Seek { ago }),
        1 => Just(Action::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_log_is_a_list_of_records(actions in vec(action(), 1..70)) {
        let sim = Sim::new(0);
        let log = Some(create(&sim));
        let mut model = Model {
            sim,
            log,
            entries: Vec::new(),
            first: 1,
            versions: BTreeMap::new(),
            now: 1000,
        };
        for action in actions {
            model.act(action);
        }
        model.compare();
    }
}

impl Model {
    fn log(&self) -> &Log {
        self.log.as_ref().expect("it is only closed to be opened")
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Append { records, later } => self.append(&records, later),
            Action::Read {
                scope,
                from,
                limit,
                is_back: false,
            } => self.read(&scope, from, limit),
            Action::Read {
                scope,
                from,
                limit,
                is_back: true,
            } => {
                self.read_back(&scope, from, limit);
            }
            Action::Trim {
                bytes,
                younger,
                spared,
            } => self.trim(bytes, younger, spared),
            Action::Erase {
                feed,
                subject,
                spared,
            } => self.erase(feed, subject, spared),
            Action::Seek { ago } => self.seek(self.now - ago),
            Action::Reopen => {
                self.compare();
                self.log = None;
                self.log = Some(open(&self.sim).expect("an orderly end"));
                self.compare();
            }
        }
    }

    fn head(&self) -> u64 {
        self.entries.len() as u64
    }

    /// What is retained and not erased, in scope.
    fn visible(&self, scope: &Scope) -> Vec<&Entry> {
        let has = |list: &[Bytes], tag: &str| list.is_empty() || list.iter().any(|t| t == tag);
        let entries = self.entries.iter().filter(|entry| {
            let wanted = &entry.wanted;
            entry.position >= self.first
                && !entry.is_erased
                && has(&scope.feeds, &wanted.feed)
                && has(&scope.types, &wanted.ty)
                && has(&scope.subjects, &wanted.subject)
        });
        entries.collect()
    }

    fn append(&mut self, records: &[Wanted], later: i64) {
        self.now += later;
        let last = self
            .entries
            .last()
            .map_or(i64::MIN, |entry| entry.recorded_at);
        let recorded_at = self.now.max(last);
        let (mut feeds, mut subjects) = (HashSet::new(), HashSet::new());
        let mut versions = Vec::new();
        let count = records.len();
        for (index, wanted) in records.iter().enumerate() {
            let key = (wanted.feed.clone(), wanted.subject.clone());
            let is_first_of_subject = !wanted.subject.is_empty() && subjects.insert(key.clone());
            let version = self.versions.entry(key).or_default();
            *version += u64::from(is_first_of_subject);
            versions.push(*version);
            self.entries.push(Entry {
                position: self.entries.len() as u64 + 1,
                recorded_at,
                wanted: wanted.clone(),
                version: *version,
                place: (index, count),
                is_first_of_feed: feeds.insert(wanted.feed.clone()),
                is_first_of_subject,
                is_erased: false,
            });
        }
        let submitted = self.log().append(encode(records), &versions, self.now);
        let submitted = submitted.expect("nothing goes wrong");
        assert_eq!(submitted.last, self.head());
        assert_eq!(submitted.recorded_at, recorded_at);
    }

    fn read(&self, scope: &Scope, from: usize, limit: Limit) {
        let after = from as u64;
        let lost = self.lost(scope, after);
        let chunk = match self.log().read(scope, after, limit) {
            Ok(chunk) => {
                // What was read is kept in part, and must read the same from there.
                let again = self
                    .log()
                    .read(scope, after, limit)
                    .expect("it was read just now");
                assert_eq!(chunk, again);
                chunk
            }
            Err(read::Error::Expired {
                first,
                lost_at_most,
                ..
            }) => {
                assert_eq!(first, self.first);
                assert!(lost > 0 && lost <= lost_at_most && lost_at_most < first - after);
                return;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(lost, 0, "no silent loss");
        let visible = self.visible(scope);
        let wanted: Vec<_> = visible.into_iter().filter(|e| e.position > after).collect();
        let end = self.head().max(after);
        let edge = |entry: &Entry| entry.position + (entry.place.1 - 1 - entry.place.0) as u64;
        compare_chunk(
            &chunk,
            &wanted,
            limit,
            edge,
            |position, edge| position > edge,
            end,
        );
    }

    fn read_back(&self, scope: &Scope, from: usize, limit: Limit) {
        let before = from as u64;
        let chunk = self
            .log()
            .read_back(scope, before, limit)
            .expect("nothing goes wrong");
        let visible = self.visible(scope);
        let wanted: Vec<_> = visible
            .into_iter()
            .rev()
            .filter(|e| e.position < before)
            .collect();
        let edge = |entry: &Entry| entry.position - entry.place.0 as u64;
        compare_chunk(
            &chunk,
            &wanted,
            limit,
            edge,
            |position, edge| position < edge,
            self.first,
        );
    }

    /// How many records above `after` were trimmed of what is asked for, as far as a log tells.
    fn lost(&self, scope: &Scope, after: u64) -> u64 {
        let is_asked = |entry: &&Entry| {
            let feed = entry.wanted.feed.as_bytes();
            scope.feeds.is_empty() || scope.feeds.iter().any(|asked| asked == feed)
        };
        let lost = self.entries.iter().filter(is_asked);
        lost.filter(|entry| entry.position < self.first && entry.position > after)
            .count() as u64
    }

    fn trim(&mut self, bytes: Option<u64>, younger: Option<i64>, spared: usize) {
        let not_past = self.head().saturating_sub(spared as u64);
        let older_than = younger.map(|younger| self.now - younger);
        let first = self.log().trim(Keep { older_than, bytes }, not_past);
        let first = first.expect("nothing goes wrong");
        assert!(first >= self.first && first <= (not_past + 1).max(self.first));
        let gone = self.entries.iter().filter(|entry| entry.position < first);
        let is_old = |entry: &Entry| older_than.is_some_and(|time| entry.recorded_at < time);
        assert!(bytes.is_some() || first == self.first || gone.clone().all(is_old));
        self.first = first;
        let mut trims = BTreeMap::<_, FeedTrim>::new();
        for entry in gone {
            let feed = Bytes::from(entry.wanted.feed.clone());
            let trim = trims.entry(feed.clone()).or_insert(FeedTrim {
                feed,
                through: 0,
                events: 0,
                batches: 0,
                subjects: 0,
            });
            trim.through = entry.position;
            trim.events += 1;
            trim.batches += u64::from(entry.is_first_of_feed);
            trim.subjects += u64::from(entry.is_first_of_subject && entry.version == 1);
        }
        assert_eq!(self.log().trims(), trims.into_values().collect::<Vec<_>>());
    }

    fn erase(&mut self, feed: Option<Bytes>, subject: Option<Bytes>, spared: usize) {
        let through = self.head().saturating_sub(spared as u64);
        let erasure = Erasure {
            feed,
            subject,
            through,
        };
        let mut count = 0;
        for entry in &mut self.entries {
            let is_asked = super::history::asks(&erasure, entry.position, &entry.wanted);
            if is_asked && entry.position >= self.first && !entry.is_erased {
                entry.is_erased = true;
                count += 1;
            }
        }
        assert_eq!(
            self.log().erase(&erasure).expect("nothing goes wrong"),
            count
        );
    }

    fn seek(&self, time: i64) {
        let retained = self
            .entries
            .iter()
            .filter(|entry| entry.position >= self.first);
        let before = retained
            .filter(|entry| entry.recorded_at < time)
            .map(|entry| entry.position);
        let expected = before.max().unwrap_or(self.first - 1);
        assert_eq!(self.log().seek(time).expect("nothing goes wrong"), expected);
    }

    fn compare(&self) {
        let bounds = self.log().bounds();
        assert_eq!((bounds.first, bounds.last), (self.first, self.head()));
        let records = read_all(self.log(), &Scope::all());
        assert_eq!(records, read_all_back(self.log(), &Scope::all()));
        let wanted = self.visible(&Scope::all());
        assert_eq!(records.len(), wanted.len());
        records
            .iter()
            .zip(wanted)
            .for_each(|(record, entry)| assert_same(record, entry));
    }
}

/// A chunk begins with what is wanted, and ends behind the batch that reaches the limit, or at the end.
fn compare_chunk(
    chunk: &Chunk,
    wanted: &[&Entry],
    limit: Limit,
    edge: impl Fn(&Entry) -> u64,
    is_beyond: impl Fn(u64, u64) -> bool,
    end: u64,
) {
    let (mut bytes, mut last) = (0, None);
    let mut expected = Vec::new();
    for entry in wanted {
        if last.is_some_and(|last| is_beyond(entry.position, last)) {
            break;
        }
        expected.push(*entry);
        let Wanted {
            feed,
            ty,
            subject,
            payload,
            ..
        } = &entry.wanted;
        bytes += feed.len() + ty.len() + subject.len() + payload.len();
        let is_reached = expected.len() >= limit.records || bytes >= limit.bytes;
        if is_reached && last.is_none() {
            last = Some(edge(entry));
        }
    }
    assert_eq!(chunk.records.len(), expected.len());
    chunk
        .records
        .iter()
        .zip(&expected)
        .for_each(|(record, entry)| assert_same(record, entry));
    let is_all = expected.len() == wanted.len();
    assert!(Some(chunk.through) == last || (is_all && chunk.through == end));
}

fn assert_same(record: &Record, entry: &Entry) {
    let wanted = &entry.wanted;
    assert_eq!(record.position, entry.position);
    assert_eq!(record.recorded_at, entry.recorded_at);
    assert_eq!(record.time, wanted.time.unwrap_or(entry.recorded_at));
    assert_eq!(record.version, entry.version);
    assert_eq!(
        (usize::from(record.index), usize::from(record.count)),
        entry.place
    );
    assert_eq!(record.feed(), wanted.feed.as_bytes());
    assert_eq!(record.ty(), wanted.ty.as_bytes());
    assert_eq!(record.subject(), wanted.subject.as_bytes());
    assert_eq!(record.payload(), wanted.payload);
}
