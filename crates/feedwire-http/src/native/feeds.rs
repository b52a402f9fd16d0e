//! The feeds of a project with their counts.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use feedwire_dialects::native::{answer, request};
use http::HeaderMap;

use super::refuse::{self, Refused};
use crate::answer::{Answer, kept, tagged};
use crate::conditions::Conditions;
use crate::edge::Edge;

pub(super) async fn list(
    State(edge): State<Edge>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Refused> {
    let Path(project) = path?;
    request::nothing(query.as_deref().unwrap_or_default())?;
    let feeds = edge.core().feeds(&refuse::grant(&project)?).await?;
    let conditions = Conditions::of(&headers)?;
    Ok(kept(tagged(&answer::feeds(&feeds), &conditions)?))
}
