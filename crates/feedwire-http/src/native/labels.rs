//! The labels of a subject.

use feedwire_dialects::native::{answer, body, request};
use feedwire_event::Subject;
use hyper::body::Incoming;

use super::SUBJECT;
use super::refuse::{self, Refused};
use crate::answer::{Answer, replaced, tagged};
use crate::asked::Asked;
use crate::conditions::{Conditions, Tag};
use crate::intake;

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let subject = subject(&asked)?;
    let labels = asked.edge.core().labels(asked.grant(), &subject).await?;
    let conditions = Conditions::of(asked.headers())?;
    Ok(tagged(&answer::labels(&labels), &conditions)?)
}

pub(super) async fn replace(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let conditions = Conditions::of(asked.headers())?;
    let subject = subject(&asked)?;
    let labels = body::labels(&intake::whole(body, &asked).await?.bytes)?;
    let check = conditions.check(|present| Tag::of(&answer::labels(present)));
    asked
        .edge
        .core()
        .set_labels(asked.grant(), subject, labels.clone(), check)
        .await?;
    Ok(replaced(&answer::labels(&labels)))
}

fn subject(asked: &Asked) -> Result<Subject, Refused> {
    Ok(request::subject(&refuse::variable(asked, SUBJECT)?)?)
}
