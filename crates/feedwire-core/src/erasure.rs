//! Erasing a subject, or a feed: hidden at once, then gone from disk, with a receipt that says how far that is.
//!
//! Its subjects begin anew: what is published about them later is of version 1. For that nothing is appended between the position up
//! to which is erased and the moment from which on they are forgotten.

use std::collections::BTreeMap;

use feedwire_engine::{AppendError, Appended, Batch, Erasure, Record, Scope, Unavailable};
use feedwire_event::{EventId, FeedName, Labels, Position, Subject, Timestamp};
use feedwire_tally::Outage;
use tokio::time::timeout;

use crate::limits::{ERASURE_GRACE, ERASURE_RETRY};
use crate::project::{Project, TAIL_READ};
use crate::receipts::Receipt;
use crate::{Clock, Core, Erased, Forbidden, Grant, Right, read, store};

/// What is asked to be erased.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) id: EventId,
    pub(crate) feed: Option<FeedName>,
    pub(crate) subject: Option<Subject>,
    pub(crate) at: Timestamp,
}

impl Core {
    /// Erases every event there is now of `subject`, of `feed`, or of the subject in the feed.
    ///
    /// No reading that starts after this has returned shows them, and what comes later about a subject that is erased is its first
    /// version; the receipt tells when they are gone from disk. Erasing a subject in every feed takes its labels too.
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
        let asked = Asked {
            id: self.seams().ids.next(),
            feed,
            subject,
            at: self.seams().clock.now(),
        };
        self.whole(async move { project.ask_to_erase(asked).await })
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
        Ok(project.erasures().get(id).await?)
    }
}

impl Project {
    /// Appends `batch`. Nothing in it is a repetition of what is hidden: what is published later than an erasure stays.
    pub(crate) async fn append(
        &self,
        batch: Batch,
        now: Timestamp,
    ) -> Result<Appended, AppendError> {
        let hidden = self.erasures().hidden().clone();
        let _appending = self.appending().read().await;
        self.log().append(batch.forgetting(hidden), now).await
    }

    /// Hides what is `asked` about, for [`Project::erase_hidden`] to erase, and has its subjects begin anew.
    pub(crate) async fn ask_to_erase(&self, asked: Asked) -> Result<Receipt, store::Error> {
        let _nothing_is_appended = self.appending().write().await;
        let erasure = Erasure {
            feed: asked.feed,
            subject: asked.subject,
            // Also behind batches whose publishers have gone away, and that are on their way to disk.
            through: self.log().given(),
        };
        let receipt = Receipt {
            id: asked.id,
            takes: self.taken_by(&erasure).await?,
            erasure,
            asked_at: asked.at,
            erased: None,
        };
        self.erasures().ask(&receipt).await?;
        self.log().forget(&receipt.erasure).await?;
        if let (None, Some(subject)) = (&receipt.erasure.feed, &receipt.erasure.subject) {
            self.labels()
                .set(subject.clone(), Labels::default(), None)
                .await?;
        }
        Ok(receipt)
    }

    /// What `erasure` takes of each feed, of what is shown.
    async fn taken_by(&self, erasure: &Erasure) -> Result<BTreeMap<FeedName, Erased>, read::Error> {
        let mut head = self.log().head();
        let readable = head.wait_for(|head| *head >= erasure.through);
        // What is not readable by then came to nothing, as far as can be told.
        drop(timeout(ERASURE_GRACE, readable).await);
        let head = self.log().bounds().last.min(erasure.through);
        let counts = timeout(ERASURE_GRACE, self.counts().feeds(head)).await;
        let counts = counts.map_err(Unavailable::new)?.feeds;
        let Some(subject) = &erasure.subject else {
            let whole = counts
                .into_iter()
                .filter(|c| Some(&c.name) == erasure.feed.as_ref());
            let taken = whole.map(|count| {
                let before = self.erasures().taken_of(&count.name);
                let left = Erased {
                    events: count.events - before.events,
                    runs: count.runs - before.runs,
                    subjects: count.subjects - before.subjects,
                };
                (count.name, left)
            });
            return Ok(taken.collect());
        };
        let mut taken = self.count_shown(erasure, subject, head).await?;
        let wanted = |feed: &FeedName| erasure.feed.as_ref().is_none_or(|of| of == feed);
        for count in counts.into_iter().filter(|count| wanted(&count.name)) {
            if self.log().subject(&count.name, subject).await?.is_some() {
                taken.entry(count.name).or_default().subjects = 1;
            }
        }
        Ok(taken)
    }

    /// The events and runs about `subject` up to `head`, by feed.
    async fn count_shown(
        &self,
        erasure: &Erasure,
        subject: &Subject,
        head: Position,
    ) -> Result<BTreeMap<FeedName, Erased>, read::Error> {
        let scope = Scope {
            feeds: erasure.feed.iter().cloned().collect(),
            subjects: vec![subject.clone()],
            ..Scope::default()
        };
        let hidden = self.erasures().hidden();
        let mut counted: BTreeMap<FeedName, Erased> = BTreeMap::new();
        let mut after = self.log().bounds().first.previous();
        while after < head {
            let chunk = self.log().read(&scope, after, TAIL_READ).await?;
            let mut before: Option<&Record> = None;
            for record in chunk.records.iter().filter(|record| !hidden.hides(record)) {
                let feed = FeedName::new(record.feed());
                let feed = feed.expect("the log holds names that were checked");
                let count = counted.entry(feed).or_default();
                count.events += 1;
                count.runs += u64::from(!before.is_some_and(|before| record.goes_on(before)));
                before = Some(record);
            }
            after = chunk.through;
        }
        Ok(counted)
    }

    /// Carries erasures out as they are asked for.
    pub(crate) async fn erase_hidden(&self, clock: &dyn Clock) {
        let mut outage = Outage::default();
        loop {
            let mut failed = None;
            for receipt in self.erasures().to_carry_out() {
                if let Err(error) = self.carry_out(receipt, clock).await {
                    self.meter().upkeep.erasure_failures.one();
                    failed.get_or_insert(error);
                }
            }
            let waits = failed.is_some();
            match failed {
                Some(error) if outage.begins(&error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "an erasure waits");
                }
                None if outage.ends() => tracing::info!("no erasure waits any more"),
                Some(_) | None => {}
            }
            self.note_erased();
            let asked = self.erasures().asked();
            if waits {
                // An error is the end of the wait.
                drop(timeout(ERASURE_RETRY, asked).await);
            } else {
                asked.await;
            }
        }
    }

    /// Erases from the log what is hidden and still on disk.
    async fn carry_out(&self, mut receipt: Receipt, clock: &dyn Clock) -> Result<(), store::Error> {
        let through = self.log().bounds().last.min(receipt.erasure.through);
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
