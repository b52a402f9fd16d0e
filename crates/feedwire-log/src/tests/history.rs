//! Random histories of a log, and what they promise about it afterwards.

use std::sync::{Arc, mpsc};

use bytes::Bytes;
use parking_lot::Mutex;

use super::random::Random;
use super::sim::Sim;
use crate::{Batch, Chunk, Erasure, Keep, Limit, Log, NewRecord, Options, Record, Scope, open};

/// Small segments, so that a short history has several.
pub(super) const OPTIONS: Options = Options {
    segment_bytes: 3000,
    queue_bytes: 64 << 10,
    min_free_bytes: 0,
};

/// A record as it was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) feed: String,
    pub(super) ty: String,
    pub(super) subject: String,
    pub(super) time: Option<i64>,
    pub(super) payload: Vec<u8>,
}

/// A batch that was given positions.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) first: u64,
    pub(super) recorded_at: i64,
    pub(super) records: Vec<Wanted>,
    /// What its submitter was told, if anything yet.
    pub(super) outcome: Arc<Mutex<Option<bool>>>,
}

impl Written {
    pub(super) fn is_acknowledged(&self) -> bool {
        *self.outcome.lock() == Some(true)
    }

    pub(super) fn last(&self) -> u64 {
        self.first + self.records.len() as u64 - 1
    }
}

/// What was done to a log, and may be expected of it.
#[derive(Debug)]
pub(super) struct History {
    pub(super) random: Random,
    pub(super) written: Vec<Written>,
    /// Batches that failed, and of whose positions some were given again.
    pub(super) given_again: Vec<Written>,
    /// The first position is at least the first of these, and at most the other.
    pub(super) first: (u64, u64),
    /// What was erased, and whether it is known to be done.
    pub(super) erasures: Vec<(Erasure, bool)>,
    records: u64,
    now: i64,
}

impl History {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            written: Vec::new(),
            given_again: Vec::new(),
            first: (1, 1),
            erasures: Vec::new(),
            records: 0,
            now: 1_000_000,
        }
    }

    /// Does something; an error is the disk's, and changes what may be expected.
    pub(super) fn act(&mut self, log: &Log) {
        match self.random.below(24) {
            0 => self.trim(log),
            1 => self.erase(log),
            2..12 => self.append(log),
            _ => drop(self.submit(log)),
        }
    }

    /// Submits a batch without waiting for it; what is returned ends once it was told.
    pub(super) fn submit(&mut self, log: &Log) -> Option<mpsc::Receiver<()>> {
        let wanted = self.batch();
        let outcome = Arc::new(Mutex::new(None));
        let told = Arc::clone(&outcome);
        let (end, ended) = mpsc::sync_channel(1);
        let done = Box::new(move |result: Result<(), _>| {
            *told.lock() = Some(result.is_ok());
            drop(end);
        });
        let versions: Vec<u64> = (1..=wanted.len() as u64).collect();
        let submitted = log
            .submit(encode(&wanted), &versions, self.now, log.failures(), done)
            .ok()?;
        // Positions of which no byte reached a file may be given again after the log was opened again.
        self.written.retain(|before| {
            let is_again = before.last() >= submitted.first;
            if is_again {
                self.given_again.push(before.clone());
            }
            assert!(
                !is_again || !before.is_acknowledged(),
                "a position is given once"
            );
            !is_again
        });
        self.written.push(Written {
            first: submitted.first,
            recorded_at: submitted.recorded_at,
            records: wanted,
            outcome,
        });
        Some(ended)
    }

    /// Submits a batch and waits for it.
    pub(super) fn append(&mut self, log: &Log) {
        if let Some(ended) = self.submit(log) {
            assert!(ended.recv().is_err(), "it ends without a word");
        }
    }

    pub(super) fn trim(&mut self, log: &Log) {
        let head = log.bounds().last;
        let not_past = head.saturating_sub(self.random.below(20) as u64);
        let bytes = Some(self.random.below(6000) as u64);
        self.first.1 = self.first.1.max(head + 1);
        let keep = Keep {
            older_than: None,
            bytes,
        };
        if let Ok(first) = log.trim(keep, not_past) {
            assert!(first >= self.first.0, "the first position never goes back");
            assert!(
                first <= not_past + 1 || first == self.first.0,
                "nothing that is needed goes"
            );
            self.first = (first, first);
        }
    }

    pub(super) fn erase(&mut self, log: &Log) {
        let subject = format!("s{}", self.random.below(5));
        let feed = format!("f{}", self.random.below(3));
        let kind = self.random.below(3);
        let erasure = Erasure {
            feed: (kind != 0).then(|| feed.into()),
            subject: (kind != 1).then(|| subject.into()),
            through: log.bounds().last,
        };
        self.erasures.push((erasure.clone(), false));
        if log.erase(&erasure).is_ok() {
            self.erasures.last_mut().expect("it was pushed").1 = true;
        }
    }

    fn batch(&mut self) -> Vec<Wanted> {
        self.now += i64::try_from(self.random.below(100)).expect("small") - 20;
        let len = 1 + self.random.below(4);
        (0..len).map(|_| self.record()).collect()
    }

    fn record(&mut self) -> Wanted {
        self.records += 1;
        let mut payload = format!("@{:010}@", self.records).into_bytes();
        let len = if self.random.chance(15) { 1500 } else { 120 };
        payload.resize(payload.len() + self.random.below(len), b'x');
        let subject = match self.random.below(6) {
            0 => String::new(),
            number => format!("s{}", number - 1),
        };
        Wanted {
            feed: format!("f{}", self.random.below(3)),
            ty: format!("t{}", self.random.below(2)),
            subject,
            time: self.random.chance(2).then_some(self.now - 5),
            payload,
        }
    }
}

