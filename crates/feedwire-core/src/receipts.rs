//! The receipts of erasures, as they are kept.
//!
//! A receipt is kept under its id in the primary store: position, time asked, time erased (the least i64 while it is not), number
//! of events; then 255, the position up to which is counted what it takes, whether its subject may still have labels (one byte, 0 or
//! 1), the number of feeds that it takes something of (u16), and for each the length of its name (one byte), its name, events, runs
//! and subjects; then the length of the feed (one byte) and the feed, then the subject. Numbers are little-endian. What an earlier
//! version wrote has the length of the feed at once; its labels are gone, and nothing of it is counted.
//!
//! It stays, because an older backup that is restored has to have its events erased again.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Erasure, Precondition, Primary, Space, Unavailable};
use feedwire_event::{Attribute, EventId, FeedName, Position, ProjectName, Subject, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::counts::Gone;
use crate::hidden::Hidden;
use crate::{Erased, store};

const NOT_YET: i64 = i64::MIN;
/// No name is so long.
const TAKES: u8 = u8::MAX;

/// What was asked to be erased, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Names the erasure.
    pub id: EventId,
    /// What is to go, up to which position.
    pub erasure: Erasure,
    /// What that takes of each feed, as far as it is counted.
    pub takes: BTreeMap<FeedName, Erased>,
    /// The position up to which is counted what it takes.
    pub counted_to: Position,
    /// Whether the subject's labels are to go too, and may still be there.
    pub takes_labels: bool,
    /// When it was asked for, and hidden from every reading.
    pub asked_at: Timestamp,
    /// When it was gone from disk, and how many events that were; `None` while they are only hidden.
    pub erased: Option<(Timestamp, u64)>,
}

/// The receipts of a project.
#[derive(Debug)]
pub(crate) struct StoredErasures {
    primary: Arc<dyn Primary>,
    space: Space,
    hidden: Arc<Hidden>,
    /// What is hidden and still on disk, in the order in which it was asked for.
    open: Mutex<Vec<Receipt>>,
    /// What was gone from disk of each feed when it was opened.
    gone: BTreeMap<FeedName, Gone>,
    /// What all of them take of each feed.
    taken: Mutex<BTreeMap<FeedName, Erased>>,
    /// Held while an erasure is asked for and counted, or counted later: no event is counted for two.
    counting: tokio::sync::Mutex<()>,
    asked: Notify,
}

impl StoredErasures {
    /// Loads the receipts of `project`. Nothing is hidden before [`StoredErasures::begin`].
    pub(crate) async fn open(
        primary: Arc<dyn Primary>,
        project: ProjectName,
    ) -> Result<Self, Unavailable> {
        let space = Space {
            project,
            name: Space::ERASURES,
        };
        let (mut open, mut gone, mut taken) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        store::each(&*primary, &space, |key, value| {
            let receipt = receipt(&key, value)?;
            add(&mut taken, &receipt);
            if receipt.erased.is_some() {
                put_away(&mut gone, &receipt);
            } else {
                open.push(receipt);
            }
            Ok(())
        })
        .await?;
        open.sort_by_key(|receipt: &Receipt| (receipt.erasure.through, receipt.asked_at));
        Ok(Self {
            primary,
            space,
            hidden: Arc::default(),
            open: Mutex::new(open),
            gone,
            taken: Mutex::new(taken),
            counting: tokio::sync::Mutex::default(),
            asked: Notify::new(),
        })
    }

    /// Hides what is not yet gone, in a log that has given positions up to `given`, and to which nothing was appended since it was
    /// opened.
    ///
    /// A batch that came to nothing may have had positions up to which an erasure was asked for; after a crash the log gives them
    /// again, to events that nobody asked to have erased. So no erasure reaches further than the log, on disk too. What is carried
    /// out needs nothing of this: it hides and erases nothing any more.
    pub(crate) async fn begin(&self, given: Position) -> Result<(), Unavailable> {
        for mut receipt in self.to_carry_out() {
            if receipt.erasure.through > given {
                receipt.erasure.through = given;
                receipt.counted_to = receipt.counted_to.min(given);
                let kept = self.keep(&receipt).await;
                kept.map_err(|error| match error {
                    store::Error::Unavailable(unavailable) => unavailable,
                    error => Unavailable::new(error),
                })?;
            }
            self.hidden.hide(&receipt.erasure);
        }
        Ok(())
    }

    pub(crate) fn hidden(&self) -> &Arc<Hidden> {
        &self.hidden
    }

    /// What is hidden and still on disk, in the order in which it was asked for.
    pub(crate) fn to_carry_out(&self) -> Vec<Receipt> {
        self.open.lock().clone()
    }

    /// What was gone from disk of each feed when it was opened.
    pub(crate) fn gone(&self) -> &BTreeMap<FeedName, Gone> {
        &self.gone
    }

