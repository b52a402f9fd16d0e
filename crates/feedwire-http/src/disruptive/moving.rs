//! Devices moved from project to project: what they are and their labels; what they told stays where it was told.

use feedwire_core::{Grant, Right, read, store};
use feedwire_dialects::Failure;
use feedwire_dialects::disruptive::error;
use feedwire_dialects::disruptive::request::{Name, Project};
use feedwire_dialects::disruptive::{answer as told, body};
use feedwire_event::Labels;
use hyper::body::Incoming;

use super::reach::Places;
use super::refuse::{self, Refused};
use super::{devices, reach};
use crate::answer::{self, Answer};
use crate::asked::Asked;

pub(super) async fn transfer(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let whole = refuse::taken_in(&asked, body).await?;
    let (names, bytes) = (body::transfer(&whole.bytes)?, whole.bytes.len());
    reach::check(&asked)?;
    let edge = asked.edge.clone();
    // None is to be here and there because nobody waits for the answer any more.
    let moving = edge.whole(async move { move_all(&asked, names, bytes).await });
    let (moved, failures) = moving.await;
    Ok(answer::json_text(told::transferred(&moved, &failures)))
}

async fn move_all(
    asked: &Asked,
    names: Vec<Name>,
    bytes: usize,
) -> (Vec<Name>, Vec<(Name, Failure)>) {
    let (mut moved, mut failures) = (Vec::new(), Vec::new());
    let mut places = Places::of(asked, bytes);
    for name in names {
        match move_one(asked, &mut places, &name).await {
            Ok(()) => moved.push(Name {
                project: Project::One(asked.grant().project().clone()),
                device: name.device,
            }),
            Err(Refused(failure)) => failures.push((name, failure)),
        }
    }
    (moved, failures)
}

/// Has the device there before it is no longer here: one that is cut off in between is moved by moving it once more.
async fn move_one(asked: &Asked, places: &mut Places<'_>, name: &Name) -> Result<(), Refused> {
    let (core, there, device) = (asked.edge.core(), asked.grant(), &name.device);
    let here = places.find(name).await?;
    if here.project() == there.project() {
        return Err(Refused(error::not_moved(device)));
    }
    for grant in [&here, there] {
        grant
            .require_whole(Right::Publish)
            .map_err(read::Error::from)?;
    }
    let whole = |grant: &Grant| Grant::whole(grant.project().clone());
    let labels = reach::labels(core, &here, device).await?;
    let present = devices::read(core, &whole(&here), device, &labels).await?;
    // Two moves of one device would leave it in two places.
    let _alone = asked.edge.device(device).write().await;
    let before = reach::labels(core, &here, device).await?;
    let (moved, left) = body::moved(&before, present.ty(), there.project())?;
    let in_place = reach::find(core, &whole(there), device).await?;
    if in_place.is_some_and(|own| *own != moved) {
        return Err(Refused(error::already_there(device)));
    }
    let had = core.labels(&whole(there), device).await?;
    core.set_labels(there, device.clone(), moved, None).await?;
    let check: store::Check<Labels> = Box::new(move |present| *present == before);
    let leaving = core.set_labels(&here, device.clone(), left, Some(check));
    if let Err(error) = leaving.await {
        core.set_labels(there, device.clone(), had, None).await?;
        return Err(error.into());
    }
    Ok(())
}
