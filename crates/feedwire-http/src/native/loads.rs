//! Load jobs: started, looked at and cancelled.

use feedwire_dialects::native::request;
use feedwire_dialects::{load_answer as answer, load_body as body};
use feedwire_event::{Attribute, EventId};
use hyper::body::Incoming;
use serde_json::json;

use super::refuse::{self, Refused};
use super::{FEED, ID};
use crate::answer::{self as answers, Answer, created};
use crate::asked::Asked;
use crate::audit::Change;
use crate::intake;

pub(super) async fn start(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::key(&asked)?;
    refuse::other_than_json(&asked)?;
    let feed = refuse::variable(&asked, FEED)?.into_owned();
    let settings = body::settings(&intake::whole(body, &asked).await?.bytes, &feed)?;
    let name = asked.grant().project();
    let change = Change {
        ty: "load.start",
        subject: format!("projects/{name}"),
        details: json!({ "project": name.as_str(), "feed": feed }),
    };
    let started = asked.edge.core().start_load(asked.grant(), settings);
    let load = change.make(&asked, started).await??;
    let address = answer::address(asked.grant().project(), &load);
    Ok(created(&answer::load(&load), &address))
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let loads = asked.edge.core().loads(asked.grant()).await?;
    let loads = loads.iter().map(answer::load).collect();
    Ok(answers::json(&feedwire_api::Loads { loads }))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let load = match id(&asked)? {
        Some(id) => asked.edge.core().load(asked.grant(), &id).await?,
        None => None,
    };
    let load = load.ok_or_else(|| Refused(answer::unknown()))?;
    Ok(answers::json(&answer::load(&load)))
}

pub(super) async fn cancel(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let load = match id(&asked)? {
        Some(id) => {
            let name = asked.grant().project();
            let change = Change {
                ty: "load.cancel",
                subject: format!("projects/{name}"),
                details: json!({ "project": name.as_str(), "load": id.as_str() }),
            };
            let cancelled = asked.edge.core().cancel_load(asked.grant(), &id);
            change.make(&asked, cancelled).await??
        }
        None => None,
    };
    let load = load.ok_or_else(|| Refused(answer::unknown()))?;
    Ok(answers::json(&answer::load(&load)))
}

/// The load job that the path names; what is no id names none.
fn id(asked: &Asked) -> Result<Option<EventId>, Refused> {
    Ok(EventId::new(&refuse::variable(asked, ID)?).ok())
}
