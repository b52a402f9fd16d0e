//! Following a feed through cuts and restarts.

use std::time::Duration;

use feedwire_api::{EVENT_STREAM, Problem};
use http::{Response, StatusCode};
use hyper::body::Incoming;
use sse_stream::Sse;
use tokio::time::Instant;

use crate::backoff::{Backoff, TRIES_MAX};
use crate::connection::{media_type, refusal};
use crate::error::words;
use crate::frames::{self, Frames};
use crate::read::seconds;
use crate::{Error as RequestError, Event, Read};

/// How often the server is asked to show that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many heartbeats may be missed before the connection is taken for dead.
const HEARTBEATS_MISSED_MAX: u32 = 3;
/// How long the server may take to begin its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A feed that is followed. Made by [`Read::follow`].
///
/// Connects when it is first asked, and again, after a wait, whenever the connection is lost; it then goes on behind the
/// last event that it handed out. Every event comes at least once and in order.
#[derive(Debug)]
pub struct Follow {
    read: Read,
    state: State,
    backoff: Backoff,
    cursor: Option<String>,
    remaining: Option<u64>,
    tries_max: u32,
    heartbeat: Duration,
}

#[derive(Debug)]
enum State {
    Waiting(Instant),
    Connecting,
    Open { frames: Frames, first: bool },
    Ended,
}

/// What came next.
#[derive(Debug)]
pub enum Step {
    /// An event.
    Event(Box<Event>),
    /// Nothing for a while; [`Follow::cursor`] may have moved.
    Idle,
    /// The connection was lost; the next call waits and tries again.
    Lost {
        /// Why.
        reason: Interruption,
        /// How long it waits.
        wait: Duration,
    },
    /// The limit or the end that was asked for is reached. Every further call says so again.
    End,
}

/// Why a connection came to its end.
#[derive(Debug, thiserror::Error)]
pub enum Interruption {
    /// The server ended it in good order, as it does when it is stopped.
    #[error("the server ended the stream")]
    Closed,
    /// It did not come about, or the server could not answer now.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It broke, or nothing was heard for too long.
    #[error("the stream broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why it cannot be followed further.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What comes next was dropped by retention. The problem's members `first_position`, `first_time` and `lost_at_most`
    /// say what is still there; to take the loss, start anew behind the position before the first.
    #[error("{}", words(.0))]
    Expired(Box<Problem>),
    /// The server refuses, and would again.
    #[error(transparent)]
    Refused(RequestError),
    /// A frame that is not one of Feedwire's. To leave an event out, start anew behind its position.
    #[error("{} cannot be read", frame(*position, cursor.as_deref()))]
    Unreadable {
        /// The position of the event in it, if it has one.
        position: Option<u64>,
        /// The cursor of the frame before it.
        cursor: Option<String>,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// So many tries failed in a row.
    #[error("given up after {tries} tries in a row")]
    GaveUp {
        /// How many.
        tries: u32,
        /// What the last one met.
        #[source]
        last: Interruption,
    },
}

fn frame(position: Option<u64>, cursor: Option<&str>) -> String {
    match (position, cursor) {
        (Some(position), _) => format!("the event at position {position}"),
        (None, Some(cursor)) => format!("the frame behind cursor {cursor}"),
        (None, None) => "the first frame".to_owned(),
    }
}

impl Follow {
    pub(crate) fn new(read: Read) -> Self {
        Self {
            cursor: read.after.clone(),
            remaining: read.limit,
            read,
            state: State::Connecting,
            backoff: Backoff::new(),
            tries_max: TRIES_MAX,
            heartbeat: HEARTBEAT,
        }
    }

    /// Gives up after `tries` that failed in a row, at least one.
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries_max = tries.max(1);
        self
    }

    /// Asks for a sign of life every `heartbeat`, from a second to five minutes; three missed ones are a lost connection.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// What to give to [`Read::after`] to go on behind everything handed out so far; `None` before the server was heard.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next event; `None` when the limit or the end that was asked for is reached. Cancel safe.
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
        loop {
            match &mut self.state {
                State::Ended => return Ok(Step::End),
                State::Waiting(until) => {
                    tokio::time::sleep_until(*until).await;
                    self.state = State::Connecting;
                }
                State::Connecting => {
                    if let Some(step) = self.connect().await? {
                        return Ok(step);
                    }
                }
                State::Open { frames, .. } => {
                    let step = match frames.next().await {
                        Ok(Some(frame)) => self.take(frame)?,
                        Ok(None) => Some(self.lost(Interruption::Closed)?),
                        Err(frames::Error::Broken(error)) => {
                            Some(self.lost(Interruption::Broken(error.into()))?)
                        }
                        Err(error @ frames::Error::Silent(_)) => {
                            Some(self.lost(Interruption::Broken(error.into()))?)
                        }
                    };
                    if let Some(step) = step {
                        return Ok(step);
                    }
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<Option<Step>, Error> {
        let answer = tokio::time::timeout(ANSWER_WAIT, self.ask()).await;
        match answer.unwrap_or_else(|late| Err(RequestError::Lost(late.into()))) {
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

    async fn ask(&self) -> Result<Response<Incoming>, RequestError> {
        let mut query = self.read.query(self.cursor());
        query.push("heartbeat", &seconds(self.heartbeat));
        if let Some(remaining) = self.remaining {
            query.push("limit", &remaining.to_string());
        }
        let request = self.read.request(&query, EVENT_STREAM);
        let response = self.read.client.connection().open(request).await?;
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

    /// Takes a frame in; `None` when it says nothing to the caller.
    fn take(&mut self, frame: Sse) -> Result<Option<Step>, Error> {
        if let Some(millis) = frame.retry {
            self.backoff.start_with(Duration::from_millis(millis));
        }
        match (frame.event.as_deref(), frame.data) {
            (Some("expired"), Some(data)) => {
                let problem = serde_json::from_str(&data);
                let problem = problem.map_err(|error| self.unreadable(None, error))?;
                Err(Error::Expired(Box::new(problem)))
            }
            (Some("end"), data) => self.end(data.as_deref()).map(Some),
            (None, Some(data)) => {
                let event = Event::new(data.into())
                    .map_err(|error| self.unreadable(error.position, error.source))?;
                self.heard(frame.id);
                self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(1));
                Ok(Some(Step::Event(Box::new(event))))
            }
            // An event type of a later server, or a heartbeat.
            (Some(_), _) | (None, None) => {
                self.heard(frame.id);
                Ok(Some(Step::Idle))
            }
        }
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
            self.state = State::Connecting;
            return Err(Error::GaveUp {
                tries,
                last: reason,
            });
        }
        self.state = State::Waiting(Instant::now() + wait);
        Ok(Step::Lost { reason, wait })
    }
}
