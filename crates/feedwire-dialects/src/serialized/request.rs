//! What is asked of Serialized's API: path and query into calls of the core. Parameters that are not known are passed over.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use feedwire_api::ALL_FEEDS;
use feedwire_core::limits::FILTER_VALUES_MAX;
use feedwire_core::{Filter, Partition, Reading, Start, Until};
use feedwire_event::{FeedName, NameError, Position, Subject, Timestamp, Version};
use uuid::Uuid;

use crate::query::{self, Query};
use crate::{escape, iso8601, parted, uuids};

/// Most entries of a page of a feed, and how many there are where it is not said.
pub const ENTRIES_MAX: usize = 1_000;
/// Most versions of a page of an aggregate's history, and how many there are where it is not said.
pub const VERSIONS_MAX: usize = 1_000;
/// Most aggregates of a list, and how many there are where it is not said.
pub const AGGREGATES_MAX: usize = 1_000;
/// Longest wait of a long poll, however long is asked for: clients and proxies give up after 60 seconds, and what is sent to them then
/// does not arrive.
pub const WAIT_MAX: Duration = Duration::from_secs(55);
/// Most parts that a feed is read in: the most that a client in .NET or Java can count.
pub const PARTITIONS_MAX: u32 = i32::MAX.unsigned_abs();

/// Why a request is refused before its body is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter or a part of the path that cannot be meant.
    #[error("{name}: {reason}")]
    Parameter {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// No aggregate is of a type of this name.
    #[error("aggregateType: {0}")]
    AggregateType(String),
    /// No aggregate has this id.
    #[error("aggregateId: {NOT_A_UUID}")]
    AggregateId,
    /// No tenant has this id.
    #[error("tenantId: {NOT_A_UUID}")]
    TenantId,
    /// The body is nothing that can be read.
    #[error("Content-Type: it has to be application/json in UTF-8; it is {0}")]
    MediaType(String),
    /// The body is compressed.
    #[error("Content-Encoding: bodies are taken as they are; this one is in {0}")]
    ContentEncoding(String),
}

/// Why a text is not a UUID.
pub(super) const NOT_A_UUID: &str =
    "it has to be a UUID such as 723ecfce-14e9-4889-98d5-a3d0ad54912f";

impl Error {
    pub(super) fn parameter(name: &str, reason: &(impl fmt::Display + ?Sized)) -> Self {
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

/// A page of a feed that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The feed; `None` is all of them.
    pub feed: Option<FeedName>,
    /// Which entries.
    pub filter: Filter,
    /// Those behind this sequence number.
    pub since: Position,
    /// Those recorded at this time or later.
    pub from: Option<Timestamp>,
    /// Those recorded before this time.
    pub to: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
    /// How long to wait for a first one.
    pub wait: Duration,
}

impl Poll {
    /// What the core is to read.
    pub fn reading(&self) -> Reading {
        let start = if self.since > Position::ZERO {
            Start::Past(self.since, self.from)
        } else {
            self.from.map_or(Start::Beginning, Start::At)
        };
        Reading {
            filter: self.filter.clone(),
            start,
            until: self.to.map(Until::At),
        }
    }
}

/// Entries of a feed that are to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Which entries.
    pub filter: Filter,
    /// Those recorded at this time or later.
    pub from: Option<Timestamp>,
    /// Those recorded before this time.
    pub to: Option<Timestamp>,
}

/// A part of an aggregate's history that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// What came behind this version.
    pub since: Version,
    /// At most so many versions.
    pub limit: usize,
}

/// A part of a list that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Behind the first so many.
    pub skip: usize,
    /// At most so many.
    pub limit: usize,
}

/// The page of the feed `name` that `query` asks for; `_all` is every feed.
///
/// Only there does `filterType` say anything: the vendor has it for that, and its clients send it with a named feed too.
pub fn feed(name: &str, query: &str) -> Result<Poll, Error> {
    let mut query = Query::new(query)?;
    let feed = named(name)?;
    let feeds = match &feed {
        Some(feed) => vec![feed.clone()],
        None => types(&mut query)?,
    };
    let limit = limit(&mut query, ENTRIES_MAX)?;
    let wait = counted(&mut query, "waitTime")?.map_or(Duration::ZERO, Duration::from_millis);
    Ok(Poll {
        feed,
        filter: Filter {
            feeds,
            partition: partition(&mut query)?,
            ..Filter::default()
        },
        since: since(&mut query)?,
        from: time(&mut query, "from")?,
        to: time(&mut query, "to")?,
        limit,
        wait: wait.min(WAIT_MAX),
    })
}

/// What of the feed `name` is to be counted; `_all` is every feed.
pub fn count(name: &str, query: &str) -> Result<Count, Error> {
    let mut query = Query::new(query)?;
    Ok(Count {
        filter: Filter {
            feeds: named(name)?.into_iter().collect(),
            ..Filter::default()
        },
        from: time(&mut query, "from")?,
        to: time(&mut query, "to")?,
    })
}

/// The part of an aggregate's history that `query` asks for.
pub fn history(query: &str) -> Result<History, Error> {
    let mut query = Query::new(query)?;
    Ok(History {
        since: Version(since(&mut query)?.get()),
        limit: limit(&mut query, VERSIONS_MAX)?,
    })
}

/// The part of the list of aggregates that `query` asks for.
pub fn aggregates(query: &str) -> Result<Part, Error> {
    let mut query = Query::new(query)?;
    let skip = counted(&mut query, "skip")?.unwrap_or(0);
    Ok(Part {
        skip: usize::try_from(skip).unwrap_or(usize::MAX),
        limit: limit(&mut query, AGGREGATES_MAX)?,
    })
}

