//! What is asked of Disruptive's API: path, query and headers. Parameters are known in camel case and in snake case, in one request too;
//! those that are not known are passed over.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use feedwire_core::limits::FILTER_VALUES_MAX;
use feedwire_core::roster::Roster;
use feedwire_core::{LabelFilter, LabelGroup};
use feedwire_event::limits::LABEL_BYTES_MAX;
use feedwire_event::{FeedName, Position, ProjectName, Subject, Timestamp, TypeName};

use super::event::LABELS_CHANGED;
use crate::content::{self, Unfit};
use crate::iso8601;
use crate::media;
use crate::query::{self, Query};
use crate::readings::READINGS;

/// The feed that the events of devices are in.
pub const FEED: &str = "devices";
/// The label that a device's type is kept as.
pub const TYPE_LABEL: &str = "device-type";
/// The label that a device's product number is kept as.
pub const PRODUCT_LABEL: &str = "product-number";
/// The label of a device that was moved away, which is the name of the project that it is in now.
pub const MOVED_LABEL: &str = "moved-to";
/// The project of a path that stands for all of them.
pub const EVERY_PROJECT: &str = "-";
/// Most events or devices of a page, however many are asked for.
pub const PAGE_MAX: usize = 1_000;
/// How many there are on a page where it is not said.
pub const PAGE_DEFAULT: usize = 100;
/// How far a history goes back where it is not said.
pub const WINDOW: Duration = Duration::from_hours(24);
/// How often a stream has a ping where it is not said.
pub const PING_DEFAULT: Duration = Duration::from_secs(10);
/// The least time between two pings, however little is asked for.
pub const PING_MIN: Duration = Duration::from_secs(1);
/// The most time between two pings, however much is asked for: what stands between client and server closes a connection on which nothing
/// is sent.
pub const PING_MAX: Duration = Duration::from_mins(1);
/// Most names of a path by which devices are ordered.
const ORDER_DEPTH_MAX: usize = 8;
/// Longest text that devices are searched for, in bytes.
pub const SEARCH_BYTES_MAX: usize = 512;

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
    /// The body is compressed.
    #[error("Content-Encoding: bodies are taken as they are; this one is in {0}")]
    ContentEncoding(String),
    /// The body is of a web page, and does not say that it is JSON.
    #[error("Content-Type: a web page has to say application/json")]
    OfPage,
}

impl Error {
    pub(crate) fn parameter(name: &str, reason: &(impl fmt::Display + ?Sized)) -> Self {
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

/// Whose devices are meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Project {
    /// Those of one project.
    One(ProjectName),
    /// Those of every project in which they may be read.
    Every,
}

/// A device by its whole name: `projects/<project>/devices/<device>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Whose it is.
    pub project: Project,
    /// Its id.
    pub device: Subject,
}

/// Which devices, and which of their events. Each list that is not empty has to be met, by one of its values.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filter {
    /// The devices.
    pub devices: Vec<Subject>,
    /// What they are.
    pub device_types: Vec<String>,
    /// The events.
    pub event_types: Vec<TypeName>,
    /// A label of the device.
    pub labels: Vec<LabelFilter>,
}

/// How a stream is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line of JSON for each event.
    Lines,
    /// Server-Sent Events.
    Sse,
}

/// A stream that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Which events.
    pub filter: Filter,
    /// How long it is from one ping to the next.
    pub ping_interval: Duration,
}

/// A part of a device's history that is asked for, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Which events; empty is all.
    pub event_types: Vec<TypeName>,
    /// Those of this time or later.
    pub from: Timestamp,
    /// Those of this time or earlier; `None` is all.
    pub to: Option<Timestamp>,
    /// At most so many.
    pub page_size: usize,
    /// Those before this position.
    pub before: Option<Position>,
}

/// By what devices are ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// The names of members, one within the other: `reported`, `temperature`, `value`.
    pub path: Vec<String>,
    /// The largest first.
    pub is_descending: bool,
}

/// A list of devices that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    /// Which; of their events nothing is said.
    pub filter: Filter,
    /// Only of these projects; empty is of all that the path names.
    pub projects: Vec<ProjectName>,
    /// What each has to hold somewhere, in small letters.
    pub search: Option<String>,
    /// In which order; `None` is by name.
    pub order_by: Option<OrderBy>,
    /// At most so many.
    pub page_size: usize,
    /// Those behind this one.
    pub after: Option<Name>,
}

