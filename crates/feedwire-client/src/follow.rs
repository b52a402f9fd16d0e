//! Following a feed through cuts and restarts.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use feedwire_api::EVENT_STREAM;
use futures_util::Stream;
use futures_util::stream::FusedStream;
use sse_stream::Sse;

use crate::link::{self, Answer, Came, Link, Opened};
use crate::read::seconds;
use crate::step::{Error, Step};
use crate::{Event, Read};

/// How often the server is asked to show that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What the cursors of states begin with.
const STATES: &str = "state:";

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
/// # States first
///
/// With [`Read::from`] `state`, the state of every matching entity comes first, each as an event of type `load`, which stands at the position
/// of the change that made it, then [`Step::Mark`], and then every change behind that. A change that a state has already may come once more:
/// it has the state's position, or a lower one. Where the connection is lost among states it goes on behind the last one.
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
    link: Link<()>,
    asked: Asked,
    /// The position of the last event that was handed out.
    handed_out: Option<u64>,
}

/// What is asked for.
#[derive(Debug)]
struct Asked {
    read: Read,
    cursor: Option<String>,
    remaining: Option<u64>,
    heartbeat: Duration,
}

impl Follow {
    pub(crate) fn new(read: Read) -> Self {
        Self {
            link: Link::new(),
            asked: Asked {
                cursor: read.after.clone(),
                remaining: read.limit,
                heartbeat: HEARTBEAT,
                read,
            },
            handed_out: None,
        }
    }

    /// Gives up after `tries` that failed in a row, at least one.
    pub fn tries(mut self, tries: u32) -> Self {
        self.link.tries(tries);
        self
    }

    /// Asks for a sign of life every `heartbeat`, from a second to five minutes; three missed ones are a lost connection.
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.asked.heartbeat = heartbeat;
        self
    }

    /// Goes on behind `cursor`, wherever it was to start.
    pub(crate) fn behind(mut self, cursor: String) -> Self {
        self.asked.cursor = Some(cursor);
        self
    }

    /// What to give to [`Read::after`] to go on behind everything handed out so far; `None` before the server was heard.
    pub fn cursor(&self) -> Option<&str> {
        self.asked.cursor.as_deref()
    }

    /// The next event; `None` when the limit or the end that was asked for is reached, or an error was told before. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            match self.step().await? {
                Step::Event(event) => return Ok(Some(*event)),
                Step::End => return Ok(None),
                Step::Mark { .. } | Step::Idle | Step::Lost { .. } => {}
            }
        }
    }

    /// The next event, or what happens until it comes. Cancel safe.
    pub async fn step(&mut self) -> Result<Step, Error> {
        poll_fn(|context| self.poll_step(context)).await
    }

    pub(crate) fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Result<Step, Error>> {
        let asked = &self.asked;
        let step = match ready!(self.link.poll(context, || asked.ask())) {
            Ok(Came::Opened(())) => return self.poll_step(context),
            Ok(Came::Frame(frame)) => self.take(frame),
            Ok(Came::End) => Ok(Step::End),
            // All that was asked for is there, whatever became of the connection.
            Ok(Came::Lost { .. }) | Err(link::Error::GaveUp { .. })
                if self.asked.remaining == Some(0) =>
            {
                self.link.end();
                Ok(Step::End)
            }
            Ok(Came::Lost { reason, wait }) => Ok(Step::Lost { reason, wait }),
            Err(error) => Err(ended(error)),
        };
        if step.is_err() {
            self.link.end();
        }
        Poll::Ready(step)
    }

    fn take(&mut self, frame: Sse) -> Result<Step, Error> {
        match (frame.event.as_deref(), frame.data) {
            (Some("expired"), Some(data)) => {
                let problem = serde_json::from_str(&data);
                let problem = problem.map_err(|error| self.unreadable(None, error))?;
                Err(Error::Expired(Box::new(problem)))
            }
            (Some("end"), data) => self.end(data.as_deref()),
            (Some("mark"), data) => self.mark(data.as_deref()),
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
        if id.as_deref().is_some_and(|id| id.starts_with(STATES)) {
            // States stand in the order of their names, and the cursor alone says which were told.
            return self.take_out(event, id);
        }
        if self.handed_out.is_some_and(|last| position <= last) {
            // Sent again. It moves nothing, and it is no progress: a server that comes no further is given up.
            return Step::Idle;
        }
        self.handed_out = Some(position);
        self.take_out(event, id)
    }

    fn take_out(&mut self, event: Event, id: Option<String>) -> Step {
        self.heard(id);
        let remaining = &mut self.asked.remaining;
        *remaining = remaining.map(|remaining| remaining.saturating_sub(1));
        Step::Event(Box::new(event))
    }

    fn end(&mut self, data: Option<&str>) -> Result<Step, Error> {
        let cursor = self.place(data)?;
        self.asked.cursor = Some(cursor);
        self.link.end();
        Ok(Step::End)
    }

    fn mark(&mut self, data: Option<&str>) -> Result<Step, Error> {
        let cursor = self.place(data)?;
        let position = cursor.parse::<u64>().map_err(|_malformed| {
            let error = serde::de::Error::custom("the mark is no position");
            self.unreadable(None, error)
        })?;
        self.heard(Some(cursor));
        Ok(Step::Mark { position })
    }

    /// The cursor that the frame has whose data this is.
    fn place(&self, data: Option<&str>) -> Result<String, Error> {
        #[derive(serde::Deserialize)]
        struct Place {
            cursor: String,
        }
        let place = serde_json::from_str::<Place>(data.unwrap_or("{}"));
        let place = place.map_err(|error| self.unreadable(None, error))?;
        Ok(place.cursor)
    }

    fn unreadable(&self, position: Option<u64>, source: serde_json::Error) -> Error {
        Error::Unreadable {
            position,
            cursor: self.asked.cursor.clone(),
            source,
        }
    }

    fn heard(&mut self, id: Option<String>) {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.asked.cursor = Some(id);
        }
        self.link.progressed();
    }
}

impl Asked {
    fn ask(&self) -> Answer<()> {
        let mut query = self.read.query(self.cursor.as_deref());
        query.push("heartbeat", &seconds(self.heartbeat));
        if let Some(remaining) = self.remaining {
            query.push("limit", &remaining.to_string());
        }
        let request = self.read.request(&query, EVENT_STREAM);
        let connection = self.read.client.connection().clone();
        let heartbeat = self.heartbeat;
        Box::pin(async move {
            let response = link::open(&connection, request).await?;
            Ok(Opened {
                response,
                heartbeat,
                about: (),
            })
        })
    }
}

fn ended(error: link::Error) -> Error {
    match error {
        link::Error::GaveUp { tries, last } => Error::GaveUp { tries, last },
        link::Error::Refused(crate::Error::Refused { problem, .. })
            if problem.kind() == "cursor-expired" =>
        {
            Error::Expired(problem)
        }
        link::Error::Refused(error) => Error::Refused(error),
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
                Ok(Step::Mark { .. } | Step::Idle | Step::Lost { .. }) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl FusedStream for Follow {
    fn is_terminated(&self) -> bool {
        self.link.is_ended()
    }
}
