//! What is sent about streams: how they are to be, receipts, where to go on, dead letters.

use std::ops::RangeInclusive;
use std::time::Duration;

use feedwire_core::Expression;
use feedwire_core::stream::{
    BadSetting, DELIVERIES, IN_FLIGHT, MEMBERS, Mode, OnFailure, Origin, PARTITIONS, Receipt,
    Selection, Settings, Verdict, Which,
};
use feedwire_event::{Cursor, FeedName, Position, StreamName, Subject, Timestamp, TypeName};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

use crate::credential::label;
use crate::digits::whole;
use crate::native::body::{Error, object};
use crate::span;

/// Most receipts of one acknowledgement, and most dead letters that are named at once.
pub const RECEIPTS_MAX: usize = 10_000;

/// Most receipts that stand for everything before them: one for each partition that there may be.
pub const THROUGH_MAX: usize = 1_024;

/// Longest time that an event which failed can be put off.
pub const DELAY_MAX: Duration = Duration::from_hours(24);

/// How a stream is to be, as it is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    name: Option<String>,
    start: Option<String>,
    mode: Option<String>,
    partitions: Option<Number>,
    display_name: Option<String>,
    filter: Option<Filter>,
    members_max: Option<Number>,
    heartbeat: Option<String>,
    checkpoint_lifetime: Option<String>,
    ack_timeout: Option<String>,
    max_in_flight: Option<Number>,
    #[serde(default, deserialize_with = "given")]
    max_deliveries: Option<Bound>,
    on_failure: Option<String>,
}

/// How often an event is sent, as it is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "`max_deliveries` is a number, or null")]
enum Bound {
    Times(Number),
    /// `null`.
    Unbounded,
}

/// Which events a stream is of, as it is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    feeds: Option<Vec<String>>,
    types: Option<Vec<String>>,
    subjects: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    expression: Option<String>,
}

/// What of a stream is to be another; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    display_name: Option<String>,
    selection: Option<Selection>,
    members_max: Option<usize>,
    heartbeat: Option<Duration>,
    checkpoint_lifetime: Option<Duration>,
    ack_timeout: Option<Duration>,
    max_in_flight: Option<usize>,
    max_deliveries: Option<Deliveries>,
    on_failure: Option<OnFailure>,
}

/// How often an event is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deliveries {
    Times(u32),
    Unbounded,
}

/// `null` is something that is given.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bound>, D::Error> {
    Bound::deserialize(from).map(Some)
}

/// The stream that `body` asks for, and where it starts, at the time `now`.
pub fn draft(body: &[u8], now: Timestamp) -> Result<(Settings, Origin), Error> {
    let given: Given = object(body)?;
    let Some(name) = &given.name else {
        return Err(Error::member("name", "a stream has a name"));
    };
    let name = StreamName::new(name).map_err(|error| Error::member("name", &error))?;
    let mut settings = Settings::new(name);
    if let Some(mode) = &given.mode {
        settings.mode = match mode.as_str() {
            "explicit" => Mode::Explicit,
            "delivered" => Mode::Delivered,
            _ => return Err(Error::member("mode", "it is `explicit` or `delivered`")),
        };
    }
    if let Some(partitions) = &given.partitions {
        let (least, most) = (*PARTITIONS.start(), *PARTITIONS.end());
        let partitions = count(partitions, u64::from(least)..=u64::from(most));
        let partitions = partitions.and_then(|count| u16::try_from(count).ok());
        settings.partitions = partitions.ok_or_else(|| bad(BadSetting::Partitions))?;
        settings.members_max = settings.members_max.min(usize::from(settings.partitions));
    }
    let start = given.start.as_deref().unwrap_or("start");
    let origin = origin("start", start, now)?;
    let settings = given.change()?.apply(settings);
    settings.check().map_err(bad)?;
    Ok((settings, origin))
}

/// What of a stream `body` changes.
pub fn change(body: &[u8]) -> Result<Change, Error> {
    let given: Given = object(body)?;
    let for_good = [
        ("name", given.name.is_some()),
        ("start", given.start.is_some()),
        ("mode", given.mode.is_some()),
        ("partitions", given.partitions.is_some()),
    ];
    if let Some((name, _)) = for_good.into_iter().find(|(_, is_given)| *is_given) {
        return Err(Error::member(name, "it is for good: make another stream"));
    }
    let change = given.change()?;
    let any = Settings {
        partitions: *PARTITIONS.end(),
        ..Settings::new(StreamName::new("s").expect("it is a name"))
    };
    // What is wrong whatever the stream is told before it is looked at.
    change.clone().apply(any).check().map_err(bad)?;
    Ok(change)
}

