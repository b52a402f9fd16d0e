//! Random histories on the engine under test and on the one in memory: they answer alike.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use feedwire_event::{Position, Version};

use super::Place;
use super::fixture::{Bench, NOON, NOTHING, at, erasure, expect, expecting, project, scope};
use super::repeating::{known_by_id, known_by_key};
use crate::memory::Memory;
use crate::{AppendError, Batch, Chunk, Engine, Expected, Limit, Log, ReadError, Scope};

const HISTORIES: u64 = 8;
const STEPS: u64 = 60;
const FEEDS: [&str; 3] = ["f", "g", "h"];
const TYPES: [&str; 3] = ["t", "u", "v"];
const SUBJECTS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Promised on one project for each history, so that they share an engine but nothing else.
pub async fn random_histories_read_as_in_memory(place: &dyn Place) {
    let mut bench = Bench::new(place).await;
    for seed in 0..HISTORIES {
        let model = Memory::new();
        let name = project(&format!("history-{seed}"));
        model.create(&name).await.expect("it is created");
        bench.engine.create(&name).await.expect("it is created");
        let mut history = History {
            rng: Rng::with_seed(seed),
            model: model.log(&name).await.expect("it opens"),
            log: bench.engine.log(&name).await.expect("it opens"),
        };
        for step in 0..STEPS {
            history.step(step).await;
            if history.rng.u8(..) < 8 {
                drop((history.log, history.model));
                bench = bench.reopen().await;
                history.log = bench.engine.log(&name).await.expect("it opens");
                // What was forgotten is there again in both.
                assert!(model.release(&name).await);
                history.model = model.log(&name).await.expect("it opens");
            }
        }
    }
}

struct History {
    rng: Rng,
    model: Arc<dyn Log>,
    log: Arc<dyn Log>,
}

impl History {
    async fn step(&mut self, step: u64) {
        match self.rng.u8(..100) {
            0..50 => self.append(step).await,
            50..68 => self.read().await,
            68..86 => self.read_back().await,
            86..90 => self.seek(step).await,
            90..93 => self.subject().await,
            93..95 => self.list().await,
            95..98 => self.erase().await,
            _ => self.trim().await,
        }
        let (bounds, expected) = (self.log.bounds(), self.model.bounds());
        assert_eq!((bounds.first, bounds.last), (expected.first, expected.last));
    }

