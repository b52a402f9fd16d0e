//! The engine's words for what the log says in bytes and numbers, and back.

use bytes::Bytes;
use feedwire_engine::{
    Chunk, Erasure, Expired, FeedTrim, Limit, LogStats, Place, ReadError, Record, Scope, Stamp,
    Unavailable,
};
use feedwire_event::{FeedName, Position, Timestamp, Version};
use feedwire_log as log;

pub(crate) fn position(number: u64) -> Position {
    Position::new(number).unwrap_or(Position::MAX)
}

/// Feed, type and subject of `record`; `None` if they are not text, which only damage can make of them.
pub(crate) fn tags(record: &log::Record) -> Option<[&str; 3]> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    Some([
        text(record.feed())?,
        text(record.ty())?,
        text(record.subject())?,
    ])
}

fn tag(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(crate) fn scope(scope: &Scope) -> log::Scope {
    log::Scope {
        feeds: scope.feeds.iter().map(|feed| tag(feed.as_str())).collect(),
        types: scope.types.iter().map(|ty| tag(ty.as_str())).collect(),
        subjects: scope.subjects.iter().map(|s| tag(s.as_str())).collect(),
    }
}

pub(crate) fn limit(limit: Limit) -> log::Limit {
    log::Limit {
        records: limit.records,
        bytes: limit.bytes,
    }
}

pub(crate) fn erasure(erasure: &Erasure) -> log::Erasure {
    log::Erasure {
        feed: erasure.feed.as_ref().map(|feed| tag(feed.as_str())),
        subject: erasure.subject.as_ref().map(|s| tag(s.as_str())),
        through: erasure.through.get(),
    }
}

fn record(record: &log::Record) -> Result<Record, ReadError> {
    let stamp = Stamp {
        position: position(record.position),
        recorded_at: Timestamp::from_micros(record.recorded_at),
        time: Timestamp::from_micros(record.time),
        version: Version(record.version),
        place: Place {
            index: record.index,
            count: record.count,
        },
    };
    let made = Record::new(stamp, record.tag_lens(), record.bytes().clone());
    made.ok_or_else(|| ReadError::Damaged {
        position: stamp.position,
        detail: "its tags are not text; restore the log from a backup".to_owned(),
    })
}

pub(crate) fn chunk(chunk: &log::Chunk) -> Result<Chunk, ReadError> {
    let records = chunk.records.iter().map(record);
    Ok(Chunk {
        records: records.collect::<Result<_, _>>()?,
        // The log says the position that was asked for, where that is beyond its end.
        through: position(chunk.through.min(chunk.head)),
        head: position(chunk.head),
    })
}

pub(crate) fn read_error(error: log::read::Error) -> ReadError {
    match error {
        log::read::Error::Expired {
            first,
            first_recorded_at,
            lost_at_most,
        } => ReadError::Expired(Expired {
            first: position(first),
            first_at: first_recorded_at.map(Timestamp::from_micros),
            lost_at_most,
        }),
        log::read::Error::Damaged {
            position: number,
            damage,
        } => ReadError::Damaged {
            position: position(number),
            detail: damage.to_string(),
        },
        log::read::Error::Io(error) => Unavailable::new(error).into(),
    }
}

pub(crate) fn stats(stats: log::Stats) -> LogStats {
    LogStats {
        commits: stats.commits,
        batches: stats.batches,
        appended_bytes: stats.appended_bytes,
        syncs: stats.syncs,
        failures: stats.failures,
        is_failing: stats.is_failing,
        queued_bytes: stats.queued_bytes,
        segments: stats.segments,
        size_bytes: stats.size_bytes,
        trimmed_segments: stats.trimmed_segments,
        erased_events: stats.erased_records,
    }
}

/// A name that the log holds has once been one of ours; anything else is damage.
pub(crate) fn feed_trim(trim: &log::FeedTrim) -> Result<FeedTrim, Unavailable> {
    let feed = std::str::from_utf8(&trim.feed).map_err(Unavailable::new)?;
    Ok(FeedTrim {
        feed: FeedName::new(feed).map_err(Unavailable::new)?,
        through: position(trim.through),
        events: trim.events,
        batches: trim.batches,
        subjects: trim.subjects,
    })
}
