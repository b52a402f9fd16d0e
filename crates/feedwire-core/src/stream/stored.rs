//! What is kept of streams in the primary store, as bytes.
//!
//! Under a stream's name in the space `streams`:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version of this encoding: 1, 2 with an expression, or 3 with an end |
//! | 8, 8 | when it was made and changed, i64 microseconds since 1970 |
//! | 1, 8, 8 | where it starts: 0 with what is retained, 1 behind the position that follows; and the time that this was found by (i64, the least for none) |
//! | 2, 1, 1 | partitions (u16), mode (0 delivered, 1 explicit), what later events do on failure (0 wait, 1 go on) |
//! | 8 each | members, heartbeat, lifetime of checkpoints, time to acknowledge (spans in milliseconds), most in flight, most deliveries (the largest u64 for no bound) |
//! | | its display name, then its feeds, types, subjects, live feeds, the feed of which some types alone are sent (one or none) and these types, and the keys and values of its labels, whose key has a byte in front that says whether there is a value: each list begins with how many there are (u32), each text with its length (u16) |
//! | | with version 2: the expression of its filter; with version 3: a list of it or nothing, and the position at which the stream ends (u64) |
//!
//! In the space `checkpoints`: the version 1, or 2 with subjects aside, when there was a member last (i64, the least for never), the
//! generation up to which none was given (u64), the number of partitions (u16), and a position for each. Then, of subjects aside, how
//! many there are (u32), and of each the partition (u16), the subject (a text, empty for events without one), its checkpoint (u64), when
//! an event behind that was recorded (i64), and how many there are (u64). A checkpoint is past events of these subjects that are not
//! settled, for which it stands together with theirs.
//!
//! In the space `dead-letters`, under the name, a zero byte and the position (u64, big-endian): the version 1, or 2 with a reason, the
//! partition (u16), the hash of the subject (u64), deliveries (u32), when it was put there (i64), whether it is to be sent once more (1
//! byte), and the reason as a text.
//!
//! All other integers are little-endian.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Space, Unavailable};
use feedwire_event::{FeedName, Position, ProjectName, StreamName, Subject, Timestamp, TypeName};

use super::group::Aside;
use super::{Mode, OnFailure, Selection, Settings};
use crate::encoding::{
    NEVER, all, bit, count, labels, position, put_all, put_count, put_labels, put_text, text, time,
};
use crate::{Expression, TypesIn};

const VERSION: u8 = 1;
/// The version of streams whose filter has an expression.
const VERSION_EXPRESSION: u8 = 2;
/// The version of streams that end.
const VERSION_UNTIL: u8 = 3;
/// The version of letters with a reason.
const VERSION_REASON: u8 = 2;
/// The version of progress with subjects aside.
const VERSION_ASIDES: u8 = 2;
const NO_BOUND: u64 = u64::MAX;

/// The spaces in which a project's streams are kept.
#[derive(Debug)]
pub(super) struct Spaces {
    pub(super) streams: Space,
    pub(super) checkpoints: Space,
    pub(super) letters: Space,
}

impl Spaces {
    pub(super) fn of(project: &ProjectName) -> Self {
        let space = |name| Space {
            project: project.clone(),
            name,
        };
        Self {
            streams: space("streams"),
            checkpoints: space("checkpoints"),
            letters: space("dead-letters"),
        }
    }
}

/// A stream as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) settings: Settings,
    /// Behind which position it starts; `None` is with what is retained.
    pub(super) origin: Option<Position>,
    /// The time that stood for, where it was one.
    pub(super) starts_at: Option<Timestamp>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// How far a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// When it had a member last.
    pub(super) member_at: Option<Timestamp>,
    /// No generation from here on was given.
    pub(super) next_generation: u64,
    pub(super) checkpoints: Vec<Position>,
    pub(super) asides: Vec<Aside>,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredLetter {
    pub(super) partition: u16,
    pub(super) subject: u64,
    pub(super) deliveries: u32,
    pub(super) buried_at: Timestamp,
    /// Whether it is to be sent once more.
    pub(super) is_posted: bool,
    pub(super) reason: Option<Arc<str>>,
}

/// What is stored under `name` cannot be read.
pub(super) fn unreadable(name: &StreamName) -> Unavailable {
    Unavailable::new(format!("what is stored of stream {name} cannot be read"))
}

