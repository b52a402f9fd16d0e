//! Listing the heads of a feed's subjects.

use std::collections::BTreeMap;
use std::ops::Bound;

use feedwire_engine::Head;
use feedwire_event::{FeedName, Subject};

use super::table::Heads;
use crate::store::{Error, feed_and_subject, heads_of_feed};

/// Heads that are read from the store in one go.
const READ_AT_ONCE: usize = 1_024;

/// Heads by their keys.
type ByKey = BTreeMap<Box<[u8]>, Head>;

impl Heads {
    /// The first `limit` heads of the subjects of `feed` behind `after`, in order of their names, as they are on disk in the log.
    ///
    /// What is not in the store yet is not written for it: the disk may be full.
    pub(crate) fn list(
        &self,
        feed: &FeedName,
        after: Option<&Subject>,
        limit: usize,
    ) -> Result<Vec<(Subject, Head)>, Error> {
        let prefix = heads_of_feed(self.project.as_str(), feed.as_str());
        let mut after = after.map_or("", Subject::as_str).as_bytes().to_vec();
        let unwritten = self.unwritten(&prefix);
        let mut listed = Vec::new();
        let mut count = READ_AT_ONCE.min(limit);
        while listed.len() < limit {
            let stored = self.store.heads(&prefix, Some(&after), count)?;
            let last = stored.last().filter(|_| stored.len() == count);
            let last = last.map(|(key, _)| Box::<[u8]>::from(&key[..]));
            let start = Bound::Excluded([&prefix[..], &after[..]].concat().into_boxed_slice());
            let end = last.clone().map_or(Bound::Unbounded, Bound::Included);
            let stored = stored.into_iter().map(|(key, head)| (key[..].into(), head));
            let heads = merged(stored.collect(), unwritten.range((start, end)));
            self.take(heads, limit, &mut listed)?;
            let Some(last) = last else {
                break;
            };
            after = last[prefix.len()..].to_vec();
            // Who asks for few may have to be shown what stands behind many that were forgotten.
            count = READ_AT_ONCE;
        }
        Ok(listed)
    }

    /// The heads at keys that start with `prefix` that are on disk in the log and not in the store.
    fn unwritten(&self, prefix: &[u8]) -> ByKey {
        let mut pending = self.pending.lock();
        self.merge_into(&mut pending);
        let heads = pending.heads().filter(|(key, _)| key.starts_with(prefix));
        heads.map(|(key, head)| (key.into(), head)).collect()
    }

    /// Adds those of `heads` that count for something to `listed`, until there are `limit`.
    fn take(
        &self,
        heads: ByKey,
        limit: usize,
        listed: &mut Vec<(Subject, Head)>,
    ) -> Result<(), Error> {
        let wanted = limit - listed.len();
        let counting: Vec<(Box<[u8]>, Head)> = {
            let table = self.lock();
            let heads = heads.into_iter();
            let counting = heads.filter(|(key, head)| table.counts(key, *head));
            counting.take(wanted).collect()
        };
        for (key, head) in counting {
            let name = feed_and_subject(self.project.as_str(), &key);
            let subject = name.and_then(|(_, subject)| Subject::new(subject).ok());
            listed.push((subject.ok_or(Error::Malformed)?, head));
        }
        Ok(())
    }
}

/// `stored` with what is `unwritten`, or was a moment ago: then the store may have a later head than this.
fn merged<'h>(
    mut stored: ByKey,
    unwritten: impl Iterator<Item = (&'h Box<[u8]>, &'h Head)>,
) -> ByKey {
    for (key, head) in unwritten {
        let known = stored.entry(key.clone()).or_insert(*head);
        if known.position < head.position {
            *known = *head;
        }
    }
    stored
}
