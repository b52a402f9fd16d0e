//! How long the events of a project are kept.

use feedwire_dialects::native::{answer, body, request};
use hyper::body::Incoming;
use serde_json::json;

use super::refuse::{self, Refused};
use crate::answer::{Answer, kept, replaced, tagged};
use crate::asked::Asked;
use crate::audit::Change;
use crate::conditions::{Conditions, Tag};
use crate::intake;

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let retention = asked.edge.core().retention(asked.grant()).await?;
    let conditions = Conditions::of(asked.headers())?;
    Ok(kept(tagged(&answer::retention(retention), &conditions)?))
}

pub(super) async fn replace(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let conditions = Conditions::of(asked.headers())?;
    let retention = body::retention(&intake::whole(body, &asked).await?.bytes)?;
    let told = answer::retention(retention);
    let name = asked.grant().project();
    let change = Change {
        ty: "project.retention",
        subject: format!("projects/{name}"),
        details: json!({ "project": name.as_str(), "retention": told }),
    };
    let check = conditions.check(|present| Tag::of(&answer::retention(*present)));
    let core = asked.edge.core();
    let set = core.set_retention(asked.grant(), retention, check);
    change.make(&asked, set).await??;
    Ok(replaced(&told))
}