impl Kept {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        let settings = &self.settings;
        out.put_u8(match (settings.until, &settings.selection.expression) {
            (Some(_), _) => VERSION_UNTIL,
            (None, Some(_)) => VERSION_EXPRESSION,
            (None, None) => VERSION,
        });
        out.put_i64_le(self.created_at.as_micros());
        out.put_i64_le(self.updated_at.as_micros());
        out.put_u8(u8::from(self.origin.is_some()));
        out.put_u64_le(self.origin.unwrap_or_default().get());
        out.put_i64_le(self.starts_at.map_or(NEVER, Timestamp::as_micros));
        out.put_u16_le(settings.partitions);
        out.put_u8(u8::from(settings.mode == Mode::Explicit));
        out.put_u8(u8::from(settings.on_failure == OnFailure::GoOn));
        let numbers = [
            settings.members_max as u64,
            millis(settings.heartbeat),
            millis(settings.checkpoint_lifetime),
            millis(settings.ack_timeout),
            settings.max_in_flight as u64,
            settings.max_deliveries.map_or(NO_BOUND, u64::from),
        ];
        for number in numbers {
            out.put_u64_le(number);
        }
        let Selection {
            feeds,
            types,
            subjects,
            labels,
            types_in,
            live_feeds,
            expression,
        } = &settings.selection;
        put_text(&settings.display_name, &mut out);
        put_all(feeds.iter().map(FeedName::as_str), &mut out);
        put_all(types.iter().map(TypeName::as_str), &mut out);
        put_all(subjects.iter().map(Subject::as_str), &mut out);
        put_all(live_feeds.iter().map(FeedName::as_str), &mut out);
        let types_in = types_in.as_ref();
        put_all(
            types_in.map(|types_in| types_in.feed.as_str()).into_iter(),
            &mut out,
        );
        let types = types_in.map_or(&[][..], |types_in| &types_in.types);
        put_all(types.iter().map(TypeName::as_str), &mut out);
        put_labels(labels, &mut out);
        let expression = expression.as_ref().map(Expression::text);
        match settings.until {
            Some(until) => {
                put_all(expression.into_iter(), &mut out);
                out.put_u64_le(until.get());
            }
            None => {
                if let Some(expression) = expression {
                    put_text(expression, &mut out);
                }
            }
        }
        out.freeze()
    }

    /// What is stored of `name`; `None` where that cannot be read.
    pub(super) fn decode(name: StreamName, mut value: Bytes) -> Option<Self> {
        let value = &mut value;
        let version = value.try_get_u8().ok()?;
        let created_at = Timestamp::from_micros(value.try_get_i64_le().ok()?);
        let updated_at = Timestamp::from_micros(value.try_get_i64_le().ok()?);
        let is_bound = bit(value)?;
        let origin = position(value)?;
        let starts_at = time(value.try_get_i64_le().ok()?);
        let mut settings = Settings::new(name);
        settings.partitions = value.try_get_u16_le().ok()?;
        settings.mode = if bit(value)? {
            Mode::Explicit
        } else {
            Mode::Delivered
        };
        settings.on_failure = if bit(value)? {
            OnFailure::GoOn
        } else {
            OnFailure::Wait
        };
        let mut number = || value.try_get_u64_le().ok();
        settings.members_max = usize::try_from(number()?).ok()?;
        settings.heartbeat = Duration::from_millis(number()?);
        settings.checkpoint_lifetime = Duration::from_millis(number()?);
        settings.ack_timeout = Duration::from_millis(number()?);
        settings.max_in_flight = usize::try_from(number()?).ok()?;
        settings.max_deliveries = match number()? {
            NO_BOUND => None,
            bound => Some(u32::try_from(bound).ok()?),
        };
        settings.display_name = text(value)?;
        let selection = &mut settings.selection;
        selection.feeds = all(value, |text| FeedName::new(text).ok())?;
        selection.types = all(value, |text| TypeName::new(text).ok())?;
        selection.subjects = all(value, |text| Subject::new(text).ok())?;
        selection.live_feeds = all(value, |text| FeedName::new(text).ok())?;
        let feed: Vec<FeedName> = all(value, |text| FeedName::new(text).ok())?;
        let types = all(value, |text| TypeName::new(text).ok())?;
        selection.types_in = feed.into_iter().next().map(|feed| TypesIn { feed, types });
        selection.labels = labels(value)?;
        match version {
            VERSION => {}
            VERSION_EXPRESSION => {
                selection.expression = Some(Expression::new(&text(value)?).ok()?);
            }
            VERSION_UNTIL => {
                let expressions = all(value, |text| Expression::new(text).ok())?;
                selection.expression = expressions.into_iter().next();
                settings.until = Some(position(value)?);
            }
            _ => return None,
        }
        settings.check().ok()?;
        value.is_empty().then_some(Self {
            settings,
            origin: is_bound.then_some(origin),
            starts_at,
            created_at,
            updated_at,
        })
    }
}

