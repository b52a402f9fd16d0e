//! Following a feed through cuts and restarts.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use feedwire_api::EVENT_STREAM;
use futures_util::stream::FusedStream;
use futures_util::{FutureExt as _, Stream};
use http::{Response, StatusCode};
use hyper::body::Incoming;
use sse_stream::Sse;
use tokio::time::Sleep;

use crate::backoff::Backoff;
use crate::connection::{Connection, media_type, refusal};
use crate::frames::{self, Frames};
use crate::read::seconds;
use crate::step::{Error, Interruption, Step};
use crate::{Error as RequestError, Event, Read};

/// Tries in a row before it is given up, unless told otherwise. With the waits between them it takes about nine minutes where a
/// server is away.
const TRIES_MAX: u32 = 24;
/// How often the server is asked to show that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many heartbeats may be missed before the connection is taken for dead.
const HEARTBEATS_MISSED_MAX: u32 = 3;
/// How long the server may take to begin its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A feed that is followed. Made by [`Read::follow`].
///
/// Connects when it is first asked, and again, after a wait, whenever the connection is lost; it then goes on behind the
/// last event that it handed out. Every event is handed out once and in order; one that the server sends again is passed over.
/// Over several runs of a program it is at least once: [`Follow::kept_in`] keeps the place in a file.
///
/// # Asking
///
/// [`Follow::next`] gives the events, [`Follow::step`] what happens between them too. It is also a [`Stream`] of `Result<Event,
/// FollowError>`, which ends (`None`) when the limit or the end that was asked for is reached, and behind the one error that it
/// may have to tell; it is fused, and can be asked again after its end. All three can be mixed.
///
/// Nothing is lost when a call is dropped before it is done, as `select!` does: connecting, the wait before it and the patience with
/// a silent server go on with the next call. Nothing happens while nobody asks; a server that is not read from for half a minute
/// hangs up, which costs a reconnect and no event.
///
/// # Waits
///
/// Half a second after the first try that failed, doubled each time up to half a minute, spread by chance over half of it. The
/// server can name another first wait (`retry:` in its stream) and, where it refuses, the least wait (`Retry-After`). It is given
/// up after 24 tries in a row that failed, or those that [`Follow::tries`] sets. A connection over which nothing came for three
/// [heartbeats](Follow::heartbeat) is taken for lost.
#[derive(Debug)]
#[must_use = "nothing is read until it is asked"]
pub struct Follow {
    read: Read,
    state: State,
    backoff: Backoff,
    cursor: Option<String>,
    /// The position of the last event that was handed out.
    handed_out: Option<u64>,
    remaining: Option<u64>,
    tries_max: u32,
    heartbeat: Duration,
}

/// The head of an answer that is waited for.
type Answer = Pin<Box<dyn Future<Output = Result<Response<Incoming>, RequestError>> + Send>>;

enum State {
    Waiting(Pin<Box<Sleep>>),
    Unconnected,
    Connecting(Answer),
    Open { frames: Frames, first: bool },
    Ended,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting(_) => "Waiting",
            Self::Unconnected => "Unconnected",
            Self::Connecting(_) => "Connecting",
            Self::Open { .. } => "Open",
            Self::Ended => "Ended",
        })
    }
}

impl Follow {
    pub(crate) fn new(read: Read) -> Self {
        Self {
            cursor: read.after.clone(),
            handed_out: None,
            remaining: read.limit,
            read,
            state: State::Unconnected,
            backoff: Backoff::new(),
            tries_max: TRIES_MAX,
            heartbeat: HEARTBEAT,
        }
    }

