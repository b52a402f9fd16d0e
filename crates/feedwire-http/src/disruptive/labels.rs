//! Labels of devices, changed for many at once and told by an event of each.

use std::collections::BTreeMap;
use std::mem;

use feedwire_core::{Core, Grant, Repetition, store};
use feedwire_dialects::Failure;
use feedwire_dialects::disruptive::answer as told;
use feedwire_dialects::disruptive::body::{self, Update};
use feedwire_dialects::disruptive::error;
use feedwire_dialects::disruptive::request::{self, Name, Project};
use feedwire_event::{Event, FeedName, Labels, ProjectName, Subject};
use hyper::body::Incoming;

use super::reach;
use super::refuse::{self, Refused};
use crate::answer::{self, Answer};
use crate::asked::Asked;

/// How often the labels of a device are looked at anew because somebody else has changed them meanwhile.
const TRIES_MAX: usize = 10;
/// How many changes are told in one batch: all labels of a device take 150 KB, with every character escaped.
const TOLD_AT_ONCE: usize = 50;

pub(super) async fn update(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let update = body::batch_update(&refuse::taken_in(&asked, body).await?.bytes)?;
    reach::check(&asked)?;
    let edge = asked.edge.clone();
    // Labels that are changed are told of, even if nobody waits for the answer any more.
    let updating = edge.whole(async move {
        let mut updating = Updating {
            asked,
            update,
            failures: Vec::new(),
            changed: BTreeMap::new(),
        };
        let edge = updating.asked.edge.clone();
        let _shared = edge.devices().read().await;
        updating.set_all().await;
        updating.tell_all().await;
        updating.failures
    });
    Ok(answer::json_text(told::updated(&updating.await)))
}

/// A change of labels on its way.
struct Updating {
    asked: Asked,
    update: Update,
    failures: Vec<(Name, Failure)>,
    /// What is to be told of devices whose labels were changed, by project.
    changed: BTreeMap<ProjectName, (Grant, Changed)>,
}

/// Devices with what is to be told of each.
type Changed = Vec<(Name, (FeedName, Event))>;

impl Updating {
    async fn set_all(&mut self) {
        for name in mem::take(&mut self.update.devices) {
            match self.set(&name).await {
                Ok((grant, Some(event))) => {
                    let project = grant.project().clone();
                    let (_, changed) = self.changed.entry(project).or_insert((grant, Vec::new()));
                    changed.push((name, (request::feed(), event)));
                }
                Ok((_, None)) => {}
                Err(Refused(failure)) => self.failures.push((name, failure)),
            }
        }
    }

    /// Changes the labels of the device `name`; returns what is to be told of that.
    async fn set(&self, name: &Name) -> Result<(Grant, Option<Event>), Refused> {
        let grant = self.place(name).await?;
        let edge = &self.asked.edge;
        let (before, after) = set(edge.core(), &grant, &name.device, &self.update).await?;
        let event = body::labels_changed(&name.device, &before, &after, edge.clock().now());
        Ok((grant, event))
    }

    /// What may be done where the device `name` is. Where the path names a project, that is the only one.
    async fn place(&self, name: &Name) -> Result<Grant, Refused> {
        let Some(grant) = self.asked.granted() else {
            return reach::place(&self.asked, name).await;
        };
        let is_here = match &name.project {
            Project::One(project) => project == grant.project(),
            Project::Every => true,
        };
        let here = is_here.then(|| grant.clone());
        here.ok_or_else(|| Refused(error::unknown_device(&name.device)))
    }

    async fn tell_all(&mut self) {
        for (grant, changed) in mem::take(&mut self.changed).into_values() {
            for some in changed.chunks(TOLD_AT_ONCE) {
                let (names, events): (Vec<Name>, Vec<_>) = some.iter().cloned().unzip();
                let core = self.asked.edge.core();
                let told = core.publish(&grant, &events, Vec::new(), &Repetition::Unknown);
                if let Err(error) = told.await {
                    let Refused(failure) = error.into();
                    let failed = names.into_iter().map(|name| (name, failure.clone()));
                    self.failures.extend(failed);
                }
            }
        }
    }
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