impl Progress {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(if self.asides.is_empty() {
            VERSION
        } else {
            VERSION_ASIDES
        });
        out.put_i64_le(self.member_at.map_or(NEVER, Timestamp::as_micros));
        out.put_u64_le(self.next_generation);
        out.put_u16_le(count(self.checkpoints.len()));
        for checkpoint in &self.checkpoints {
            out.put_u64_le(checkpoint.get());
        }
        if !self.asides.is_empty() {
            put_count(self.asides.len(), &mut out);
        }
        for aside in &self.asides {
            out.put_u16_le(aside.partition);
            put_text(aside.subject.as_ref().map_or("", Subject::as_str), &mut out);
            out.put_u64_le(aside.after.get());
            out.put_i64_le(aside.since.as_micros());
            out.put_u64_le(aside.events);
        }
        out.freeze()
    }

    pub(super) fn decode(mut value: Bytes) -> Option<Self> {
        let value = &mut value;
        let has_asides = match value.try_get_u8().ok()? {
            VERSION => false,
            VERSION_ASIDES => true,
            _ => return None,
        };
        let member_at = time(value.try_get_i64_le().ok()?);
        let next_generation = value.try_get_u64_le().ok()?;
        let partitions = value.try_get_u16_le().ok()?;
        let checkpoints = (0..partitions)
            .map(|_| position(value))
            .collect::<Option<_>>()?;
        let count = if has_asides {
            value.try_get_u32_le().ok()?
        } else {
            0
        };
        let asides = (0..count).map(|_| aside(value, partitions));
        let asides = asides.collect::<Option<_>>()?;
        value.is_empty().then_some(Self {
            member_at,
            next_generation,
            checkpoints,
            asides,
        })
    }
}

impl StoredLetter {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(match self.reason {
            None => VERSION,
            Some(_) => VERSION_REASON,
        });
        out.put_u16_le(self.partition);
        out.put_u64_le(self.subject);
        out.put_u32_le(self.deliveries);
        out.put_i64_le(self.buried_at.as_micros());
        out.put_u8(u8::from(self.is_posted));
        if let Some(reason) = &self.reason {
            put_text(reason, &mut out);
        }
        out.freeze()
    }

    pub(super) fn decode(mut value: Bytes) -> Option<Self> {
        let value = &mut value;
        let has_reason = match value.try_get_u8().ok()? {
            VERSION => false,
            VERSION_REASON => true,
            _ => return None,
        };
        let letter = Self {
            partition: value.try_get_u16_le().ok()?,
            subject: value.try_get_u64_le().ok()?,
            deliveries: value.try_get_u32_le().ok()?,
            buried_at: Timestamp::from_micros(value.try_get_i64_le().ok()?),
            is_posted: bit(value)?,
            reason: if has_reason {
                Some(text(value)?.into())
            } else {
                None
            },
        };
        value.is_empty().then_some(letter)
    }
}

/// What the keys of the letters of `name` begin with.
pub(super) fn letters_of(name: &StreamName) -> Vec<u8> {
    [name.as_str().as_bytes(), &[0]].concat()
}

/// The key of the letter of `name` at `position`.
pub(super) fn letter_key(name: &StreamName, position: Position) -> Vec<u8> {
    let mut key = letters_of(name);
    key.put_u64(position.get());
    key
}

/// The position in the key of a letter.
pub(super) fn letter_position(key: &[u8]) -> Option<Position> {
    let (_, position) = key.split_last_chunk()?;
    Position::new(u64::from_be_bytes(*position))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(NO_BOUND)
}

