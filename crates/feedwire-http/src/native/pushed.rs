//! What connectors pushed and could not push: requests, dead letters, replays; and what they sign by.

use feedwire_dialects::native::request;
use feedwire_dialects::{connector_answer as answer, connector_body as body, stream_body};
use feedwire_event::Cursor;
use feedwire_push::Replaying;
use hyper::body::Incoming;

use super::connectors::{changed, changed_to, name, named};
use super::letters::{count, page, page_bytes};
use super::paging;
use super::refuse::{self, Refused};
use crate::answer::{Answer, created, json};
use crate::asked::Asked;
use crate::intake;

pub(super) async fn rotate(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(&asked)?;
    let body = intake::whole(body, &asked).await?;
    if !body.bytes.is_empty() {
        refuse::other_than_json(&asked)?;
    }
    let (given, overlap) = body::secret(&body.bytes)?;
    let mut change = changed("connector.secret", &asked, &name);
    change.details["overlap_seconds"] = overlap.as_secs().into();
    let push = asked.edge.push();
    let rotate = push.rotate(asked.grant(), &name, given, overlap);
    let rotated = change.make(&asked, rotate).await??;
    let told = answer::secret(rotated.secret.as_ref(), rotated.previous_until);
    Ok(json(&told))
}

pub(super) async fn test(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(&asked)?;
    let change = changed("connector.test", &asked, &name);
    let test = asked.edge.push().test(asked.grant(), &name);
    let attempt = change.make(&asked, test).await??;
    Ok(json(&answer::delivery(&attempt)))
}

pub(super) async fn deliveries(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(&asked)?;
    let push = asked.edge.push();
    let attempts = push.deliveries(asked.grant(), &name).await?;
    Ok(json(&feedwire_api::ConnectorDeliveries {
        deliveries: attempts.iter().map(answer::delivery).collect(),
    }))
}

pub(super) async fn metrics(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(&asked)?;
    let numbers = asked.edge.push().numbers(asked.grant(), &name).await?;
    Ok(json(&answer::numbers(&numbers)))
}

pub(super) async fn replay(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let of = name(&asked)?;
    let now = asked.edge.clock().now();
    let replay = body::replay(&intake::whole(body, &asked).await?.bytes, now)?;
    let change = changed_to("connector.replay", &asked, &of, replay.url.as_deref());
    let replaying = Replaying {
        name: replay.name,
        from: replay.from,
        until: replay.until,
        url: replay.url,
    };
    let replay = asked.edge.push().replay(asked.grant(), &of, replaying);
    let made = change.make(&asked, replay).await??;
    let address = answer::address(asked.grant().project(), named(&made.shown));
    let told = answer::made(&made.shown, made.secret.as_ref());
    Ok(created(&told, &address))
}

pub(super) async fn letters(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (after, limit) = paging::asked::<Cursor>(asked.query())?;
    let after = after.map(|Cursor(position)| position);
    let name = name(&asked)?;
    let push = asked.edge.push();
    let size = (limit, page_bytes(&asked));
    let found = push.letters(asked.grant(), &name, after, size).await?;
    page(&asked, &found)
}

pub(super) async fn redrive(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let which = stream_body::letters(&intake::whole(body, &asked).await?.bytes)?;
    let change = changed("connector.redrive", &asked, &name);
    let redrive = asked.edge.push().redrive(asked.grant(), &name, which);
    Ok(count(change.make(&asked, redrive).await??))
}

pub(super) async fn forget(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let which = stream_body::letters(&intake::whole(body, &asked).await?.bytes)?;
    let change = changed("connector.drop", &asked, &name);
    let forget = asked.edge.push().drop_letters(asked.grant(), &name, which);
    Ok(count(change.make(&asked, forget).await??))
}
