//! Batches out of a body of lines, as it arrives.

use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

use bytes::Bytes;
use feedwire_core::entities::{Wanted, Write};
use feedwire_dialects::lines::Lines;
use feedwire_dialects::native::{body, error};
use feedwire_dialects::{Refusal, entity_body};
use feedwire_event::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, ID_BYTES_MAX};
use feedwire_event::{Attribute, Data, Event, EventId, FeedName, Ids, Source, Subject};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::refuse::Refused;
use crate::asked::Asked;
use crate::edge::Edge;
use crate::intake::Pieces;
use crate::room::Room;

/// How long a body may pause before what has arrived is a batch: a slow producer's events are not to wait for those to come.
const PAUSE: Duration = Duration::from_millis(100);

/// What a line of a body says.
pub(super) trait Line: Sized {
    /// What no two of one batch have.
    type Own: Eq + Hash;

    /// Whether a batch ends before a line that cannot be read, and is not given up for it.
    const STANDS_ALONE: bool;

    /// What `line` says, of `feed`.
    fn read(line: &[u8], feed: &FeedName) -> Result<Self, body::Error>;

    /// What it counts for at most against the limit of a batch.
    fn bytes_at_most(&self) -> usize;

    /// What no other of its batch has.
    fn own(&self) -> Option<Self::Own>;
}

/// The batches of a body.
#[derive(Debug)]
pub(super) struct Batches<T> {
    pieces: Pieces,
    lines: Lines,
    /// Room for what is not a whole line yet.
    unfinished: Room,
    /// How long a batch that is not full waits for more; without bound where all of the body has to be one batch.
    pause: Option<Duration>,
    feed: FeedName,
    edge: Edge,
    /// What the batch before had no place for, and its line.
    kept: Option<(u64, T)>,
    /// The line that cannot be read, behind a batch that ended for it.
    refused: Option<Refused>,
    is_over: bool,
}

/// What came next of a body.
enum Piece {
    More(Bytes),
    Pause,
    End,
}

/// As many as make a batch, with the room that they take.
#[derive(Debug)]
pub(super) struct Batch<T> {
    pub(super) all: Vec<T>,
    /// The line of each, from 1.
    pub(super) lines: Vec<u64>,
    pub(super) bytes: usize,
    room: Room,
}

/// Counts a batch of lines when it may come: whoever sends many is not refused in the middle of them for being a little fast. From
/// somebody who may publish no more, nothing is taken any more.
pub(super) async fn take_in(asked: &Asked, bytes: usize) -> Result<(), Refusal> {
    let within = asked.edge.limits().body_timeout;
    asked.metered().publish_in_time(bytes, within).await?;
    asked.check_leave()
}

impl<T: Line> Batches<T> {
    pub(super) fn new(body: Incoming, edge: &Edge, feed: FeedName) -> Self {
        let pieces = Pieces::new(body, edge);
        let lines = Lines::new(edge.limits().line_bytes_max);
        Self {
            pieces,
            lines,
            unfinished: Room::received(edge),
            pause: Some(PAUSE),
            feed,
            edge: edge.clone(),
            kept: None,
            refused: None,
            is_over: false,
        }
    }

    /// The same as one batch: a pause parts nothing.
    pub(super) fn unparted(mut self) -> Self {
        self.pause = None;
        self
    }

