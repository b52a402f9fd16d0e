//! The labels of a subject.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use feedwire_dialects::native::{answer, body, request};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::refuse::{self, Refused};
use crate::answer::{Answer, replaced, tagged};
use crate::conditions::{Conditions, Tag};
use crate::edge::Edge;
use crate::intake;

/// A project and a subject, as the path names them.
type Address = Result<Path<(String, String)>, PathRejection>;

pub(super) async fn show(
    State(edge): State<Edge>,
    path: Address,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Refused> {
    let Path((project, subject)) = path?;
    request::nothing(query.as_deref().unwrap_or_default())?;
    let labels = edge
        .core()
        .labels(&refuse::grant(&project)?, &request::subject(&subject)?)
        .await?;
    let conditions = Conditions::of(&headers)?;
    Ok(tagged(&answer::labels(&labels), &conditions)?)
}

pub(super) async fn replace(
    State(edge): State<Edge>,
    path: Address,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Refused> {
    let Path((project, subject)) = path?;
    request::nothing(query.as_deref().unwrap_or_default())?;
    body::encoding(refuse::header(&headers, CONTENT_ENCODING))?;
    body::json_content(refuse::header(&headers, CONTENT_TYPE))?;
    let conditions = Conditions::of(&headers)?;
    let (grant, subject) = (refuse::grant(&project)?, request::subject(&subject)?);
    let labels = body::labels(&intake::whole(body, &edge).await?.bytes)?;
    let check = conditions.check(|present| Tag::of(&answer::labels(present)));
    edge.core()
        .set_labels(&grant, subject, labels.clone(), check)
        .await?;
    Ok(replaced(&answer::labels(&labels)))
}
