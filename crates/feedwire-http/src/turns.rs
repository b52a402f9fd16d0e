//! What a stream sends, chunk by chunk: events as they come, heartbeats between them, and its end.
//!
//! There is no queue: the next chunk is made when the connection has taken the one before. A reader that falls behind has its
//! events read from the log, at its own pace.

use std::pin::Pin;
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use feedwire_core::{Delivered, Delivery, Reader, Step, read};
use feedwire_dialects::Framing;
use feedwire_engine::Limit;
use feedwire_event::Cursor;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;

use crate::edge::Edge;

/// What a stream is made of.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) reader: Reader,
    pub(crate) framing: Box<dyn Framing>,
    /// The stream ends with the batch that reaches this many events.
    pub(crate) limit: Option<u64>,
    /// How often something is sent at least.
    pub(crate) heartbeat: Duration,
    /// Where the client stands.
    pub(crate) cursor: Cursor,
    /// What was read already, to see whether there is anything to stream.
    pub(crate) first: Vec<Delivered>,
}

/// A stream between two of its chunks.
#[derive(Debug)]
pub(crate) struct Turns {
    reader: Reader,
    framing: Box<dyn Framing>,
    /// What the first chunk tells; the first chunk has nothing else, so that it is there at once.
    opening: Option<Cursor>,
    /// How many events may still come; a batch that goes beyond comes whole.
    left: Option<u64>,
    /// Events that are read and not yet sent.
    ready: vec::IntoIter<Delivered>,
    heartbeat: Duration,
    beat: Pin<Box<Sleep>>,
    /// When something was sent last.
    sent_at: Instant,
    frame_bytes: usize,
    stop: CancellationToken,
}

/// What came first.
enum Found {
    Step(Result<Step, read::Error>),
    Beat,
    Stop,
}

/// Whether a stream has another chunk.
#[derive(PartialEq, Eq)]
enum Next {
    Chunk,
    End,
}

impl Turns {
    pub(crate) fn new(plan: Plan, edge: &Edge) -> Self {
        let Plan {
            reader,
            framing,
            limit,
            heartbeat,
            cursor,
            first,
        } = plan;
        Self {
            reader,
            framing,
            opening: Some(cursor),
            left: limit.map(|limit| limit.saturating_sub(first.len() as u64)),
            ready: first.into_iter(),
            heartbeat,
            beat: Box::pin(sleep(heartbeat)),
            sent_at: Instant::now(),
            frame_bytes: edge.limits().frame_bytes,
            stop: edge.stop().clone(),
        }
    }

    /// The next chunk, and the stream behind it; `None` when it is the last.
    pub(crate) async fn turn(mut self) -> (Option<Self>, Bytes) {
        let mut out = Vec::new();
        let next = self.fill(&mut out).await;
        self.sent_at = Instant::now();
        ((next == Next::Chunk).then_some(self), out.into())
    }

    async fn fill(&mut self, out: &mut Vec<u8>) -> Next {
        if let Some(cursor) = self.opening.take() {
            self.framing.open(cursor, out);
            return Next::Chunk;
        }
        loop {
            if self.ready.len() > 0 {
                return self.send(out);
            }
            if self.left == Some(0) {
                self.framing.end(self.reader.cursor(), out);
                return Next::End;
            }
            match self.find().await {
                Found::Step(Ok(Step::Events(Delivery { events, .. }))) => self.take(events),
                Found::Step(Ok(Step::End)) => {
                    self.framing.end(self.reader.cursor(), out);
                    return Next::End;
                }
                Found::Step(Err(error)) => return self.fail(&error, out),
                // The client comes back to the next server: there is nothing to tell it.
                Found::Step(Ok(Step::Closing)) | Found::Stop => return Next::End,
                Found::Beat if self.is_due() => {
                    self.framing.idle(self.reader.cursor(), out);
                    return Next::Chunk;
                }
                Found::Beat => {}
            }
        }
    }

    async fn find(&mut self) -> Found {
        // Looked at even when events never end: they are asked for first below.
        if self.stop.is_cancelled() {
            return Found::Stop;
        }
        let left = self.left.map_or(usize::MAX, |left| {
            usize::try_from(left).unwrap_or(usize::MAX)
        });
        let limit = Limit {
            records: left,
            bytes: self.frame_bytes,
        };
        tokio::select! {
            biased;
            step = self.reader.next(limit) => Found::Step(step),
            () = self.stop.cancelled() => Found::Stop,
            () = &mut self.beat => Found::Beat,
        }
    }

    fn take(&mut self, events: Vec<Delivered>) {
        self.left = self
            .left
            .map(|left| left.saturating_sub(events.len() as u64));
        self.ready = events.into_iter();
    }

    /// Appends events that are ready, until the chunk is full.
    fn send(&mut self, out: &mut Vec<u8>) -> Next {
        if self.ready.len() > 1 {
            out.reserve(self.frame_bytes);
        }
        while let Some(event) = self
            .ready
            .as_slice()
            .first()
            .filter(|_| out.len() < self.frame_bytes)
        {
            if let Err(unreadable) = self.framing.event(event, out) {
                tracing::error!(
                    error = &unreadable as &dyn std::error::Error,
                    "a stream ends before its time"
                );
                return Next::End;
            }
            self.ready.next();
        }
        Next::Chunk
    }

    fn fail(&self, error: &read::Error, out: &mut Vec<u8>) -> Next {
        match error {
            read::Error::Expired(expired) => self.framing.expired(expired, out),
            // What is wrong is told when the client comes back and asks.
            read::Error::UnknownProject(_)
            | read::Error::CursorAhead { .. }
            | read::Error::Damaged(_)
            | read::Error::Unavailable(_) => {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "a stream ends before its time"
                );
            }
        }
        Next::End
    }

    /// Whether nothing was sent for a heartbeat; sets the clock for the next time that this is asked.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due_at = self.sent_at + self.heartbeat;
        let is_due = due_at <= now;
        let next = if is_due { now + self.heartbeat } else { due_at };
        self.beat.as_mut().reset(next);
        is_due
    }
}
