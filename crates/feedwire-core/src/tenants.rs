//! Tenants: the children of a project that its customers have, numbered, and put away and taken up again.
//!
//! A tenant is a child project with a record in its parent's space `tenants`, under the child's name: number u64, when it was added as
//! i64 microseconds since 1970, then the reference. Integers are little-endian. A record that is older than the project of its name is
//! of another one, and counts for nothing but its number. Whether a tenant is put away is kept with its project.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Precondition, Primary, Revision, Space, Unavailable};
use feedwire_event::{ProjectName, Timestamp};

use crate::projects::create;
use crate::{Core, Grant, Right, store};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its project.
    pub name: ProjectName,
    /// Which it is of its parent's, from 1 in the order in which they were added.
    pub number: u64,
    /// When it was added.
    pub added_at: Timestamp,
    /// What its parent calls it; empty where that is nothing.
    pub reference: String,
    /// When it was put away; `None` while it is there.
    pub away_since: Option<Timestamp>,
}

/// Why a tenant was not added.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Its project could not be made.
    #[error(transparent)]
    Create(#[from] create::Error),
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Store(unavailable.into())
    }
}

/// What is changed of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// What its parent calls it.
    Reference(String),
    /// It is put away.
    PutAway,
    /// It is there again.
    TakeUp,
}

fn space(parent: &ProjectName) -> Space {
    Space {
        project: parent.clone(),
        name: "tenants",
    }
}

/// Each is for whoever administers the parent, which the grant is for.
impl Core {
    /// The tenants of the project, in the order of their numbers.
    pub async fn tenants(&self, grant: &Grant) -> Result<Vec<Tenant>, store::Error> {
        let recorded = self.recorded_tenants(grant).await?;
        let there = recorded.into_iter().filter_map(|one| self.there(one));
        let mut tenants: Vec<Tenant> = there.collect();
        tenants.sort_unstable_by_key(|tenant| tenant.number);
        Ok(tenants)
    }

    /// Makes the child `name` a tenant, and makes the child where there is none; what is one is left as it is. Returns whether it was
    /// added.
    pub async fn add_tenant(
        &self,
        grant: &Grant,
        name: &ProjectName,
        reference: &str,
    ) -> Result<bool, Error> {
        self.check_parent(grant)?;
        if self.tenant(name).await?.is_some() {
            return Ok(false);
        }
        match self.create_project(name).await {
            // What a crash left of adding it, or one that was made in another way.
            Ok(()) | Err(create::Error::Exists(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let recorded = self.recorded_tenants(grant).await?;
        let numbers = recorded.iter().map(|tenant| tenant.number);
        let (now, made) = (self.seams().clock.now(), self.show_project(name));
        let tenant = Tenant {
            name: name.clone(),
            number: numbers.max().unwrap_or(0) + 1,
            // The clock may have been set back in between.
            added_at: now.max(made.and_then(|made| made.created_at).unwrap_or(now)),
            reference: reference.to_owned(),
            away_since: None,
        };
        self.put(grant, &tenant, Precondition::Any).await?;
        Ok(true)
    }

    /// Changes the tenant `name`; returns whether there is one, and whether that has made a difference.
    pub async fn change_tenant(
        &self,
        grant: &Grant,
        name: &ProjectName,
        change: Change,
    ) -> Result<Option<bool>, store::Error> {
        self.check_parent(grant)?;
        let Some((tenant, revision)) = self.recorded(name).await? else {
            return Ok(None);
        };
        let away_since = match change {
            Change::Reference(reference) if reference == tenant.reference => {
                return Ok(Some(false));
            }
            Change::Reference(reference) => {
                let unchanged = Precondition::Revision(revision);
                let tenant = Tenant {
                    reference,
                    ..tenant
                };
                self.put(grant, &tenant, unchanged).await?;
                return Ok(Some(true));
            }
            Change::PutAway => Some(self.seams().clock.now()),
            Change::TakeUp => None,
        };
        let (projects, name) = (Arc::clone(self.projects_known()), name.clone());
        let put_away = async move { projects.put_away(&name, away_since).await };
        Ok(Some(self.whole(put_away).await?))
    }

    /// An error where `grant` is not of an administrator of a project that can be used.
    fn check_parent(&self, grant: &Grant) -> Result<(), store::Error> {
        grant.require(Right::Admin)?;
        Ok(self.projects_known().check_usable(grant.project())?)
    }

    /// The tenant `name`, if that is one. It takes no grant, and tells nothing of what the tenant has.
    pub async fn tenant(&self, name: &ProjectName) -> Result<Option<Tenant>, Unavailable> {
        Ok(self.recorded(name).await?.map(|(tenant, _)| tenant))
    }

    async fn recorded(
        &self,
        name: &ProjectName,
    ) -> Result<Option<(Tenant, Revision)>, Unavailable> {
        let Some(parent) = name.parent() else {
            return Ok(None);
        };
        let key = name.as_str().as_bytes();
        let entry = self.engine().primary().get(&space(&parent), key).await?;
        let Some(entry) = entry else {
            return Ok(None);
        };
        let tenant = self.there(tenant(key, entry.value)?);
        Ok(tenant.map(|tenant| (tenant, entry.revision)))
    }

    async fn recorded_tenants(&self, grant: &Grant) -> Result<Vec<Tenant>, store::Error> {
        self.check_parent(grant)?;
        let mut tenants = Vec::new();
        let (primary, space) = (self.engine().primary(), space(grant.project()));
        store::each(&*primary, &space, |key, value| {
            tenants.push(tenant(&key, value)?);
            Ok(())
        })
        .await?;
        Ok(tenants)
    }

    /// `tenant` as it is, if the project of its name is the one that it was recorded for.
    fn there(&self, tenant: Tenant) -> Option<Tenant> {
        let project = self.show_project(&tenant.name)?;
        let is_its = project.created_at.is_none_or(|at| at <= tenant.added_at);
        is_its.then_some(Tenant {
            away_since: project.away_since,
            ..tenant
        })
    }

    async fn put(
        &self,
        grant: &Grant,
        tenant: &Tenant,
        precondition: Precondition,
    ) -> Result<(), store::Error> {
        let project = self.project(grant.project()).await?;
        let (space, value) = (space(grant.project()), encode(tenant));
        let name = tenant.name.clone();
        self.whole(async move {
            let key = name.as_str().as_bytes();
            let gate = project.gate();
            gate.put(&space, key, value, precondition).await
        })
        .await?;
        Ok(())
    }
}

fn encode(tenant: &Tenant) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u64_le(tenant.number);
    out.put_i64_le(tenant.added_at.as_micros());
    out.put_slice(tenant.reference.as_bytes());
    out.freeze()
}

fn tenant(key: &[u8], value: Bytes) -> Result<Tenant, Unavailable> {
    let unreadable = || Unavailable::new(format!("the tenant stored under {key:?} cannot be read"));
    decode(key, value).ok_or_else(unreadable)
}

fn decode(key: &[u8], mut value: Bytes) -> Option<Tenant> {
    let number = value.try_get_u64_le().ok()?;
    let added_at = value.try_get_i64_le().ok()?;
    Some(Tenant {
        name: ProjectName::new(std::str::from_utf8(key).ok()?).ok()?,
        number,
        added_at: Timestamp::from_micros(added_at),
        reference: String::from_utf8(value.to_vec()).ok()?,
        away_since: None,
    })
}
