//! Erasing a subject, or a feed: hidden at once, then gone from disk, with a receipt that says how far that is.
//!
//! A receipt is kept under its id in the primary store: position, time asked, time erased (the least i64 while it is not), number
//! of events, length of the feed (one byte) and the feed, then the subject; numbers are little-endian. It stays, because an
//! older backup that is restored has to have its events erased again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Erasure, Log, Precondition, Primary, Record, Space, Unavailable};
use feedwire_event::{Attribute, EventId, FeedName, Position, ProjectName, Subject, Timestamp};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::limits::{ERASURE_RETRY, STORE_SCAN};
use crate::project::Project;
use crate::{Clock, Core, Grant, read, store};

const NOT_YET: i64 = i64::MIN;

/// What was asked to be erased, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Names the erasure.
    pub id: EventId,
    /// What is to go, up to which position.
    pub erasure: Erasure,
    /// When it was asked for, and hidden from every reading.
    pub asked_at: Timestamp,
    /// When it was gone from disk, and how many events that were; `None` while they are only hidden.
    pub erased: Option<(Timestamp, u64)>,
}

/// The feed that something is hidden in, `None` for every one, and the position up to which.
type HiddenIn = (Option<FeedName>, Position);

/// What is hidden from readings: what was asked to be erased since the project was opened, or was not yet gone then.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    any: AtomicBool,
    /// By subject; `None` is every one.
    subjects: RwLock<HashMap<Option<Subject>, Vec<HiddenIn>>>,
}

impl Hidden {
    /// Whether `record` is not to be shown.
    pub(crate) fn hides(&self, record: &Record) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let subjects = self.subjects.read();
        let hides = |hidden: &Vec<HiddenIn>| {
            hidden.iter().any(|(feed, through)| {
                record.position() <= *through
                    && feed
                        .as_ref()
                        .is_none_or(|feed| feed.as_str() == record.feed())
            })
        };
        let subject = record
            .subject()
            .and_then(|subject| Subject::new(subject).ok());
        subjects.get(&None).is_some_and(hides)
            || subject.is_some_and(|subject| subjects.get(&Some(subject)).is_some_and(hides))
    }

    fn hide(&self, erasure: &Erasure) {
        let Erasure {
            feed,
            subject,
            through,
        } = erasure.clone();
        let mut subjects = self.subjects.write();
        subjects.entry(subject).or_default().push((feed, through));
        self.any.store(true, Ordering::Release);
    }
}

/// The receipts of a project.
#[derive(Debug)]
pub(crate) struct StoredErasures {
    primary: Arc<dyn Primary>,
    space: Space,
    hidden: Arc<Hidden>,
    /// What is hidden and still on disk.
    open: Mutex<Vec<Receipt>>,
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
            name: "erasures",
        };
        let hidden = Arc::new(Hidden::default());
        let mut open = Vec::new();
        let mut after: Option<Bytes> = None;
        loop {
            let entries = primary
                .scan(&space, b"", after.as_deref(), STORE_SCAN)
                .await?;
            after = entries.last().map(|(key, _)| key.clone());
            for (key, entry) in entries {
                let receipt = receipt(&key, entry.value)?;
                if receipt.erased.is_none() {
                    hidden.hide(&receipt.erasure);
                    open.push(receipt);
                }
            }
            if after.is_none() {
                let (open, asked) = (Mutex::new(open), Notify::new());
                return Ok(Self {
                    primary,
                    space,
                    hidden,
                    open,
                    asked,
                });
            }
        }
    }

    pub(crate) fn hidden(&self) -> &Arc<Hidden> {
        &self.hidden
    }

    async fn put(&self, receipt: &Receipt) -> Result<(), store::Error> {
        let key = receipt.id.as_str().as_bytes();
        self.primary
            .put(&self.space, key, encode(receipt), Precondition::Any)
            .await?;
        Ok(())
    }

    async fn ask(&self, receipt: &Receipt) -> Result<(), store::Error> {
        self.put(receipt).await?;
        self.hidden.hide(&receipt.erasure);
        self.open.lock().push(receipt.clone());
        self.asked.notify_one();
        Ok(())
    }

    /// Erases from `log` what is hidden and still on disk.
    async fn carry_out(&self, log: &dyn Log, clock: &dyn Clock) -> Result<(), store::Error> {
        loop {
            let Some(mut receipt) = self.open.lock().first().cloned() else {
                return Ok(());
            };
            let events = log.erase(&receipt.erasure).await?;
            receipt.erased = Some((clock.now(), events));
            self.put(&receipt).await?;
            self.open.lock().remove(0);
        }
    }
}

