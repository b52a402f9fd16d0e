//! What is kept of connectors in the primary store, as bytes.
//!
//! Under a connector's name in the space `connectors`:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version of this encoding: 1 |
//! | 8, 8 | when it was made and changed, i64 microseconds since 1970 |
//! | 1, 8, text | its phase (0 active, 1 paused, 2 disabled, 3 done), since when, and why |
//! | text, 1 | its stream, and whether that is its own |
//! | texts, 8 | the connector that it replays (one or none), and up to which position (u64) |
//! | text, text | its display name and its URL |
//! | 1, texts | the form of its bodies (0 structured, 1 binary, 2 batch, 3 reading) and the labels of a reading |
//! | 8 each | events and linger of a batch, concurrency, timeout, first and longest wait and age of retries, disabled after (spans in milliseconds), redirects |
//! | | the rest: its secrets, as the outbound edge keeps them |
//!
//! In the space `connector-conditions`: the version 1, since when it fails (i64, the least for never), the number of events that are tried
//! again (u32), and of each its position (u64), since when (i64) and how often it has failed (u32).
//!
//! Integers are little-endian; a text has its length before it (u16), texts how many there are (u32).

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Space, Unavailable};
use feedwire_event::{ConnectorName, ProjectName, StreamName, Timestamp};

use super::{Condition, Connector, Form, Phase, Replay, Retry, Settings, Trying};
use crate::encoding::{NEVER, all, bit, position, put_all, put_count, put_text, text, time};

const VERSION: u8 = 1;

/// Where the connectors of `project` are kept.
pub(super) fn space(project: &ProjectName) -> Space {
    Space {
        project: project.clone(),
        name: "connectors",
    }
}

/// Where it is kept how they fail.
pub(super) fn conditions(project: &ProjectName) -> Space {
    Space {
        project: project.clone(),
        name: "connector-conditions",
    }
}

/// What is stored of `name` cannot be read.
pub(super) fn unreadable(name: &ConnectorName) -> Unavailable {
    Unavailable::new(format!("what is stored of connector {name} cannot be read"))
}

impl Connector {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(VERSION);
        out.put_i64_le(self.created_at.as_micros());
        out.put_i64_le(self.updated_at.as_micros());
        let (phase, why) = match &self.phase {
            Phase::Active => (0, ""),
            Phase::Paused => (1, ""),
            Phase::Disabled(why) => (2, &**why),
            Phase::Done => (3, ""),
        };
        out.put_u8(phase);
        out.put_i64_le(self.phase_since.as_micros());
        put_text(why, &mut out);
        put_text(self.stream.as_str(), &mut out);
        out.put_u8(u8::from(self.owns_stream));
        let replay = self.replay.as_ref();
        put_all(
            replay.map(|replay| replay.of.as_str()).into_iter(),
            &mut out,
        );
        out.put_u64_le(replay.map_or(0, |replay| replay.until.get()));
        let settings = &self.settings;
        put_text(&settings.display_name, &mut out);
        put_text(&settings.url, &mut out);
        let (form, labels) = match &settings.form {
            Form::Structured => (0, &[][..]),
            Form::Binary => (1, &[][..]),
            Form::Batch => (2, &[][..]),
            Form::Reading { labels } => (3, &labels[..]),
        };
        out.put_u8(form);
        put_all(labels.iter().map(String::as_str), &mut out);
        let Retry { first, most, age } = settings.retry;
        let numbers = [
            settings.batch_events as u64,
            millis(settings.linger),
            settings.concurrency as u64,
            millis(settings.timeout),
            millis(first),
            millis(most),
            millis(age),
            millis(settings.disable_after),
            u64::from(settings.redirects),
        ];
        for number in numbers {
            out.put_u64_le(number);
        }
        out.put_slice(&self.sealed);
        out.freeze()
    }

    /// What is stored under `name`; `None` where that cannot be read.
    pub(super) fn decode(name: ConnectorName, mut value: Bytes) -> Option<Self> {
        let value = &mut value;
        version(value)?;
        let created_at = Timestamp::from_micros(value.try_get_i64_le().ok()?);
        let updated_at = Timestamp::from_micros(value.try_get_i64_le().ok()?);
        let phase = value.try_get_u8().ok()?;
        let phase_since = Timestamp::from_micros(value.try_get_i64_le().ok()?);
        let phase = match (phase, text(value)?) {
            (0, _) => Phase::Active,
            (1, _) => Phase::Paused,
            (2, why) => Phase::Disabled(why),
            (3, _) => Phase::Done,
            _ => return None,
        };
        let stream = StreamName::new(&text(value)?).ok()?;
        let owns_stream = bit(value)?;
        let of = all(value, |text| ConnectorName::new(text).ok())?;
        let until = position(value)?;
        let replay = of.into_iter().next().map(|of| Replay { of, until });
        let display_name = text(value)?;
        let mut settings = Settings::new(name, text(value)?);
        settings.display_name = display_name;
        let form = value.try_get_u8().ok()?;
        let labels = all(value, |text| Some(text.to_owned()))?;
        settings.form = match form {
            0 => Form::Structured,
            1 => Form::Binary,
            2 => Form::Batch,
            3 => Form::Reading { labels },
            _ => return None,
        };
        let mut number = || value.try_get_u64_le().ok();
        settings.batch_events = usize::try_from(number()?).ok()?;
        settings.linger = Duration::from_millis(number()?);
        settings.concurrency = usize::try_from(number()?).ok()?;
        settings.timeout = Duration::from_millis(number()?);
        settings.retry = Retry {
            first: Duration::from_millis(number()?),
            most: Duration::from_millis(number()?),
            age: Duration::from_millis(number()?),
        };
        settings.disable_after = Duration::from_millis(number()?);
        settings.redirects = u8::try_from(number()?).ok()?;
        settings.check().ok()?;
        Some(Self {
            settings,
            stream,
            owns_stream,
            replay,
            phase,
            phase_since,
            created_at,
            updated_at,
            sealed: value.split_off(0),
        })
    }
}

