//! The receipts of erasures, as they are kept.
//!
//! A receipt is kept under its id in the primary store: position, time asked, time erased (the least i64 while it is not), number
//! of events; where it takes anything of a feed, 255, the number of such feeds (u16), and for each the length of its name (one byte),
//! its name, events, runs and subjects; then the length of the feed (one byte) and the feed, then the subject. Numbers are
//! little-endian. It stays, because an older backup that is restored has to have its events erased again.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Erasure, Precondition, Primary, Space, Unavailable};
use feedwire_event::{Attribute, EventId, FeedName, Position, ProjectName, Subject, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

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
    /// What that takes of each feed.
    pub takes: BTreeMap<FeedName, Erased>,
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
    /// What is hidden and still on disk.
    open: Mutex<Vec<Receipt>>,
    /// What all of them take of each feed.
    taken: Mutex<BTreeMap<FeedName, Erased>>,
    asked: Notify,
}

impl StoredErasures {
    /// Loads the receipts of `project` and hides what is not yet gone.
    pub(crate) async fn open(
        primary: Arc<dyn Primary>,
        project: ProjectName,
    ) -> Result<Self, Unavailable> {
        let space = Space {
            project,
            name: Space::ERASURES,
        };
        let erasures = Self {
            primary,
            space,
            hidden: Arc::default(),
            open: Mutex::default(),
            taken: Mutex::default(),
            asked: Notify::new(),
        };
        store::each(&*erasures.primary, &erasures.space, |key, value| {
            erasures.take_up(receipt(&key, value)?);
            Ok(())
        })
        .await?;
        Ok(erasures)
    }

    pub(crate) fn hidden(&self) -> &Arc<Hidden> {
        &self.hidden
    }

    /// What is hidden and still on disk.
    pub(crate) fn to_carry_out(&self) -> Vec<Receipt> {
        self.open.lock().clone()
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

    /// Keeps `receipt`, as it is now.
    pub(crate) async fn put(&self, receipt: &Receipt) -> Result<(), store::Error> {
        let key = receipt.id.as_str().as_bytes();
        self.primary
            .put(&self.space, key, encode(receipt), Precondition::Any)
            .await?;
        Ok(())
    }

    /// Keeps `receipt`, and hides what it is about.
    pub(crate) async fn ask(&self, receipt: &Receipt) -> Result<(), store::Error> {
        self.put(receipt).await?;
        self.take_up(receipt.clone());
        self.asked.notify_one();
        Ok(())
    }

    fn take_up(&self, receipt: Receipt) {
        let mut taken = self.taken.lock();
        for (feed, takes) in &receipt.takes {
            let all = taken.entry(feed.clone()).or_default();
            *all = all.and(*takes);
        }
        drop(taken);
        if receipt.erased.is_none() {
            self.hidden.hide(&receipt.erasure);
            self.open.lock().push(receipt);
        }
    }

    pub(crate) fn open_count(&self) -> u64 {
        self.open.lock().len() as u64
    }

    /// The erasure `id` is carried out.
    pub(crate) fn settle(&self, id: &EventId) {
        self.open.lock().retain(|receipt| receipt.id != *id);
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
    if !takes.is_empty() {
        out.put_u8(TAKES);
        out.put_u16_le(u16::try_from(takes.len()).unwrap_or(u16::MAX));
        for (feed, takes) in takes.iter().take(u16::MAX.into()) {
            put_name(&mut out, feed.as_str());
            for number in [takes.events, takes.runs, takes.subjects] {
                out.put_u64_le(number);
            }
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

/// The feeds that it takes something of, behind [`TAKES`].
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
    if feed_len == TAKES {
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
        asked_at,
        erased: (erased_at != NOT_YET).then(|| (Timestamp::from_micros(erased_at), events)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_back_with_and_without_what_it_takes() {
        let name = |text: &str| FeedName::new(text).expect("a name");
        let numbers = |events, runs, subjects| Erased {
            events,
            runs,
            subjects,
        };
        let some = [(name("a"), numbers(9, 5, 1)), (name("b"), numbers(1, 1, 0))];
        for takes in [BTreeMap::new(), BTreeMap::from(some)] {
            for (feed, subject) in [(Some("a"), None), (None, Some("é")), (Some("a"), Some("1"))] {
                let receipt = Receipt {
                    id: EventId::new("e").expect("an id"),
                    erasure: Erasure {
                        feed: feed.map(name),
                        subject: subject.map(|text| Subject::new(text).expect("a subject")),
                        through: Position::MAX,
                    },
                    takes: takes.clone(),
                    asked_at: Timestamp::from_micros(-7),
                    erased: feed.map(|_| (Timestamp::from_micros(8), 9)),
                };
                assert_eq!(decode(b"e", encode(&receipt)), Some(receipt));
            }
        }
    }
}
