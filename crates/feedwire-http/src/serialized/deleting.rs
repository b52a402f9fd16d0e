//! Deleting aggregates, in two steps: asked for, then confirmed by the token that the first step is answered with.

use feedwire_core::FeedCount;
use feedwire_dialects::serialized::{answer, error, request};
use feedwire_event::{Attribute, EventId, FeedName, Subject};
use hyper::body::Incoming;

use super::refuse::{self, Refused};
use super::{TYPE, aggregates};
use crate::answer::{Answer, nothing};
use crate::asked::Asked;
use crate::audit::Change;
use crate::deletions::Doomed;

pub(super) async fn of_type(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let feed = request::feed_name(&refuse::variable(&asked, TYPE)?)?;
    if let Some(token) = request::delete_token(asked.query())? {
        return confirm(&asked, &token, feed, None).await;
    }
    let core = asked.edge.core();
    let feeds = core.feeds(asked.grant()).await?.feeds;
    let is_there = |count: &FeedCount| count.name == feed && count.events > count.erased.events;
    if !feeds.iter().any(is_there) {
        return Err(Refused(error::unknown_feed(&feed)));
    }
    Ok(ask(&asked, feed, None))
}

pub(super) async fn of_one(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (feed, subject) = aggregates::named(&asked)?;
    if let Some(token) = request::delete_token(asked.query())? {
        return confirm(&asked, &token, feed, Some(subject)).await;
    }
    let core = asked.edge.core();
    let head = core.subject(asked.grant(), &feed, &subject).await?;
    head.ok_or_else(|| aggregates::unknown(&feed, &subject))?;
    Ok(ask(&asked, feed, Some(subject)))
}

fn doomed(asked: &Asked, feed: FeedName, subject: Option<Subject>) -> Doomed {
    Doomed {
        project: asked.grant().project().clone(),
        feed: Some(feed),
        subject,
    }
}

fn ask(asked: &Asked, feed: FeedName, subject: Option<Subject>) -> Answer {
    let token = asked.edge.core().new_id();
    let now = asked.edge.clock().now();
    let doomed = doomed(asked, feed, subject);
    asked.edge.deletions().ask(doomed, token.clone(), now);
    refuse::json(answer::deletion(token.as_str()))
}

/// Whether `token` confirms it comes before whether there is anything: what was confirmed is no longer there.
async fn confirm(
    asked: &Asked,
    token: &str,
    feed: FeedName,
    subject: Option<Subject>,
) -> Result<Answer, Refused> {
    let (core, deletions) = (asked.edge.core(), asked.edge.deletions());
    let now = asked.edge.clock().now();
    let doomed = doomed(asked, feed.clone(), subject.clone());
    let token = EventId::new(token).ok();
    let token = token.filter(|token| deletions.take(token.as_str(), &doomed, now));
    let token = token.ok_or_else(|| Refused(error::bad_delete_token()))?;
    let name = asked.grant().project();
    let change = Change::erasure(name, Some(&feed), subject.as_ref());
    let erase = core.erase(asked.grant(), Some(feed), subject);
    let made = change.make(asked, erase).await;
    if !matches!(made, Ok(Ok(_))) {
        // It is not done, and can be confirmed again.
        deletions.ask(doomed, token, now);
    }
    made??;
    Ok(nothing())
}
