//! What a stream sends, chunk by chunk: events as they come, heartbeats between them, and its end.
//!
//! There is no queue: the next chunk is made when the connection has taken the one before. A reader that falls behind has its
//! events read from the log, at its own pace. What it holds of the log takes room that all streams share; where there is none, the
//! stream ends, and its client comes back with its cursor.

use std::future::ready;
use std::mem;
use std::pin::Pin;
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use feedwire_core::{Delivered, Delivery, Step, read};
use feedwire_dialects::{Refusal, Unreadable};
use feedwire_engine::{Expired, Limit, Record};
use feedwire_event::Cursor;
use tokio::time::{Instant, Sleep, sleep};

use crate::answer;
use crate::edge::Edge;
use crate::room::Room;
use crate::sources::Sources;
use crate::states::States;
use crate::stay::Stay;
use crate::tally::{Ending, Stream};

/// When a stream has a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beats {
    /// Where nothing was sent for so long.
    WhenIdle(Duration),
    /// That often, whatever is sent between them.
    Always(Duration),
}

impl Beats {
    fn interval(self) -> Duration {
        let (Self::WhenIdle(interval) | Self::Always(interval)) = self;
        interval
    }
}

/// What a stream is made of.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) sources: Sources,
    /// The stream ends with the batch that reaches this many events.
    pub(crate) limit: Option<u64>,
    /// How often something is sent at least.
    pub(crate) beats: Beats,
    /// After how long it ends, however much there is to come; `None` is never.
    pub(crate) lifetime: Option<Duration>,
    /// What is sent before what the sources have.
    pub(crate) states: Option<Box<States>>,
    /// Where the client stands.
    pub(crate) cursor: Cursor,
    /// How long it may last.
    pub(crate) stay: Stay,
    /// What was read already, to see whether there is anything to stream.
    pub(crate) first: Vec<Delivered>,
}

/// A stream between two of its chunks.
#[derive(Debug)]
pub(crate) struct Turns {
    sources: Sources,
    /// What comes before what they have; `None` once it has.
    states: Option<Box<States>>,
    /// What the first chunk tells; the first chunk has nothing else, so that it is there at once.
    opening: Option<Cursor>,
    /// How many events may still come; a batch that goes beyond comes whole.
    left: Option<u64>,
    /// What was read before the stream began.
    first: Vec<Delivered>,
    /// Events that are read and not yet sent.
    ready: vec::IntoIter<Delivered>,
    /// The room that they take; none where they are shared at the tail.
    room: Option<Room>,
    beats: Beats,
    beat: Pin<Box<Sleep>>,
    /// When something was sent last that puts off a heartbeat.
    sent_at: Instant,
    ends_at: Option<Instant>,
    counted: Stream,
    stay: Stay,
    edge: Edge,
}

/// What came first.
enum Found {
    Step(Result<Step, read::Error>),
    Beat,
    /// Nothing, and its time is over.
    Over,
    Stop,
    Revoked,
}

/// What came first while states are sent.
enum FoundStates {
    Some(Vec<Record>),
    None,
    Error(read::Error),
    Beat,
    Stop,
    Revoked,
}

/// Whether a stream has another chunk.
#[derive(PartialEq, Eq)]
enum Next {
    Chunk,
    End(Ending),
}

impl Turns {
    pub(crate) fn new(plan: Plan, edge: &Edge) -> Self {
        let Plan {
            sources,
            limit,
            beats,
            lifetime,
            states,
            cursor,
            stay,
            first,
        } = plan;
        let streams = &edge.tally().streams;
        let counted = streams.open(sources.framing().media_type());
        Self {
            sources,
            states,
            opening: Some(cursor),
            left: limit.map(|limit| limit.saturating_sub(first.len() as u64)),
            first,
            ready: Vec::new().into_iter(),
            room: None,
            beats,
            beat: Box::pin(sleep(beats.interval())),
            sent_at: Instant::now(),
            ends_at: lifetime.map(|lifetime| Instant::now() + lifetime),
            counted,
            stay,
            edge: edge.clone(),
        }
    }

    /// The next chunk, and the stream behind it; `None` when it is the last.
    pub(crate) async fn turn(mut self) -> (Option<Self>, Bytes) {
        let mut out = Vec::new();
        let next = self.fill(&mut out).await;
        if matches!(self.beats, Beats::WhenIdle(_)) {
            self.sent_at = Instant::now();
        }
        if let Next::End(ending) = next {
            self.counted.end(ending);
        }
        let Ok(chunk) = self.chunk(out) else {
            self.counted.end(Ending::NoRoom);
            return (None, Bytes::new());
        };
        self.counted.sent(chunk.len());
        ((next == Next::Chunk).then_some(self), chunk)
    }

