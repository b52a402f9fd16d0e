//! Feeds: listed, polled, waited for and counted.

use std::time::Duration;

use feedwire_api::ALL_FEEDS;
use feedwire_core::{Delivery, Reader, Span};
use feedwire_dialects::serialized::framing::Page;
use feedwire_dialects::serialized::request::{self, Count, Poll};
use feedwire_dialects::serialized::{answer, error};
use feedwire_event::Position;
use http::HeaderName;
use hyper::body::Incoming;

use super::TYPE;
use super::refuse::{self, Refused};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::room::Room;
use crate::waiting::Waiting;

/// The header in which a feed's last sequence number is told.
const CURRENT: HeaderName = HeaderName::from_static("serialized-sequencenumber-current");

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let feeds = asked.edge.core().feeds(asked.grant()).await?;
    Ok(refuse::json(answer::feeds(&feeds)))
}

pub(super) async fn head(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let poll = poll(&asked)?;
    let reader = asked.edge.core().follow(asked.grant(), poll.reading());
    let current = current(&reader.await?, &poll).await?;
    let mut answer = refuse::empty();
    answer.headers_mut().insert(CURRENT, current.get().into());
    Ok(answer)
}

pub(super) async fn read(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    // In a box of its own, which is gone when a poll waits.
    let begun = Box::pin(begin(&asked)).await?;
    let Begun {
        mut reader,
        mut page,
        mut seen,
        current,
        since,
        wait,
    } = begun;
    let edge = asked.edge.clone();
    if page.is_empty() && !wait.is_zero() && !reader.is_over() {
        let waiting = Waiting::of(asked)?;
        seen = wait_for(&mut reader, &mut page, wait, waiting).await?;
    }
    let current = current.max(page.last().unwrap_or(Position::ZERO));
    let current = if since <= seen.head {
        current.max(since)
    } else {
        current
    };
    let bytes = page.finish(seen.more, current);
    let mut room = Room::sent(&edge);
    room.cover(bytes.len())?;
    Ok(refuse::page(bytes, room))
}

/// A poll, and what there was for it at once.
#[derive(Debug)]
struct Begun {
    reader: Reader,
    page: Page,
    seen: Seen,
    /// The sequence number of the feed's last entry before anything was read: a client that is told nothing goes on behind it.
    current: Position,
    since: Position,
    wait: Duration,
}

async fn begin(asked: &Asked) -> Result<Begun, Refused> {
    let poll = poll(asked)?;
    let core = asked.edge.core();
    let mut reader = core.follow(asked.grant(), poll.reading()).await?;
    let current = current(&reader, &poll).await?;
    let mut page = Page::new(poll.limit, asked.edge.limits().page_bytes);
    let seen = fill(&mut reader, &mut page).await?;
    Ok(Begun {
        reader,
        page,
        seen,
        current,
        since: poll.since,
        wait: poll.wait,
    })
}

fn poll(asked: &Asked) -> Result<Poll, Refused> {
    let name = refuse::variable(asked, TYPE)?;
    Ok(request::feed(&name, asked.query())?)
}

/// The sequence number of the feed's last entry; of one that has never had any there is none.
async fn current(reader: &Reader, poll: &Poll) -> Result<Position, Refused> {
    let Some(feed) = &poll.feed else {
        return Ok(reader.head());
    };
    let last = reader.last_of(feed).await?;
    last.ok_or_else(|| Refused(error::unknown_feed(feed)))
}

/// How far was looked.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Whether there is more.
    more: bool,
    /// The last position of the log, when it was looked at last.
    head: Position,
}

impl Seen {
    fn of(delivery: &Delivery) -> Self {
        Self {
            more: delivery.more,
            head: delivery.head,
        }
    }
}

/// Reads what there is into `page`, until that is full.
async fn fill(reader: &mut Reader, page: &mut Page) -> Result<Seen, Refused> {
    loop {
        let delivery = reader.present(page.wants()).await?;
        page.take(&delivery)?;
        let seen = Seen::of(&delivery);
        if !seen.more || page.is_full() {
            return Ok(seen);
        }
    }
}

/// As [`fill`], once there is something, or when `wait` is over or the server stops.
async fn wait_for(
    reader: &mut Reader,
    page: &mut Page,
    wait: Duration,
    waiting: Waiting,
) -> Result<Seen, Refused> {
    match waiting.next::<Refused>(reader, page.wants(), wait).await? {
        Some(delivery) => {
            page.take(&delivery)?;
            Ok(Seen::of(&delivery))
        }
        // Read once more, so that the entries and what is said of the end are from one moment.
        None => fill(reader, page).await,
    }
}

pub(super) async fn count_all(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let count = request::count(ALL_FEEDS, asked.query())?;
    counted(&asked, count).await
}

pub(super) async fn count(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let name = refuse::variable(&asked, TYPE)?;
    let count = request::count(&name, asked.query())?;
    counted(&asked, count).await
}

async fn counted(asked: &Asked, count: Count) -> Result<Answer, Refused> {
    let Count { filter, from, to } = count;
    let core = asked.edge.core();
    let runs = core.runs(asked.grant(), filter.feeds, Span { from, to });
    Ok(refuse::json(answer::count(runs.await?)))
}