    /// Held while an erasure is asked for and counted, or counted later.
    pub(crate) fn counting(&self) -> &tokio::sync::Mutex<()> {
        &self.counting
    }

    /// What was erased of `feed`.
    pub(crate) fn taken_of(&self, feed: &FeedName) -> Erased {
        self.taken.lock().get(feed).copied().unwrap_or_default()
    }

    /// Waits until something more is to be carried out.
    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// The receipt `id`, if there is one.
    pub(crate) async fn get(&self, id: &EventId) -> Result<Option<Receipt>, Unavailable> {
        let key = id.as_str().as_bytes();
        let entry = self.primary.get(&self.space, key).await?;
        entry.map(|entry| receipt(key, entry.value)).transpose()
    }

    async fn put(&self, receipt: &Receipt) -> Result<(), store::Error> {
        let key = receipt.id.as_str().as_bytes();
        self.primary
            .put(&self.space, key, encode(receipt), Precondition::Any)
            .await?;
        Ok(())
    }

    /// Keeps `receipt`, and hides what it is about.
    pub(crate) async fn ask(&self, receipt: &Receipt) -> Result<(), store::Error> {
        self.put(receipt).await?;
        add(&mut self.taken.lock(), receipt);
        self.hidden.hide(&receipt.erasure);
        self.open.lock().push(receipt.clone());
        self.asked.notify_one();
        Ok(())
    }

    /// `receipt` as it is kept now, if it is open.
    pub(crate) fn as_kept(&self, receipt: &Receipt) -> Receipt {
        let open = self.open.lock();
        let kept = open.iter().find(|kept| kept.id == receipt.id);
        kept.unwrap_or(receipt).clone()
    }

    /// Keeps `receipt` of what is open, as it is now.
    pub(crate) async fn keep(&self, receipt: &Receipt) -> Result<(), store::Error> {
        self.put(receipt).await?;
        let mut open = self.open.lock();
        let Some(kept) = open.iter_mut().find(|kept| kept.id == receipt.id) else {
            return Ok(());
        };
        let mut taken = self.taken.lock();
        for (feed, takes) in &kept.takes {
            let all = taken.entry(feed.clone()).or_default();
            *all = all.less(*takes);
        }
        add(&mut taken, receipt);
        *kept = receipt.clone();
        Ok(())
    }

    /// Keeps `receipt`, which is carried out.
    pub(crate) async fn settle(&self, receipt: &Receipt) -> Result<(), store::Error> {
        self.put(receipt).await?;
        self.open.lock().retain(|open| open.id != receipt.id);
        Ok(())
    }

    pub(crate) fn open_count(&self) -> u64 {
        self.open.lock().len() as u64
    }
}

fn add(taken: &mut BTreeMap<FeedName, Erased>, receipt: &Receipt) {
    for (feed, takes) in &receipt.takes {
        let all = taken.entry(feed.clone()).or_default();
        *all = all.and(*takes);
    }
}

fn put_away(gone: &mut BTreeMap<FeedName, Gone>, receipt: &Receipt) {
    for (feed, takes) in &receipt.takes {
        let gone = gone.entry(feed.clone()).or_default();
        gone.erased = gone.erased.and(*takes);
        if receipt.erasure.subject.is_none() {
            gone.whole_through = gone.whole_through.max(receipt.erasure.through);
        }
    }
}

fn put_name(out: &mut BytesMut, name: &str) {
    out.put_u8(u8::try_from(name.len()).expect("a name has at most 128 bytes"));
    out.put_slice(name.as_bytes());
}

fn encode(receipt: &Receipt) -> Bytes {
    let Receipt {
        erasure: Erasure {
            feed,
            subject,
            through,
        },
        takes,
        counted_to,
        takes_labels,
        asked_at,
        erased,
        ..
    } = receipt;
    let (erased_at, events) = erased.map_or((NOT_YET, 0), |(at, events)| (at.as_micros(), events));
    let mut out = BytesMut::new();
    out.put_u64_le(through.get());
    out.put_i64_le(asked_at.as_micros());
    out.put_i64_le(erased_at);
    out.put_u64_le(events);
    out.put_u8(TAKES);
    out.put_u64_le(counted_to.get());
    out.put_u8(u8::from(*takes_labels));
    out.put_u16_le(u16::try_from(takes.len()).unwrap_or(u16::MAX));
    for (feed, takes) in takes.iter().take(u16::MAX.into()) {
        put_name(&mut out, feed.as_str());
        for number in [takes.events, takes.runs, takes.subjects] {
            out.put_u64_le(number);
        }
    }
    put_name(&mut out, feed.as_ref().map_or("", FeedName::as_str));
    out.put_slice(subject.as_ref().map_or("", Subject::as_str).as_bytes());
    out.freeze()
}

