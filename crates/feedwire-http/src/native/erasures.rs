//! Erasing subjects and feeds, and the receipts of it.

use feedwire_dialects::native::{answer, body, error, request};
use feedwire_event::{Attribute, EventId};
use hyper::body::Incoming;

use super::ID;
use super::refuse::{self, Refused};
use crate::answer::{Answer, accepted, tagged};
use crate::asked::Asked;
use crate::audit::Change;
use crate::conditions::Conditions;
use crate::intake;

pub(super) async fn ask(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let (feed, subject) = body::erasure(&intake::whole(body, &asked).await?.bytes)?;
    let name = asked.grant().project();
    let change = Change::erasure(name, feed.as_ref(), subject.as_ref());
    let erase = asked.edge.core().erase(asked.grant(), feed, subject);
    let receipt = change.make(&asked, erase).await??;
    let address = answer::receipt_address(asked.grant().project(), &receipt);
    Ok(accepted(&answer::receipt(&receipt), &address))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let receipt = match EventId::new(&refuse::variable(&asked, ID)?) {
        Ok(id) => asked.edge.core().erasure(asked.grant(), &id).await?,
        // What is no id names no erasure.
        Err(_) => None,
    };
    let receipt = receipt.ok_or_else(|| Refused(error::no_erasure()))?;
    let conditions = Conditions::of(asked.headers())?;
    Ok(tagged(&answer::receipt(&receipt), &conditions)?)
}
