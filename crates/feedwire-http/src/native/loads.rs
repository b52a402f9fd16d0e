//! Load jobs: started, looked at and cancelled.

use feedwire_dialects::native::request;
use feedwire_dialects::{load_answer as answer, load_body as body};
use feedwire_event::{Attribute, EventId};
use hyper::body::Incoming;

use super::refuse::{self, Refused};
use super::{FEED, ID};
use crate::answer::{Answer, created, json};
use crate::asked::Asked;
use crate::intake;

pub(super) async fn start(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let feed = refuse::variable(&asked, FEED)?.into_owned();
    let settings = body::settings(&intake::whole(body, &asked).await?.bytes, &feed)?;
    let core = asked.edge.core();
    let load = core.start_load(asked.grant(), settings).await?;
    let address = answer::address(asked.grant().project(), &load);
    Ok(created(&answer::load(&load), &address))
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let loads = asked.edge.core().loads(asked.grant()).await?;
    let loads = loads.iter().map(answer::load).collect();
    Ok(json(&feedwire_api::Loads { loads }))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let load = match id(&asked)? {
        Some(id) => asked.edge.core().load(asked.grant(), &id).await?,
        None => None,
    };
    let load = load.ok_or_else(|| Refused(answer::unknown()))?;
    Ok(json(&answer::load(&load)))
}

pub(super) async fn cancel(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let load = match id(&asked)? {
        Some(id) => asked.edge.core().cancel_load(asked.grant(), &id).await?,
        None => None,
    };
    let load = load.ok_or_else(|| Refused(answer::unknown()))?;
    Ok(json(&answer::load(&load)))
}

/// The load job that the path names; what is no id names none.
fn id(asked: &Asked) -> Result<Option<EventId>, Refused> {
    Ok(EventId::new(&refuse::variable(asked, ID)?).ok())
}