impl Change {
    /// These `settings` with what is changed of them.
    #[must_use]
    pub fn apply(self, settings: Settings) -> Settings {
        let live_feeds = settings.selection.live_feeds.clone();
        let selection = self.selection.map(|selection| Selection {
            live_feeds,
            ..selection
        });
        Settings {
            display_name: self.display_name.unwrap_or(settings.display_name),
            selection: selection.unwrap_or(settings.selection),
            members_max: self.members_max.unwrap_or(settings.members_max),
            heartbeat: self.heartbeat.unwrap_or(settings.heartbeat),
            checkpoint_lifetime: self
                .checkpoint_lifetime
                .unwrap_or(settings.checkpoint_lifetime),
            ack_timeout: self.ack_timeout.unwrap_or(settings.ack_timeout),
            max_in_flight: self.max_in_flight.unwrap_or(settings.max_in_flight),
            max_deliveries: match self.max_deliveries {
                None => settings.max_deliveries,
                Some(Deliveries::Times(times)) => Some(times),
                Some(Deliveries::Unbounded) => None,
            },
            on_failure: self.on_failure.unwrap_or(settings.on_failure),
            ..settings
        }
    }
}

impl Given {
    fn change(&self) -> Result<Change, Error> {
        let selection = self.filter.as_ref().map(Filter::selection).transpose()?;
        let deliveries = match &self.max_deliveries {
            None => None,
            Some(Bound::Unbounded) => Some(Deliveries::Unbounded),
            Some(Bound::Times(number)) => {
                let bounds = u64::from(*DELIVERIES.start())..=u64::from(*DELIVERIES.end());
                let times = count(number, bounds).and_then(|count| u32::try_from(count).ok());
                let times = times.ok_or_else(|| bad(BadSetting::Deliveries))?;
                Some(Deliveries::Times(times))
            }
        };
        let on_failure = self.on_failure.as_deref().map(|text| match text {
            "wait" => Ok(OnFailure::Wait),
            "go_on" => Ok(OnFailure::GoOn),
            _ => Err(Error::member("on_failure", "it is `wait` or `go_on`")),
        });
        Ok(Change {
            display_name: self.display_name.clone(),
            selection,
            members_max: size(self.members_max.as_ref(), MEMBERS, BadSetting::Members)?,
            heartbeat: seconds(self.heartbeat.as_deref(), BadSetting::Heartbeat)?,
            checkpoint_lifetime: seconds(
                self.checkpoint_lifetime.as_deref(),
                BadSetting::CheckpointLifetime,
            )?,
            ack_timeout: seconds(self.ack_timeout.as_deref(), BadSetting::AckTimeout)?,
            max_in_flight: size(self.max_in_flight.as_ref(), IN_FLIGHT, BadSetting::InFlight)?,
            max_deliveries: deliveries,
            on_failure: on_failure.transpose()?,
        })
    }
}

impl Filter {
    pub(crate) fn selection(&self) -> Result<Selection, Error> {
        let expression = self.expression.as_ref().map(|text| {
            Expression::new(text).map_err(|error| Error::member("filter.expression", &error))
        });
        Ok(Selection {
            feeds: all("filter.feeds", self.feeds.as_deref(), FeedName::new)?,
            types: all("filter.types", self.types.as_deref(), TypeName::new)?,
            subjects: all("filter.subjects", self.subjects.as_deref(), Subject::new)?,
            labels: all("filter.labels", self.labels.as_deref(), label)?,
            expression: expression.transpose()?,
            ..Selection::default()
        })
    }
}

/// The receipts that are done by `body`: those for themselves, and those for everything before them.
pub fn ack(body: &[u8]) -> Result<[(Vec<Receipt>, Verdict); 2], Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        receipts: Option<Vec<String>>,
        through: Option<Vec<String>>,
    }
    let Body { receipts, through } = object(body)?;
    if receipts.is_none() && through.is_none() {
        return Err(Error::member(
            "receipts",
            "there is neither `receipts` nor `through`",
        ));
    }
    Ok([
        (
            receipts_of("receipts", receipts, RECEIPTS_MAX)?,
            Verdict::Done,
        ),
        (
            receipts_of("through", through, THROUGH_MAX)?,
            Verdict::DoneThrough,
        ),
    ])
}

/// The receipts that failed by `body`.
pub fn nack(body: &[u8]) -> Result<(Vec<Receipt>, Verdict), Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        receipts: Vec<String>,
        delay: Option<String>,
    }
    let Body { receipts, delay } = object(body)?;
    let delay = match &delay {
        None => Duration::ZERO,
        Some(text) => span::parse(text)
            .filter(|delay| *delay <= DELAY_MAX)
            .ok_or_else(|| {
                Error::member("delay", "it has to be a span such as 10s, of at most 1d")
            })?,
    };
    let receipts = receipts_of("receipts", Some(receipts), RECEIPTS_MAX)?;
    Ok((receipts, Verdict::Failed(delay)))
}