impl Core {
    /// Erases every event there is now of `subject`, of `feed`, or of the subject in the feed.
    ///
    /// No reading that starts after this has returned shows them; the receipt tells when they are gone from disk. Erasing a
    /// subject in every feed takes its labels too.
    ///
    /// # Panics
    /// If neither is given: that would be the whole project.
    pub async fn erase(
        &self,
        grant: &Grant,
        feed: Option<FeedName>,
        subject: Option<Subject>,
    ) -> Result<Receipt, store::Error> {
        assert!(
            feed.is_some() || subject.is_some(),
            "an erasure names a feed or a subject"
        );
        let project = self.project(grant.project()).await?;
        if let (None, Some(subject)) = (&feed, &subject) {
            project
                .labels()
                .set(subject.clone(), feedwire_event::Labels::default())
                .await?;
        }
        let through = project.log().bounds().last;
        let receipt = Receipt {
            id: self.seams().ids.next(),
            erasure: Erasure {
                feed,
                subject,
                through,
            },
            asked_at: self.seams().clock.now(),
            erased: None,
        };
        project.erasures().ask(&receipt).await?;
        Ok(receipt)
    }

    /// The receipt `id`, if there is one.
    pub async fn erasure(
        &self,
        grant: &Grant,
        id: &EventId,
    ) -> Result<Option<Receipt>, read::Error> {
        let project = self.project(grant.project()).await?;
        let erasures = project.erasures();
        let key = id.as_str().as_bytes();
        let entry = erasures.primary.get(&erasures.space, key).await?;
        Ok(entry.map(|entry| receipt(key, entry.value)).transpose()?)
    }
}

impl Project {
    /// Carries erasures out as they are asked for.
    pub(crate) async fn erase_hidden(&self, clock: &dyn Clock) {
        loop {
            match self.erasures().carry_out(&**self.log(), clock).await {
                Ok(()) => self.erasures().asked.notified().await,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "an erasure waits");
                    tokio::time::sleep(ERASURE_RETRY).await;
                }
            }
        }
    }
}

fn encode(receipt: &Receipt) -> Bytes {
    let Receipt {
        erasure: Erasure {
            feed,
            subject,
            through,
        },
        asked_at,
        erased,
        ..
    } = receipt;
    let feed = feed.as_ref().map_or("", FeedName::as_str);
    let (erased_at, events) = erased.map_or((NOT_YET, 0), |(at, events)| (at.as_micros(), events));
    let mut out = BytesMut::new();
    out.put_u64_le(through.get());
    out.put_i64_le(asked_at.as_micros());
    out.put_i64_le(erased_at);
    out.put_u64_le(events);
    out.put_u8(u8::try_from(feed.len()).expect("a name has at most 128 bytes"));
    out.put_slice(feed.as_bytes());
    out.put_slice(subject.as_ref().map_or("", Subject::as_str).as_bytes());
    out.freeze()
}

fn receipt(key: &[u8], value: Bytes) -> Result<Receipt, Unavailable> {
    let unreadable =
        || Unavailable::new(format!("the receipt stored under {key:?} cannot be read"));
    decode(key, value).ok_or_else(unreadable)
}

fn decode(key: &[u8], mut value: Bytes) -> Option<Receipt> {
    let id = EventId::new(std::str::from_utf8(key).ok()?).ok()?;
    let through = Position::new(value.try_get_u64_le().ok()?)?;
    let asked_at = Timestamp::from_micros(value.try_get_i64_le().ok()?);
    let erased_at = value.try_get_i64_le().ok()?;
    let events = value.try_get_u64_le().ok()?;
    let feed_len = usize::from(value.try_get_u8().ok()?);
    let (feed, subject) = std::str::from_utf8(&value)
        .ok()?
        .split_at_checked(feed_len)?;
    let feed = (!feed.is_empty())
        .then(|| FeedName::new(feed))
        .transpose()
        .ok()?;
    let subject = (!subject.is_empty())
        .then(|| Subject::new(subject))
        .transpose()
        .ok()?;
    let erasure = Erasure {
        feed,
        subject,
        through,
    };
    let erased = (erased_at != NOT_YET).then(|| (Timestamp::from_micros(erased_at), events));
    Some(Receipt {
        id,
        erasure,
        asked_at,
        erased,
    })
}
