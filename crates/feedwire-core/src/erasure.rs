//! Erasing a subject, or a feed: hidden at once, then gone from disk, with a receipt that says how far that is.
//!
//! A receipt is kept under its id in the primary store: position, time asked, time erased (the least i64 while it is not), number
//! of events, length of the feed (one byte) and the feed, then the subject; numbers are little-endian. It stays, because an
//! older backup that is restored has to have its events erased again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{
    AppendError, Appended, Batch, Erasure, Forgotten, Precondition, Primary, Record, Space,
    Unavailable,
};
use feedwire_event::{
    Attribute, EventId, FeedName, Labels, Position, ProjectName, Subject, Timestamp,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::limits::ERASURE_RETRY;
use crate::project::Project;
use crate::{Clock, Core, Forbidden, Grant, Right, read, store};

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
    places: RwLock<Places>,
}

#[derive(Debug, Default)]
struct Places {
    of_subjects: HashMap<Subject, Vec<HiddenIn>>,
    of_all: Vec<HiddenIn>,
}

impl Hidden {
    /// Whether `record` is not to be shown.
    pub(crate) fn hides(&self, record: &Record) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let places = self.places.read();
        let of_subject = record
            .subject()
            .and_then(|subject| places.of_subjects.get(subject));
        let mut hidden = places.of_all.iter().chain(of_subject.into_iter().flatten());
        hidden.any(|(feed, through)| {
            record.position() <= *through
                && feed
                    .as_ref()
                    .is_none_or(|feed| feed.as_str() == record.feed())
        })
    }

    /// The position up to which everything about `subject` in `feed` is hidden.
    pub(crate) fn through(&self, feed: &str, subject: &str) -> Position {
        let places = self.places.read();
        let of_subject = places.of_subjects.get(subject);
        let all = places.of_all.iter().chain(of_subject.into_iter().flatten());
        let of_feed = all.filter(|(of, _)| of.as_ref().is_none_or(|of| of.as_str() == feed));
        let through = of_feed.map(|(_, through)| *through).max();
        through.unwrap_or(Position::ZERO)
    }

    fn hide(&self, erasure: &Erasure) {
        let Erasure {
            feed,
            subject,
            through,
        } = erasure.clone();
        let mut places = self.places.write();
        let of = match subject {
            Some(subject) => places.of_subjects.entry(subject).or_default(),
            None => &mut places.of_all,
        };
        of.push((feed, through));
        self.any.store(true, Ordering::Release);
    }
}

impl Forgotten for Hidden {
    fn has(&self, record: &Record) -> bool {
        self.hides(record)
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
            name: Space::ERASURES,
        };
        let hidden = Arc::new(Hidden::default());
        let mut open = Vec::new();
        store::each(&*primary, &space, |key, value| {
            let receipt = receipt(&key, value)?;
            if receipt.erased.is_none() {
                hidden.hide(&receipt.erasure);
                open.push(receipt);
            }
            Ok(())
        })
        .await?;
        let (open, asked) = (Mutex::new(open), Notify::new());
        Ok(Self {
            primary,
            space,
            hidden,
            open,
            asked,
        })
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

    pub(crate) fn open_count(&self) -> u64 {
        self.open.lock().len() as u64
    }

    fn settle(&self, id: &EventId) {
        self.open.lock().retain(|receipt| receipt.id != *id);
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
        grant.require(Right::Admin)?;
        if grant.project().is_system() {
            // What is on record stays there.
            return Err(Forbidden::Feed(FeedName::audit()).into());
        }
        let project = self.project(grant.project()).await?;
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
        self.whole(async move { project.ask_to_erase(receipt).await })
            .await
    }

    /// The receipt `id`, if there is one.
    pub async fn erasure(
        &self,
        grant: &Grant,
        id: &EventId,
    ) -> Result<Option<Receipt>, read::Error> {
        grant.require(Right::Admin)?;
        let project = self.project(grant.project()).await?;
        let erasures = project.erasures();
        let key = id.as_str().as_bytes();
        let entry = erasures.primary.get(&erasures.space, key).await?;
        Ok(entry.map(|entry| receipt(key, entry.value)).transpose()?)
    }
}

impl Project {
    /// Appends `batch`. Nothing in it is a repetition of what is hidden: what is published later than an erasure stays.
    pub(crate) async fn append(
        &self,
        batch: Batch,
        now: Timestamp,
    ) -> Result<Appended, AppendError> {
        let hidden = Arc::clone(self.erasures().hidden());
        self.log().append(batch.forgetting(hidden), now).await
    }

    /// Hides what `receipt` is about, for [`Project::erase_hidden`] to erase.
    pub(crate) async fn ask_to_erase(&self, receipt: Receipt) -> Result<Receipt, store::Error> {
        self.erasures().ask(&receipt).await?;
        if let (None, Some(subject)) = (&receipt.erasure.feed, &receipt.erasure.subject) {
            self.labels()
                .set(subject.clone(), Labels::default(), None)
                .await?;
        }
        Ok(receipt)
    }

    /// Carries erasures out as they are asked for.
    pub(crate) async fn erase_hidden(&self, clock: &dyn Clock) {
        loop {
            let open = self.erasures().open.lock().clone();
            let mut waits = false;
            for receipt in open {
                if let Err(error) = self.carry_out(receipt, clock).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "an erasure waits");
                    self.meter().upkeep.erasure_failures.one();
                    waits = true;
                }
            }
            self.note_erased();
            let asked = self.erasures().asked.notified();
            if waits {
                // An error is the end of the wait.
                drop(tokio::time::timeout(ERASURE_RETRY, asked).await);
            } else {
                asked.await;
            }
        }
    }

    /// Erases from the log what is hidden and still on disk.
    async fn carry_out(&self, mut receipt: Receipt, clock: &dyn Clock) -> Result<(), store::Error> {
        let through = receipt.erasure.through;
        // What is gone cannot be counted again after a crash.
        while self.counts().persist().await? < through {
            self.counts().feeds(through).await;
        }
        let events = self.log().erase(&receipt.erasure).await?;
        receipt.erased = Some((clock.now(), events));
        self.erasures().put(&receipt).await?;
        self.erasures().settle(&receipt.id);
        self.meter().upkeep.erasures.one();
        Ok(())
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
