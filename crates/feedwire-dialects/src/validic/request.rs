//! What is asked of Validic's API: path, query and headers. Parameters that are not known are passed over.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use feedwire_core::limits::FILTER_VALUES_MAX;
use feedwire_core::{Filter, TypesIn};
use feedwire_event::{FeedName, StreamName, Timestamp, TypeName};

use crate::Day;
use crate::content::{self, Unfit};
use crate::query::{self, Query};

/// How many days a replay goes back, at most and where it is not said.
pub const REPLAY_DAYS: u32 = 30;
/// Most conditions that streams are listed by, each with the name that it asks for.
const CONDITIONS_MAX: usize = 16;

/// Why a request is refused before its body is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter that cannot be meant.
    #[error("{name}: {reason}")]
    Parameter {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The body is compressed.
    #[error("Content-Encoding: bodies are taken as they are; this one is in {0}")]
    ContentEncoding(String),
    /// The body is of a web page, and does not say that it is JSON.
    #[error("Content-Type: a web page has to say application/json")]
    OfPage,
}

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

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Encoded(coding) => Self::ContentEncoding(coding),
            Unfit::OfPage => Self::OfPage,
        }
    }
}

/// What an event of the vendor's is, which is also the feed that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A record of a user.
    Data,
    /// A user connected a source, or no longer has it connected. Whoever is not there when it happens is not told.
    Connection,
    /// A rule was met.
    Rule,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Data, Self::Connection, Self::Rule];

    /// The name of it and of its feed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Connection => "connection",
            Self::Rule => "rule",
        }
    }

    /// The feed that it is in.
    pub fn feed(self) -> FeedName {
        FeedName::new(self.name()).expect("it is a name")
    }

    /// What an event in the feed `name` is.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::of(text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            format!("it is one of {}", names.join(", "))
        })
    }
}

/// By what streams are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// When they were made.
    CreatedAt,
    /// Their name.
    Name,
}

/// In which order streams are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: By,
    /// The largest or latest first.
    pub is_descending: bool,
}

impl Sort {
    const ALL: [Self; 4] = [
        Self::new(By::CreatedAt, false),
        Self::new(By::CreatedAt, true),
        Self::new(By::Name, false),
        Self::new(By::Name, true),
    ];

    const fn new(by: By, is_descending: bool) -> Self {
        Self { by, is_descending }
    }

    /// As it is asked for.
    pub const fn name(self) -> &'static str {
        match (self.by, self.is_descending) {
            (By::CreatedAt, false) => "created_at",
            (By::CreatedAt, true) => "-created_at",
            (By::Name, false) => "name",
            (By::Name, true) => "-name",
        }
    }

    /// In which of its orders two things are that are in this one by what they are listed by.
    pub(super) fn turned(self, order: Ordering) -> Ordering {
        if self.is_descending {
            order.reverse()
        } else {
            order
        }
    }
}

/// What the name of a stream has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// This.
    Is(String),
    /// It has this in it, whatever the case; it is in small letters.
    Has(String),
}

impl Condition {
    /// Whether it holds for the stream that is called `name`.
    pub fn holds(&self, name: &str) -> bool {
        match self {
            Self::Is(wanted) => name == wanted,
            Self::Has(part) => name.to_lowercase().contains(part),
        }
    }
}

/// A list of streams that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// What all of them have to be.
    pub conditions: Vec<Condition>,
    /// In which order, at least one, each of something else; where they are alike in one, the next counts.
    pub sort: Vec<Sort>,
}

/// Records that are asked for once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Those that were recorded then or later.
    pub from: Timestamp,
    /// Which.
    pub filter: Filter,
}

/// The stream that `id` in a path names; what cannot be one is none.
pub fn stream(id: &str) -> Option<StreamName> {
    StreamName::new(id).ok()
}

/// The id of a stream that is made of `random`: 24 digits, as the vendor's.
pub fn fresh_stream(random: u128) -> StreamName {
    let digits = format!("{random:032x}");
    StreamName::new(&digits[..24]).expect("digits are a name")
}

/// Refuses a body that is compressed, and one of a web page that does not say that it is JSON.
pub fn content(
    content_encoding: Option<&str>,
    content_type: Option<&str>,
    origin: Option<&str>,
) -> Result<(), Error> {
    content::json_anyway(content_encoding, content_type, origin)?;
    Ok(())
}

/// The streams that `query` asks for.
pub fn list(query: &str) -> Result<List, Error> {
    let mut query = Query::new(query)?;
    let conditions = conditions(&mut query)?;
    let mut sort: Vec<Sort> = Vec::new();
    for name in ["sort", "sort[]"] {
        for asked in many(&mut query, name)? {
            let found = Sort::ALL.into_iter().find(|sort| sort.name() == asked);
            let found = found.ok_or_else(|| {
                let names = Sort::ALL.map(Sort::name);
                Error::parameter(name, &format!("it is one of {}", names.join(", ")))
            })?;
            if sort.iter().all(|sort| sort.by != found.by) {
                sort.push(found);
            }
        }
    }
    if sort.is_empty() {
        sort.push(Sort::new(By::CreatedAt, true));
    }
    Ok(List { conditions, sort })
}

