//! What an erasure takes of each feed: its events, its runs, and the subjects that begin anew.
//!
//! An event is counted for one erasure, the one that counts it first. An erasure of a whole feed takes what the counts of the feed
//! say, less what others took of it, and counts event by event only what comes behind that; so nothing is ever taken that is not in
//! the counts yet.

use std::collections::{BTreeMap, HashSet};

use feedwire_engine::{Chunk, Erasure, ReadError, Record, Scope, Unavailable};
use feedwire_event::{FeedName, Position, Subject, Version};
use tokio::time::timeout;

use crate::limits::ERASURE_GRACE;
use crate::project::{Project, TAIL_READ};
use crate::receipts::Receipt;
use crate::{Erased, read};

/// What else is being erased, where it may be the same.
#[derive(Debug, Default)]
struct Others {
    /// Up to where each has counted.
    counted: Vec<Erasure>,
    earlier: Vec<Erasure>,
}

impl Project {
    /// The feeds in which `subject` has begun and is to begin anew.
    pub(crate) async fn begun(
        &self,
        feed: Option<&FeedName>,
        subject: &Subject,
    ) -> Result<BTreeMap<FeedName, Erased>, Unavailable> {
        let feeds = match feed {
            Some(feed) => vec![feed.clone()],
            None => self.counts().names(),
        };
        let one = Erased {
            subjects: 1,
            ..Erased::default()
        };
        let mut begun = BTreeMap::new();
        for feed in feeds {
            if self.log().subject(&feed, subject).await?.is_some() {
                begun.insert(feed, one);
            }
        }
        Ok(begun)
    }

    /// Counts what `receipt` takes and is not counted yet. After an error it is counted as far as its `counted_to` says.
    pub(crate) async fn count_rest(&self, receipt: &mut Receipt) -> Result<(), read::Error> {
        let through = receipt.erasure.through;
        let end = timeout(ERASURE_GRACE, self.readable(through));
        let end = end.await.map_err(Unavailable::new)??;
        let scope = Scope {
            feeds: receipt.erasure.feed.iter().cloned().collect(),
            subjects: receipt.erasure.subject.iter().cloned().collect(),
            ..Scope::default()
        };
        let others = self.others(receipt);
        let first = self.log().bounds().first;
        let mut after = receipt.counted_to.max(first.previous());
        while after < end {
            let chunk = match self.log().read(&scope, after, TAIL_READ).await {
                // Trimmed meanwhile.
                Err(ReadError::Expired(expired)) => {
                    after = expired.first.previous();
                    continue;
                }
                chunk => chunk?,
            };
            others.count(receipt, &chunk);
            after = chunk.through;
            receipt.counted_to = after.min(end);
        }
        receipt.counted_to = through;
        Ok(())
    }

    /// Waits until what was given up to `through` is readable and counted; returns the position up to which there is something.
    async fn readable(&self, through: Position) -> Result<Position, Unavailable> {
        self.log().settle(through).await?;
        let end = self.log().bounds().last.min(through);
        if self.counts().feeds(end).await.head < end {
            return Err(Unavailable::new("the project is closing"));
        }
        Ok(end)
    }

    fn others(&self, receipt: &Receipt) -> Others {
        let mut others = Others::default();
        let mut is_earlier = true;
        for other in self.erasures().to_carry_out() {
            if other.id == receipt.id {
                is_earlier = false;
            } else if may_share(&other.erasure, &receipt.erasure) {
                others.counted.push(Erasure {
                    through: other.erasure.through.min(other.counted_to),
                    ..other.erasure.clone()
                });
                if is_earlier {
                    others.earlier.push(other.erasure);
                }
            }
        }
        others
    }
}

impl Others {
    /// Counts what `receipt` has of `chunk`.
    fn count(&self, receipt: &mut Receipt, chunk: &Chunk) {
        let mut before: Option<&Record> = None;
        let mut born = HashSet::new();
        for record in &chunk.records {
            let is_counted = self.counted.iter().any(|other| other.has(record));
            if is_counted || !receipt.erasure.has(record) {
                continue;
            }
            let feed = FeedName::new(record.feed());
            let feed = feed.expect("the log holds names that were checked");
            let takes = receipt.takes.entry(feed).or_default();
            takes.events += 1;
            takes.runs += u64::from(!before.is_some_and(|before| record.goes_on(before)));
            before = Some(record);
            // What was hidden before has begun for the erasure that hid it.
            let is_new = |subject| born.insert((record.batch(), record.feed(), subject));
            let begins = record.stamp().version == Version::NONE.next()
                && !self.earlier.iter().any(|earlier| earlier.has(record))
                && record.subject().is_some_and(is_new);
            if begins {
                // Of one subject it is the life that it may be known to have had already.
                let most = receipt.erasure.subject.as_ref().map_or(u64::MAX, |_| 1);
                takes.subjects = takes.subjects.saturating_add(1).min(most);
            }
        }
    }
}

/// Whether one event can be of both.
fn may_share(one: &Erasure, other: &Erasure) -> bool {
    fn may<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        one.is_none() || other.is_none() || one == other
    }
    may(one.feed.as_ref(), other.feed.as_ref()) && may(one.subject.as_ref(), other.subject.as_ref())
}
