//! How much is taken of the server: requests, bytes to publish and readers, of an address, of a credential and of a project.
//!
//! An address is held against its limits before anything else of a request is looked at; who asks, and for which project, is
//! known only after that.

mod meter;
mod meters;

pub(crate) use meter::{ReaderPermit, Standing};

use meter::{Exceeded, Meter};
use meters::{Meters, block};

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use feedwire_auth::KeyId;
use feedwire_core::RateLimits;
use feedwire_dialects::Refusal;
use feedwire_event::{ProjectName, Timestamp};
use http::{HeaderName, HeaderValue};

/// What there may be of requests (draft-ietf-httpapi-ratelimit-headers).
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of them.
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

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
    pub(crate) fn of_address(
        &self,
        metered: &mut Metered,
        address: IpAddr,
    ) -> Result<(), Exceeded> {
        metered.join(self.addresses.of(&block(address), self.of_address))
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
        let Some(meter) = meter else {
            return Ok(());
        };
        let counted = meter.request();
        // Whoever is refused is told what is left, too.
        self.0.push(meter);
        counted
    }

    /// Counts `bytes` to publish. Where one meter refuses, those before it have counted them: whoever goes on trying pays for it.
    pub(crate) fn publish(&self, bytes: usize) -> Result<(), Exceeded> {
        self.0.iter().try_for_each(|meter| meter.publish(bytes))
    }

    /// Waits until `bytes` more may be published, for at most `within`, and counts them.
    pub(crate) async fn publish_in_time(
        &self,
        bytes: usize,
        within: Duration,
    ) -> Result<(), Exceeded> {
        for meter in &self.0 {
            meter.publish_in_time(bytes, within).await?;
        }
        Ok(())
    }

    /// Counts a reader for as long as it is there.
    pub(crate) fn reader(&self) -> Result<Vec<ReaderPermit>, Exceeded> {
        self.0.iter().map(|meter| meter.reader()).collect()
    }

    /// What is left of the requests, where there is a limit: of each kind of limit the one that has least left.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let mut standings: Vec<Standing> = self.0.iter().filter_map(|m| m.standing()).collect();
        // Of a project and those that it is below: they have one name.
        standings.sort_by_key(|one| (one.of, one.left));
        standings.dedup_by_key(|one| one.of);
        standings
    }
}

/// Headers of an answer.
pub(crate) type Headers = Vec<(HeaderName, HeaderValue)>;

/// The headers that say how many requests there may be and how many are left, as the draft for such headers has them.
pub(crate) fn headers(standings: &[Standing], _: Timestamp) -> Headers {
    let told = |name, tell: fn(&Standing) -> String| {
        let parts: Vec<String> = standings.iter().map(tell).collect();
        let value = HeaderValue::from_str(&parts.join(", "));
        (name, value.expect("names and numbers are ASCII"))
    };
    vec![
        told(RATE_LIMIT_POLICY, |one| {
            format!("\"{}\";q={};w=1", one.of, one.most)
        }),
        told(RATE_LIMIT, |one| {
            format!("\"{}\";r={};t=1", one.of, one.left)
        }),
    ]
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
