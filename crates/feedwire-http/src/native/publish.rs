//! Publishing to a feed: one event, a batch, or a stream of lines.

use std::collections::HashSet;
use std::pin::pin;

use feedwire_core::{Published, Repetition, publish};
use feedwire_dialects::native::answer::Progress;
use feedwire_dialects::native::body;
use feedwire_dialects::native::{self, error, request};
use feedwire_dialects::{Content, Refusal, Shape, binary_mode};
use feedwire_engine::{BatchError, Expected};
use feedwire_event::{Event, EventId, FeedName, Position, Source, Subject};
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use hyper::body::Incoming;

use super::FEED;
use super::batches::{self, Batches};
use super::refuse::{self, Refused};
use crate::answer::{self, Answer, json};
use crate::asked::Asked;
use crate::head::{self, IDEMPOTENCY_KEY};
use crate::intake;

pub(super) async fn publish(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let headers = asked.headers();
    let expected = body::expect(asked.query())?;
    body::encoding(head::text(headers, CONTENT_ENCODING))?;
    let repetition = body::repetition(head::text(headers, IDEMPOTENCY_KEY))?;
    let has_attributes = binary_mode::is_meant(headers);
    let content = body::content(head::text(headers, CONTENT_TYPE), has_attributes)?;
    let to = To {
        asked: &asked,
        feed: request::feed(&refuse::variable(&asked, FEED)?)?,
        expected,
        repetition,
    };
    match content {
        Content::Json(shape) => to.one_batch(shape, body).await,
        Content::Data => to.one_event(headers, body).await,
        Content::Ndjson => {
            // Boxed, so that a single event is not answered from the room that a body of lines takes.
            let answer = Box::pin(to.many_batches(body)).await;
            Ok(answer.unwrap_or_else(|refused| closing(refused.into())))
        }
    }
}

/// The body may not have been read to its end: the connection bears no other request, and a client's pool is to know that.
pub(super) fn closing(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Where events go.
struct To<'a> {
    /// Who publishes.
    asked: &'a Asked,
    feed: FeedName,
    expected: Option<Expected>,
    repetition: Repetition,
}

impl To<'_> {
    async fn one_batch(&self, shape: Shape, body: Incoming) -> Result<Answer, Refused> {
        let body = intake::whole(body, self.asked).await?;
        self.asked
            .metered()
            .publish(body.bytes.len())
            .map_err(Refusal::from)?;
        let events = body::events_in(shape, &body.bytes, &self.feed)?;
        if shape == Shape::Array && events.is_empty() && self.expected.is_none() {
            // CloudEvents' batched mode has empty batches (HTTP binding 1.0.2, 3.3.2).
            return Ok(answer::nothing());
        }
        self.published(&events).await
    }

    async fn one_event(&self, headers: &HeaderMap, body: Incoming) -> Result<Answer, Refused> {
        let body = intake::data(body, self.asked).await?;
        self.asked
            .metered()
            .publish(body.bytes.len())
            .map_err(Refusal::from)?;
        let event = body::event_of(headers, &body.bytes)?;
        self.published(&[(self.feed.clone(), event)]).await
    }

    async fn published(&self, events: &[(FeedName, Event)]) -> Result<Answer, Refused> {
        let published = self.append(events).await?;
        Ok(json(&native::answer::published(events, &published)))
    }

    async fn append(&self, events: &[(FeedName, Event)]) -> Result<Published, Refused> {
        let expectations = match self.expected {
            Some(expected) => body::expectation(expected, events)?,
            None => Vec::new(),
        };
        Ok(self
            .asked
            .edge
            .core()
            .publish(self.asked.grant(), events, expectations, &self.repetition)
            .await?)
    }

    /// Appends those of `events` that are not there already; what of a body of lines makes a batch is not for its publisher to know.
    async fn append_new(&self, mut events: Vec<(FeedName, Event)>) -> Result<Progress, Refused> {
        let mut duplicates = 0;
        loop {
            let core = self.asked.edge.core();
            let published = core
                .publish(self.asked.grant(), &events, Vec::new(), &self.repetition)
                .await;
            let before = events.len();
            match published {
                Ok(published) => {
                    return Ok(Progress::of(&published).with_duplicates(duplicates));
                }
                Err(publish::Error::PartlyKnown { known }) => leave_out(&mut events, &known),
                Err(publish::Error::Batch(BatchError::SameId { .. })) => keep_first(&mut events),
                Err(error) => return Err(error.into()),
            }
            duplicates += (before - events.len()) as u64;
        }
    }

    async fn many_batches(&self, body: Incoming) -> Result<Answer, Refused> {
        let mut progress = None;
        match self.append_all(body, &mut progress).await {
            Err(Refused(problem)) => Err(Refused(error::after(problem, progress.as_ref()))),
            Ok(()) => match progress {
                Some(progress) => Ok(json(&native::answer::uploaded(&progress))),
                None => Err(body::Error::Empty.into()),
            },
        }
    }

    /// Appends batch by batch; while one is on its way to the disk, the next is received.
    async fn append_all(
        &self,
        body: Incoming,
        progress: &mut Option<Progress>,
    ) -> Result<(), Refused> {
        let mut batches = Batches::new(body, &self.asked.edge, self.feed.clone());
        if self.expected.is_some() || matches!(self.repetition, Repetition::ByKey(_)) {
            return self.append_only(batches.unparted(), progress).await;
        }
        let mut next = batches.next().await?;
        while let Some(batch) = next {
            batches::take_in(self.asked, batch.bytes).await?;
            let mut append = pin!(self.append_new(batch.all));
            let mut following = pin!(batches.next());
            // The batch is waited for in any case: whoever is told of a bad line behind it is told how far the rest came.
            let (appended, following) = tokio::select! {
                biased;
                appended = append.as_mut() => (appended?, following.await),
                following = following.as_mut() => (append.await?, following),
            };
            *progress = Some(progress.map_or(appended, |before| before.and(appended)));
            next = following?;
        }
        Ok(())
    }

    /// Appends the batch, if it is the only one: what is expected of a subject is expected of one batch, and a key is one's.
    async fn append_only(
        &self,
        mut batches: Batches<(FeedName, Event)>,
        progress: &mut Option<Progress>,
    ) -> Result<(), Refused> {
        let batch = batches.next().await?;
        if batches.next().await?.is_some() {
            return Err(match self.expected {
                Some(_) => body::expectation_of_many(),
                None => body::key_of_many(),
            }
            .into());
        }
        if let Some(batch) = batch {
            batches::take_in(self.asked, batch.bytes).await?;
            let published = self.append(&batch.all).await?;
            *progress = Some(Progress::of(&published));
        }
        Ok(())
    }
}

/// Takes the `known` ones, by their indexes in ascending order, out of `events`.
fn leave_out(events: &mut Vec<(FeedName, Event)>, known: &[(u16, Position)]) {
    let mut known = known
        .iter()
        .map(|(index, _)| usize::from(*index))
        .peekable();
    let mut index = 0;
    events.retain(|_| {
        let is_known = known.next_if_eq(&index).is_some();
        index += 1;
        !is_known
    });
}

/// Of those with one source, id and subject, keeps the first.
fn keep_first(events: &mut Vec<(FeedName, Event)>) {
    let mut seen: HashSet<(Option<Source>, EventId, Option<Subject>)> = HashSet::new();
    events.retain(|(_, event)| {
        let id = event.id.clone();
        id.is_none_or(|id| seen.insert((event.source.clone(), id, event.subject.clone())))
    });
}
