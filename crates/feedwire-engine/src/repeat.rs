//! Whether a batch was appended before, by what stands where its marks were seen.

use feedwire_event::{Payload, Position, Subject};

use crate::{AppendError, Appended, Batch, Mark, MarkOf, NewRecord, Record, Stamp};

/// What a batch is, by its marks.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing of it is known.
    New,
    /// It is there already.
    Repeat(Appended),
    /// It cannot be appended.
    Refused(AppendError),
}

/// Looks at what stands where marks of a batch were seen, one record after the other. No record is held: where marks were
/// seen, there can be far more bytes than the batch has.
#[derive(Debug)]
pub struct Judge<'a> {
    batch: &'a Batch,
    /// Ascending by position.
    seen: Vec<(Mark, Position)>,
    /// The records that are there by their ids, in the order of the batch.
    known: Vec<Option<Stamp>>,
    keyed: Option<Keyed>,
}

/// A batch whose first record has the key.
#[derive(Debug)]
struct Keyed {
    first: Position,
    count: u16,
    /// The records of it that are there.
    there: Vec<Stamp>,
    /// Whether those are what the batch that is judged has in their places.
    is_same: bool,
}

impl<'a> Judge<'a> {
    /// Of `batch`, whose marks were seen at the positions beside them.
    pub fn new(batch: &'a Batch, mut seen: Vec<(Mark, Position)>) -> Self {
        seen.sort_unstable_by_key(|(_, position)| *position);
        Self {
            batch,
            seen,
            known: vec![None; batch.records().len()],
            keyed: None,
        }
    }

    /// The first position above `through` that is to be looked at, with what follows it in its batch.
    pub fn next(&self, through: Position) -> Option<Position> {
        let behind = self.seen.partition_point(|(_, seen)| *seen <= through);
        self.seen.get(behind).map(|(_, position)| *position)
    }

    /// Looks at `record`. Positions ascend; what is no longer there is left out.
    pub fn look(&mut self, record: &Record) {
        if self.batch.forgets(record) {
            return;
        }
        let stamp = *record.stamp();
        let start = self.seen.partition_point(|(_, at)| *at < stamp.position);
        let here = self.seen[start..].iter();
        for (mark, _) in here.take_while(|(_, at)| *at == stamp.position) {
            if !bears(record, mark, self.batch) {
                continue;
            }
            match mark.of {
                MarkOf::Id => self.known[usize::from(mark.index)] = Some(stamp),
                MarkOf::Key => {
                    self.keyed = Some(Keyed {
                        first: stamp.position,
                        count: stamp.place.count,
                        there: Vec::new(),
                        is_same: usize::from(stamp.place.count) == self.batch.records().len(),
                    });
                }
            }
        }
        if let Some(keyed) = &mut self.keyed {
            keyed.look(record, self.batch);
        }
    }

    /// What the batch is, once everything was looked at: a key decides, and where there is none, the ids do.
    pub fn verdict(self) -> Verdict {
        match self.keyed {
            Some(keyed) if !keyed.is_same => {
                let first = keyed.first;
                Verdict::Refused(AppendError::KeyReused { first })
            }
            Some(keyed) => there(
                keyed.there.into_iter().map(|s| (s.place.index, s)),
                keyed.count,
            ),
            None => {
                let count = u16::try_from(self.known.len()).unwrap_or(u16::MAX);
                there(
                    (0..)
                        .zip(self.known)
                        .filter_map(|(index, stamp)| Some((index, stamp?))),
                    count,
                )
            }
        }
    }
}

impl Keyed {
    /// Takes up `record` if it is of that batch. It has to be the same in everything that a publisher says.
    fn look(&mut self, record: &Record, batch: &Batch) {
        let Stamp {
            position, place, ..
        } = *record.stamp();
        let end = self.first.plus(u64::from(self.count));
        if position < self.first || position >= end {
            return;
        }
        let new = batch.records().get(usize::from(place.index));
        self.is_same &= new.is_some_and(|new| is_same(record, new));
        self.there.push(*record.stamp());
    }
}

