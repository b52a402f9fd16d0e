//! The grants of a credential, ready to be asked about a project.

use std::sync::Arc;

use feedwire_core::{Allowance, Right};
use feedwire_event::ProjectName;

use crate::{CredentialGrant, ProjectPattern};

/// Grants, the narrowest first: the one that counts is the first that fits.
#[derive(Debug)]
pub(crate) struct Rules(Box<[CredentialGrant]>);

impl Rules {
    pub(crate) fn new(grants: &[CredentialGrant]) -> Self {
        let mut grants: Vec<_> = grants.to_vec();
        grants.sort_by_key(|grant| std::cmp::Reverse(grant.projects.narrowness()));
        Self(grants.into())
    }

    /// What may be done in `project`.
    pub(crate) fn of(&self, project: &ProjectName) -> Option<&Arc<Allowance>> {
        let grant = self.0.iter().find(|grant| grant.projects.fits(project));
        grant.map(|grant| &grant.allowance)
    }

    /// Whether there is the right to admin in every project that fits `wanted`.
    ///
    /// A narrower grant counts before a wider one, so those inside of `wanted` have to have it too.
    pub(crate) fn administers(&self, wanted: &ProjectPattern) -> bool {
        let is_admin = |grant: &CredentialGrant| grant.allowance.rights.has(Right::Admin);
        let mut around = self.0.iter().filter(|grant| grant.projects.covers(wanted));
        let mut inside = self.0.iter().filter(|grant| wanted.covers(&grant.projects));
        around.next().is_some_and(is_admin) && inside.all(is_admin)
    }
}