fn receipt(key: &[u8], value: Bytes) -> Result<Receipt, Unavailable> {
    let unreadable =
        || Unavailable::new(format!("the receipt stored under {key:?} cannot be read"));
    decode(key, value).ok_or_else(unreadable)
}

fn take_text(value: &mut Bytes, len: usize) -> Option<String> {
    let bytes = (value.remaining() >= len).then(|| value.split_to(len))?;
    String::from_utf8(bytes.to_vec()).ok()
}

/// The feeds that it takes something of.
fn takes(value: &mut Bytes) -> Option<BTreeMap<FeedName, Erased>> {
    let feeds = value.try_get_u16_le().ok()?;
    let mut takes = BTreeMap::new();
    for _ in 0..feeds {
        let len = usize::from(value.try_get_u8().ok()?);
        let feed = FeedName::new(&take_text(value, len)?).ok()?;
        let mut number = || value.try_get_u64_le().ok();
        let erased = Erased {
            events: number()?,
            runs: number()?,
            subjects: number()?,
        };
        takes.insert(feed, erased);
    }
    Some(takes)
}

fn decode(key: &[u8], mut value: Bytes) -> Option<Receipt> {
    let id = EventId::new(std::str::from_utf8(key).ok()?).ok()?;
    let through = Position::new(value.try_get_u64_le().ok()?)?;
    let asked_at = Timestamp::from_micros(value.try_get_i64_le().ok()?);
    let erased_at = value.try_get_i64_le().ok()?;
    let events = value.try_get_u64_le().ok()?;
    let mut feed_len = value.try_get_u8().ok()?;
    let mut taken = BTreeMap::new();
    let (mut counted_to, mut takes_labels) = (Position::ZERO, false);
    if feed_len == TAKES {
        counted_to = Position::new(value.try_get_u64_le().ok()?)?;
        takes_labels = value.try_get_u8().ok()? != 0;
        taken = takes(&mut value)?;
        feed_len = value.try_get_u8().ok()?;
    }
    let feed = take_text(&mut value, feed_len.into())?;
    let subject = String::from_utf8(value.to_vec()).ok()?;
    let feed = (!feed.is_empty()).then(|| FeedName::new(&feed));
    let subject = (!subject.is_empty()).then(|| Subject::new(&subject));
    Some(Receipt {
        id,
        erasure: Erasure {
            feed: feed.transpose().ok()?,
            subject: subject.transpose().ok()?,
            through,
        },
        takes: taken,
        counted_to,
        takes_labels,
        asked_at,
        erased: (erased_at != NOT_YET).then(|| (Timestamp::from_micros(erased_at), events)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> FeedName {
        FeedName::new(text).expect("a name")
    }

    fn receipt(feed: Option<&str>, subject: Option<&str>) -> Receipt {
        Receipt {
            id: EventId::new("e").expect("an id"),
            erasure: Erasure {
                feed: feed.map(name),
                subject: subject.map(|text| Subject::new(text).expect("a subject")),
                through: Position::MAX,
            },
            takes: BTreeMap::new(),
            counted_to: Position::ZERO,
            takes_labels: false,
            asked_at: Timestamp::from_micros(-7),
            erased: feed.map(|_| (Timestamp::from_micros(8), 9)),
        }
    }

    const NAMED: [(Option<&str>, Option<&str>); 3] =
        [(Some("a"), None), (None, Some("é")), (Some("a"), Some("1"))];

    #[test]
    fn a_receipt_is_read_back_with_what_it_takes() {
        let numbers = |events, runs, subjects| Erased {
            events,
            runs,
            subjects,
        };
        let some = [(name("a"), numbers(9, 5, 1)), (name("b"), numbers(1, 1, 0))];
        for takes in [BTreeMap::new(), BTreeMap::from(some)] {
            for (feed, subject) in NAMED {
                let receipt = Receipt {
                    takes: takes.clone(),
                    counted_to: Position::ZERO.plus(takes.len() as u64),
                    takes_labels: feed.is_none(),
                    ..receipt(feed, subject)
                };
                assert_eq!(decode(b"e", encode(&receipt)), Some(receipt));
            }
        }
    }

    #[test]
    fn a_receipt_of_a_version_that_counted_nothing_is_read() {
        for (feed, subject) in NAMED {
            let receipt = receipt(feed, subject);
            let mut before = BytesMut::new();
            before.put_u64_le(Position::MAX.get());
            before.put_i64_le(-7);
            let erased = if feed.is_some() { (8, 9) } else { (NOT_YET, 0) };
            before.put_i64_le(erased.0);
            before.put_u64_le(erased.1);
            put_name(&mut before, feed.unwrap_or_default());
            before.put_slice(subject.unwrap_or_default().as_bytes());
            assert_eq!(decode(b"e", before.freeze()), Some(receipt));
        }
    }
}
