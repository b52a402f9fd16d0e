//! Subjects aside, as the log has them: whose an event is, what of them is read, and what an erasure leaves of them.

use std::hash::BuildHasher;

use feedwire_engine::{Erasure, Limit, ReadError, Record, Scope};
use feedwire_event::{Position, Subject};
use xxhash_rust::xxh3::xxh3_64;

use super::group::{Aside, AsideRead, Group, Identity};
use super::live::Live;
use super::register::Streams;
use super::window::Chunk;
use crate::delivery::Delivered;
use crate::limits::{ASIDE_EVENTS_MAX, STREAM_READ_BYTES};
use crate::{read, store};

/// One record, to see whether there is any.
const ONE: Limit = Limit {
    records: 1,
    bytes: 1,
};

/// The hash that the partition of `subject` is found by.
pub(super) fn hash(subject: Option<&str>) -> u64 {
    xxh3_64(subject.unwrap_or_default().as_bytes())
}

impl Live {
    /// Whose an event of `subject` is.
    pub(super) fn identity(&self, subject: Option<&str>) -> Identity {
        Identity(self.keys.hash_one(subject.unwrap_or_default()))
    }

    /// Where the log is read for what the stream has of `subject`. For events without one, everything is.
    fn scope_of(&self, subject: Option<&Subject>) -> Scope {
        let scope = self.matcher.filter().scope();
        match subject {
            Some(subject) => Scope {
                subjects: vec![subject.clone()],
                ..scope
            },
            None => scope,
        }
    }

    /// What comes next of a subject aside.
    pub(super) async fn read_aside(&self, read: &AsideRead) -> Result<Chunk, ReadError> {
        let limit = Limit {
            // What has no subject is among all others.
            records: read
                .subject
                .as_ref()
                .map_or(usize::MAX, |_| ASIDE_EVENTS_MAX),
            bytes: STREAM_READ_BYTES,
        };
        let scope = self.scope_of(read.subject.as_ref());
        let chunk = self.ground.log.read(&scope, read.after, limit).await?;
        let subject = read.subject.as_ref().map(Subject::as_str);
        let own = chunk.records.into_iter();
        let own = own.filter(|record| record.subject() == subject);
        let events = own.map(Delivered::Logged).collect();
        let (events, through) = self.sift(events, chunk.through).await;
        Ok(Chunk::new(read.after, through, events, &self.kept.settings))
    }

    /// Goes on with what is left of subjects that are aside and that `erasure` is about. One of which nothing is left is none any more.
    async fn look_for_rest(&self, erasure: &Erasure) -> Result<bool, ReadError> {
        let asides = self.look(Group::asides).into_iter();
        let named = |aside: &Aside| erasure.subject.is_none() || erasure.subject == aside.subject;
        let mut is_any = false;
        for aside in asides.filter(named) {
            let first = self.first_of(&aside).await?;
            let identity = self.identity(aside.subject.as_ref().map(Subject::as_str));
            self.with(|group, _| group.erased_aside(&aside, identity, first));
            is_any = true;
        }
        Ok(is_any)
    }

    /// Before which position there is nothing of `aside`, of what is not settled.
    async fn first_of(&self, aside: &Aside) -> Result<Position, ReadError> {
        let scope = self.scope_of(aside.subject.as_ref());
        match self.ground.log.read(&scope, aside.after, ONE).await {
            Ok(chunk) => {
                let first = chunk.records.first().map(Record::position);
                Ok(first.unwrap_or_else(|| chunk.through.next()))
            }
            // Whoever reads it is told what is lost, or that it cannot be read.
            Err(ReadError::Expired(_) | ReadError::Damaged { .. }) => Ok(aside.after.next()),
            Err(error) => Err(error),
        }
    }
}

impl Streams {
    /// Has no stream keep the name of a subject of which `erasure` has left nothing.
    pub(crate) async fn forget_erased(&self, erasure: &Erasure) -> Result<(), store::Error> {
        let _unchanged = self.unchanged().await;
        for live in self.all() {
            let is_any = live.look_for_rest(erasure).await;
            if is_any.map_err(read::Error::from)? {
                live.save().await?;
            }
        }
        Ok(())
    }
}