/// A list of projects that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projects {
    /// What the name of each has to hold, in small letters.
    pub search: Option<String>,
    /// At most so many.
    pub page_size: usize,
    /// Those behind this one.
    pub after: Option<ProjectName>,
}

fn one_project(name: &str, text: &str) -> Result<ProjectName, Error> {
    ProjectName::new(text).map_err(|error| Error::parameter(name, &error))
}

/// The device of a path.
pub fn device(text: &str) -> Result<Subject, Error> {
    Subject::new(text).map_err(|error| Error::parameter("device", &error))
}

/// The device of which `text` is the whole name.
pub fn device_name(text: &str) -> Result<Name, String> {
    let parts = text
        .strip_prefix("projects/")
        .and_then(|rest| rest.split_once("/devices/"));
    let (project, device) =
        parts.ok_or("it has to be the name of a device: projects/<project>/devices/<device>")?;
    let project = if project == EVERY_PROJECT {
        Project::Every
    } else {
        Project::One(ProjectName::new(project).map_err(|error| error.to_string())?)
    };
    let device = Subject::new(device).map_err(|error| error.to_string())?;
    Ok(Name { project, device })
}

/// The feed that the events of devices are in.
pub fn feed() -> FeedName {
    FeedName::new(FEED).expect("it is a name")
}

/// Which subjects are devices: those that an event of the feed is about, and those of which it is kept what they are; but none that
/// was moved away.
pub fn roster() -> Roster {
    Roster {
        feed: feed(),
        enters: TYPE_LABEL.to_owned(),
        leaves: MOVED_LABEL.to_owned(),
    }
}

/// Whether the label `key` is what the server keeps of a device, and no label of it here.
pub(super) fn is_kept(key: &str) -> bool {
    [TYPE_LABEL, PRODUCT_LABEL, MOVED_LABEL].contains(&key)
}

impl Filter {
    /// The labels that a device has to have, as they are kept: one of each group. A device whose type no label says is of the type that
    /// its event tells.
    pub fn groups(&self) -> Vec<LabelGroup> {
        let types = self.device_types.iter().map(|ty| LabelFilter {
            key: TYPE_LABEL.to_owned(),
            value: Some(ty.clone()),
        });
        let is_asked = |ty: &str| self.device_types.iter().any(|asked| asked == ty);
        let told = READINGS
            .iter()
            .filter(|reading| reading.device_type.is_some_and(is_asked))
            .map(|reading| TypeName::new(reading.ty).expect("the vendor's types are names"));
        let types = LabelGroup::new(types).map(|group| group.or_told_by(told, TYPE_LABEL));
        let labels = LabelGroup::new(self.labels.iter().cloned());
        labels.into_iter().chain(types).collect()
    }
}

impl History {
    /// Whether events of the type `ty` are told: changes of labels are not, unless they are asked for.
    pub fn tells(&self, ty: &str) -> bool {
        ty != LABELS_CHANGED || !self.event_types.is_empty()
    }
}

/// How a stream is sent to a client with this `Accept`: as lines, unless it asks for Server-Sent Events more.
pub fn kind(accept: Option<&str>) -> Kind {
    let offers = [
        ("application/json", Kind::Lines),
        (feedwire_api::EVENT_STREAM, Kind::Sse),
    ];
    media::accept(accept, &offers).unwrap_or(Kind::Lines)
}

/// Refuses a body that is compressed, and one of a web page that does not say that it is JSON. Of others the media type says nothing: the
/// vendor's own examples send JSON as a form.
pub fn content(
    content_encoding: Option<&str>,
    content_type: Option<&str>,
    origin: Option<&str>,
) -> Result<(), Error> {
    content::json_anyway(content_encoding, content_type, origin)?;
    Ok(())
}

/// The stream that `query` asks for.
pub fn stream(query: &str) -> Result<Stream, Error> {
    let mut asked = Asked(Query::new(query)?);
    let filter = Filter {
        event_types: asked.event_types()?,
        ..asked.filter()?
    };
    let interval = asked.one("pingInterval")?.map(|(name, text)| {
        let refused = "it has to be a span in seconds, such as 10s or 1.5s";
        seconds(&text).ok_or_else(|| Error::parameter(name, refused))
    });
    let ping_interval = interval.transpose()?.unwrap_or(PING_DEFAULT);
    Ok(Stream {
        filter,
        ping_interval: ping_interval.clamp(PING_MIN, PING_MAX),
    })
}

