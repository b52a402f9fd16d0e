//! A stream of Server-Sent Events that is asked for again, after a wait, whenever it is lost.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use feedwire_api::EVENT_STREAM;
use futures_util::FutureExt as _;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use sse_stream::Sse;
use tokio::time::Sleep;

use crate::backoff::Backoff;
use crate::connection::{Connection, media_type, refusal};
use crate::frames::Frames;
use crate::step::Interruption;
use crate::{Error as RequestError, error};

/// Tries in a row before it is given up, unless told otherwise. With the waits between them it takes about nine minutes where a
/// server is away.
pub(crate) const TRIES_MAX: u32 = 24;
/// How many heartbeats may be missed before the connection is taken for dead.
const HEARTBEATS_MISSED_MAX: u32 = 3;
/// How long the server may take to begin its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// The stream, where it is open; a `T` is told of each that is opened.
#[derive(Debug)]
pub(crate) struct Link<T> {
    state: State<T>,
    backoff: Backoff,
    tries_max: u32,
}

/// The stream in `response`, with a sign of life every `heartbeat`.
pub(crate) struct Opened<T> {
    pub(crate) response: Response<Incoming>,
    pub(crate) heartbeat: Duration,
    pub(crate) about: T,
}

/// The head of an answer that is waited for.
pub(crate) type Answer<T> = Pin<Box<dyn Future<Output = Result<Opened<T>, RequestError>> + Send>>;

/// What came next.
pub(crate) enum Came<T> {
    /// The stream is open.
    Opened(T),
    Frame(Sse),
    /// The stream is lost; the next call waits and asks again.
    Lost {
        reason: Interruption,
        wait: Duration,
    },
    /// There is nothing to come, or an error was told before.
    End,
}

/// Why the stream is not asked for again.
#[derive(Debug)]
pub(crate) enum Error {
    Refused(RequestError),
    GaveUp { tries: u32, last: Interruption },
}

enum State<T> {
    Waiting(Pin<Box<Sleep>>),
    Unconnected,
    Connecting(Answer<T>),
    Open {
        frames: Frames,
        /// What is told of it with its first frame.
        about: Option<T>,
        /// The frame that it was told with.
        opened_by: Option<Sse>,
        first: bool,
    },
    Ended,
}

impl<T> fmt::Debug for State<T> {
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

impl<T> Link<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Unconnected,
            backoff: Backoff::new(),
            tries_max: TRIES_MAX,
        }
    }

    /// Gives up after `tries` that failed in a row, at least one.
    pub(crate) fn tries(&mut self, tries: u32) {
        self.tries_max = tries.max(1);
    }

    /// Nothing comes any more.
    pub(crate) fn end(&mut self) {
        self.state = State::Ended;
    }

    pub(crate) fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// What comes next, of the stream that `ask` asks for. After an error there is nothing more to come.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        mut ask: impl FnMut() -> Answer<T>,
    ) -> Poll<Result<Came<T>, Error>> {
        loop {
            let came = match &mut self.state {
                State::Ended => return Poll::Ready(Ok(Came::End)),
                State::Waiting(wait) => {
                    ready!(wait.poll_unpin(context));
                    self.state = State::Unconnected;
                    continue;
                }
                State::Unconnected => {
                    self.state = State::Connecting(ask());
                    continue;
                }
                State::Connecting(answer) => match ready!(answer.poll_unpin(context)) {
                    Ok(opened) => {
                        self.open(opened);
                        continue;
                    }
                    Err(error) if error.is_passing() => Err(Interruption::Request(error)),
                    Err(error) => {
                        self.end();
                        return Poll::Ready(Err(Error::Refused(error)));
                    }
                },
                State::Open {
                    frames,
                    about,
                    opened_by,
                    ..
                } => match opened_by.take() {
                    Some(frame) => Ok(Came::Frame(frame)),
                    None => match ready!(frames.poll_next(context)) {
                        Ok(Some(frame)) => taken(frame, about, opened_by, &mut self.backoff),
                        Ok(None) => Err(Interruption::Closed),
                        Err(error) => Err(Interruption::Broken(error.into())),
                    },
                },
            };
            return Poll::Ready(came.or_else(|reason| self.lost(reason)));
        }
    }

    fn open(&mut self, opened: Opened<T>) {
        let Opened {
            response,
            heartbeat,
            about,
        } = opened;
        self.state = if response.status() == StatusCode::NO_CONTENT {
            State::Ended
        } else {
            let patience = heartbeat * HEARTBEATS_MISSED_MAX;
            State::Open {
                frames: Frames::new(response.into_body(), patience),
                about: Some(about),
                opened_by: None,
                first: true,
            }
        };
    }

    /// A frame was a step forward.
    pub(crate) fn progressed(&mut self) {
        // The first frame comes with the connection: a server that dies right after it must not be asked without end.
        if let State::Open { first, .. } = &mut self.state
            && !std::mem::take(first)
        {
            self.backoff.succeeded();
        }
    }

    /// Waits, or gives up.
    fn lost(&mut self, reason: Interruption) -> Result<Came<T>, Error> {
        let request = match &reason {
            Interruption::Request(error) => Some(error),
            Interruption::Closed | Interruption::Broken(_) => None,
        };
        let problem = request.and_then(RequestError::problem);
        // Whoever waits for a place in a stream waits as long as it takes.
        let is_full = problem.is_some_and(|problem| problem.kind() == error::STREAM_FULL);
        if is_full {
            self.backoff.succeeded();
        }
        let wait = self
            .backoff
            .fail(request.and_then(RequestError::retry_after));
        let tries = self.backoff.failed();
        if tries >= self.tries_max && !is_full {
            self.end();
            return Err(Error::GaveUp {
                tries,
                last: reason,
            });
        }
        self.state = State::Waiting(Box::pin(tokio::time::sleep(wait)));
        Ok(Came::Lost { reason, wait })
    }
}

/// What `frame` is: that the stream is open, where it is the first.
fn taken<T>(
    frame: Sse,
    about: &mut Option<T>,
    opened_by: &mut Option<Sse>,
    backoff: &mut Backoff,
) -> Result<Came<T>, Interruption> {
    let asked = frame.retry.map(Duration::from_millis);
    // A refusal with 429 or 503, in the words of a stream: browsers give up on those.
    if frame.event.as_deref() == Some("overloaded") {
        let problem = serde_json::from_str(frame.data.as_deref().unwrap_or_default());
        let problem = problem.map_err(|error| Interruption::Broken(error.into()))?;
        return Err(Interruption::Request(RequestError::Refused {
            problem,
            retry_after: asked,
        }));
    }
    if let Some(wait) = asked {
        backoff.start_with(wait);
    }
    match about.take() {
        None => Ok(Came::Frame(frame)),
        Some(about) => {
            *opened_by = Some(frame);
            Ok(Came::Opened(about))
        }
    }
}

/// Asks for a stream; its head is looked at, its body is left to the caller.
pub(crate) async fn open(
    connection: &Connection,
    request: http::request::Builder,
) -> Result<Response<Incoming>, RequestError> {
    let begun = tokio::time::timeout(ANSWER_WAIT, begun(connection, request)).await;
    begun.unwrap_or_else(|late| Err(RequestError::Lost(late.into())))
}

async fn begun(
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