/// Whether `record` really bears `mark` of `batch`.
fn bears(record: &Record, mark: &Mark, batch: &Batch) -> bool {
    let new = &batch.records()[usize::from(mark.index)];
    let (Ok(theirs), Ok(ours)) = (record.payload(), Payload::decode(&new.payload)) else {
        return false;
    };
    record.feed() == new.feed.as_str()
        && match mark.of {
            MarkOf::Key => theirs.key.is_some() && theirs.key == ours.key,
            MarkOf::Id => {
                theirs.by_id
                    && (theirs.source, theirs.id) == (ours.source, ours.id)
                    && record.subject() == new.subject.as_ref().map(Subject::as_str)
            }
        }
}

/// Whether `record` is what `new` would be, but for what the server gave it.
fn is_same(record: &Record, new: &NewRecord) -> bool {
    let (Ok(theirs), Ok(ours)) = (record.payload(), Payload::decode(&new.payload)) else {
        return false;
    };
    let named_alike = !ours.by_id || theirs.id == ours.id;
    let timed_alike = new.time.is_none_or(|time| time == record.stamp().time);
    (record.feed(), record.ty(), record.subject())
        == (
            new.feed.as_str(),
            new.ty.as_str(),
            new.subject.as_ref().map(Subject::as_str),
        )
        && named_alike
        && timed_alike
        && Payload {
            id: ours.id,
            key: ours.key,
            ..theirs
        } == ours
}

/// What a batch of `count` records is of which these are there, each beside its place in the batch.
fn there(known: impl Iterator<Item = (u16, Stamp)>, count: u16) -> Verdict {
    let known: Vec<(u16, Stamp)> = known.collect();
    let Some(appended) = appended(known.iter().map(|(_, stamp)| stamp)) else {
        return Verdict::New;
    };
    if known.len() == usize::from(count) {
        return Verdict::Repeat(appended);
    }
    let known = known
        .into_iter()
        .map(|(index, stamp)| (index, stamp.position));
    Verdict::Refused(AppendError::PartlyKnown {
        known: known.collect(),
    })
}

