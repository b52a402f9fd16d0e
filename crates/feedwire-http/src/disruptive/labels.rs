//! Labels of devices, changed for many at once and told by an event of each.

use feedwire_core::{Core, Grant, Repetition, Right, read, store};
use feedwire_dialects::disruptive::answer as told;
use feedwire_dialects::disruptive::body::{self, Update};
use feedwire_dialects::disruptive::error;
use feedwire_dialects::disruptive::request::{self, Name, Project};
use feedwire_event::{Labels, Subject};
use hyper::body::Incoming;

use super::reach::{self, Places};
use super::refuse::{self, Refused};
use crate::answer::{self, Answer};
use crate::asked::Asked;

/// How often the labels of a device are looked at anew because somebody else has changed them meanwhile.
const TRIES_MAX: usize = 10;

pub(super) async fn update(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let whole = refuse::taken_in(&asked, body).await?;
    let (update, bytes) = (body::batch_update(&whole.bytes)?, whole.bytes.len());
    reach::check(&asked)?;
    let edge = asked.edge.clone();
    // Labels that are changed are told of, even if nobody waits for the answer any more.
    let failures = edge.whole(async move {
        let mut failures = Vec::new();
        let mut places = Places::of(&asked, bytes);
        for name in &update.devices {
            if let Err(Refused(failure)) = change(&asked, &mut places, name, &update).await {
                failures.push((name.clone(), failure));
            }
        }
        failures
    });
    Ok(answer::json_text(told::updated(&failures.await)))
}

/// Changes the labels of the device `name`, and tells so.
async fn change(
    asked: &Asked,
    places: &mut Places<'_>,
    name: &Name,
    update: &Update,
) -> Result<(), Refused> {
    let grant = place(asked, places, name).await?;
    // Before it is told whether there is such a device.
    grant
        .require_whole(Right::Publish)
        .map_err(read::Error::from)?;
    let (edge, device) = (&asked.edge, &name.device);
    let _shared = edge.device(device).read().await;
    let (before, after) = set(edge.core(), &grant, device, update).await?;
    let event = body::labels_changed(device, &before, &after, edge.clock().now());
    if let Some(event) = event {
        let events = [(request::feed(), event)];
        let core = edge.core();
        core.publish(&grant, &events, Vec::new(), &Repetition::Unknown)
            .await?;
    }
    Ok(())
}

/// What may be done where the device `name` is. Where the path names a project, that is the only one.
async fn place(asked: &Asked, places: &mut Places<'_>, name: &Name) -> Result<Grant, Refused> {
    let Some(grant) = asked.granted() else {
        return places.find(name).await;
    };
    let is_here = match &name.project {
        Project::One(project) => project == grant.project(),
        Project::Every => true,
    };
    let here = is_here.then(|| grant.clone());
    here.ok_or_else(|| Refused(error::unknown_device(&name.device)))
}

/// Changes the labels of `device` as `update` says; returns what they were and what they are.
async fn set(
    core: &Core,
    grant: &Grant,
    device: &Subject,
    update: &Update,
) -> Result<(Labels, Labels), Refused> {
    for _ in 0..TRIES_MAX {
        let before = reach::labels(core, grant, device).await?;
        let after = update.applied(&before)?;
        let expected = before.clone();
        let check: store::Check<Labels> = Box::new(move |present| *present == expected);
        let set = core.set_labels(grant, device.clone(), after.clone(), Some(check));
        match set.await {
            Ok(()) => return Ok((before, after)),
            Err(store::Error::Changed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(store::Error::Changed.into())
}
