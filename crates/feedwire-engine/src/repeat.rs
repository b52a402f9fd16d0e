//! Whether a batch was appended before, by what stands where its marks were seen.

use std::collections::BTreeMap;

use feedwire_event::{Payload, Position, Subject, Version};

use crate::{AppendError, Appended, Batch, Mark, MarkOf, NewRecord, Record};

/// The records that were found where marks were seen. What is no longer there is not in it.
pub type Found = BTreeMap<Position, Record>;

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

impl Verdict {
    /// Judges `batch`, whose marks were seen at the positions beside them, by what stands there.
    pub fn new(batch: &Batch, seen: &[(Mark, Position)], found: &Found) -> Self {
        let bears = |(mark, position): &&(Mark, Position)| {
            let record = found.get(position);
            record.is_some_and(|record| bears(record, mark, batch))
        };
        let mut known = vec![None; batch.records().len()];
        for (mark, position) in seen.iter().filter(bears) {
            match mark.of {
                MarkOf::Key => return by_key(batch, *position, found),
                MarkOf::Id => known[usize::from(mark.index)] = Some(*position),
            }
        }
        by_ids(&known, found)
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
            MarkOf::Id => theirs.by_id && (theirs.source, theirs.id) == (ours.source, ours.id),
        }
}

fn by_ids(known: &[Option<Position>], found: &Found) -> Verdict {
    let mut there = Vec::with_capacity(known.len());
    for (index, position) in known.iter().enumerate() {
        if let Some(position) = position {
            there.push((u16::try_from(index).unwrap_or(u16::MAX), *position));
        }
    }
    if there.is_empty() {
        return Verdict::New;
    }
    if there.len() < known.len() {
        return Verdict::Refused(AppendError::PartlyKnown { known: there });
    }
    let records = there.iter().filter_map(|(_, position)| found.get(position));
    appended(records).map_or(Verdict::New, Verdict::Repeat)
}

/// The batch whose first record, at `first`, has the same key: it has to be the same in everything that a publisher says.
fn by_key(batch: &Batch, first: Position, found: &Found) -> Verdict {
    let count = found
        .get(&first)
        .map_or(0, |record| usize::from(record.stamp().place.count));
    let theirs = || {
        found
            .range(first..first.plus(count as u64))
            .map(|(_, record)| record)
    };
    // Records that were erased since are not there; the others tell whether it is the same.
    let same = |record: &Record| {
        let new = batch.records().get(usize::from(record.stamp().place.index));
        new.is_some_and(|new| is_same(record, new))
    };
    if count != batch.records().len() || !theirs().all(same) {
        return Verdict::Refused(AppendError::KeyReused { first });
    }
    let Some(known) = appended(theirs()) else {
        return Verdict::New;
    };
    let mut versions = vec![Version::NONE; count];
    for record in theirs() {
        versions[usize::from(record.stamp().place.index)] = record.stamp().version;
    }
    Verdict::Repeat(Appended {
        last: first.plus(count as u64 - 1),
        versions,
        ..known
    })
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

/// The answer that `records` had when they were appended.
fn appended<'a>(records: impl Iterator<Item = &'a Record>) -> Option<Appended> {
    let mut appended: Option<Appended> = None;
    for record in records {
        let stamp = record.stamp();
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
