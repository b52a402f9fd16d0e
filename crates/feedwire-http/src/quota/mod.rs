//! How much is taken of the server: requests, bytes to publish and readers, of an address, of a credential and of a project.
//!
//! An address is held against its limits before anything else of a request is looked at; who asks, and for which project, is
//! known only after that.

mod meter;
mod meters;

pub(crate) use meter::{Exceeded, Meter, ReaderPermit, Standing};
pub(crate) use meters::{Meters, block};

use std::net::IpAddr;
use std::sync::Arc;

use feedwire_auth::KeyId;
use feedwire_core::RateLimits;
use feedwire_dialects::Refusal;
use feedwire_event::ProjectName;

/// The meters of everybody.
#[derive(Debug)]
pub(crate) struct Quotas {
    /// What an address may take.
    of_address: RateLimits,
    addresses: Meters<IpAddr>,
    credentials: Meters<KeyId>,
    projects: Meters<ProjectName>,
}

/// The meters that a request is counted by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metered(Vec<Arc<Meter>>);

impl Quotas {
    pub(crate) fn new(of_address: RateLimits) -> Self {
        Self {
            of_address,
            addresses: Meters::new("address"),
            credentials: Meters::new("credential"),
            projects: Meters::new("project"),
        }
    }

    /// Counts a request from `address`.
    pub(crate) fn of_address(&self, address: IpAddr) -> Result<Metered, Exceeded> {
        let mut metered = Metered::default();
        metered.join(self.addresses.of(&block(address), self.of_address))?;
        Ok(metered)
    }

    /// Counts a request of a credential with these limits.
    pub(crate) fn of_credential(
        &self,
        metered: &mut Metered,
        key_id: &KeyId,
        limits: RateLimits,
    ) -> Result<(), Exceeded> {
        metered.join(self.credentials.of(key_id, limits))
    }

    /// Counts a request for a project with these limits.
    pub(crate) fn of_project(
        &self,
        metered: &mut Metered,
        project: &ProjectName,
        limits: RateLimits,
    ) -> Result<(), Exceeded> {
        metered.join(self.projects.of(project, limits))
    }
}

impl Metered {
    fn join(&mut self, meter: Option<Arc<Meter>>) -> Result<(), Exceeded> {
        if let Some(meter) = meter {
            meter.request()?;
            self.0.push(meter);
        }
        Ok(())
    }

    /// Counts `bytes` to publish, all of them or none.
    pub(crate) fn publish(&self, bytes: usize) -> Result<(), Exceeded> {
        self.0.iter().try_for_each(|meter| meter.publish(bytes))
    }

    /// Waits until `bytes` more may be published, and counts them.
    pub(crate) async fn publish_in_time(&self, bytes: usize) {
        for meter in &self.0 {
            meter.publish_in_time(bytes).await;
        }
    }

    /// Counts a reader for as long as it is there.
    pub(crate) fn reader(&self) -> Result<Vec<ReaderPermit>, Exceeded> {
        self.0.iter().map(|meter| meter.reader()).collect()
    }

    /// Where each of them stands.
    pub(crate) fn standings(&self) -> impl Iterator<Item = Standing> {
        self.0.iter().filter_map(|meter| meter.standing())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        Self::TooMuch {
            of: exceeded.of,
            what: exceeded.what,
            retry_after: exceeded.retry_after,
        }
    }
}