    fn pick(&mut self, names: &[&'static str]) -> &'static str {
        names[self.rng.usize(..names.len())]
    }

    fn batch(&mut self) -> Batch {
        let count = self.rng.usize(1..6);
        let mut texts = Vec::new();
        for _ in 0..count {
            let (feed, ty) = (self.pick(&FEEDS), self.pick(&TYPES));
            texts.push(match self.rng.u8(..4) {
                0 => format!("{feed} {ty}"),
                _ => format!("{feed} {ty} {}", self.pick(&SUBJECTS)),
            });
        }
        let mut expectations = Vec::new();
        if self.rng.u8(..4) == 0 {
            let name = format!("{} {}", self.pick(&FEEDS), self.pick(&SUBJECTS));
            let expected = if self.rng.bool() {
                Expected::Version(Version(self.rng.u64(..6)))
            } else {
                Expected::Position(at(self.rng.u64(..20)))
            };
            expectations.push(expect(&name, expected));
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        expecting(&texts, expectations)
    }

    /// A batch of few ids or keys, so that it often comes again.
    fn marked(&mut self) -> Batch {
        let (feed, subject) = (self.pick(&FEEDS), self.pick(&SUBJECTS));
        let start = self.rng.usize(..8);
        let ids = start..start + self.rng.usize(1..4);
        let texts: Vec<String> = ids.map(|id| format!("{feed} {id} {subject}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        if self.rng.bool() {
            known_by_id(&texts)
        } else {
            known_by_key(self.pick(&TYPES), &texts, "")
        }
    }

    async fn append(&mut self, step: u64) {
        let batch = if self.rng.u8(..3) == 0 {
            self.marked()
        } else {
            self.batch()
        };
        let jitter = Duration::from_secs(self.rng.u64(..100));
        let now = feedwire_event::Timestamp::from_micros(
            NOON.as_micros() + i64::try_from(step).expect("a small number") * 30_000_000,
        );
        let now = now.before(jitter);
        let answers = [
            self.log.append(batch.clone(), now).await,
            self.model.append(batch, now).await,
        ];
        let [answer, expected] = answers.map(|answer| {
            answer.map_err(|error| match error {
                told @ (AppendError::Conflict { .. }
                | AppendError::PartlyKnown { .. }
                | AppendError::KeyReused { .. }) => format!("{told:?}"),
                other => panic!("{other:?}"),
            })
        });
        assert_eq!(answer, expected);
    }

    fn scope(&mut self) -> Scope {
        let mut list = |names: &[&'static str]| {
            let some: Vec<&str> = (0..self.rng.usize(..3)).map(|_| self.pick(names)).collect();
            some.join(" ")
        };
        let (feeds, types, subjects) = (list(&FEEDS), list(&TYPES), list(&SUBJECTS));
        match self.rng.u8(..4) {
            0 => scope(&feeds, "", ""),
            1 => scope("", "", &subjects),
            2 => scope(&feeds, &types, ""),
            _ => scope(&feeds, &types, &subjects),
        }
    }

    fn limit(&mut self) -> Limit {
        Limit {
            records: self.rng.usize(..12),
            bytes: if self.rng.bool() {
                1 << 20
            } else {
                self.rng.usize(..200)
            },
        }
    }

    async fn read(&mut self) {
        let (scope, limit) = (self.scope(), self.limit());
        let last = self.model.bounds().last.get();
        let after = at(self.rng.u64(..=last));
        let answer = self.log.read(&scope, after, limit).await;
        let expected = self.model.read(&scope, after, limit).await;
        match (answer, expected) {
            (Ok(answer), Ok(expected)) => {
                check_same(&answer, &expected);
                let next = self.model.read(&scope, answer.through, limit).await;
                let skipped = self.model.read(&scope, expected.through, limit).await;
                // It may stop earlier or later than the model between two records in scope.
                let (next, skipped) = (next.as_ref().map(first), skipped.as_ref().map(first));
                assert_eq!(next.ok().flatten(), skipped.ok().flatten());
            }
            (Err(ReadError::Expired(answer)), Err(ReadError::Expired(expected))) => {
                assert!(answer.first > after && answer.first <= self.model.bounds().first);
                assert!(answer.lost_at_most <= expected.lost_at_most);
            }
            (answer, expected) => panic!("{answer:?} instead of {expected:?}"),
        }
    }

    async fn read_back(&mut self) {
        let (scope, limit) = (self.scope(), self.limit());
        let last = self.model.bounds().last.get();
        let before = at(self.rng.u64(..=last + 1));
        let answer = self.log.read_back(&scope, before, limit).await;
        let expected = self.model.read_back(&scope, before, limit).await;
        let (answer, expected) = (answer.expect("it is read"), expected.expect("it is read"));
        check_same(&answer, &expected);
        let next = self.model.read_back(&scope, answer.through, limit).await;
        let skipped = self.model.read_back(&scope, expected.through, limit).await;
        let (next, skipped) = (next.as_ref().map(first), skipped.as_ref().map(first));
        assert_eq!(next.ok().flatten(), skipped.ok().flatten());
    }

    async fn seek(&mut self, step: u64) {
        let second = i64::try_from(self.rng.u64(..=step * 30)).expect("a small number");
        let time = NOON.as_micros() + second * 1_000_000;
        let time = feedwire_event::Timestamp::from_micros(time);
        let sought = self.log.seek(time).await.expect("it is sought");
        let expected = self.model.seek(time).await.expect("it is sought");
        // Positions of erased records lie between two that can be read.
        let all = Scope::all();
        let limit = self.limit();
        let next = self.model.read(&all, sought, limit).await;
        let wanted = self.model.read(&all, expected, limit).await;
        let (next, wanted) = (next.as_ref().map(first), wanted.as_ref().map(first));
        assert_eq!(next.ok().flatten(), wanted.ok().flatten());
    }

    async fn subject(&mut self) {
        let feed = super::fixture::feed(self.pick(&FEEDS));
        let subject = super::fixture::subject(self.pick(&SUBJECTS));
        let head = self.log.subject(&feed, &subject).await;
        let expected = self.model.subject(&feed, &subject).await;
        assert_eq!(
            head.expect("it is looked up"),
            expected.expect("it is looked up")
        );
    }

    async fn list(&mut self) {
        let feed = super::fixture::feed(self.pick(&FEEDS));
        let after = super::fixture::subject(self.pick(&SUBJECTS));
        let after = self.rng.bool().then_some(&after);
        let limit = self.rng.usize(..6);
        let list = self.log.subjects(&feed, after, limit).await;
        let expected = self.model.subjects(&feed, after, limit).await;
        assert_eq!(
            list.expect("they are listed"),
            expected.expect("they are listed")
        );
    }

    /// Now and then it is forgotten first, and now and then only that.
    async fn erase(&mut self) {
        let last = self.model.bounds().last.get();
        let (feed, subject) = (self.pick(&FEEDS), self.pick(&SUBJECTS));
        let (feed, subject) = match self.rng.u8(..4) {
            0 => (feed, ""),
            1 => ("", subject),
            _ => (feed, subject),
        };
        let erasure = erasure(feed, subject, self.rng.u64(..=last));
        if self.rng.bool() {
            for log in [&self.log, &self.model] {
                log.forget(&erasure).await.expect("it is forgotten");
            }
            if self.rng.bool() {
                return;
            }
        }
        let erased = self.log.erase(&erasure).await.expect("it is erased");
        let expected = self.model.erase(&erasure).await.expect("it is erased");
        assert_eq!(erased, expected);
    }

    /// Everything: of less, engines may keep more.
    async fn trim(&mut self) {
        let last = self.model.bounds().last;
        let first = self.log.trim(NOTHING, NOON, last).await;
        let expected = self.model.trim(NOTHING, NOON, last).await;
        assert_eq!(
            first.expect("it is trimmed"),
            expected.expect("it is trimmed")
        );
    }
}

fn first(chunk: &Chunk) -> Option<Position> {
    chunk.records.first().map(crate::Record::position)
}

fn check_same(answer: &Chunk, expected: &Chunk) {
    assert_eq!(answer.records, expected.records);
    assert_eq!(answer.head, expected.head);
}
