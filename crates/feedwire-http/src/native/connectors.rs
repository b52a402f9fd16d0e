//! Connectors: made, looked at, changed, paused, resumed and deleted.

use feedwire_core::connectors::{Revised, Revision, Shown};
use feedwire_dialects::native::request;
use feedwire_dialects::{
    connector_answer as answer, connector_body as body, connector_error as error,
};
use feedwire_event::ConnectorName;
use hyper::body::Incoming;
use serde_json::json;

use super::NAME;
use super::paging;
use super::refuse::{self, Refused};
use crate::answer::{Answer, created, json, nothing};
use crate::asked::Asked;
use crate::audit::Change;
use crate::intake;

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (after, limit) = paging::asked::<ConnectorName>(asked.query())?;
    let all = asked.edge.push().list(asked.grant()).await?.into_iter();
    let is_behind = |shown: &Shown| after.as_ref().is_none_or(|after| named(shown) > after);
    let mut found: Vec<Shown> = all.filter(is_behind).take(limit + 1).collect();
    let next = paging::cut(&mut found, limit).map(|last| named(last).to_string());
    Ok(json(&feedwire_api::Connectors {
        connectors: found.iter().map(answer::connector).collect(),
        next,
    }))
}

pub(super) async fn create(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let now = asked.edge.clock().now();
    let draft = body::draft(&intake::whole(body, &asked).await?.bytes, now)?;
    let name = &draft.settings.name;
    let change = changed_to("connector.create", &asked, name, Some(&draft.settings.url));
    let create = asked.edge.push().create(asked.grant(), draft);
    let made = change.make(&asked, create).await??;
    let address = answer::address(asked.grant().project(), named(&made.shown));
    let told = answer::made(&made.shown, made.secret.as_ref());
    Ok(created(&told, &address))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(&asked)?;
    let found = asked.edge.push().show(asked.grant(), &name).await?;
    Ok(json(&answer::connector(&found)))
}

pub(super) async fn change(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let given = body::change(&intake::whole(body, &asked).await?.bytes)?;
    let change = changed_to("connector.change", &asked, &name, given.url());
    let revision = Box::new(move |revised: Revised| given.apply(revised));
    revise(change, &asked, &name, revision).await
}

pub(super) async fn pause(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    go_on("connector.pause", &asked, false).await
}

pub(super) async fn resume(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    go_on("connector.resume", &asked, true).await
}

pub(super) async fn delete(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(&asked)?;
    let change = changed("connector.delete", &asked, &name);
    let delete = asked.edge.push().delete(asked.grant(), &name);
    change.make(&asked, delete).await??;
    Ok(nothing())
}

/// Has a connector push, or wait.
async fn go_on(ty: &'static str, asked: &Asked, is_active: bool) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(asked)?;
    let revision = Box::new(move |revised| {
        Ok(Revised {
            is_active,
            ..revised
        })
    });
    revise(changed(ty, asked, &name), asked, &name, revision).await
}

async fn revise(
    change: Change,
    asked: &Asked,
    name: &ConnectorName,
    revision: Revision,
) -> Result<Answer, Refused> {
    let revise = asked.edge.push().change(asked.grant(), name, revision);
    let made = change.make(asked, revise).await??;
    Ok(json(&answer::connector(&made)))
}

/// The connector that the path names. What is no name names none.
pub(super) fn name(asked: &Asked) -> Result<ConnectorName, Refused> {
    let text = refuse::variable(asked, NAME)?;
    let name = ConnectorName::new(&text).ok();
    name.ok_or_else(|| Refused(error::unknown()))
}

pub(super) fn named(shown: &Shown) -> &ConnectorName {
    &shown.overview.connector.settings.name
}

/// As [`changed`], with the host that it pushes to from then on, if that is said. What of the URL is behind that may be a secret.
pub(crate) fn changed_to(
    ty: &'static str,
    asked: &Asked,
    name: &ConnectorName,
    url: Option<&str>,
) -> Change {
    let mut change = changed(ty, asked, name);
    if let Some(url) = url {
        change.details["to"] = feedwire_push::origin(url).into();
    }
    change
}

/// A change of the connector `name`, to be put on record. Its headers and its secrets are not: whoever reads what was changed could push in
/// its name.
pub(crate) fn changed(ty: &'static str, asked: &Asked, name: &ConnectorName) -> Change {
    let project = asked.grant().project();
    Change {
        ty,
        subject: format!("projects/{project}"),
        details: json!({ "project": project.as_str(), "connector": name.as_str() }),
    }
}
