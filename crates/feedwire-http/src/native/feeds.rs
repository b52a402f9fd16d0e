//! The feeds of a project with their counts.

use feedwire_dialects::native::{answer, request};
use hyper::body::Incoming;

use super::refuse::Refused;
use crate::answer::{Answer, kept, tagged};
use crate::asked::Asked;
use crate::conditions::Conditions;

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let feeds = asked.edge.core().feeds(asked.grant()).await?;
    let conditions = Conditions::of(asked.headers())?;
    Ok(kept(tagged(&answer::feeds(&feeds), &conditions)?))
}
