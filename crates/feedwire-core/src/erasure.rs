//! Erasing a subject, or a feed: hidden at once, then gone from disk, with a receipt that says how far that is.
//!
//! Its subjects begin anew: what is published about them later is of version 1. For that nothing is appended between the position up
//! to which is erased and the moment from which on they are forgotten. Nothing else is done in that time: how much it takes is counted
//! behind it (`takes.rs`), and where that fails, or the labels do not go, the erasure stands, and both are done when it is carried out.

use std::collections::BTreeMap;

use feedwire_engine::{AppendError, Appended, Batch, Erasure};
use feedwire_event::{EventId, FeedName, Labels, Position, Subject, Timestamp};
use feedwire_tally::Outage;
use tokio::time::timeout;

use crate::limits::ERASURE_RETRY;
use crate::project::Project;
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
    /// Erases every event there is now of `subject`, of `feed`, or of the subject in the feed, and what was loaded of them.
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
        let _one_at_a_time = self.erasures().counting().lock().await;
        let mut receipt = self.hide(asked).await?;
        // It is hidden: what fails from here on is done again before it is erased.
        if let Err(error) = self.take_labels(&mut receipt).await {
            warn(&error, "the labels of what is erased are still there");
        }
        if let Err(error) = self.count_rest(&mut receipt).await {
            warn(&error, "what an erasure takes is not counted yet");
        }
        if let Err(error) = self.erasures().keep(&receipt).await {
            warn(&error, "what an erasure takes is not written yet");
        }
        Ok(receipt)
    }

    async fn hide(&self, asked: Asked) -> Result<Receipt, store::Error> {
        let mut takes = match &asked.subject {
            Some(subject) => self.begun(asked.feed.as_ref(), subject).await?,
            None => BTreeMap::new(),
        };
        let _nothing_is_appended = self.appending().write().await;
        let mut counted_to = Position::ZERO;
        if let (Some(feed), None) = (&asked.feed, &asked.subject) {
            let (had, through) = self.counts().had(feed);
            let left = had.less(self.erasures().taken_of(feed));
            takes.extend((left != Erased::default()).then(|| (feed.clone(), left)));
            counted_to = through;
        }
        let receipt = Receipt {
            id: asked.id,
            takes_labels: asked.feed.is_none(),
            takes,
            counted_to,
            erasure: Erasure {
                feed: asked.feed,
                subject: asked.subject,
                // Also behind batches whose publishers have gone away, and that are on their way to disk.
                through: self.log().given(),
            },
            asked_at: asked.at,
            erased: None,
        };
        self.erasures().ask(&receipt).await?;
        for erasure in with_loads(&receipt.erasure) {
            self.log().forget(&erasure).await?;
        }
        Ok(receipt)
    }

    async fn take_labels(&self, receipt: &mut Receipt) -> Result<(), store::Error> {
        let subject = receipt.erasure.subject.clone();
        if let Some(subject) = subject.filter(|_| receipt.takes_labels) {
            let none = Labels::default();
            self.labels().set(subject, none, None).await?;
            receipt.takes_labels = false;
        }
        Ok(())
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
    async fn carry_out(&self, receipt: Receipt, clock: &dyn Clock) -> Result<(), store::Error> {
        let mut receipt = self.counted(&receipt).await?;
        let through = self.log().bounds().last.min(receipt.erasure.through);
        // What is gone cannot be counted again after a crash.
        while self.counts().persist().await? < through {
            self.counts().feeds(through).await;
        }
        while self.entities().persist().await? < through {
            self.entities().come_to(through).await?;
        }
        let mut events = 0;
        for erasure in with_loads(&receipt.erasure) {
            events += self.log().erase(&erasure).await?;
        }
        // Before the receipt says so: nothing looks for its names after that.
        self.latest().forget(&receipt.erasure).await?;
        self.entities().forget(&receipt.erasure).await?;
        self.streams().forget_erased(&receipt.erasure).await?;
        receipt.erased = Some((clock.now(), events));
        self.erasures().settle(&receipt).await?;
        self.meter().upkeep.erasures.one();
        Ok(())
    }

    /// `receipt` once its labels are gone, and what it takes is counted, as far as that can be.
    async fn counted(&self, receipt: &Receipt) -> Result<Receipt, store::Error> {
        let _one_at_a_time = self.erasures().counting().lock().await;
        // Whoever asked for it may have counted meanwhile.
        let mut receipt = self.erasures().as_kept(receipt);
        if receipt.takes_labels || receipt.counted_to < receipt.erasure.through {
            self.take_labels(&mut receipt).await?;
            match self.count_rest(&mut receipt).await {
                Err(error @ read::Error::Damaged { .. }) => {
                    // It is not kept from being erased for that, and the rest is told as if it were there.
                    warn(&error, "not all that an erasure takes can be counted");
                    receipt.counted_to = receipt.erasure.through;
                }
                counted => counted?,
            }
            self.erasures().keep(&receipt).await?;
        }
        Ok(receipt)
    }
}

/// What is erased with `erasure`: of the entities of a feed also what was loaded of them.
pub(crate) fn with_loads(erasure: &Erasure) -> impl Iterator<Item = Erasure> {
    let feed = erasure.feed.as_ref().filter(|feed| !feed.is_own());
    let loads = feed.map(|feed| Erasure {
        feed: Some(feed.load_feed()),
        ..erasure.clone()
    });
    [erasure.clone()].into_iter().chain(loads)
}

fn warn(error: &(dyn std::error::Error + 'static), what: &str) {
    tracing::warn!(error, "{what}");
}