    /// Gives up after `tries` that failed in a row, at least one.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries_max = tries.max(1);
        self
    }

    /// Asks for a sign of life every `heartbeat`, from a second to five minutes; three missed ones are a lost connection.
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Goes on behind `cursor`, wherever it was to start.
    pub(crate) fn behind(mut self, cursor: String) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// What to give to [`Read::after`] to go on behind everything handed out so far; `None` before the server was heard.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next event; `None` when the limit or the end that was asked for is reached, or an error was told before. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            match self.step().await? {
                Step::Event(event) => return Ok(Some(*event)),
                Step::End => return Ok(None),
                Step::Idle | Step::Lost { .. } => {}
            }
        }
    }

    /// The next event, or what happens until it comes. Cancel safe.
    pub async fn step(&mut self) -> Result<Step, Error> {
        poll_fn(|context| self.poll_step(context)).await
    }

    pub(crate) fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Result<Step, Error>> {
        loop {
            let step = match &mut self.state {
                State::Ended => return Poll::Ready(Ok(Step::End)),
                State::Waiting(wait) => {
                    ready!(wait.poll_unpin(context));
                    self.state = State::Unconnected;
                    continue;
                }
                State::Unconnected => {
                    self.state = State::Connecting(self.connect());
                    continue;
                }
                State::Connecting(answer) => {
                    let answer = ready!(answer.poll_unpin(context));
                    self.answered(answer)
                }
                State::Open { frames, .. } => {
                    let frame = ready!(frames.poll_next(context));
                    self.came(frame)
                }
            };
            match step {
                Ok(None) => {}
                Ok(Some(step)) => return Poll::Ready(Ok(step)),
                Err(error) => {
                    self.state = State::Ended;
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    fn connect(&self) -> Answer {
        let mut query = self.read.query(self.cursor());
        query.push("heartbeat", &seconds(self.heartbeat));
        if let Some(remaining) = self.remaining {
            query.push("limit", &remaining.to_string());
        }
        let request = self.read.request(&query, EVENT_STREAM);
        let connection = self.read.client.connection().clone();
        Box::pin(async move {
            let answer = tokio::time::timeout(ANSWER_WAIT, open(&connection, request)).await;
            answer.unwrap_or_else(|late| Err(RequestError::Lost(late.into())))
        })
    }

    /// Takes an answer in; `None` when it says nothing to the caller.
    fn answered(
        &mut self,
        answer: Result<Response<Incoming>, RequestError>,
    ) -> Result<Option<Step>, Error> {
        match answer {
            Ok(response) if response.status() == StatusCode::NO_CONTENT => {
                self.state = State::Ended;
                Ok(None)
            }
            Ok(response) => {
                let patience = self.heartbeat * HEARTBEATS_MISSED_MAX;
                let frames = Frames::new(response.into_body(), patience);
                self.state = State::Open {
                    frames,
                    first: true,
                };
                Ok(None)
            }
            Err(error) if error.is_passing() => self.lost(error.into()).map(Some),
            Err(RequestError::Refused { problem, .. }) if problem.kind() == "cursor-expired" => {
                Err(Error::Expired(problem))
            }
            Err(error) => Err(Error::Refused(error)),
        }
    }

    /// Takes in what came of an open stream; `None` when it says nothing to the caller.
    fn came(&mut self, frame: Result<Option<Sse>, frames::Error>) -> Result<Option<Step>, Error> {
        match frame {
            Ok(Some(frame)) => self.take(frame).map(Some),
            Ok(None) => self.lost(Interruption::Closed).map(Some),
            Err(error) => self.lost(Interruption::Broken(error.into())).map(Some),
        }
    }

    fn take(&mut self, frame: Sse) -> Result<Step, Error> {
        if let Some(millis) = frame.retry {
            self.backoff.start_with(Duration::from_millis(millis));
        }
        match (frame.event.as_deref(), frame.data) {
            (Some("expired"), Some(data)) => {
                let problem = serde_json::from_str(&data);
                let problem = problem.map_err(|error| self.unreadable(None, error))?;
                Err(Error::Expired(Box::new(problem)))
            }
            (Some("end"), data) => self.end(data.as_deref()),
            (None, Some(data)) => {
                let event = Event::new(data.into())
                    .map_err(|error| self.unreadable(error.position, error.source))?;
                Ok(self.hand_out(event, frame.id))
            }
            // An event type of a later server, or a heartbeat.
            (Some(_), _) | (None, None) => {
                self.heard(frame.id);
                Ok(Step::Idle)
            }
        }
    }

    fn hand_out(&mut self, event: Event, id: Option<String>) -> Step {
        let position = event.attributes().position;
        if self.handed_out.is_some_and(|last| position <= last) {
            // Sent again. It moves nothing, and it is no progress: a server that comes no further is given up.
            return Step::Idle;
        }
        self.handed_out = Some(position);
        self.heard(id);
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
        Step::Event(Box::new(event))
    }

    fn end(&mut self, data: Option<&str>) -> Result<Step, Error> {
        #[derive(serde::Deserialize)]
        struct End {
            cursor: String,
        }
        let end = serde_json::from_str::<End>(data.unwrap_or("{}"));
        let end = end.map_err(|error| self.unreadable(None, error))?;
        self.cursor = Some(end.cursor);
        self.state = State::Ended;
        Ok(Step::End)
    }

    fn unreadable(&self, position: Option<u64>, source: serde_json::Error) -> Error {
        Error::Unreadable {
            position,
            cursor: self.cursor.clone(),
            source,
        }
    }

    fn heard(&mut self, id: Option<String>) {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.cursor = Some(id);
        }
        // The first frame comes with the connection: a server that dies right after it must not be asked without end.
        if let State::Open { first, .. } = &mut self.state
            && !std::mem::take(first)
        {
            self.backoff.succeeded();
        }
    }

    /// The connection is lost: waits, or gives up.
    fn lost(&mut self, reason: Interruption) -> Result<Step, Error> {
        if self.remaining == Some(0) {
            self.state = State::Ended;
            return Ok(Step::End);
        }
        let asked = match &reason {
            Interruption::Request(error) => error.retry_after(),
            Interruption::Closed | Interruption::Broken(_) => None,
        };
        let wait = self.backoff.fail(asked);
        let tries = self.backoff.failed();
        if tries >= self.tries_max {
            return Err(Error::GaveUp {
                tries,
                last: reason,
            });
        }
        self.state = State::Waiting(Box::pin(tokio::time::sleep(wait)));
        Ok(Step::Lost { reason, wait })
    }
}

/// Asks for the stream; its head is looked at, its body is left to the caller.
async fn open(
    connection: &Connection,
    request: http::request::Builder,
) -> Result<Response<Incoming>, RequestError> {
    let response = connection.open(request).await?;
    match response.status() {
        StatusCode::NO_CONTENT => Ok(response),
        StatusCode::OK if media_type(&response) == EVENT_STREAM => Ok(response),
        StatusCode::OK => Err(RequestError::Strange {
            status: 200,
            detail: format!("its content type is {:?}", media_type(&response)),
            retry_after: None,
        }),
        _ => Err(refusal(response).await),
    }
}

impl Stream for Follow {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match ready!(this.poll_step(context)) {
                Ok(Step::Event(event)) => return Poll::Ready(Some(Ok(*event))),
                Ok(Step::End) => return Poll::Ready(None),
                Ok(Step::Idle | Step::Lost { .. }) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl FusedStream for Follow {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Ended)
    }
}
