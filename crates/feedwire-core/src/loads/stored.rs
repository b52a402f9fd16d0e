//! What is kept of load jobs in the primary store, as bytes: under the id of the job in the space `loads`.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version of this encoding, 1 |
//! | 8, 8 | when it was started and when it ended (i64, microseconds since 1970, the least for not yet) |
//! | 1, text | 0 under way, 1 done, 2 cancelled, 3 failed; and why it failed |
//! | 8 each | its number, which grows; position of the log at its start, entities in all, looked at and written, bytes written and at most, position of the last event |
//! | text, text | the feed and the subject of the entity that was looked at last; empty where there was none |
//! | lists, text | its feeds, its subjects, its labels; and the expression of its filter, empty where there is none |

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_event::{Attribute, EventId, FeedName, Position, Subject, Timestamp};

use super::{Phase, Settings};
use crate::Expression;
use crate::encoding::{NEVER, all, labels, position, put_all, put_labels, put_text, text, time};
use crate::entities::EntityKey;

const VERSION: u8 = 1;

/// A job as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) id: EventId,
    /// Its place among the jobs: they are run in this order, whatever the clock says.
    pub(super) number: u64,
    pub(super) settings: Arc<Settings>,
    pub(super) phase: Phase,
    pub(super) start: Position,
    pub(super) total: u64,
    pub(super) done: u64,
    pub(super) written: u64,
    pub(super) bytes: u64,
    pub(super) bytes_max: u64,
    /// Where its last event is.
    pub(super) last: Position,
    /// The entity that was looked at last.
    pub(super) after: Option<EntityKey>,
    pub(super) started_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
}

impl Job {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(VERSION);
        out.put_i64_le(self.started_at.as_micros());
        out.put_i64_le(self.ended_at.map_or(NEVER, Timestamp::as_micros));
        let (phase, why) = match &self.phase {
            Phase::Waiting | Phase::Running => (0, ""),
            Phase::Done => (1, ""),
            Phase::Cancelled => (2, ""),
            Phase::Failed(why) => (3, &**why),
        };
        out.put_u8(phase);
        put_text(why, &mut out);
        let numbers = [
            self.number,
            self.start.get(),
            self.total,
            self.done,
            self.written,
            self.bytes,
            self.bytes_max,
            self.last.get(),
        ];
        for number in numbers {
            out.put_u64_le(number);
        }
        let after = self.after.as_ref();
        put_text(after.map_or("", |key| key.feed.as_str()), &mut out);
        put_text(after.map_or("", |key| key.subject.as_str()), &mut out);
        let Settings {
            feeds,
            subjects,
            labels,
            expression,
            bytes_max: _,
        } = &*self.settings;
        put_all(feeds.iter().map(FeedName::as_str), &mut out);
        put_all(subjects.iter().map(Subject::as_str), &mut out);
        put_labels(labels, &mut out);
        put_text(expression.as_ref().map_or("", Expression::text), &mut out);
        out.freeze()
    }

    /// What is stored under `key`; `None` where that cannot be read.
    pub(super) fn decode(key: &[u8], mut value: Bytes) -> Option<Self> {
        let value = &mut value;
        let id = EventId::new(std::str::from_utf8(key).ok()?).ok()?;
        if value.try_get_u8().ok()? != VERSION {
            return None;
        }
        let started_at = Timestamp::from_micros(value.try_get_i64_le().ok()?);
        let ended_at = time(value.try_get_i64_le().ok()?);
        let phase = value.try_get_u8().ok()?;
        let why = text(value)?;
        let phase = match phase {
            0 => Phase::Waiting,
            1 => Phase::Done,
            2 => Phase::Cancelled,
            3 => Phase::Failed(why),
            _ => return None,
        };
        let place = value.try_get_u64_le().ok()?;
        let start = position(value)?;
        let mut number = || value.try_get_u64_le().ok();
        let [total, done, written, bytes, bytes_max] =
            [number()?, number()?, number()?, number()?, number()?];
        let last = position(value)?;
        let (feed, subject) = (text(value)?, text(value)?);
        let after = if feed.is_empty() {
            None
        } else {
            Some(EntityKey {
                feed: FeedName::new(&feed).ok()?,
                subject: Subject::new(&subject).ok()?,
            })
        };
        let settings = Settings {
            feeds: all(value, |text| FeedName::new(text).ok())?,
            subjects: all(value, |text| Subject::new(text).ok())?,
            labels: labels(value)?,
            expression: match text(value)?.as_str() {
                "" => None,
                text => Some(Expression::new(text).ok()?),
            },
            bytes_max: Some(bytes_max),
        };
        value.is_empty().then_some(Self {
            id,
            number: place,
            settings: Arc::new(settings),
            phase,
            start,
            total,
            done,
            written,
            bytes,
            bytes_max,
            last,
            after,
            started_at,
            ended_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LabelFilter;

    #[test]
    fn a_job_is_read_back_and_any_cut_of_it_is_refused() {
        let position = |value| Position::new(value).expect("a position");
        let settings = Settings {
            feeds: vec![FeedName::new("f").expect("a name")],
            subjects: vec![Subject::new("é").expect("a subject")],
            labels: vec![LabelFilter {
                key: "k".into(),
                value: Some("v".into()),
            }],
            expression: Some(Expression::new("data.a == 1").expect("an expression")),
            bytes_max: Some(7),
        };
        let job = Job {
            id: EventId::new("id-1").expect("an id"),
            number: 9,
            settings: Arc::new(settings),
            phase: Phase::Failed("why".into()),
            start: position(3),
            total: 1,
            done: 2,
            written: 3,
            bytes: 4,
            bytes_max: 7,
            last: position(5),
            after: Some(EntityKey {
                feed: FeedName::new("f").expect("a name"),
                subject: Subject::new("s").expect("a subject"),
            }),
            started_at: Timestamp::from_micros(-1),
            ended_at: Some(Timestamp::from_micros(1)),
        };
        let waiting = Job {
            settings: Arc::new(Settings {
                bytes_max: Some(7),
                ..Settings::default()
            }),
            phase: Phase::Waiting,
            after: None,
            ended_at: None,
            ..job.clone()
        };
        for job in [job, waiting] {
            let bytes = job.encode();
            assert_eq!(Job::decode(b"id-1", bytes.clone()), Some(job));
            for len in 0..bytes.len() {
                assert_eq!(
                    Job::decode(b"id-1", bytes.slice(..len)),
                    None,
                    "cut at {len}"
                );
            }
        }
    }
}
