//! A member's connection: it comes back when it is lost.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use feedwire_api::{EVENT_STREAM, Heartbeat, LostEvents, Stream, StreamDetails};
use futures_util::stream::FusedStream;
use http::Method;
use http::header::ACCEPT;
use jiff::{Span, SpanRelativeTo};
use serde::de::{DeserializeOwned, Error as _};
use sse_stream::Sse;

use super::{Delivery, Error};
use crate::connection::request;
use crate::link::{self, Answer, Came, Link, Opened};
use crate::step::Interruption;
use crate::{Client, Error as RequestError, Event};

/// A member of a stream. Made by [`Join::membership`](crate::Join::membership).
///
/// Joins when it is first asked, and again, after a wait, whenever the connection is lost; the server knows where the stream is. It
/// leaves when it is dropped. Nothing is acknowledged by itself: that is done by [`Client::ack`] with the receipts, and
/// [`Client::nack`] refuses. Where that is not of interest, [`Join::run`](crate::Join::run) has less to be done.
///
/// It is a [stream](futures_util::Stream) too, of `Result<Turn, JoinError>`, and ends behind the one error that it may have to tell.
/// Nothing is lost when a call is dropped before it is done. A member that is not asked for two heartbeats of its stream is taken for
/// dead by the server, once what it was sent fills the connection.
///
/// # Waits
///
/// As those of [`Follow`](crate::Follow). Where the stream has as many members as it may have, it waits for a place, however long that
/// takes, and asks as often as the server says. A connection over which nothing came for three heartbeats of the stream is taken for
/// lost.
#[derive(Debug)]
#[must_use = "nothing is joined until it is asked"]
pub struct Membership {
    link: Link<Box<Stream>>,
    client: Client,
    name: String,
    /// Whether events have receipts here.
    is_acknowledged: bool,
}

/// What comes next for a member of a stream.
#[derive(Debug)]
pub enum Turn {
    /// It is a member now; how the stream is, as of just before.
    Joined(Box<Stream>),
    /// An event.
    Delivery(Box<Delivery>),
    /// A sign of life, and what the member holds. What it was sent of a partition that is not there any more is another's now.
    Heartbeat(Box<Heartbeat>),
    /// Retention took events before they were sent.
    Lost(LostEvents),
    /// The connection was lost or did not come about, or the stream has all members that it may have; the next call waits and tries
    /// again. What is not acknowledged goes to another, or comes again.
    Away {
        /// Why.
        reason: Interruption,
        /// How long it waits.
        wait: Duration,
    },
}

impl Membership {
    pub(super) fn new(client: Client, name: String, tries: Option<u32>) -> Self {
        let mut link = Link::new();
        if let Some(tries) = tries {
            link.tries(tries);
        }
        Self {
            link,
            client,
            name,
            is_acknowledged: true,
        }
    }

    /// What comes next; `None` when an error was told before. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Turn>, Error> {
        poll_fn(|context| self.poll_turn(context)).await
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Turn>, Error>> {
        loop {
            let (client, name) = (&self.client, &self.name);
            let came = ready!(self.link.poll(context, || ask(client, name)));
            let turn = match came {
                Ok(Came::Opened(stream)) => {
                    self.is_acknowledged = stream.mode != "delivered";
                    Ok(Some(Turn::Joined(stream)))
                }
                Ok(Came::Frame(frame)) => self.take(frame),
                Ok(Came::Lost { reason, wait }) => Ok(Some(Turn::Away { reason, wait })),
                Ok(Came::End) => return Poll::Ready(Ok(None)),
                Err(link::Error::Refused(error)) => Err(Error::Refused(error)),
                Err(link::Error::GaveUp { tries, last }) => Err(Error::GaveUp { tries, last }),
            };
            match turn {
                Ok(None) => {}
                Ok(turn) => return Poll::Ready(Ok(turn)),
                Err(error) => {
                    self.link.end();
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// What `frame` says; `None` where that is nothing.
    fn take(&mut self, frame: Sse) -> Result<Option<Turn>, Error> {
        self.link.progressed();
        let Some(data) = frame.data else {
            return Ok(None);
        };
        match frame.event.as_deref() {
            None => self.delivery(data).map(Some),
            Some("heartbeat") => Ok(Some(Turn::Heartbeat(Box::new(read(&data)?)))),
            Some("lost") => Ok(Some(Turn::Lost(read(&data)?))),
            // Of a later server.
            Some(_) => Ok(None),
        }
    }

    fn delivery(&self, data: String) -> Result<Turn, Error> {
        let event = Event::new(data.into()).map_err(|unreadable| Error::Unreadable {
            position: unreadable.position,
            source: unreadable.source,
        })?;
        let delivery = Delivery::new(event);
        if self.is_acknowledged && delivery.place().is_none() {
            return Err(Error::Unreadable {
                position: Some(delivery.event.attributes().position),
                source: serde_json::Error::custom("it has no receipt"),
            });
        }
        Ok(Turn::Delivery(Box::new(delivery)))
    }
}

/// Looks at the stream `name` and joins it.
fn ask(client: &Client, name: &str) -> Answer<Box<Stream>> {
    let (client, name) = (client.clone(), name.to_owned());
    Box::pin(async move {
        // How often it has a heartbeat is not said once it is joined.
        let StreamDetails { stream, .. } = client.stream(&name).await?;
        let heartbeat = span(&stream.heartbeat).ok_or_else(|| RequestError::Strange {
            status: 200,
            detail: format!("its heartbeat is {:?}", stream.heartbeat),
            retry_after: None,
        })?;
        let url = client.stream_url(&name, &["connect"]);
        let request = request(Method::GET, &url).header(ACCEPT, EVENT_STREAM);
        let response = link::open(client.connection(), request).await?;
        Ok(Opened {
            response,
            heartbeat,
            about: Box::new(stream),
        })
    })
}

fn span(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(span).ok()
}

fn read<T: DeserializeOwned>(data: &str) -> Result<T, Error> {
    serde_json::from_str(data).map_err(|source| Error::Unreadable {
        position: None,
        source,
    })
}

impl futures_util::Stream for Membership {
    type Item = Result<Turn, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_turn(context).map(Result::transpose)
    }
}

impl FusedStream for Membership {
    fn is_terminated(&self) -> bool {
        self.link.is_ended()
    }
}