/// The part of a device's history that `query` asks for at the time `now`.
pub fn history(query: &str, now: Timestamp) -> Result<History, Error> {
    let mut asked = Asked(Query::new(query)?);
    let start = asked.time("startTime")?;
    let to = asked.time("endTime")?;
    if let (Some((name, start)), Some((_, end))) = (start, to)
        && start > end
    {
        return Err(Error::parameter(name, "it is after the end"));
    }
    let to = to.map(|(_, end)| end);
    let before = asked.one("pageToken")?.filter(|(_, text)| !text.is_empty());
    let before = before.map(|(name, text)| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let position = is_plain.then(|| text.parse().ok()).flatten();
        let position = position.and_then(Position::new);
        position.ok_or_else(|| Error::parameter(name, "no page was told with this token"))
    });
    Ok(History {
        event_types: asked.event_types()?,
        from: start.map_or_else(|| to.unwrap_or(now).before(WINDOW), |(_, start)| start),
        to,
        page_size: asked.page_size()?,
        before: before.transpose()?,
    })
}

/// The devices that `query` asks for.
pub fn devices(query: &str) -> Result<Devices, Error> {
    let mut asked = Asked(Query::new(query)?);
    let after = asked.one("pageToken")?.filter(|(_, text)| !text.is_empty());
    let after = after.map(|(name, text)| {
        let device = device_name(&text).ok();
        device.ok_or_else(|| Error::parameter(name, "no page was told with this token"))
    });
    let projects = asked.list("projects", FILTER_VALUES_MAX, |text| {
        ProjectName::new(text.strip_prefix("projects/").unwrap_or(text))
    })?;
    let order_by = asked.one("orderBy")?.filter(|(_, text)| !text.is_empty());
    let order_by = order_by
        .map(|(name, text)| self::order_by(&text).map_err(|reason| Error::parameter(name, reason)));
    Ok(Devices {
        filter: asked.filter()?,
        projects,
        search: asked.search()?,
        order_by: order_by.transpose()?,
        page_size: asked.page_size()?,
        after: after.transpose()?,
    })
}

/// The projects that `query` asks for.
pub fn projects(query: &str) -> Result<Projects, Error> {
    let mut asked = Asked(Query::new(query)?);
    let after = asked.one("pageToken")?.filter(|(_, text)| !text.is_empty());
    let after = after.map(|(name, text)| one_project(name, &text));
    Ok(Projects {
        search: asked.search()?,
        page_size: asked.page_size()?,
        after: after.transpose()?,
    })
}

/// Parameters that are known by two names.
pub(crate) struct Asked<'q>(pub(crate) Query<'q>);

impl<'q> Asked<'q> {
    /// The one value of the parameter `camel`, and the name that it came by.
    pub(crate) fn one(
        &mut self,
        camel: &'static str,
    ) -> Result<Option<(&'static str, Cow<'q, str>)>, Error> {
        let Self(query) = self;
        let snake = snake(camel);
        let value = query.one(camel)?;
        if snake == camel {
            return Ok(value.map(|value| (camel, value)));
        }
        match (value, query.one(snake)?) {
            (Some(_), Some(_)) => Err(query::Error::Twice(camel.to_owned()).into()),
            (Some(value), None) => Ok(Some((camel, value))),
            (None, value) => Ok(value.map(|value| (snake, value))),
        }
    }

