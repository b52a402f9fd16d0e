//! What a request reaches: one project, or every one in which whoever asks may read.

use std::collections::BTreeSet;
use std::slice;
use std::sync::Arc;

use feedwire_core::roster::Part;
use feedwire_core::{Core, Grant, Right, read};
use feedwire_dialects::Refusal;
use feedwire_dialects::disruptive::error;
use feedwire_dialects::disruptive::request::{self, Name, Project};
use feedwire_event::{Labels, ProjectName, Subject};

use super::refuse::Refused;
use crate::access;
use crate::asked::Asked;
use crate::quota::Metered;

/// Most projects that one request looks for devices in: each has to be opened.
const PROJECTS_MAX: usize = 1_000;

/// In how many projects a request looks for the devices that it names without one, all together.
const PLACES_MAX: usize = 10_000;

/// Where a request looks for devices.
#[derive(Debug)]
pub(super) enum Reach {
    /// In the project of its path.
    One(Grant),
    /// In all of these, in order of their names, and counted in each.
    Every(Vec<Grant>, Metered),
}

impl Reach {
    pub(super) fn of(asked: &Asked) -> Result<Self, Refused> {
        if let Some(grant) = asked.granted() {
            return Ok(Self::One(grant.clone()));
        }
        Self::every(asked)
    }

    fn every(asked: &Asked) -> Result<Self, Refused> {
        let grants: Vec<Grant> = readable(asked).take(PROJECTS_MAX + 1).collect();
        if grants.len() > PROJECTS_MAX {
            return Err(Refused(error::too_many_projects(PROJECTS_MAX)));
        }
        let mut metered = Metered::default();
        let projects = grants.iter().map(Grant::project);
        access::count_each(&asked.edge, projects, &mut metered)?;
        Ok(Self::Every(grants, metered))
    }

    pub(super) fn grants(&self) -> &[Grant] {
        match self {
            Self::One(grant) => slice::from_ref(grant),
            Self::Every(grants, _) => grants,
        }
    }

    /// What the request is counted by, beside what it is counted by in any case.
    pub(super) fn metered(&self) -> Option<&Metered> {
        match self {
            Self::One(_) => None,
            Self::Every(_, metered) => Some(metered),
        }
    }

    /// What was `read` in one of the projects; nothing of one that was not named and cannot be read in all the same.
    pub(super) fn unless_away<T: Default>(
        &self,
        read: Result<T, read::Error>,
    ) -> Result<T, read::Error> {
        match (self, read) {
            (Self::Every(..), Err(read::Error::Forbidden(_) | read::Error::UnknownProject(_))) => {
                Ok(T::default())
            }
            (_, read) => read,
        }
    }

    /// Where `device` is, and its labels.
    pub(super) async fn find(
        &self,
        core: &Core,
        device: &Subject,
    ) -> Result<(Grant, Arc<Labels>), Refused> {
        for grant in self.grants() {
            let found = self.unless_away(find(core, grant, device).await)?;
            if let Some(labels) = found {
                return Ok((grant.clone(), labels));
            }
        }
        Err(Refused(error::unknown_device(device)))
    }
}

/// Refuses what is asked of a project that is not there, as a whole.
pub(super) fn check(asked: &Asked) -> Result<(), Refused> {
    let is_there = |grant: &Grant| asked.edge.core().project_exists(grant.project());
    if asked.granted().is_none_or(is_there) {
        return Ok(());
    }
    Err(Refused(error::unknown_project()))
}

/// Looks for the places of devices of one request.
#[derive(Debug)]
pub(super) struct Places<'a> {
    asked: &'a Asked,
    every: Option<Reach>,
    /// In how many projects it may still be looked.
    left: usize,
    /// The projects in which the request is counted.
    counted: BTreeSet<ProjectName>,
    /// How much is published in each.
    bytes: usize,
}

impl<'a> Places<'a> {
    /// Those of a request with a body of so many `bytes`.
    pub(super) fn of(asked: &'a Asked, bytes: usize) -> Self {
        let here = asked.granted().map(|grant| grant.project().clone());
        Self {
            asked,
            every: None,
            left: PLACES_MAX,
            counted: here.into_iter().collect(),
            bytes,
        }
    }

    /// What may be done where the device `name` is: in the project that it says, or in the one in which it is found.
    pub(super) async fn find(&mut self, name: &Name) -> Result<Grant, Refused> {
        let grant = self.place(name).await?;
        let project = grant.project();
        if !self.counted.contains(project) {
            let mut metered = Metered::default();
            access::count(&self.asked.edge, project, &mut metered)?;
            metered.publish(self.bytes).map_err(Refusal::from)?;
            self.counted.insert(project.clone());
        }
        Ok(grant)
    }

    async fn place(&mut self, name: &Name) -> Result<Grant, Refused> {
        let device = &name.device;
        if let Project::One(project) = &name.project {
            let grant = self.asked.grant_in(project);
            return grant.ok_or_else(|| Refused(error::unknown_device(device)));
        }
        let every = match self.every.take() {
            Some(every) => every,
            None => Reach::every(self.asked)?,
        };
        let every = self.every.insert(every);
        let left = self.left.checked_sub(every.grants().len());
        self.left = left.ok_or_else(|| Refused(error::too_many_projects(PLACES_MAX)))?;
        Ok(every.find(self.asked.edge.core(), device).await?.0)
    }
}

/// What may be done in each project in which whoever asks may read, in order of their names.
pub(super) fn readable(asked: &Asked) -> impl Iterator<Item = Grant> {
    let names = asked.edge.core().projects().into_iter();
    names
        .filter(|name| !name.is_system())
        .filter_map(|name: ProjectName| asked.grant_in(&name))
        .filter(|grant| grant.require(Right::Read).is_ok())
}

/// The labels of `device`, if it is one.
pub(super) async fn find(
    core: &Core,
    grant: &Grant,
    device: &Subject,
) -> Result<Option<Arc<Labels>>, read::Error> {
    let part = Part {
        subjects: vec![device.clone()],
        limit: 1,
        ..Part::default()
    };
    let mut page = core.roster(grant, &request::roster(), &part).await?;
    Ok(page.subjects.pop().map(|(_, labels)| labels))
}

/// The labels of `device`, which has to be one: for whoever changes them, and need not be one who may read.
pub(super) async fn labels(
    core: &Core,
    grant: &Grant,
    device: &Subject,
) -> Result<Labels, Refused> {
    let whole = Grant::whole(grant.project().clone());
    let found = find(core, &whole, device).await?;
    let labels = found.ok_or_else(|| Refused(error::unknown_device(device)))?;
    Ok(Labels::clone(&labels))
}
