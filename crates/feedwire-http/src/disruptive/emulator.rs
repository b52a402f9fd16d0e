//! Emulated devices: made, deleted, and made to tell something.

use feedwire_core::{Repetition, store};
use feedwire_dialects::disruptive::{answer as told, body, error, request};
use feedwire_event::{Attribute, Labels, Subject};
use hyper::body::Incoming;
use xxhash_rust::xxh3::xxh3_128;

use super::reach;
use super::refuse::{self, Refused};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::audit::Change;

pub(super) async fn create(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let labels = body::create(&refuse::taken_in(&asked, body).await?.bytes)?;
    let (core, grant) = (asked.edge.core(), asked.grant());
    let id = body::emulated(xxh3_128(core.new_id().as_str().as_bytes()));
    let check: store::Check<Labels> = Box::new(Labels::is_empty);
    core.set_labels(grant, id.clone(), labels.clone(), Some(check))
        .await?;
    let device = told::Device::new(grant.project(), &id, &labels, &[])?;
    Ok(answer::json_text(device.json()))
}

pub(super) async fn publish(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let whole = refuse::taken_in(&asked, body).await?;
    let device = refuse::device(&asked)?;
    let core = asked.edge.core();
    // Before it is told whether there is such a device.
    core.may_publish(asked.grant(), &request::feed(), &device)
        .await?;
    let _shared = asked.edge.device(&device).read().await;
    emulated(&asked, &device).await?;
    let event = body::publish(&device, &whole.bytes, asked.edge.clock().now())?;
    let events = [(request::feed(), event)];
    core.publish(asked.grant(), &events, Vec::new(), &Repetition::Unknown)
        .await?;
    Ok(answer::json_text(told::done()))
}

/// What it told goes before what it is: whoever is cut off in between can have it deleted once more.
pub(super) async fn delete(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let device = refuse::device(&asked)?;
    let _alone = asked.edge.device(&device).write().await;
    emulated(&asked, &device).await?;
    let (core, name) = (asked.edge.core(), asked.grant().project());
    let feed = request::feed();
    let change = Change::erasure(name, Some(&feed), Some(&device));
    let erase = core.erase(asked.grant(), Some(feed), Some(device.clone()));
    change.make(&asked, erase).await??;
    core.set_labels(asked.grant(), device, Labels::default(), None)
        .await?;
    Ok(answer::json_text(told::done()))
}

/// Refuses a device that is no emulated one.
async fn emulated(asked: &Asked, device: &Subject) -> Result<(), Refused> {
    let labels = reach::labels(asked.edge.core(), asked.grant(), device).await?;
    let is_emulated = labels.get(body::EMULATED_LABEL).is_some();
    is_emulated
        .then_some(())
        .ok_or_else(|| Refused(error::not_emulated(device)))
}
