//! What a member of a stream is sent, chunk by chunk: events as they come, heartbeats on their own schedule, and its end.
//!
//! Whatever is taken from the stream is in the next chunk: what is handed to the connection is what counts as sent, and a heartbeat
//! stands behind everything that was sent before it.

use std::future::ready;
use std::pin::Pin;

use bytes::Bytes;
use feedwire_core::read;
use feedwire_core::stream::{Member, Sent, Turn};
use feedwire_dialects::{MemberFraming, Refusal};
use feedwire_engine::Limit;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::answer;
use crate::edge::Edge;
use crate::patience::Patience;
use crate::room::Room;
use crate::stay::Stay;
use crate::tally::{Ending, Stream};

/// About what an event takes beside its own bytes, for the number of them in a chunk.
const ENVELOPE_BYTES: usize = 256;

/// What a member's stream is made of.
#[derive(Debug)]
pub(crate) struct MemberPlan {
    pub(crate) member: Member,
    /// With its connection.
    pub(crate) patience: Patience,
    pub(crate) framing: Box<dyn MemberFraming>,
    pub(crate) stay: Stay,
}

/// A member's stream between two of its chunks.
#[derive(Debug)]
pub(crate) struct MemberTurns {
    member: Member,
    patience: Patience,
    framing: Box<dyn MemberFraming>,
    stay: Stay,
    /// When the next heartbeat is due; the first is at once.
    beat: Pin<Box<Sleep>>,
    counted: Stream,
    /// The room that what is sent next takes, where it was looked for before.
    room: Option<Room>,
    edge: Edge,
}

/// What came first.
enum Found {
    Turn(Result<Turn, read::Error>),
    Beat,
    End(Ending),
}

impl MemberTurns {
    pub(crate) fn new(plan: MemberPlan, edge: &Edge) -> Self {
        let MemberPlan {
            member,
            patience,
            framing,
            stay,
        } = plan;
        let streams = &edge.tally().streams;
        let counted = streams.open(framing.media_type());
        Self {
            member,
            patience,
            framing,
            stay,
            beat: Box::pin(sleep_until(Instant::now())),
            counted,
            room: None,
            edge: edge.clone(),
        }
    }

    /// The next chunk, and the stream behind it; `None` when it is the last.
    pub(crate) async fn turn(mut self) -> (Option<Self>, Bytes) {
        let mut out = Vec::new();
        let ending = self.fill(&mut out).await;
        if let Some(ending) = ending {
            self.counted.end(ending);
        }
        let Ok(chunk) = self.chunk(out) else {
            self.counted.end(Ending::NoRoom);
            return (None, Bytes::new());
        };
        self.counted.sent(chunk.len());
        (ending.is_none().then_some(self), chunk)
    }

    /// `out` as it is sent: it keeps its room until the connection has taken it.
    fn chunk(&mut self, out: Vec<u8>) -> Result<Bytes, Refusal> {
        let room = self.room.take();
        let mut room = room.unwrap_or_else(|| Room::streamed(&self.edge));
        room.fit(out.capacity()).inspect_err(|_| {
            tracing::warn!(
                "a stream ends before its time: streams hold as much of the logs as they may"
            );
        })?;
        Ok(answer::roomed(out, room))
    }

    /// Appends what comes next; why it is the end, where it is.
    async fn fill(&mut self, out: &mut Vec<u8>) -> Option<Ending> {
        // What the framing has no words for is passed over.
        while out.is_empty() {
            match self.find().await {
                Found::End(ending) => return Some(ending),
                Found::Beat => {
                    let standing = self.member.beat();
                    let now = self.edge.clock().now();
                    self.framing.heartbeat(&standing, now, out);
                    self.set_beat();
                }
                Found::Turn(Ok(Turn::Events(events))) => return self.send(&events, out),
                Found::Turn(Ok(Turn::Changed)) => {
                    let standing = self.member.standing();
                    let now = self.edge.clock().now();
                    self.framing.changed(&standing, now, out);
                }
                Found::Turn(Ok(Turn::Lost(lost))) => self.framing.lost(&lost, out),
                // The client comes back, and goes on or is told why not.
                Found::Turn(Ok(Turn::Closing | Turn::Done)) => return Some(Ending::Stopping),
                Found::Turn(Err(error)) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a stream ends before its time"
                    );
                    return Some(Ending::Failed);
                }
            }
        }
        None
    }

    fn set_beat(&mut self) {
        // On its own schedule, and not in a rush where it was held up.
        let next = self.beat.deadline() + self.member.heartbeat();
        let now = Instant::now();
        let next = if next <= now {
            now + self.member.heartbeat()
        } else {
            next
        };
        self.beat.as_mut().reset(next);
    }

    async fn find(&mut self) -> Found {
        // Looked at first even when events never end.
        if self.stay.is_over() {
            return Found::End(Ending::Revoked);
        }
        if self.edge.stop().is_cancelled() {
            return Found::End(Ending::Stopping);
        }
        let is_due = self.beat.deadline() <= Instant::now();
        let bytes = self.edge.limits().frame_bytes;
        let limit = Limit {
            records: bytes / ENVELOPE_BYTES,
            bytes,
        };
        tokio::select! {
            biased;
            () = ready(()), if is_due => Found::Beat,
            turn = self.member.next(limit) => Found::Turn(turn),
            () = self.edge.stop().cancelled() => Found::End(Ending::Stopping),
            _ = self.stay.over() => Found::End(Ending::Revoked),
            () = &mut self.beat => Found::Beat,
        }
    }

    fn send(&mut self, events: &[Sent], out: &mut Vec<u8>) -> Option<Ending> {
        let bytes = events
            .iter()
            .map(|sent| sent.event.record().bytes() + ENVELOPE_BYTES);
        let bytes = bytes.sum();
        let mut room = Room::streamed(&self.edge);
        if room.fit(bytes).is_err() {
            // What is not sent is not to count as sent in vain.
            self.member.not_sent(events);
            return Some(Ending::NoRoom);
        }
        self.room = Some(room);
        out.reserve(bytes);
        for sent in events {
            if let Err(unreadable) = self.framing.event(sent, out) {
                tracing::error!(
                    error = &unreadable as &dyn std::error::Error,
                    "a stream ends before its time"
                );
                return Some(Ending::Failed);
            }
        }
        None
    }
}

impl Drop for MemberTurns {
    fn drop(&mut self) {
        if self.patience.is_over() {
            self.member.given_up();
        }
    }
}