    /// The next batch, full unless the body pauses or ends behind it, or goes on with what cannot be in it; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Batch<T>>, Refused> {
        let mut batch = Batch {
            all: Vec::new(),
            lines: Vec::new(),
            bytes: 0,
            room: Room::received(&self.edge),
        };
        if let Some(refused) = self.refused.take() {
            return Err(refused);
        }
        let mut owned = HashSet::new();
        if let Some((line, one)) = self.kept.take() {
            owned.extend(one.own());
            batch.add(line, one)?;
        }
        loop {
            while batch.all.len() < BATCH_EVENTS_MAX {
                let (line, one) = match self.line() {
                    Ok(Some(next)) => next,
                    Ok(None) => break,
                    Err(refused) if T::STANDS_ALONE && !batch.all.is_empty() => {
                        self.refused = Some(refused);
                        return Ok(Some(batch));
                    }
                    Err(refused) => return Err(refused),
                };
                let is_full = batch.bytes + one.bytes_at_most() > BATCH_BYTES_MAX;
                if is_full || one.own().is_some_and(|own| !owned.insert(own)) {
                    self.kept = Some((line, one));
                    return Ok(Some(batch));
                }
                batch.add(line, one)?;
            }
            if self.is_over || batch.all.len() == BATCH_EVENTS_MAX {
                return Ok(Some(batch).filter(|batch| !batch.all.is_empty()));
            }
            match self.piece(!batch.all.is_empty()).await? {
                Piece::More(piece) => {
                    self.lines.push(&piece);
                    self.unfinished.fit(self.lines.held_bytes())?;
                }
                Piece::Pause => return Ok(Some(batch)),
                Piece::End => self.is_over = true,
            }
        }
    }

    /// The next piece of the body; with `has_lines`, no pause is waited out for it.
    async fn piece(&mut self, has_lines: bool) -> Result<Piece, Refusal> {
        let pause = self.pause.filter(|_| has_lines);
        let next = match pause {
            None => self.pieces.next().await,
            Some(pause) => match timeout(pause, self.pieces.next()).await {
                Ok(next) => next,
                Err(_elapsed) => return Ok(Piece::Pause),
            },
        };
        match next {
            // What has arrived is published first: the next call, which has nothing, refuses.
            Err(Refusal::RequestTimeout) if pause.is_some() => Ok(Piece::Pause),
            Err(refusal) => Err(refusal),
            Ok(Some(piece)) => Ok(Piece::More(piece)),
            Ok(None) => Ok(Piece::End),
        }
    }

    /// The next line of what has arrived, and its number.
    fn line(&mut self) -> Result<Option<(u64, T)>, Refused> {
        let line = if self.is_over {
            self.lines.last()
        } else {
            self.lines
                .take()
                .map_err(|error| Refused(error::line_too_long(&error)))?
        };
        let Some((number, text)) = line else {
            return Ok(None);
        };
        let one =
            T::read(text, &self.feed).map_err(|error| Refused(error::line(&error, number)))?;
        Ok(Some((number, one)))
    }
}

impl<T: Line> Batch<T> {
    fn add(&mut self, line: u64, one: T) -> Result<(), Refused> {
        self.bytes += one.bytes_at_most();
        self.room.cover(self.bytes)?;
        self.all.push(one);
        self.lines.push(line);
        Ok(())
    }
}

/// What is stored beside the texts of an event.
const HEADER_BYTES: usize = 16;

impl Line for (FeedName, Event) {
    type Own = ();

    const STANDS_ALONE: bool = false;

    fn read(line: &[u8], feed: &FeedName) -> Result<Self, body::Error> {
        Ok((feed.clone(), body::event(line)?))
    }

    fn bytes_at_most(&self) -> usize {
        let (feed, event) = self;
        bytes_at_most(feed, event)
    }

    fn own(&self) -> Option<()> {
        None
    }
}

impl Line for Write {
    type Own = Subject;

    const STANDS_ALONE: bool = true;

    fn read(line: &[u8], feed: &FeedName) -> Result<Self, body::Error> {
        entity_body::line(line, feed)
    }

    fn bytes_at_most(&self) -> usize {
        /// What stands of a change before its texts.
        const CHANGE_BYTES: usize = 21;
        let texts = match &self.wanted {
            Wanted::Put { state, ids } => {
                state.as_str().len() + ids.as_ref().map_or(0, |ids| Ids::as_str(ids).len())
            }
            // No line is one of these.
            Wanted::Patched { .. } | Wanted::Deleted => 0,
        };
        let source = self
            .source
            .as_ref()
            .map_or(0, |source| Source::as_str(source).len());
        let names = self.feed.as_str().len() + self.subject.as_str().len() + source;
        HEADER_BYTES + CHANGE_BYTES + ID_BYTES_MAX + names + texts
    }

    fn own(&self) -> Option<Subject> {
        Some(self.subject.clone())
    }
}

/// What `event` counts for at most against the limit of a batch, whatever id it is given.
fn bytes_at_most(feed: &FeedName, event: &Event) -> usize {
    let data = match &event.data {
        None => 0,
        Some(Data::Json(data) | Data::Base64(data)) => data.bytes().len(),
    };
    HEADER_BYTES
        + feed.as_str().len()
        + event.ty.as_str().len()
        + event
            .subject
            .as_ref()
            .map_or(0, |subject| Subject::as_str(subject).len())
        + event
            .id
            .as_ref()
            .map_or(ID_BYTES_MAX, |id| EventId::as_str(id).len())
        + event
            .source
            .as_ref()
            .map_or(0, |source| Source::as_str(source).len())
        + event.extensions.members().len()
        + data
}
