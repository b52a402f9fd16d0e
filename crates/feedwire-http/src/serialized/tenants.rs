//! Tenants: children of the project that whoever asks is at home in, and the header that names one.

use feedwire_core::tenants::Change as TenantChange;
use feedwire_dialects::Refusal;
use feedwire_dialects::serialized::{answer, body, error, request};
use feedwire_event::ProjectName;
use http::request::Parts;
use http::{HeaderName, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use uuid::Uuid;

use super::TENANT;
use super::refuse::{self, Refused};
use crate::answer::{Answer, nothing};
use crate::asked::Asked;
use crate::audit::Change;
use crate::intake;

/// The header that names a tenant.
const TENANT_ID: HeaderName = HeaderName::from_static("serialized-tenant-id");

/// The tenant that a request with this head is about.
pub(super) fn named(head: &Parts) -> Result<Option<String>, Refusal> {
    let mut headers = head.headers.get_all(TENANT_ID).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return Err(Refusal::HeaderTwice("Serialized-Tenant-Id"));
    }
    let header = header.map(|value| value.to_str().unwrap_or_default());
    let query = head.uri.query().unwrap_or_default();
    match request::tenant(header, query) {
        Ok(id) => Ok(id.map(|id| id.to_string())),
        Err(_) if header.is_some_and(|text| request::tenant_id(text).is_err()) => {
            Err(Refusal::NotUuid("Serialized-Tenant-Id"))
        }
        Err(_) => Err(Refusal::TenantUnclear),
    }
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let tenants = asked.edge.core().tenants(asked.grant()).await?;
    Ok(refuse::json(answer::tenants(&tenants)))
}

pub(super) async fn add(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    refuse::other_than_json(&asked)?;
    let sent = body::tenant(&intake::whole(body, &asked).await?.bytes)?;
    let body::Tenant { id, reference } = sent;
    let name = child(&asked, id)?;
    let _settling = asked.settling().await?;
    let core = asked.edge.core();
    if core.tenant(&name).await?.is_some() {
        return Ok(nothing());
    }
    let reference = reference.unwrap_or_default();
    let mut change = changed("tenant.add", &name);
    change.details["reference"] = json!(reference);
    let added = core.add_tenant(asked.grant(), &name, &reference);
    change.make(&asked, added).await??;
    Ok(refuse::empty())
}

pub(super) async fn change(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let id = id(&asked)?;
    refuse::other_than_json(&asked)?;
    let reference = body::reference(id, &intake::whole(body, &asked).await?.bytes)?;
    let Some(reference) = reference else {
        let tenant = asked.edge.core().tenant(&child(&asked, id)?).await?;
        tenant.ok_or_else(|| Refused(error::unknown_tenant()))?;
        return Ok(refuse::empty());
    };
    let details = json!(reference);
    let change = TenantChange::Reference(reference);
    settle(&asked, "tenant.reference", id, change, Some(details)).await?;
    Ok(refuse::empty())
}

pub(super) async fn put_away(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let id = id(&asked)?;
    let is_new = settle(&asked, "tenant.delete", id, TenantChange::PutAway, None).await?;
    if !is_new {
        return Err(Refused(error::unknown_tenant()));
    }
    Ok(refuse::empty())
}

pub(super) async fn take_up(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let id = id(&asked)?;
    let is_new = settle(&asked, "tenant.undelete", id, TenantChange::TakeUp, None).await?;
    let mut answer = refuse::empty();
    if !is_new {
        *answer.status_mut() = StatusCode::NO_CONTENT;
    }
    Ok(answer)
}

/// Makes `change`; returns whether that has made a difference.
async fn settle(
    asked: &Asked,
    ty: &'static str,
    id: Uuid,
    change: TenantChange,
    reference: Option<serde_json::Value>,
) -> Result<bool, Refused> {
    let name = child(asked, id)?;
    let _settling = asked.settling().await?;
    let core = asked.edge.core();
    if core.tenant(&name).await?.is_none() {
        return Err(Refused(error::unknown_tenant()));
    }
    let mut record = changed(ty, &name);
    if let Some(reference) = reference {
        record.details["reference"] = reference;
    }
    let made = core.change_tenant(asked.grant(), &name, change);
    let made = record.make(asked, made).await??;
    made.ok_or_else(|| Refused(error::unknown_tenant()))
}

fn id(asked: &Asked) -> Result<Uuid, Refused> {
    Ok(request::tenant_id(&refuse::variable(asked, TENANT)?)?)
}

fn child(asked: &Asked, id: Uuid) -> Result<ProjectName, Refused> {
    let parent = asked.grant().project();
    let name = ProjectName::new(&format!("{parent}.{id}")).ok();
    // A project whose name is so long has no tenants.
    name.ok_or_else(|| Refused(error::unknown_tenant()))
}

fn changed(ty: &'static str, name: &ProjectName) -> Change {
    Change {
        ty,
        subject: format!("projects/{name}"),
        details: json!({ "project": name.as_str() }),
    }
}