    /// `out` as it is sent: what is of the log keeps its room until the connection has taken it.
    fn chunk(&mut self, out: Vec<u8>) -> Result<Bytes, Refusal> {
        if self.room.is_none() {
            return Ok(out.into());
        }
        let mut room = Room::streamed(&self.edge);
        room.fit(out.capacity()).inspect_err(ended_for_room)?;
        if self.ready.len() == 0 {
            self.ready = Vec::new().into_iter();
            self.room = None;
        }
        Ok(answer::roomed(out, room))
    }

    async fn fill(&mut self, out: &mut Vec<u8>) -> Next {
        if let Some(cursor) = self.opening.take() {
            if let Some(states) = &self.states {
                states.open(out);
            } else {
                let now = self.edge.clock().now();
                self.sources.framing().open(cursor, now, out);
            }
            return Next::Chunk;
        }
        if self.states.is_some() {
            return self.fill_states(out).await;
        }
        loop {
            if self.stay.is_over() {
                // What was read before and not yet taken is not sent any more. The client that comes back is told why.
                return Next::End(Ending::Revoked);
            }
            if self.is_late() {
                return self.end_late(out);
            }
            // Events that never end would keep it from its turn.
            if matches!(self.beats, Beats::Always(_)) && self.is_due() {
                self.idle(out);
                return Next::Chunk;
            }
            if self.ready.len() > 0 {
                return self.send(out);
            }
            if !self.first.is_empty() {
                let first = mem::take(&mut self.first);
                if self.take(first).is_err() {
                    return Next::End(Ending::NoRoom);
                }
                continue;
            }
            if self.left == Some(0) {
                self.end(out);
                return Next::End(Ending::Reached);
            }
            match self.find().await {
                Found::Step(Ok(Step::Events(Delivery { events, .. }))) => {
                    self.left = self
                        .left
                        .map(|left| left.saturating_sub(events.len() as u64));
                    if self.take(events).is_err() {
                        return Next::End(Ending::NoRoom);
                    }
                }
                Found::Step(Ok(Step::End)) | Found::Over => {
                    self.end(out);
                    return Next::End(Ending::Reached);
                }
                Found::Step(Err(error)) => return self.fail(&error, out),
                // The client comes back to the next server: there is nothing to tell it.
                Found::Step(Ok(Step::Closing)) | Found::Stop => return Next::End(Ending::Stopping),
                // The client that comes back is told why.
                Found::Revoked => return Next::End(Ending::Revoked),
                Found::Beat if self.is_due() => {
                    self.idle(out);
                    return Next::Chunk;
                }
                Found::Beat => {}
            }
        }
    }

    /// States, until there are no more of them.
    async fn fill_states(&mut self, out: &mut Vec<u8>) -> Next {
        loop {
            if self.stay.is_over() {
                return Next::End(Ending::Revoked);
            }
            let Some(states) = &mut self.states else {
                return Next::Chunk;
            };
            match states.send(&mut self.ready, self.edge.limits().frame_bytes, out) {
                Err(unreadable) => return unreadable_event(unreadable),
                Ok(()) if !out.is_empty() => return Next::Chunk,
                Ok(()) => {}
            }
            if self.left == Some(0) {
                states.end(out);
                return Next::End(Ending::Reached);
            }
            match self.find_states().await {
                FoundStates::Some(records) => {
                    self.left = (self.left).map(|left| left.saturating_sub(records.len() as u64));
                    let records = records.into_iter().map(Delivered::Logged);
                    if self.take(records.collect()).is_err() {
                        return Next::End(Ending::NoRoom);
                    }
                }
                FoundStates::None => {
                    if let Some(states) = self.states.take() {
                        states.mark(out);
                    }
                    return Next::Chunk;
                }
                FoundStates::Error(error) => return self.fail(&error, out),
                FoundStates::Stop => return Next::End(Ending::Stopping),
                FoundStates::Revoked => return Next::End(Ending::Revoked),
                FoundStates::Beat if self.is_due() => {
                    if let Some(states) = &mut self.states {
                        states.idle(out);
                    }
                    return Next::Chunk;
                }
                FoundStates::Beat => {}
            }
        }
    }

    async fn find_states(&mut self) -> FoundStates {
        let limit = self.limit();
        let Some(states) = &mut self.states else {
            return FoundStates::None;
        };
        tokio::select! {
            biased;
            () = self.edge.stop().cancelled() => FoundStates::Stop,
            _ = self.stay.over() => FoundStates::Revoked,
            // Before the states: many of which none passes are gone through for long.
            () = &mut self.beat => FoundStates::Beat,
            found = states.next(limit) => match found {
                Ok(Some(records)) => FoundStates::Some(records),
                Ok(None) => FoundStates::None,
                Err(error) => FoundStates::Error(error),
            },
        }
    }

