//! What is read: records, in chunks.

use bytes::Bytes;
use feedwire_event::{Payload, Position, Timestamp, Version, payload};

/// Where a record stands in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 0.
    pub index: u16,
    /// How many records the batch has.
    pub count: u16,
}

impl Place {
    /// Whether this is the last record of its batch.
    pub const fn is_last(self) -> bool {
        self.index + 1 == self.count
    }
}

/// What the log gave a record when it took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its place in the log.
    pub position: Position,
    /// When it was recorded, never before the record at an earlier position.
    pub recorded_at: Timestamp,
    /// When it happened, by its producer; `recorded_at` where the producer did not say.
    pub time: Timestamp,
    /// The version of its subject with this batch; [`Version::NONE`] for an event without a subject.
    pub version: Version,
    /// Its place in its batch.
    pub place: Place,
}

/// An event in a log. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    stamp: Stamp,
    feed_end: u16,
    ty_end: u16,
    subject_end: u16,
    /// Feed, type, subject and payload, one behind the other.
    bytes: Bytes,
}

impl Record {
    /// A record whose `bytes` are feed, type, subject and payload one behind the other, with the lengths of the first three.
    ///
    /// `None` when the lengths do not fit the bytes or the tags are not UTF-8.
    pub fn new(stamp: Stamp, tags: [usize; 3], bytes: Bytes) -> Option<Self> {
        let [feed, ty, subject] = tags;
        let subject_end = feed.checked_add(ty)?.checked_add(subject)?;
        std::str::from_utf8(bytes.get(..subject_end)?).ok()?;
        let record = Self {
            stamp,
            feed_end: u16::try_from(feed).ok()?,
            ty_end: u16::try_from(feed + ty).ok()?,
            subject_end: u16::try_from(subject_end).ok()?,
            bytes,
        };
        let whole = record.text(0, record.feed_end).is_some()
            && record.text(record.feed_end, record.ty_end).is_some();
        whole.then_some(record)
    }

    fn text(&self, from: u16, to: u16) -> Option<&str> {
        std::str::from_utf8(&self.bytes[usize::from(from)..usize::from(to)]).ok()
    }

    /// What the log gave it.
    pub const fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Its place in the log.
    pub const fn position(&self) -> Position {
        self.stamp.position
    }

    /// Where its batch begins.
    pub fn batch(&self) -> Position {
        self.stamp.position.minus(self.stamp.place.index.into())
    }

    /// Whether it goes on with the run of the record `before`: it is the next one of one batch, in one feed and about one subject.
    pub fn goes_on(&self, before: &Self) -> bool {
        self.position() == before.position().next()
            && self.batch() == before.batch()
            && self.feed() == before.feed()
            && self.subject() == before.subject()
    }

    /// The feed it is in.
    pub fn feed(&self) -> &str {
        self.text(0, self.feed_end)
            .expect("tags were checked when the record was made")
    }

    /// Its type.
    pub fn ty(&self) -> &str {
        self.text(self.feed_end, self.ty_end)
            .expect("tags were checked when the record was made")
    }

    /// What it is about.
    pub fn subject(&self) -> Option<&str> {
        let subject = self.text(self.ty_end, self.subject_end);
        subject.filter(|subject| !subject.is_empty())
    }

    /// Everything else, as it was appended.
    pub fn payload_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.subject_end)..]
    }

    /// Everything else, decoded.
    pub fn payload(&self) -> Result<Payload<'_>, payload::Error> {
        Payload::decode(self.payload_bytes())
    }

    /// Whether it is for those alone who were there before its position.
    pub fn is_live_only(&self) -> bool {
        payload::is_live_only(self.payload_bytes())
    }

    /// Whether it says something of an entity.
    pub fn is_entity(&self) -> bool {
        payload::is_entity(self.payload_bytes())
    }

    /// Its size against limits of bytes: tags and payload.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// Records read in one go.
///
/// Batches are whole: of each batch it touches, a chunk has every record that the scope asks for.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Ascending when read forward, descending when read backward.
    pub records: Vec<Record>,
    /// Everything in scope up to here, this position included, is in this chunk or the ones before it. Read backward: down to here.
    pub through: Position,
    /// The last readable position, from the same moment as the records.
    pub head: Position,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        let position = Position::new(1).expect("a position");
        let time = Timestamp::from_micros(0);
        let place = Place { index: 0, count: 1 };
        Stamp {
            position,
            recorded_at: time,
            time,
            version: Version(1),
            place,
        }
    }

    #[test]
    fn tags_are_taken_from_the_front_of_the_bytes() {
        let record = Record::new(stamp(), [2, 3, 2], Bytes::from_static("feteeép".as_bytes()));
        let record = record.expect("a record");
        assert_eq!(
            (record.feed(), record.ty(), record.subject()),
            ("fe", "tee", Some("é"))
        );
        assert_eq!(record.payload_bytes(), b"p");
    }

    #[test]
    fn tags_that_do_not_fit_are_not_a_record() {
        let check = |tags, bytes: &'static str| {
            assert_eq!(
                Record::new(stamp(), tags, Bytes::from_static(bytes.as_bytes())),
                None
            );
        };
        check([1, 1, 2], "abc");
        check([usize::MAX, 1, 1], "abc");
        check([1, 1, 0], "é");
        check([1, 1, 1], "éa");
    }
}