/// The answer that records with these stamps had when they were appended.
fn appended<'a>(stamps: impl Iterator<Item = &'a Stamp>) -> Option<Appended> {
    let mut appended: Option<Appended> = None;
    for stamp in stamps {
        let so_far = appended.get_or_insert_with(|| Appended {
            first: stamp.position,
            last: stamp.position,
            recorded_at: stamp.recorded_at,
            versions: Vec::new(),
            is_repeat: true,
        });
        so_far.first = so_far.first.min(stamp.position);
        so_far.last = so_far.last.max(stamp.position);
        so_far.recorded_at = so_far.recorded_at.max(stamp.recorded_at);
        so_far.versions.push(stamp.version);
    }
    appended
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};
    use feedwire_event::{
        Attribute, Event, EventId, Extensions, FeedName, IdempotencyKey, Source, Timestamp,
        TypeName, payload,
    };

    use super::*;
    use crate::Place;

    /// An event of `feed`, known by its id and by the key.
    #[derive(Clone, Copy)]
    struct Known {
        feed: &'static str,
        source: &'static str,
        id: &'static str,
        by_id: bool,
        subject: Option<&'static str>,
        key: Option<&'static str>,
        time: Option<i64>,
    }

    const KNOWN: Known = Known {
        feed: "f",
        source: "/s",
        id: "i",
        by_id: true,
        subject: Some("a"),
        key: Some("k"),
        time: Some(7),
    };

    fn new(of: Known) -> NewRecord {
        let event = Event {
            id: Some(EventId::new(of.id).expect("an id")),
            source: Some(Source::new(of.source).expect("a source")),
            ty: TypeName::new("t").expect("a name"),
            subject: of
                .subject
                .map(|text| Subject::new(text).expect("a subject")),
            time: of.time.map(Timestamp::from_micros),
            live_only: false,
            extensions: Extensions::default(),
            data: None,
        };
        let key = of.key.map(|key| IdempotencyKey::new(key).expect("a key"));
        let marks = payload::Marks {
            id: of.by_id,
            key: key.as_ref(),
        };
        NewRecord {
            feed: FeedName::new(of.feed).expect("a name"),
            ty: event.ty.clone(),
            subject: event.subject.clone(),
            time: event.time,
            payload: payload::encode(&event, marks, || unreachable!("it has an id")),
        }
    }

    fn at(position: u64) -> Position {
        Position::new(position).expect("a position")
    }

    /// `of` as it stands in a log.
    fn record(of: Known) -> Record {
        let new = new(of);
        let recorded_at = Timestamp::from_micros(9);
        let stamp = Stamp {
            position: at(1),
            recorded_at,
            time: new.time.unwrap_or(recorded_at),
            version: feedwire_event::Version::NONE,
            place: Place { index: 0, count: 1 },
        };
        let mut bytes = BytesMut::new();
        let subject = of.subject.unwrap_or_default();
        for part in [of.feed.as_bytes(), b"t", subject.as_bytes(), &new.payload] {
            bytes.put_slice(part);
        }
        Record::new(stamp, [of.feed.len(), 1, subject.len()], bytes.freeze()).expect("a record")
    }

    /// What the batch of `ours` is when all its marks were seen where `theirs` stands, as if their hashes were alike.
    fn verdict(ours: Known, theirs: Known) -> Verdict {
        let batch = Batch::new(vec![new(ours)], Vec::new()).expect("a batch");
        let seen = batch.marks().iter().map(|mark| (*mark, at(1)));
        let mut judge = Judge::new(&batch, seen.collect());
        assert_eq!(judge.next(Position::ZERO), Some(at(1)));
        assert_eq!(judge.next(at(1)), None);
        judge.look(&record(theirs));
        judge.verdict()
    }

    #[test]
    fn marks_that_are_alike_by_chance_make_no_repetition() {
        let by_id = Known { key: None, ..KNOWN };
        let by_key = Known {
            by_id: false,
            ..KNOWN
        };
        for theirs in [
            Known { id: "j", ..by_id },
            Known {
                source: "/r",
                ..by_id
            },
            Known { feed: "g", ..by_id },
            Known {
                subject: Some("b"),
                ..by_id
            },
            Known {
                subject: None,
                ..by_id
            },
            Known {
                by_id: false,
                ..by_id
            },
        ] {
            assert!(matches!(verdict(by_id, theirs), Verdict::New));
        }
        for theirs in [
            Known {
                key: Some("l"),
                ..by_key
            },
            Known {
                key: None,
                ..by_key
            },
            Known {
                feed: "g",
                ..by_key
            },
        ] {
            assert!(matches!(verdict(by_key, theirs), Verdict::New));
        }
        for known in [by_id, by_key, KNOWN] {
            assert!(matches!(verdict(known, known), Verdict::Repeat(_)));
        }
    }

    #[test]
    fn another_time_is_another_event_and_no_time_is_the_servers() {
        let timed = |time| Known { time, ..KNOWN };
        let check = |ours, theirs, is_same: bool| {
            let verdict = verdict(timed(ours), timed(theirs));
            let repeats = matches!(verdict, Verdict::Repeat(_));
            let reused = matches!(verdict, Verdict::Refused(AppendError::KeyReused { .. }));
            assert_eq!((repeats, reused), (is_same, !is_same), "{verdict:?}");
        };
        check(Some(7), Some(7), true);
        check(None, None, true);
        check(Some(7), Some(8), false);
        check(Some(7), None, false);
    }
}