    /// How much may be read at once.
    fn limit(&self) -> Limit {
        let left = self.left.map_or(usize::MAX, |left| {
            usize::try_from(left).unwrap_or(usize::MAX)
        });
        Limit {
            records: left,
            bytes: self.edge.limits().frame_bytes,
        }
    }

    /// Whether it has gone on for too long with what was there for it when its time was over.
    fn is_late(&self) -> bool {
        let late = self.ends_at.map(|end| end + self.edge.limits().end_grace);
        late.is_some_and(|late| late <= Instant::now())
    }

    /// Ends a stream that was too slow to send what there was when its time was over: what it does not send is not kept from its client.
    fn end_late(&self, out: &mut Vec<u8>) -> Next {
        let lost_at_most = self.sources.behind() + self.ready.len() as u64;
        if lost_at_most == 0 {
            self.end(out);
            return Next::End(Ending::Reached);
        }
        let Cursor(cursor) = self.sources.cursor();
        let expired = Expired {
            first: cursor.next(),
            first_at: None,
            lost_at_most,
        };
        self.sources.framing().expired(&expired, out);
        Next::End(Ending::Expired)
    }

    fn idle(&self, out: &mut Vec<u8>) {
        let (cursor, now) = (self.sources.cursor(), self.edge.clock().now());
        self.sources.framing().idle(cursor, now, out);
    }

    fn end(&self, out: &mut Vec<u8>) {
        self.sources.framing().end(self.sources.cursor(), out);
    }

    async fn find(&mut self) -> Found {
        // Looked at even when events never end: they are asked for first below.
        if self.edge.stop().is_cancelled() {
            return Found::Stop;
        }
        let limit = self.limit();
        let is_over = self.ends_at.is_some_and(|end| end <= Instant::now());
        tokio::select! {
            biased;
            step = self.sources.next(limit) => Found::Step(step),
            () = self.edge.stop().cancelled() => Found::Stop,
            _ = self.stay.over() => Found::Revoked,
            () = ready(()), if is_over => Found::Over,
            () = &mut self.beat => Found::Beat,
        }
    }

    /// Gets `events` ready, if there is room for what of them is not shared.
    fn take(&mut self, events: Vec<Delivered>) -> Result<(), Refusal> {
        let own = events.iter().filter_map(|event| match event {
            Delivered::Logged(record) => Some(size_of::<Delivered>() + record.bytes()),
            Delivered::Tailed(_) => None,
        });
        let own: usize = own.sum();
        if own > 0 {
            let mut room = Room::streamed(&self.edge);
            room.fit(own).inspect_err(ended_for_room)?;
            self.room = Some(room);
        }
        self.ready = events.into_iter();
        Ok(())
    }

    /// Appends events that are ready, until the chunk is full.
    fn send(&mut self, out: &mut Vec<u8>) -> Next {
        let frame_bytes = self.edge.limits().frame_bytes;
        if self.ready.len() > 1 {
            out.reserve(frame_bytes);
        }
        while let Some(event) = self
            .ready
            .as_slice()
            .first()
            .filter(|_| out.len() < frame_bytes)
        {
            if let Err(unreadable) = self.sources.framing_of_events().event(event, out) {
                return unreadable_event(unreadable);
            }
            self.ready.next();
        }
        Next::Chunk
    }

    fn fail(&self, error: &read::Error, out: &mut Vec<u8>) -> Next {
        match error {
            read::Error::Expired(expired) => {
                self.sources.framing_of_events().expired(expired, out);
                return Next::End(Ending::Expired);
            }
            // What is wrong is told when the client comes back and asks.
            read::Error::Forbidden(_)
            | read::Error::UnknownProject(_)
            | read::Error::CursorAhead { .. }
            | read::Error::Damaged(_)
            | read::Error::Unavailable(_) => {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "a stream ends before its time"
                );
            }
        }
        Next::End(Ending::Failed)
    }

    /// Whether it is time for a heartbeat; sets the clock for the next time that this is asked.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let interval = self.beats.interval();
        let due_at = self.sent_at + interval;
        let is_due = due_at <= now;
        if is_due {
            self.sent_at = now;
        }
        let next = if is_due { now + interval } else { due_at };
        let next = self.ends_at.map_or(next, |end| end.min(next));
        self.beat.as_mut().reset(next);
        is_due
    }
}

/// The client is told nothing: what is wrong is on this side.
fn unreadable_event(unreadable: Unreadable) -> Next {
    tracing::error!(
        error = &unreadable as &dyn std::error::Error,
        "a stream ends before its time"
    );
    Next::End(Ending::Failed)
}

/// The client is told nothing: it comes back with the last cursor that it was sent.
fn ended_for_room(_: &Refusal) {
    tracing::warn!("a stream ends before its time: streams hold as much of the logs as they may");
}