/// The token that a deletion is confirmed by, if it is.
pub fn delete_token(query: &str) -> Result<Option<String>, Error> {
    let mut query = Query::new(query)?;
    Ok(query.one("deleteToken")?.map(Cow::into_owned))
}

/// The tenant that is asked for, by the header `Serialized-Tenant-Id` or, as one client does, by `tenantId` in the query.
pub fn tenant(header: Option<&str>, query: &str) -> Result<Option<Uuid>, Error> {
    let header = header.map(tenant_id).transpose()?;
    let query = tenant_of_query(query)?;
    match (header, query) {
        (Some(header), Some(query)) if header != query => Err(Error::parameter(
            "tenantId",
            "it is another than the header Serialized-Tenant-Id names",
        )),
        _ => Ok(header.or(query)),
    }
}

/// The tenant that the parameter `tenantId` names; nothing is allocated where it is not there.
pub fn tenant_of_query(query: &str) -> Result<Option<Uuid>, Error> {
    if !query.contains("tenantId") && !query.contains('%') {
        return Ok(None);
    }
    // What cannot be read is for whoever asks for it.
    let pairs = query.split('&');
    let read =
        pairs.filter(|pair| escape::form(pair.split('=').next().unwrap_or_default()).is_some());
    let read: Vec<&str> = read.collect();
    let read = read.join("&");
    let id = Query::new(&read)?.one("tenantId")?;
    id.map(|text| tenant_id(&text)).transpose()
}

/// The name of a feed in a path: any that there can be, for what the native API published is read here too.
pub fn feed_name(text: &str) -> Result<FeedName, Error> {
    FeedName::new(text).map_err(|error: NameError| Error::parameter("feed", &error))
}

/// The type of an aggregate that is written: three characters or more of `a-z 0-9 - _`, a letter or a digit at both ends.
pub fn aggregate_type(text: &str) -> Result<FeedName, Error> {
    let is_end = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !parted::is_name(text, is_end) {
        let rule = "it has three or more of a-z 0-9 - _, and a letter or a digit at both ends";
        return Err(Error::AggregateType(rule.to_owned()));
    }
    FeedName::new(text).map_err(|error: NameError| Error::AggregateType(error.to_string()))
}

/// The aggregate that `text` names: a UUID, whose letters may be large.
pub fn aggregate_id(text: &str) -> Result<Subject, Error> {
    let uuid = uuids::parse(text).ok_or(Error::AggregateId)?;
    Ok(uuids::subject(&uuid))
}

/// The tenant that `text` names: a UUID, whose letters may be large.
pub fn tenant_id(text: &str) -> Result<Uuid, Error> {
    uuids::parse(text).ok_or(Error::TenantId)
}

fn named(name: &str) -> Result<Option<FeedName>, Error> {
    if name == ALL_FEEDS {
        Ok(None)
    } else {
        feed_name(name).map(Some)
    }
}

/// The feeds that `filterType` names, or `types[]`, as one client calls it. Empty ones ask for nothing.
fn types(query: &mut Query<'_>) -> Result<Vec<FeedName>, Error> {
    const NAME: &str = "filterType";
    let mut lists = query.list(NAME)?;
    lists.append(&mut query.list("types[]")?);
    let names = lists.iter().flat_map(|list| list.split(','));
    let names = names.filter(|name| !name.is_empty());
    let types: Vec<FeedName> = names
        .take(FILTER_VALUES_MAX + 1)
        .map(|name| FeedName::new(name).map_err(|error| Error::parameter(NAME, &error)))
        .collect::<Result<_, _>>()?;
    if types.len() > FILTER_VALUES_MAX {
        let reason = format!("at most {FILTER_VALUES_MAX} can be named");
        return Err(Error::parameter(NAME, &reason));
    }
    Ok(types)
}

fn partition(query: &mut Query<'_>) -> Result<Option<Partition>, Error> {
    let parts = query.number("partitionCount", 1..=PARTITIONS_MAX.into())?;
    let number = counted(query, "partitionNumber")?.unwrap_or(0);
    let count = parts.and_then(|parts| NonZeroU32::new(u32::try_from(parts).ok()?));
    let count = count.unwrap_or(NonZeroU32::MIN);
    let partition = u32::try_from(number)
        .ok()
        .and_then(|number| Partition::new(number, count));
    let refused = || {
        let reason = format!("it has to be below partitionCount, which is {count}");
        Error::parameter("partitionNumber", &reason)
    };
    let partition = partition.ok_or_else(refused)?;
    Ok(Some(partition).filter(|_| count > NonZeroU32::MIN))
}

fn since(query: &mut Query<'_>) -> Result<Position, Error> {
    let since = counted(query, "since")?.and_then(Position::new);
    Ok(since.unwrap_or_default())
}

fn limit(query: &mut Query<'_>, most: usize) -> Result<usize, Error> {
    let limit = query.number("limit", 1..=most as u64)?;
    Ok(limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(most))
}

fn time(query: &mut Query<'_>, name: &str) -> Result<Option<Timestamp>, Error> {
    let Some(text) = query.one(name)? else {
        return Ok(None);
    };
    let refused = || {
        Error::parameter(
            name,
            "it has to be a time in ISO 8601, such as 2013-01-01T10:00:00Z or 2013-01-01",
        )
    };
    iso8601::time(&text).map(Some).ok_or_else(refused)
}

/// The whole number that is the value of `name`. Of anything that is counted there is less than the largest position: what is larger is
/// taken for that, and is as far beyond what there is.
fn counted(query: &mut Query<'_>, name: &str) -> Result<Option<u64>, Error> {
    let Some(text) = query.one(name)? else {
        return Ok(None);
    };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::parameter(name, "it has to be a whole number"));
    }
    let most = Position::MAX.get();
    Ok(Some(text.parse().unwrap_or(most).min(most)))
}