/// What the names of streams have to be: `q=name=x` or `q=name~x`. A comma is a part of the name.
fn conditions(query: &mut Query<'_>) -> Result<Vec<Condition>, Error> {
    let texts = query.whole("q")?;
    let texts = texts.iter().filter(|text| !text.is_empty());
    let conditions: Vec<_> = texts
        .map(|text| condition(text))
        .collect::<Result<_, _>>()?;
    if conditions.len() > CONDITIONS_MAX {
        let reason = format!("at most {CONDITIONS_MAX} of them can be asked for");
        return Err(Error::parameter("q", &reason));
    }
    Ok(conditions)
}

fn condition(text: &str) -> Result<Condition, Error> {
    let asked = text.strip_prefix("name").unwrap_or_default();
    if let Some(name) = asked.strip_prefix('=') {
        Ok(Condition::Is(name.to_owned()))
    } else if let Some(part) = asked.strip_prefix('~') {
        Ok(Condition::Has(part.to_lowercase()))
    } else {
        let reason =
            "it is name=x for the stream of this name, or name~x for those with this in it";
        Err(Error::parameter("q", reason))
    }
}

/// The records that `query` asks for at the time `now`.
///
/// Connection events are nobody's but theirs who were there: they are left out, and refused where nothing else is asked for.
pub fn replay(query: &str, now: Timestamp) -> Result<Replay, Error> {
    let mut query = Query::new(query)?;
    let date = query.one("date")?.filter(|date| !date.is_empty());
    let earliest = Day::of(now).before(REPLAY_DAYS);
    let date = date.map(|date| self::date(&date, earliest, now));
    let resources = values(&mut query, "resources", TypeName::new)?;
    let mut kinds = values(&mut query, "event_types", EventKind::parse)?;
    if kinds.is_empty() {
        kinds.extend(EventKind::ALL);
    }
    kinds.retain(|kind| *kind != EventKind::Connection);
    if kinds.is_empty() {
        let reason = "connection events are told when they happen, and not replayed";
        return Err(Error::parameter("event_types", reason));
    }
    Ok(Replay {
        from: date.transpose()?.unwrap_or(earliest).start(),
        filter: filter(resources, kinds),
    })
}

fn date(text: &str, earliest: Day, now: Timestamp) -> Result<Day, Error> {
    let refused = |reason: &str| Error::parameter("date", reason);
    let day = Day::parse(text);
    let day = day.ok_or_else(|| refused("it has to be a day such as 2013-01-31"))?;
    if day > Day::of(now) {
        Err(refused("it is in the future; days are those of UTC"))
    } else if day < earliest {
        let reason = format!("it goes back to {earliest} at most, which is {REPLAY_DAYS} days");
        Err(refused(&reason))
    } else {
        Ok(day)
    }
}

/// Events of these `kinds`, or of all where there are none; of the records those of the types `resources`, or all where there are none.
pub(super) fn filter(resources: Vec<TypeName>, kinds: Vec<EventKind>) -> Filter {
    let (mut feeds, mut types) = (Vec::new(), Vec::new());
    let kinds = if kinds.is_empty() {
        EventKind::ALL.to_vec()
    } else {
        kinds
    };
    for feed in kinds.into_iter().map(EventKind::feed) {
        if !feeds.contains(&feed) {
            feeds.push(feed);
        }
    }
    for resource in resources {
        if !types.contains(&resource) {
            types.push(resource);
        }
    }
    let types_in = (!types.is_empty()).then(|| TypesIn {
        feed: EventKind::Data.feed(),
        types,
    });
    Filter {
        feeds,
        types_in,
        ..Filter::default()
    }
}

/// What `read` reads out of each of the values of `name`.
fn values<T, E: fmt::Display>(
    query: &mut Query<'_>,
    name: &str,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, Error> {
    let texts = many(query, name)?;
    if texts.len() > FILTER_VALUES_MAX {
        let reason = format!("at most {FILTER_VALUES_MAX} can be named");
        return Err(Error::parameter(name, &reason));
    }
    let read = texts.iter().map(|text| read(text));
    let read = read.collect::<Result<_, _>>();
    read.map_err(|error| Error::parameter(name, &error))
}

/// The values of `name`: given more than once, or parted by commas, which may be encoded. Empty ones ask for nothing.
fn many(query: &mut Query<'_>, name: &str) -> Result<Vec<String>, Error> {
    let lists = query.list(name)?;
    let texts = lists.iter().flat_map(|list: &Cow<'_, str>| list.split(','));
    let texts = texts.filter(|text| !text.is_empty());
    Ok(texts.map(str::to_owned).collect())
}