pub(super) fn encode(wanted: &[Wanted]) -> Batch {
    let records = wanted.iter().map(|wanted| NewRecord {
        feed: wanted.feed.as_bytes(),
        ty: wanted.ty.as_bytes(),
        subject: wanted.subject.as_bytes(),
        time: wanted.time,
        payload: &wanted.payload,
    });
    Batch::new(records).expect("a batch within bounds")
}

pub(super) fn open(sim: &Sim) -> Result<Log, open::Error> {
    Log::open_in(Arc::new(sim.clone()), OPTIONS)
}

pub(super) fn create(sim: &Sim) -> Log {
    open::create(sim, 7).expect("nothing goes wrong yet");
    open(sim).expect("nothing goes wrong yet")
}

/// All records, read in small pieces, from the first retained position.
pub(super) fn read_all(log: &Log, scope: &Scope) -> Vec<Record> {
    let limit = Limit {
        records: 7,
        bytes: 2000,
    };
    let (mut after, mut records) = (log.bounds().first - 1, Vec::new());
    loop {
        let chunk = log
            .read(scope, after, limit)
            .expect("what is retained reads");
        let Chunk { through, head, .. } = chunk;
        records.extend(chunk.records);
        if through >= head {
            return records;
        }
        assert!(through > after, "a reading makes way");
        after = through;
    }
}

/// All records, read backward in small pieces, in ascending order.
pub(super) fn read_all_back(log: &Log, scope: &Scope) -> Vec<Record> {
    let limit = Limit {
        records: 5,
        bytes: 3000,
    };
    let (mut before, mut records) = (u64::MAX, Vec::new());
    loop {
        let chunk = log
            .read_back(scope, before, limit)
            .expect("what is retained reads");
        records.extend(chunk.records);
        if chunk.through <= log.bounds().first {
            records.reverse();
            return records;
        }
        assert!(chunk.through < before, "a reading makes way");
        before = chunk.through;
    }
}

/// Checks a record against what was submitted at its position.
pub(super) fn assert_same(record: &Record, written: &Written) {
    let index = usize::try_from(record.position - written.first).expect("small");
    let wanted = &written.records[index];
    let tags = (&*wanted.feed, &*wanted.ty, &*wanted.subject);
    let found = [record.feed(), record.ty(), record.subject()].map(str);
    assert_eq!((&*found[0], &*found[1], &*found[2]), tags);
    assert_eq!(record.payload(), Bytes::from(wanted.payload.clone()));
    assert_eq!(record.recorded_at, written.recorded_at);
    assert_eq!(record.time, wanted.time.unwrap_or(written.recorded_at));
    let place = (usize::from(record.index), usize::from(record.count));
    assert_eq!(place, (index, written.records.len()));
}

fn str(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("tags of tests are text")
}

/// Whether an erasure asks for a record.
pub(super) fn asks(erasure: &Erasure, position: u64, wanted: &Wanted) -> bool {
    position <= erasure.through
        && erasure
            .feed
            .as_ref()
            .is_none_or(|feed| feed == wanted.feed.as_bytes())
        && erasure
            .subject
            .as_ref()
            .is_none_or(|subject| subject == wanted.subject.as_bytes())
}
