//! A reader, or a member of a stream, delivered as it goes: the body of the answer, a chunk of whole events a frame.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response};
use http_body::Frame;
use tokio_util::sync::ReusableBoxFuture;

use crate::answer::Answer;
use crate::body::Body;
use crate::edge::Edge;
use crate::member_turns::{MemberPlan, MemberTurns};
use crate::turns::{Plan, Turns};

/// Keeps nginx from holding events back until its buffer is full.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The answer that streams `plan`.
pub(crate) fn answer(plan: Plan, edge: &Edge) -> Answer {
    let media_type = plan.sources.framing().media_type();
    let turns = Turns::new(plan, edge);
    events(media_type, ReusableBoxFuture::new(read_on(turns)))
}

/// The answer that streams `plan` to a member.
pub(crate) fn member(plan: MemberPlan, edge: &Edge) -> Answer {
    let media_type = plan.framing.media_type();
    let turns = MemberTurns::new(plan, edge);
    events(media_type, ReusableBoxFuture::new(stay_on(turns)))
}

fn events(media_type: &'static str, turn: ReusableBoxFuture<'static, (Ongoing, Bytes)>) -> Answer {
    let events = Events {
        turn,
        is_over: false,
    };
    let mut answer = Response::new(Body::Stream(events));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    // Clients that read the socket themselves notice the end of a stream only by the end of its connection.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// What goes on behind a chunk.
#[derive(Debug)]
enum Ongoing {
    Reader(Turns),
    Member(MemberTurns),
    Nothing,
}

async fn read_on(turns: Turns) -> (Ongoing, Bytes) {
    let (turns, bytes) = turns.turn().await;
    (turns.map_or(Ongoing::Nothing, Ongoing::Reader), bytes)
}

async fn stay_on(turns: MemberTurns) -> (Ongoing, Bytes) {
    let (turns, bytes) = turns.turn().await;
    (turns.map_or(Ongoing::Nothing, Ongoing::Member), bytes)
}

/// The body: one frame, which is one chunk, a turn.
#[derive(Debug)]
pub(crate) struct Events {
    turn: ReusableBoxFuture<'static, (Ongoing, Bytes)>,
    is_over: bool,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let (ongoing, bytes) = std::task::ready!(self.turn.poll(cx));
        match ongoing {
            Ongoing::Reader(turns) => self.turn.set(read_on(turns)),
            Ongoing::Member(turns) => self.turn.set(stay_on(turns)),
            Ongoing::Nothing => self.is_over = true,
        }
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }
}
