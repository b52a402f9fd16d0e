//! Devices: one, and listed.

use std::sync::Arc;

use feedwire_core::limits::LATEST_SUBJECTS_MAX;
use feedwire_core::roster::{Page as Roster, Part};
use feedwire_core::{Core, Grant, LabelGroup};
use feedwire_dialects::disruptive::answer::{self as told, Device};
use feedwire_dialects::disruptive::error;
use feedwire_dialects::disruptive::request::{self, Devices, Name, Project, TYPE_LABEL};
use feedwire_event::{Labels, Subject};
use hyper::body::Incoming;

use super::reach::Reach;
use super::refuse::{self, Refused};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::edge::Edge;
use crate::room::Room;

/// Most devices that are put in another order than that of their names: all of them have to be read for each page.
const ORDERED_MAX: usize = 10_000;

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let device = refuse::device(&asked)?;
    let core = asked.edge.core();
    let (grant, labels) = Reach::of(&asked)?.find(core, &device).await?;
    let device = read(core, &grant, &device, &labels).await?;
    Ok(answer::json_text(device.json()))
}

/// The device `id`, which has these labels.
pub(super) async fn read(
    core: &Core,
    grant: &Grant,
    id: &Subject,
    labels: &Labels,
) -> Result<Device, Refused> {
    let latest = core.latest(grant, &request::feed(), id).await?;
    Ok(Device::new(grant.project(), id, labels, &latest)?)
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let query = request::devices(asked.query())?;
    let reach = Reach::of(&asked)?;
    let mut page = Page::new(&query, &asked.edge);
    for grant in reach.grants() {
        if page.is_of(grant) && !page.is_full() {
            page.fill(&reach, grant).await?;
        }
    }
    let (devices, is_more) = page.finish()?;
    let bytes = told::devices(&devices, is_more);
    let mut room = Room::sent(&asked.edge);
    room.cover(bytes.len())?;
    Ok(answer::page("application/json", bytes, room))
}

/// A page of devices that is being filled.
struct Page<'q> {
    query: &'q Devices,
    edge: &'q Edge,
    found: Vec<Device>,
    bytes: usize,
    /// For what is found.
    room: Room,
}

impl<'q> Page<'q> {
    fn new(query: &'q Devices, edge: &'q Edge) -> Self {
        Self {
            query,
            edge,
            found: Vec::new(),
            bytes: 0,
            room: Room::sent(edge),
        }
    }

    /// Whether there is one more than there is room for, so that it is known that there are more. What is put in another order has all of
    /// them looked at.
    fn is_full(&self) -> bool {
        let is_large = self.bytes > self.edge.limits().page_bytes && self.found.len() > 1;
        self.query.order_by.is_none() && (self.found.len() > self.query.page_size || is_large)
    }

    /// The device that the page begins behind, unless all have to be looked at.
    fn after(&self) -> Option<&Name> {
        let after = self.query.after.as_ref();
        after.filter(|_| self.query.order_by.is_none())
    }

    /// Whether the project of `grant` is asked for, and is not one of the pages before.
    fn is_of(&self, grant: &Grant) -> bool {
        let (wanted, name) = (&self.query.projects, grant.project());
        let is_wanted = wanted.is_empty() || wanted.contains(name);
        let here = Project::One(name.clone());
        is_wanted && self.after().is_none_or(|after| after.project <= here)
    }

    /// Takes what is asked for of the devices in the project of `grant`.
    async fn fill(&mut self, reach: &Reach, grant: &Grant) -> Result<(), Refused> {
        let here = Project::One(grant.project().clone());
        let after = self.after().filter(|after| after.project == here);
        let after = after.map(|after| after.device.clone());
        let filter = &self.query.filter;
        let mut part = Part {
            subjects: filter.devices.clone(),
            labels: LabelGroup::new(filter.labels.iter().cloned())
                .into_iter()
                .collect(),
            after,
            limit: self.step(),
        };
        let core = self.edge.core();
        while !self.is_full() {
            let listed = core.roster(grant, &request::roster(), &part).await;
            let Roster { subjects, more } = reach.unless_away(listed)?;
            part.after = subjects.last().map(|(name, _)| name.clone());
            self.take_all(reach, grant, subjects).await?;
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// How many are looked at in one go: no more than there is room for, where each of them is wanted.
    fn step(&self) -> usize {
        let query = self.query;
        let is_each_wanted = query.search.is_none()
            && query.order_by.is_none()
            && query.filter.device_types.is_empty();
        let left = (query.page_size + 1).saturating_sub(self.found.len());
        if is_each_wanted {
            left.min(LATEST_SUBJECTS_MAX)
        } else {
            LATEST_SUBJECTS_MAX
        }
    }

    /// Takes what is asked for of `listed`, as long as there is room.
    async fn take_all(
        &mut self,
        reach: &Reach,
        grant: &Grant,
        mut listed: Vec<(Subject, Arc<Labels>)>,
    ) -> Result<(), Refused> {
        let project = grant.project();
        // What says its type by its labels is wanted or not whatever it told.
        listed.retain(|(id, labels)| {
            let bare = Device::new(project, id, labels, &[]).ok();
            labels.get(TYPE_LABEL).is_none() || bare.is_some_and(|device| self.is_wanted(&device))
        });
        let names: Vec<Subject> = listed.iter().map(|(name, _)| name.clone()).collect();
        let (core, feed) = (self.edge.core(), request::feed());
        let mut done = 0;
        while done < names.len() && !self.is_full() {
            let latest = core.latest_of(grant, &feed, &names[done..]).await;
            let latest = reach.unless_away(latest)?;
            if latest.is_empty() {
                return Ok(());
            }
            for latest in latest {
                let (id, labels) = &listed[done];
                done += 1;
                let device = Device::new(project, id, labels, &latest)?;
                if self.is_wanted(&device) {
                    self.take(device)?;
                }
            }
        }
        Ok(())
    }

    fn is_wanted(&self, device: &Device) -> bool {
        let (types, search) = (&self.query.filter.device_types, &self.query.search);
        let is_type = types.is_empty() || types.iter().any(|ty| ty == device.ty());
        is_type && search.as_ref().is_none_or(|search| device.holds(search))
    }

    fn take(&mut self, device: Device) -> Result<(), Refused> {
        if self.is_full() {
            return Ok(());
        }
        if self.found.len() == ORDERED_MAX {
            return Err(Refused(error::too_many_to_order(ORDERED_MAX)));
        }
        self.bytes += device.bytes();
        self.room.cover(self.bytes)?;
        self.found.push(device);
        Ok(())
    }

    /// The devices of the page, in order, and whether there are more.
    fn finish(self) -> Result<(Vec<Device>, bool), Refused> {
        let Self {
            query,
            edge,
            mut found,
            ..
        } = self;
        if let Some(by) = &query.order_by {
            told::order(&mut found, by);
            if let Some(after) = &query.after {
                let at = found.iter().position(|device| device.name() == after);
                let at = at.ok_or_else(|| Refused(error::unknown_page()))?;
                found.drain(..=at);
            }
        }
        let mut bytes = 0;
        let mut fits = |device: &Device| {
            bytes += device.bytes();
            bytes <= edge.limits().page_bytes
        };
        let fitting = found.iter().take_while(|device| fits(device)).count();
        let count = fitting.max(1).min(query.page_size);
        let is_more = found.len() > count;
        found.truncate(count);
        Ok((found, is_more))
    }
}
