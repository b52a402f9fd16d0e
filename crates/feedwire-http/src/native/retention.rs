//! How long the events of a project are kept.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use feedwire_dialects::native::{answer, body, request};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::refuse::{self, Refused};
use crate::answer::{Answer, kept, replaced, tagged};
use crate::conditions::{Conditions, Tag};
use crate::edge::Edge;
use crate::intake;

pub(super) async fn show(
    State(edge): State<Edge>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Refused> {
    let Path(project) = path?;
    request::nothing(query.as_deref().unwrap_or_default())?;
    let retention = edge.core().retention(&refuse::grant(&project)?).await?;
    let conditions = Conditions::of(&headers)?;
    Ok(kept(tagged(&answer::retention(retention), &conditions)?))
}

pub(super) async fn replace(
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
    let conditions = Conditions::of(&headers)?;
    let grant = refuse::grant(&project)?;
    let retention = body::retention(&intake::whole(body, &edge).await?.bytes)?;
    let check = conditions.check(|present| Tag::of(&answer::retention(*present)));
    edge.core().set_retention(&grant, retention, check).await?;
    Ok(replaced(&answer::retention(retention)))
}
