//! Erasing subjects and feeds, and the receipts of it.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use feedwire_dialects::native::{answer, body, error, request};
use feedwire_event::{Attribute, EventId};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::refuse::{self, Refused};
use crate::answer::{Answer, accepted, tagged};
use crate::conditions::Conditions;
use crate::edge::Edge;
use crate::intake;

pub(super) async fn ask(
    State(edge): State<Edge>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Refused> {
    let Path(project) = path?;
    request::nothing(query.as_deref().unwrap_or_default())?;
    body::encoding(refuse::header(&headers, CONTENT_ENCODING))?;
    body::json_content(refuse::header(&headers, CONTENT_TYPE))?;
    let grant = refuse::grant(&project)?;
    let (feed, subject) = body::erasure(&intake::whole(body, &edge).await?.bytes)?;
    let receipt = edge.core().erase(&grant, feed, subject).await?;
    let address = answer::receipt_address(grant.project(), &receipt);
    Ok(accepted(&answer::receipt(&receipt), &address))
}

pub(super) async fn show(
    State(edge): State<Edge>,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Refused> {
    let Path((project, id)) = path?;
    request::nothing(query.as_deref().unwrap_or_default())?;
    let grant = refuse::grant(&project)?;
    let receipt = match EventId::new(&id) {
        Ok(id) => edge.core().erasure(&grant, &id).await?,
        // What is no id names no erasure.
        Err(_) => None,
    };
    let receipt = receipt.ok_or_else(|| Refused(error::no_erasure()))?;
    let conditions = Conditions::of(&headers)?;
    Ok(tagged(&answer::receipt(&receipt), &conditions)?)
}