/// A subject aside of a stream of so many `partitions`.
fn aside(value: &mut Bytes, partitions: u16) -> Option<Aside> {
    let partition = value.try_get_u16_le().ok()?;
    let subject = text(value)?;
    let subject = match subject.as_str() {
        "" => None,
        subject => Some(Subject::new(subject).ok()?),
    };
    (partition < partitions).then_some(Aside {
        partition,
        subject,
        after: position(value)?,
        since: Timestamp::from_micros(value.try_get_i64_le().ok()?),
        events: value.try_get_u64_le().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LabelFilter;

    fn position(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    #[test]
    fn a_stream_is_read_back_and_any_cut_of_it_is_refused() {
        let name = StreamName::new("s").expect("a name");
        let mut settings = Settings::new(name.clone());
        settings.display_name = "\u{e9} one".into();
        settings.mode = Mode::Delivered;
        settings.on_failure = OnFailure::GoOn;
        settings.max_deliveries = None;
        settings.selection = Selection {
            feeds: vec![FeedName::new("f").expect("a name")],
            types: vec![TypeName::new("t").expect("a name")],
            subjects: vec![Subject::new("s").expect("a subject")],
            labels: vec![
                LabelFilter {
                    key: "k".into(),
                    value: None,
                },
                LabelFilter {
                    key: "k".into(),
                    value: Some(String::new()),
                },
            ],
            types_in: Some(TypesIn {
                feed: FeedName::new("f").expect("a name"),
                types: vec![TypeName::new("t").expect("a name")],
            }),
            live_feeds: vec![FeedName::new("f").expect("a name")],
            expression: Some(Expression::new("data.a == 1").expect("an expression")),
        };
        let kept = Kept {
            settings,
            origin: Some(position(7)),
            starts_at: Some(Timestamp::from_micros(9)),
            created_at: Timestamp::from_micros(1),
            updated_at: Timestamp::from_micros(2),
        };
        let plain = Kept {
            settings: Settings::new(name.clone()),
            origin: None,
            starts_at: None,
            created_at: Timestamp::from_micros(1),
            updated_at: Timestamp::from_micros(1),
        };
        let mut ends = kept.clone();
        ends.settings.until = Some(position(70));
        let mut ends_plainly = plain.clone();
        ends_plainly.settings.until = Some(Position::ZERO);
        for kept in [kept, plain, ends, ends_plainly] {
            let bytes = kept.encode();
            assert_eq!(Kept::decode(name.clone(), bytes.clone()), Some(kept));
            for len in 0..bytes.len() {
                assert_eq!(
                    Kept::decode(name.clone(), bytes.slice(..len)),
                    None,
                    "cut at {len}"
                );
            }
            let longer = [&bytes[..], b"x"].concat();
            assert_eq!(Kept::decode(name.clone(), longer.into()), None);
        }
    }

    #[test]
    fn progress_and_letters_are_read_back_and_any_cut_of_them_is_refused() {
        let progress = Progress {
            member_at: None,
            next_generation: 9,
            checkpoints: vec![position(3), Position::MAX],
            asides: Vec::new(),
        };
        let aside = |partition, subject| Aside {
            partition,
            subject,
            after: position(2),
            since: Timestamp::from_micros(-4),
            events: 5,
        };
        let subject = Subject::new("\u{e9}").expect("a subject");
        let aside = Progress {
            asides: vec![aside(1, None), aside(0, Some(subject))],
            ..progress.clone()
        };
        let plain = StoredLetter {
            partition: 3,
            subject: u64::MAX,
            deliveries: 10,
            buried_at: Timestamp::from_micros(-1),
            is_posted: true,
            reason: None,
        };
        for progress in [progress, aside] {
            let bytes = progress.encode();
            assert_eq!(Progress::decode(bytes.clone()), Some(progress));
            for len in 0..bytes.len() {
                assert_eq!(Progress::decode(bytes.slice(..len)), None, "cut at {len}");
            }
        }
        let explained = StoredLetter {
            reason: Some("410 Gone".into()),
            ..plain
        };
        for letter in [plain, explained] {
            let bytes = letter.encode();
            assert_eq!(StoredLetter::decode(bytes.clone()), Some(letter));
            for len in 0..bytes.len() {
                let cut = StoredLetter::decode(bytes.slice(..len));
                assert_eq!(cut, None, "cut at {len}");
            }
        }
    }

    #[test]
    fn letters_stand_in_the_order_of_their_positions_and_not_among_those_of_another_stream() {
        let name = |text| StreamName::new(text).expect("a name");
        let keys = [("s", 9), ("s", 300), ("s", 70_000), ("s.t", 1)];
        let keys = keys.map(|(stream, at)| letter_key(&name(stream), position(at)));
        assert!(keys.is_sorted());
        assert_eq!(letter_position(&keys[1]), Some(position(300)));
        assert!(!keys[3].starts_with(&letters_of(&name("s"))));
    }
}
