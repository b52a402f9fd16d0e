//! The feeds of a project with their counts.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use feedwire_dialects::native::{answer, request};

use super::refuse::{self, Refused};
use crate::answer::{Answer, json};
use crate::edge::Edge;

pub(super) async fn list(
    State(edge): State<Edge>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Answer, Refused> {
    let Path(project) = path?;
    request::nothing(query.as_deref().unwrap_or_default())?;
    let feeds = edge.core().feeds(&refuse::grant(&project)?).await?;
    Ok(json(&answer::feeds(&feeds)))
}