/// Where `body` has a stream go on, at the time `now`.
pub fn seek(body: &[u8], now: Timestamp) -> Result<Origin, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        to: String,
    }
    let Body { to } = object(body)?;
    origin("to", &to, now)
}

/// Which dead letters `body` names.
pub fn letters(body: &[u8]) -> Result<Which, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        positions: Option<Vec<Number>>,
        all: Option<bool>,
    }
    let Body { positions, all } = object(body)?;
    match (positions, all) {
        (None, Some(true)) => Ok(Which::All),
        (Some(positions), None | Some(false)) => {
            let found = positions.iter().map(|number| Position::new(whole(number)?));
            let found: Option<Vec<Position>> = found.collect();
            let found = found.filter(|found| found.len() <= RECEIPTS_MAX);
            let refused = || {
                let reason = format!("at most {RECEIPTS_MAX} positions of events");
                Error::member("positions", &reason)
            };
            Ok(Which::These(found.ok_or_else(refused)?))
        }
        (Some(_), Some(true)) | (None, None | Some(false)) => Err(Error::member(
            "positions",
            "there have to be `positions`, or `all` has to be true",
        )),
    }
}

/// A receipt as text: partition, generation and position.
pub fn receipt(text: &str) -> Option<Receipt> {
    let mut parts = text.split('.');
    let mut part = || {
        let digits = parts.next()?;
        let is_plain = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        if is_plain {
            digits.parse::<u64>().ok()
        } else {
            None
        }
    };
    let receipt = Receipt {
        partition: u16::try_from(part()?).ok()?,
        generation: part()?,
        position: Position::new(part()?)?,
    };
    parts.next().is_none().then_some(receipt)
}

fn receipts_of(
    name: &'static str,
    texts: Option<Vec<String>>,
    max: usize,
) -> Result<Vec<Receipt>, Error> {
    let texts = texts.unwrap_or_default();
    if texts.len() > max {
        let reason = format!("at most {max} at once");
        return Err(Error::member(name, &reason));
    }
    let read = |text: &String| {
        receipt(text).ok_or_else(|| {
            Error::member(name, &format!("{text:?} is none: they look like 12.3.4711"))
        })
    };
    texts.iter().map(read).collect()
}

/// A place in the log: `start`, `now`, a time, a span ago, or a position.
pub(crate) fn origin(name: &'static str, text: &str, now: Timestamp) -> Result<Origin, Error> {
    match text {
        "start" => return Ok(Origin::Start),
        "now" => return Ok(Origin::Now),
        _ => {}
    }
    if let Ok(Cursor(position)) = text.parse() {
        return Ok(Origin::After(position));
    }
    let refused = || {
        Error::member(
            name,
            "it has to be `start`, `now`, a time (2013-01-01T10:00:00Z), a span ago (5hours), or a position (4711)",
        )
    };
    span::time_or_ago(text, now)
        .map(Origin::At)
        .ok_or_else(refused)
}

fn seconds(text: Option<&str>, refused: BadSetting) -> Result<Option<Duration>, Error> {
    let read = |text| {
        let span = span::parse(text).filter(|span| span.subsec_nanos() == 0);
        span.ok_or_else(|| bad(refused))
    };
    text.map(read).transpose()
}

fn count(number: &Number, bounds: RangeInclusive<u64>) -> Option<u64> {
    whole(number).filter(|count| bounds.contains(count))
}

fn size(
    number: Option<&Number>,
    bounds: RangeInclusive<usize>,
    refused: BadSetting,
) -> Result<Option<usize>, Error> {
    let bounds = *bounds.start() as u64..=*bounds.end() as u64;
    let read = |number| {
        let size = count(number, bounds).and_then(|count| usize::try_from(count).ok());
        size.ok_or_else(|| bad(refused))
    };
    number.map(read).transpose()
}

fn all<T, E: std::fmt::Display>(
    name: &'static str,
    texts: Option<&[String]>,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, Error> {
    let texts = texts.unwrap_or_default().iter();
    let read = texts
        .map(|text| read(text).map_err(|error| Error::member(name, &format!("{text:?}: {error}"))));
    read.collect()
}

/// A setting that cannot be, as a member of the body.
pub fn bad(bad: BadSetting) -> Error {
    let name = match bad {
        BadSetting::Partitions => "partitions",
        BadSetting::Members => "members_max",
        BadSetting::Heartbeat => "heartbeat",
        BadSetting::CheckpointLifetime => "checkpoint_lifetime",
        BadSetting::AckTimeout => "ack_timeout",
        BadSetting::InFlight => "max_in_flight",
        BadSetting::Deliveries => "max_deliveries",
        BadSetting::DisplayName => "display_name",
        BadSetting::Filter => "filter",
    };
    Error::member(name, &format!("it has to be {bad}"))
}