impl Condition {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(VERSION);
        out.put_i64_le(self.failing_since.map_or(NEVER, Timestamp::as_micros));
        put_count(self.trying.len(), &mut out);
        for (position, trying) in &self.trying {
            out.put_u64_le(position.get());
            out.put_i64_le(trying.since.as_micros());
            out.put_u32_le(trying.failures);
        }
        out.freeze()
    }

    pub(super) fn decode(mut value: Bytes) -> Option<Self> {
        let value = &mut value;
        version(value)?;
        let failing_since = time(value.try_get_i64_le().ok()?);
        let count = value.try_get_u32_le().ok()?;
        let mut event = || {
            let position = position(value)?;
            let since = Timestamp::from_micros(value.try_get_i64_le().ok()?);
            let failures = value.try_get_u32_le().ok()?;
            Some((position, Trying { since, failures }))
        };
        let trying = (0..count).map(|_| event()).collect::<Option<_>>()?;
        value.is_empty().then_some(Self {
            failing_since,
            trying,
        })
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).expect("it is held to days")
}

fn version(value: &mut Bytes) -> Option<()> {
    (value.try_get_u8().ok()? == VERSION).then_some(())
}

#[cfg(test)]
mod tests {
    use feedwire_event::Position;

    use super::*;

    fn at(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    #[test]
    fn a_connector_is_read_back_and_any_cut_of_it_is_refused() {
        let name = ConnectorName::new("c").expect("a name");
        let time = Timestamp::from_micros;
        let plain = Connector {
            settings: Settings::new(name.clone(), "https://example.com/".into()),
            stream: StreamName::new("s").expect("a name"),
            owns_stream: true,
            replay: None,
            phase: Phase::Active,
            phase_since: time(1),
            created_at: time(2),
            updated_at: time(3),
            sealed: Bytes::from_static(b"sealed"),
        };
        let mut other = plain.clone();
        other.settings.form = Form::Reading {
            labels: vec!["name".into()],
        };
        other.settings.redirects = 3;
        other.phase = Phase::Disabled("why".into());
        other.owns_stream = false;
        other.replay = Some(Replay {
            of: name.clone(),
            until: at(7),
        });
        for connector in [plain, other] {
            let bytes = connector.encode();
            let decode = |bytes| Connector::decode(name.clone(), bytes);
            assert_eq!(decode(bytes.clone()), Some(connector));
            // What is behind its last number is its secrets, which only the outbound edge can read.
            for len in 0..bytes.len() - b"sealed".len() {
                assert_eq!(decode(bytes.slice(..len)), None, "cut at {len}");
            }
        }
    }

    #[test]
    fn a_condition_is_read_back_and_any_cut_of_it_is_refused() {
        let trying = Trying {
            since: Timestamp::from_micros(-1),
            failures: 9,
        };
        let condition = Condition {
            failing_since: Some(Timestamp::from_micros(5)),
            trying: vec![(at(3), trying)],
        };
        let bytes = condition.encode();
        assert_eq!(Condition::decode(bytes.clone()), Some(condition));
        for len in 0..bytes.len() {
            assert_eq!(Condition::decode(bytes.slice(..len)), None, "cut at {len}");
        }
    }
}
