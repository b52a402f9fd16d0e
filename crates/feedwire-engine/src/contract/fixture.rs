//! What the promises are tried with: a project on a place, and batches written as text.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use feedwire_event::{FeedName, Position, ProjectName, Subject, Timestamp, TypeName, Version};

use super::Place;
use crate::{
    AppendError, Appended, Batch, Engine, Erasure, Expectation, Expected, Head, Limit, Log,
    NewRecord, Record, Retention, Scope,
};

/// A moment to record at; the tests drive time by hand.
pub(super) const NOON: Timestamp = Timestamp::from_micros(1_357_041_600_000_000);

/// More than any test appends.
pub(super) const ALL: Limit = Limit {
    records: 1_000_000,
    bytes: 1 << 30,
};

/// Retention that keeps nothing.
pub(super) const NOTHING: Retention = Retention {
    age: None,
    bytes: Some(0),
};

pub(super) fn feed(name: &str) -> FeedName {
    FeedName::new(name).expect("the tests name feeds rightly")
}

pub(super) fn ty(name: &str) -> TypeName {
    TypeName::new(name).expect("the tests name types rightly")
}

pub(super) fn subject(name: &str) -> Subject {
    Subject::new(name).expect("the tests name subjects rightly")
}

pub(super) fn project(name: &str) -> ProjectName {
    ProjectName::new(name).expect("the tests name projects rightly")
}

pub(super) fn at(position: u64) -> Position {
    Position::new(position).expect("the tests stay below the last position")
}

/// A record out of `feed type [subject]`; its payload is the same text.
pub(super) fn record(text: &str) -> NewRecord {
    let mut words = text.split(' ');
    let mut word = || words.next();
    NewRecord {
        feed: feed(word().expect("a feed")),
        ty: ty(word().expect("a type")),
        subject: word().map(subject),
        time: None,
        payload: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// A batch of records as [`record`] takes them.
pub(super) fn batch(records: &[&str]) -> Batch {
    expecting(records, Vec::new())
}

pub(super) fn expecting(records: &[&str], expectations: Vec<Expectation>) -> Batch {
    let records = records.iter().map(|text| record(text)).collect();
    Batch::new(records, expectations).expect("the tests stay within the limits")
}

/// What is expected of the subject out of `feed subject`.
pub(super) fn expect(text: &str, expected: Expected) -> Expectation {
    let (f, s) = text.split_once(' ').expect("feed and subject");
    Expectation {
        feed: feed(f),
        subject: subject(s),
        expected,
    }
}

pub(super) fn version(text: &str, expected: u64) -> Expectation {
    expect(text, Expected::Version(Version(expected)))
}

/// An erasure of a feed, a subject or, where one is empty, every one of them, up to `through`.
pub(super) fn erasure(feeds: &str, subjects: &str, through: u64) -> Erasure {
    Erasure {
        feed: Some(feeds).filter(|name| !name.is_empty()).map(feed),
        subject: Some(subjects).filter(|name| !name.is_empty()).map(subject),
        through: at(through),
    }
}

/// The scope out of lists of feeds, types and subjects, each separated by spaces.
pub(super) fn scope(feeds: &str, types: &str, subjects: &str) -> Scope {
    Scope {
        feeds: feeds.split_whitespace().map(feed).collect(),
        types: types.split_whitespace().map(ty).collect(),
        subjects: subjects.split_whitespace().map(subject).collect(),
    }
}

pub(super) fn positions(records: &[Record]) -> Vec<u64> {
    records.iter().map(|r| r.position().get()).collect()
}

/// An engine on a place, with one project.
pub(super) struct Bench<'a> {
    pub(super) place: &'a dyn Place,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) log: Arc<dyn Log>,
}

impl<'a> Bench<'a> {
    /// Opens the engine on the empty place and makes the project.
    pub(super) async fn new(place: &'a dyn Place) -> Self {
        let engine = place.open().await;
        engine.create(&project("p")).await.expect("it is created");
        Self::on(place, engine).await
    }

    async fn on(place: &'a dyn Place, engine: Arc<dyn Engine>) -> Self {
        let log = engine.log(&project("p")).await.expect("it opens");
        Self { place, engine, log }
    }

    /// Closes the engine and opens it again.
    pub(super) async fn reopen(self) -> Self {
        let Self { place, engine, log } = self;
        engine.close().await;
        drop(log);
        drop(engine);
        Self::on(place, place.open().await).await
    }

    /// Lets the engine die and opens it again.
    pub(super) async fn crash(self) -> Self {
        let Self { place, engine, log } = self;
        drop(log);
        place.crash(engine).await;
        Self::on(place, place.open().await).await
    }

    pub(super) async fn try_append(&self, batch: Batch) -> Result<Appended, AppendError> {
        self.log.append(batch, NOON).await
    }

    pub(super) async fn append(&self, records: &[&str]) -> Appended {
        let appended = self.try_append(batch(records)).await;
        appended.expect("it is appended")
    }

    /// Appends `batch` as one who goes away at once: it is on its way then, or it never will be.
    pub(super) async fn submit(&self, batch: Batch) {
        let mut append = pin!(self.try_append(batch));
        let is_appended = poll_fn(|context| Poll::Ready(append.as_mut().poll(context).is_ready()));
        is_appended.await;
    }

    /// Everything in `scope`, read in one go.
    pub(super) async fn read(&self, scope: &Scope) -> Vec<Record> {
        let first = self.log.bounds().first;
        let chunk = self.log.read(scope, first.previous(), ALL).await;
        chunk.expect("it is read").records
    }

    /// The head of the subject out of `feed subject`.
    pub(super) async fn head(&self, text: &str) -> Option<Head> {
        let (f, s) = text.split_once(' ').expect("feed and subject");
        let head = self.log.subject(&feed(f), &subject(s)).await;
        head.expect("it is looked up")
    }

    pub(super) async fn forget(&self, erasure: &Erasure) {
        let forgotten = self.log.forget(erasure).await;
        forgotten.expect("it is forgotten");
    }

    /// Erases it, and returns how many records that were.
    pub(super) async fn erase(&self, erasure: &Erasure) -> u64 {
        let erased = self.log.erase(erasure).await;
        erased.expect("it is erased")
    }

    /// Trims everything.
    pub(super) async fn trim_all(&self) -> Position {
        let last = self.log.bounds().last;
        let first = self.log.trim(NOTHING, NOON, last).await;
        first.expect("it is trimmed")
    }
}

pub(super) fn head(version: u64, position: u64) -> Head {
    Head {
        version: Version(version),
        position: at(position),
    }
}