    /// What `read` reads out of each of the values of the parameter `camel`. Empty ones ask for nothing.
    pub(crate) fn list<T, E: fmt::Display>(
        &mut self,
        camel: &'static str,
        most: usize,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, Error> {
        let Self(query) = self;
        let snake = snake(camel);
        let names = [camel, snake].into_iter();
        let names = names.take(if snake == camel { 1 } else { 2 });
        let mut values = Vec::new();
        for name in names {
            let texts = query.list(name)?;
            let texts = texts.iter().filter(|text| !text.is_empty());
            for text in texts {
                if values.len() == most {
                    let reason = format!("at most {most} can be named");
                    return Err(Error::parameter(name, &reason));
                }
                values.push(read(text).map_err(|error| Error::parameter(name, &error))?);
            }
        }
        Ok(values)
    }

    fn filter(&mut self) -> Result<Filter, Error> {
        Ok(Filter {
            devices: self.list("deviceIds", FILTER_VALUES_MAX, Subject::new)?,
            device_types: self.list("deviceTypes", FILTER_VALUES_MAX, short)?,
            event_types: Vec::new(),
            labels: self.list("labelFilters", FILTER_VALUES_MAX, label)?,
        })
    }

    fn event_types(&mut self) -> Result<Vec<TypeName>, Error> {
        self.list("eventTypes", FILTER_VALUES_MAX, TypeName::new)
    }

    fn time(&mut self, camel: &'static str) -> Result<Option<(&'static str, Timestamp)>, Error> {
        let value = self.one(camel)?.filter(|(_, text)| !text.is_empty());
        let time = value.map(|(name, text)| {
            let refused = "it has to be a time in ISO 8601, such as 2013-01-01T10:00:00Z";
            let time = iso8601::time(&text).ok_or_else(|| Error::parameter(name, refused));
            time.map(|time| (name, time))
        });
        time.transpose()
    }

    /// How many there are on a page: however many are asked for, no more than there may be. None asks for as many as is usual.
    pub(crate) fn page_size(&mut self) -> Result<usize, Error> {
        let Some((name, text)) = self.one("pageSize")? else {
            return Ok(PAGE_DEFAULT);
        };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::parameter(name, "it has to be a whole number"));
        }
        let asked = text.trim_start_matches('0');
        let asked = if asked.is_empty() {
            PAGE_DEFAULT
        } else {
            asked.parse().unwrap_or(PAGE_MAX)
        };
        Ok(asked.min(PAGE_MAX))
    }

    fn search(&mut self) -> Result<Option<String>, Error> {
        let Some((name, text)) = self.one("query")? else {
            return Ok(None);
        };
        if text.len() > SEARCH_BYTES_MAX {
            let reason = format!("it has at most {SEARCH_BYTES_MAX} bytes");
            return Err(Error::parameter(name, &reason));
        }
        let text = text.trim().to_lowercase();
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// The second name of a parameter.
fn snake(camel: &'static str) -> &'static str {
    const NAMES: [(&str, &str); 11] = [
        ("deviceIds", "device_ids"),
        ("deviceTypes", "device_types"),
        ("eventTypes", "event_types"),
        ("labelFilters", "label_filters"),
        ("pingInterval", "ping_interval"),
        ("startTime", "start_time"),
        ("endTime", "end_time"),
        ("orderBy", "order_by"),
        ("pageSize", "page_size"),
        ("pageToken", "page_token"),
        ("updateMask", "update_mask"),
    ];
    let names = NAMES.iter().find(|(known, _)| *known == camel);
    names.map_or(camel, |(_, snake)| snake)
}

fn short(text: &str) -> Result<String, String> {
    if text.len() > LABEL_BYTES_MAX {
        return Err(format!("it has at most {LABEL_BYTES_MAX} bytes"));
    }
    Ok(text.to_owned())
}

fn label(text: &str) -> Result<LabelFilter, &'static str> {
    let (key, value) = text
        .split_once('=')
        .map_or((text, None), |(key, value)| (key, Some(value)));
    if key.is_empty() {
        return Err("a label has to be asked for by its key, or by key=value");
    }
    if is_kept(key) {
        return Err("device-type, product-number and moved-to are no labels of a device here");
    }
    Ok(LabelFilter {
        key: key.to_owned(),
        value: value.map(str::to_owned),
    })
}

fn order_by(text: &str) -> Result<OrderBy, &'static str> {
    let (path, is_descending) = text
        .strip_prefix('-')
        .map_or((text, false), |path| (path, true));
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    let is_known = match path.first().map(String::as_str) {
        Some("name" | "type" | "productNumber") => path.len() == 1,
        Some("labels") => path.len() >= 2,
        Some("reported") => (2..=ORDER_DEPTH_MAX).contains(&path.len()),
        _ => false,
    };
    if !is_known || text.len() > SEARCH_BYTES_MAX || path.iter().any(String::is_empty) {
        return Err(
            "it has to be name, type, productNumber, labels.<key> or reported.<type>.<member>, with - before it for the largest first",
        );
    }
    Ok(OrderBy {
        path,
        is_descending,
    })
}

/// A span of time as protobuf's JSON writes it: seconds, with up to nine digits of a fraction, and an `s`.
fn seconds(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = number.len() == whole.len() || !fraction.is_empty();
    if whole.is_empty() || !is_plain(whole) || !is_plain(fraction) || !is_whole {
        return None;
    }
    if fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    // What is too long to be counted is longer than anything that is held to.
    Some(Duration::new(whole.parse().unwrap_or(u64::MAX / 2), nanos))
}
