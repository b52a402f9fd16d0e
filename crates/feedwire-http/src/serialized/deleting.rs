//! Deleting aggregates, in two steps: asked for, then confirmed by the token that the first step is answered with.

use feedwire_core::FeedCount;
use feedwire_dialects::serialized::{answer, error, request};
use feedwire_event::{Attribute, EventId, FeedName, Subject};
use hyper::body::Incoming;
use serde_json::json;

use super::refuse::{self, Refused};
use super::{TYPE, aggregates};
use crate::answer::{Answer, nothing};
use crate::asked::Asked;
use crate::audit::Change;
use crate::deletions::Doomed;

pub(super) async fn of_type(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let feed = request::feed_name(&refuse::variable(&asked, TYPE)?)?;
    if request::delete_token(asked.query())?.is_some() {
        return delete(&asked, feed, None).await;
    }
    let core = asked.edge.core();
    let feeds = core.feeds(asked.grant()).await?.feeds;
    let is_there = |count: &FeedCount| count.name == feed && count.events > count.erased.events;
    if !feeds.iter().any(is_there) {
        return Err(Refused(error::unknown_feed(&feed)));
    }
    delete(&asked, feed, None).await
}

pub(super) async fn of_one(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (feed, subject) = aggregates::named(&asked)?;
    if request::delete_token(asked.query())?.is_some() {
        // Whether it confirms comes first: one that was confirmed is no longer there.
        return delete(&asked, feed, Some(subject)).await;
    }
    let core = asked.edge.core();
    let head = core.subject(asked.grant(), &feed, &subject).await?;
    head.ok_or_else(|| aggregates::unknown(&feed, &subject))?;
    delete(&asked, feed, Some(subject)).await
}

async fn delete(
    asked: &Asked,
    feed: FeedName,
    subject: Option<Subject>,
) -> Result<Answer, Refused> {
    let token = request::delete_token(asked.query())?;
    let name = asked.grant().project();
    let doomed = Doomed {
        project: name.clone(),
        feed: Some(feed.clone()),
        subject: subject.clone(),
    };
    let (core, deletions) = (asked.edge.core(), asked.edge.deletions());
    let now = asked.edge.clock().now();
    let Some(token) = token else {
        let token = core.new_id();
        deletions.ask(doomed, token.clone(), now);
        return Ok(refuse::json(answer::deletion(token.as_str())));
    };
    let confirmed = EventId::new(&token).ok();
    let confirmed = confirmed.filter(|token| deletions.take(token.as_str(), &doomed, now));
    let token = confirmed.ok_or_else(|| Refused(error::bad_delete_token()))?;
    let change = Change {
        ty: "subject.erase",
        subject: format!("projects/{name}"),
        details: json!({
            "project": name.as_str(),
            "feed": feed.as_str(),
            "subject": subject.as_ref().map(Subject::as_str),
        }),
    };
    let erase = core.erase(asked.grant(), Some(feed), subject);
    let made = change.make(asked, erase).await;
    if !matches!(made, Ok(Ok(_))) {
        // It is not done, and can be confirmed again.
        deletions.ask(doomed, token, now);
    }
    made??;
    Ok(nothing())
}
