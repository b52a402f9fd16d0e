//! Batches out of a body of lines, as it arrives.

use std::time::Duration;

use bytes::Bytes;
use feedwire_dialects::Refusal;
use feedwire_dialects::lines::Lines;
use feedwire_dialects::native::{body, error};
use feedwire_event::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, ID_BYTES_MAX};
use feedwire_event::{Attribute, Data, Event, EventId, FeedName, Source, Subject};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::refuse::Refused;
use crate::edge::Edge;
use crate::intake::Pieces;
use crate::room::Room;

/// How long a body may pause before what has arrived is a batch: a slow producer's events are not to wait for those to come.
const PAUSE: Duration = Duration::from_millis(100);

/// The batches of a body.
#[derive(Debug)]
pub(super) struct Batches {
    pieces: Pieces,
    lines: Lines,
    /// Room for what is not a whole line yet.
    unfinished: Room,
    /// How long a batch that is not full waits for more; without bound where all of the body has to be one batch.
    pause: Option<Duration>,
    feed: FeedName,
    edge: Edge,
    /// An event that the batch before had no room for.
    kept: Option<Event>,
    is_over: bool,
}

/// What came next of a body.
enum Piece {
    More(Bytes),
    Pause,
    End,
}

/// As many events as make a batch, with the room that they take.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<(FeedName, Event)>,
    pub(super) bytes: usize,
    room: Room,
}

impl Batches {
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
            is_over: false,
        }
    }

    /// The same as one batch: a pause parts nothing.
    pub(super) fn unparted(mut self) -> Self {
        self.pause = None;
        self
    }

    /// The next batch, full unless the body pauses or ends behind it; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, Refused> {
        let mut batch = Batch {
            events: Vec::new(),
            bytes: 0,
            room: Room::received(&self.edge),
        };
        if let Some(event) = self.kept.take() {
            batch.add(&self.feed, event)?;
        }
        loop {
            while batch.events.len() < BATCH_EVENTS_MAX {
                let Some(event) = self.event()? else { break };
                if batch.bytes + bytes_at_most(&self.feed, &event) > BATCH_BYTES_MAX {
                    self.kept = Some(event);
                    return Ok(Some(batch));
                }
                batch.add(&self.feed, event)?;
            }
            if self.is_over || batch.events.len() == BATCH_EVENTS_MAX {
                return Ok(Some(batch).filter(|batch| !batch.events.is_empty()));
            }
            match self.piece(!batch.events.is_empty()).await? {
                Piece::More(piece) => {
                    self.lines.push(&piece);
                    self.unfinished.fit(self.lines.held_bytes())?;
                }
                Piece::Pause => return Ok(Some(batch)),
                Piece::End => self.is_over = true,
            }
        }
    }

    /// The next piece of the body; with `has_events`, no pause is waited out for it.
    async fn piece(&mut self, has_events: bool) -> Result<Piece, Refusal> {
        let pause = self.pause.filter(|_| has_events);
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

    /// The next event of what has arrived.
    fn event(&mut self) -> Result<Option<Event>, Refused> {
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
        let event = body::event(text).map_err(|error| Refused(error::line(&error, number)))?;
        Ok(Some(event))
    }
}

impl Batch {
    fn add(&mut self, feed: &FeedName, event: Event) -> Result<(), Refused> {
        self.bytes += bytes_at_most(feed, &event);
        self.room.cover(self.bytes)?;
        self.events.push((feed.clone(), event));
        Ok(())
    }
}

/// What `event` counts for at most against the limit of a batch, whatever id it is given.
fn bytes_at_most(feed: &FeedName, event: &Event) -> usize {
    // What is stored beside the texts of an event.
    const HEADER_BYTES: usize = 16;
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
