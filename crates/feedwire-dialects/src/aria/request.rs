//! What is asked of Aria's feeds: where to begin, by header and query. Parameters that are not known are passed over.
//!
//! The vendor's own client comes back with the newest id in its header and with the very query that it began with: the header wins over an
//! id of the query, and both over `from`. Each is looked at all the same, so that what is refused is refused at once and not later.

use std::fmt;

use feedwire_core::{EntityFeed, Filter, Reading, Start};
use feedwire_event::{ChangeKind, Cursor, Position, Timestamp, TypeName};

use crate::query::{self, Query};
use crate::span;
use crate::zone::Zone;

/// The parameters by which an id is given: that of the vendor's client, and that of its documentation.
const IDS: [&str; 2] = ["last_id", "lastEventId"];

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter or a header that cannot be meant.
    #[error("{name}: {reason}")]
    Parameter {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
}

impl Error {
    fn parameter(name: &str, reason: &(impl fmt::Display + ?Sized)) -> Self {
        Self::Parameter {
            name: name.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl From<query::Error> for Error {
    fn from(error: query::Error) -> Self {
        let (name, reason) = error.into_parts();
        Self::Parameter { name, reason }
    }
}

/// A request to read a feed.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Behind the question mark.
    pub query: &'a str,
    /// The header `Last-Event-ID`.
    pub last_event_id: Option<&'a str>,
}

/// What of `feed` a request asks for at the time `now`; times without an offset are of `zone`.
pub fn reading(
    feed: EntityFeed,
    parts: Parts<'_>,
    zone: &Zone,
    now: Timestamp,
) -> Result<Reading, Error> {
    let mut query = Query::new(parts.query)?;
    let of_header = parts
        .last_event_id
        .map(|text| id(feed, "Last-Event-ID", text));
    let of_header = of_header.transpose()?.flatten();
    let of_query = queried(feed, &mut query)?;
    let from = match query.one("from")? {
        Some(text) if !text.is_empty() => Some(from(&text, zone, now)?),
        _ => None,
    };
    let (last, from) = (
        of_header.or(of_query).map(Start::After),
        from.map(Start::At),
    );
    Ok(Reading {
        filter: filter(feed),
        start: last.or(from).unwrap_or(Start::Now),
        until: None,
    })
}

/// Everything that `feed` tells.
fn filter(feed: EntityFeed) -> Filter {
    let types = kinds(feed)
        .iter()
        .map(|kind| TypeName::new(kind.as_str()).expect("it is a name"));
    Filter {
        types: types.collect(),
        entity_feed: Some(feed),
        ..Filter::default()
    }
}

const fn kinds(feed: EntityFeed) -> &'static [ChangeKind] {
    match feed {
        EntityFeed::Change => &[ChangeKind::Create, ChangeKind::Update, ChangeKind::Delete],
        EntityFeed::Load => &[ChangeKind::Load],
    }
}

/// What the ids of a feed begin with: positions of the two are of one log, and their ids are not to be taken for each other.
pub(super) const fn letter(feed: EntityFeed) -> u8 {
    match feed {
        EntityFeed::Change => b'C',
        EntityFeed::Load => b'L',
    }
}

/// The id that the query gives, in whichever spelling.
fn queried(feed: EntityFeed, query: &mut Query<'_>) -> Result<Option<Cursor>, Error> {
    let mut found = None;
    for name in IDS {
        let Some(text) = query.one(name)? else {
            continue;
        };
        let cursor = id(feed, name, &text)?;
        if found.is_some() && cursor.is_some() && found != cursor {
            let other = format!("it is another than that of {}", IDS[0]);
            return Err(Error::parameter(name, &other));
        }
        found = found.or(cursor);
    }
    Ok(found)
}

/// The position that an id of `feed` stands for; an empty one is none.
fn id(feed: EntityFeed, name: &str, text: &str) -> Result<Option<Cursor>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let other = match feed {
        EntityFeed::Change => EntityFeed::Load,
        EntityFeed::Load => EntityFeed::Change,
    };
    let of = |feed| position(letter(feed), text);
    if let Some(position) = of(feed) {
        return Ok(Some(Cursor(position)));
    }
    let (own, others) = (char::from(letter(feed)), char::from(letter(other)));
    let reason = if of(other).is_some() {
        format!("it is an id of the other feed: those of this one begin with {own}, not {others}")
    } else {
        format!("it has to be the id of an event of this feed as it was sent, such as {own}1234")
    };
    Err(Error::parameter(name, &reason))
}

/// The position behind `letter`, written as it is sent.
fn position(letter: u8, text: &str) -> Option<Position> {
    let digits = text.strip_prefix(char::from(letter))?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = digits.len() == 1 || !digits.starts_with('0');
    let number = (is_plain && is_short).then(|| digits.parse().ok());
    Position::new(number.flatten()?)
}

/// The time that `from` says.
fn from(text: &str, zone: &Zone, now: Timestamp) -> Result<Timestamp, Error> {
    let ago = || span::parse(text).map(|span| now.before(span));
    let time = time(text, zone).or_else(ago);
    time.ok_or_else(|| {
        Error::parameter(
            "from",
            "it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day",
        )
    })
}

/// A date-time with its offset, or one as a clock in `zone` shows it.
fn time(text: &str, zone: &Zone) -> Option<Timestamp> {
    let with_offset = || {
        // A plus sign means a space in a query, and the space between day and hour may be one too: the last is that of the offset.
        let (time, offset) = text.rsplit_once(' ')?;
        format!("{time}+{offset}").parse().ok()
    };
    let without = || {
        // As strict as with one: what is taken for UTC has the shape of a date-time.
        let shown: Timestamp = format!("{text}Z").parse().ok()?;
        let civil = shown.to_text();
        zone.time(civil.strip_suffix('Z')?.parse().ok()?)
    };
    text.parse().ok().or_else(with_offset).or_else(without)
}
