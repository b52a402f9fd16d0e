//! Projects: made, listed, limited and deleted.

use feedwire_auth::Principal;
use feedwire_core::Right;
use feedwire_core::projects::{Listed, delete};
use feedwire_dialects::credential;
use feedwire_dialects::native::{answer, error, request};
use feedwire_event::{Attribute, ProjectName};
use hyper::body::Incoming;
use serde_json::json;

use super::paging;
use super::refuse::{self, Refused};
use crate::access::Access;
use crate::answer::{Answer, created, json, nothing, replaced, tagged};
use crate::asked::Asked;
use crate::audit::Change;
use crate::conditions::{Conditions, Tag};
use crate::deletions::Doomed;
use crate::intake;

pub(super) async fn create(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = credential::project(&intake::whole(body, &asked).await?.bytes)?;
    above(&asked, &name)?;
    let core = asked.edge.core();
    let _settling = asked.settling().await?;
    let change = changed("project.create", &name);
    change.make(&asked, core.create_project(&name)).await??;
    let made = core.show_project(&name).ok_or_else(unknown)?;
    Ok(created(&told(&made), &format!("/v1/projects/{name}")))
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (after, limit) = paging::asked::<ProjectName>(asked.query())?;
    let core = asked.edge.core();
    let names = core.projects().into_iter();
    let sees = |name: &ProjectName| asked.principal().is_none_or(|who| who.sees(name));
    let mut found: Vec<ProjectName> = names
        .filter(|name| after.as_ref().is_none_or(|after| name > after) && sees(name))
        .take(limit + 1)
        .collect();
    let next = paging::cut(&mut found, limit).map(ToString::to_string);
    let shown = found.iter().filter_map(|name| core.show_project(name));
    Ok(json(&feedwire_api::Projects {
        projects: shown.map(|project| told(&project)).collect(),
        next,
    }))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let conditions = Conditions::of(asked.headers())?;
    let project = asked.edge.core().show_project(asked.grant().project());
    Ok(tagged(&told(&project.ok_or_else(unknown)?), &conditions)?)
}

/// Asked without a token, answers with one, and deletes nothing. Asked with it, deletes.
pub(super) async fn delete(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let token = request::delete_token(asked.query())?;
    let (core, name) = (asked.edge.core(), asked.grant().project());
    deletable(&asked, name)?;
    let deletions = asked.edge.deletions();
    let now = asked.edge.clock().now();
    let Some(token) = token else {
        let token = core.new_id();
        let expires_at = deletions.ask(Doomed::project(name), token.clone(), now);
        return Ok(json(&answer::deletion(token.as_str(), expires_at)));
    };
    let _settling = asked.settling().await?;
    // Once more: it may have got children meanwhile.
    deletable(&asked, name)?;
    if !deletions.take(&token, &Doomed::project(name), now) {
        return Err(Refused(error::no_deletion()));
    }
    let change = changed("project.delete", name);
    change.make(&asked, gone(&asked, name)).await??;
    Ok(nothing())
}

/// Whether `name` can be deleted at all; what is refused leaves its credentials as they are.
fn deletable(asked: &Asked, name: &ProjectName) -> Result<(), Refused> {
    if name.is_system() {
        let words = "the server's own project is not deleted";
        return Err(Refused(error::forbidden(words)));
    }
    if let Access::Open {
        has_credentials: true,
    } = asked.edge.access()
    {
        // They would be good for a project that is made under its name later.
        let words = "there are credentials of this folder, which this server asks nobody for: delete the project where they are asked for";
        return Err(Refused(error::forbidden(words)));
    }
    asked.edge.core().show_project(name).ok_or_else(unknown)?;
    let projects = asked.edge.core().projects();
    if projects
        .iter()
        .any(|other| other.parent().as_ref() == Some(name))
    {
        return Err(delete::Error::HasChildren(name.clone()).into());
    }
    Ok(())
}

/// Deletes `name`, with its credentials first: a project that is made under its name later is not to be theirs.
async fn gone(asked: &Asked, name: &ProjectName) -> Result<(), Refused> {
    if let Access::Guarded(auth) = asked.edge.access() {
        auth.forget_project(name).await?;
    }
    Ok(asked.edge.core().delete_project(name).await?)
}

pub(super) async fn limits(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let conditions = Conditions::of(asked.headers())?;
    let name = asked.grant().project();
    asked.edge.core().show_project(name).ok_or_else(unknown)?;
    let limits = asked.edge.core().project_limits(name);
    Ok(tagged(&credential::rate_limits(limits), &conditions)?)
}

pub(super) async fn set_limits(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let conditions = Conditions::of(asked.headers())?;
    let name = asked.grant().project();
    above(&asked, name)?;
    let limits = credential::limits_of(&intake::whole(body, &asked).await?.bytes)?;
    let check = conditions.check(|present| Tag::of(&credential::rate_limits(*present)));
    let told = credential::rate_limits(limits);
    let mut change = changed("project.limits", name);
    change.details["limits"] = json!(told);
    let set = asked.edge.core().set_project_limits(name, limits, check);
    change.make(&asked, set).await??;
    Ok(replaced(&told))
}

/// Whether whoever asks settles what is of `name` from above: as admin of its parent, or of the server where it has none.
fn above(asked: &Asked, name: &ProjectName) -> Result<(), Refused> {
    let may = |who: &Principal| match name.parent() {
        Some(parent) => {
            let grant = who.grant(&parent);
            grant.is_some_and(|grant| grant.require(Right::Admin).is_ok())
        }
        None => who.is_server_admin(),
    };
    if asked.principal().is_none_or(may) {
        return Ok(());
    }
    Err(Refused(error::forbidden(
        "this takes the right to admin in the project above, or in every project where there is none above",
    )))
}

fn unknown() -> Refused {
    Refused(error::no_project())
}

fn changed(ty: &'static str, name: &ProjectName) -> Change {
    Change {
        ty,
        subject: format!("projects/{name}"),
        details: json!({ "project": name.as_str() }),
    }
}

fn told(project: &Listed) -> feedwire_api::Project {
    feedwire_api::Project {
        name: project.name.to_string(),
        parent: project.name.parent().map(|parent| parent.to_string()),
        created_at: project.created_at.map(|at| at.to_string()),
    }
}
