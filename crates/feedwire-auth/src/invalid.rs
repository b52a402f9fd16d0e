//! What a credential may say.

use std::collections::HashSet;

use feedwire_core::{Allowance, Confinement, RateLimits, Right};
use feedwire_event::limits::LABEL_BYTES_MAX;
use feedwire_event::{ProjectName, Timestamp};

use crate::limits::{
    DISPLAY_NAME_BYTES_MAX, EMAIL_BYTES_MAX, GRANT_FEEDS_MAX, GRANT_LABELS_MAX, GRANT_NAME_BYTES,
    GRANT_SUBJECTS_MAX, GRANTS_BYTES_MAX, GRANTS_MAX,
};
use crate::{CredentialChange, CredentialGrant, Expiry, NewCredential, ProjectPattern};

/// Why a credential cannot be as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Its name is too long, or has control characters.
    #[error("a display name has up to {DISPLAY_NAME_BYTES_MAX} bytes and no control characters")]
    DisplayName,
    /// That is no address.
    #[error(
        "an e-mail address has up to {EMAIL_BYTES_MAX} bytes, an @ in it, and neither spaces nor control characters"
    )]
    Email,
    /// It ends before it begins.
    #[error("a credential expires at a time to come")]
    Expiry,
    /// A limit that lets nothing through.
    #[error("a limit is at least 1; what is to do nothing is disabled")]
    Limit,
    /// There is none, or too many.
    #[error("a credential has 1 to {GRANTS_MAX} grants, here are {0}")]
    Grants(usize),
    /// They name too much.
    #[error(
        "the names in a credential's grants have up to {GRANTS_BYTES_MAX} bytes, with {GRANT_NAME_BYTES} more for each; these have {0}"
    )]
    GrantsBytes(usize),
    /// Two grants are for the same projects.
    #[error("there are two grants for {0}")]
    Twice(ProjectPattern),
    /// The projects are not its home's.
    #[error("a credential of {home} has grants for {home} and its descendants, not for {projects}")]
    OutsideHome {
        /// Where it is made.
        home: ProjectName,
        /// What it was to be for.
        projects: ProjectPattern,
    },
    /// A grant of nothing.
    #[error("the grant for {0} has no rights")]
    NoRights(ProjectPattern),
    /// `admin` in a part of a project.
    #[error(
        "the grant for {0} has the right to admin, which cannot be confined to feeds, subjects or labels"
    )]
    AdminConfined(ProjectPattern),
    /// Too many feeds.
    #[error("the grant for {projects} has more than {GRANT_FEEDS_MAX} feeds")]
    Feeds {
        /// Which grant.
        projects: ProjectPattern,
    },
    /// No or too many subjects or labels.
    #[error(
        "the grant for {projects} is confined to none, to more than {GRANT_SUBJECTS_MAX} subjects or to more than {GRANT_LABELS_MAX} labels"
    )]
    Confinement {
        /// Which grant.
        projects: ProjectPattern,
    },
    /// A label that no subject can have.
    #[error(
        "the grant for {projects} has a label that no subject can have: keys have 1 to {LABEL_BYTES_MAX} bytes and no '=', values up to as many, and neither has control characters"
    )]
    Label {
        /// Which grant.
        projects: ProjectPattern,
    },
}

impl NewCredential {
    /// Whether it can be made at `now`, as far as what it says goes.
    pub fn check(&self, now: Timestamp) -> Result<(), Invalid> {
        display_name(&self.display_name)?;
        self.email.as_deref().map_or(Ok(()), email)?;
        grants(&self.grants, &self.home)?;
        expiry(self.expires_at.into(), now)?;
        limits(&self.limits)
    }
}

impl CredentialChange {
    /// Whether it can be made to a credential of `home` at `now`, as far as what it says goes.
    pub fn check(&self, home: &ProjectName, now: Timestamp) -> Result<(), Invalid> {
        self.display_name.as_deref().map_or(Ok(()), display_name)?;
        self.email.as_deref().map_or(Ok(()), email)?;
        let wanted = self.grants.as_deref();
        wanted.map_or(Ok(()), |wanted| grants(wanted, home))?;
        self.expires_at.map_or(Ok(()), |end| expiry(end, now))?;
        self.limits.as_ref().map_or(Ok(()), limits)
    }
}

fn display_name(name: &str) -> Result<(), Invalid> {
    let is_fine = name.len() <= DISPLAY_NAME_BYTES_MAX && !name.chars().any(char::is_control);
    is_fine.then_some(()).ok_or(Invalid::DisplayName)
}

fn email(email: &str) -> Result<(), Invalid> {
    let parts = email.rsplit_once('@');
    let has_parts = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let is_odd = |c: char| c.is_control() || c.is_whitespace();
    let is_fine = has_parts && email.len() <= EMAIL_BYTES_MAX && !email.chars().any(is_odd);
    is_fine.then_some(()).ok_or(Invalid::Email)
}

fn expiry(end: Expiry, now: Timestamp) -> Result<(), Invalid> {
    match end {
        Expiry::At(end) if end <= now => Err(Invalid::Expiry),
        Expiry::At(_) | Expiry::Never => Ok(()),
    }
}

fn limits(limits: &RateLimits) -> Result<(), Invalid> {
    let RateLimits {
        requests_per_second,
        publish_bytes_per_second,
        readers,
    } = *limits;
    let all = [requests_per_second, publish_bytes_per_second, readers];
    let is_fine = !all.contains(&Some(0));
    is_fine.then_some(()).ok_or(Invalid::Limit)
}

fn grants(grants: &[CredentialGrant], home: &ProjectName) -> Result<(), Invalid> {
    if grants.is_empty() || grants.len() > GRANTS_MAX {
        return Err(Invalid::Grants(grants.len()));
    }
    let mut seen = HashSet::new();
    for CredentialGrant {
        projects,
        allowance,
    } in grants
    {
        if !seen.insert(projects) {
            return Err(Invalid::Twice(projects.clone()));
        }
        if !home.is_system() && !projects.is_within(home) {
            return Err(Invalid::OutsideHome {
                home: home.clone(),
                projects: projects.clone(),
            });
        }
        check_allowance(allowance, projects)?;
    }
    let bytes = grants.iter().map(named_bytes).sum();
    if bytes > GRANTS_BYTES_MAX {
        return Err(Invalid::GrantsBytes(bytes));
    }
    Ok(())
}

/// How much a grant names.
fn named_bytes(grant: &CredentialGrant) -> usize {
    let of = |text: &str| text.len() + GRANT_NAME_BYTES;
    let Allowance {
        feeds, confinement, ..
    } = &*grant.allowance;
    let feeds: usize = feeds.iter().map(|feed| of(&feed.to_string())).sum();
    let confinement: usize = match confinement {
        None => 0,
        Some(Confinement::Subjects(subjects)) => {
            subjects.iter().map(|subject| of(subject.as_str())).sum()
        }
        Some(Confinement::Labels(labels)) => {
            let bytes = labels
                .iter()
                .map(|label| of(&label.key) + label.value.as_ref().map_or(0, String::len));
            bytes.sum()
        }
    };
    of(&grant.projects.to_string()) + feeds + confinement
}

fn check_allowance(allowance: &Allowance, projects: &ProjectPattern) -> Result<(), Invalid> {
    let Allowance {
        rights,
        feeds,
        confinement,
    } = allowance;
    let projects = projects.clone();
    if rights.is_empty() {
        Err(Invalid::NoRights(projects))
    } else if rights.has(Right::Admin) && !(feeds.is_empty() && confinement.is_none()) {
        Err(Invalid::AdminConfined(projects))
    } else if feeds.len() > GRANT_FEEDS_MAX {
        Err(Invalid::Feeds { projects })
    } else {
        check_confinement(confinement.as_ref(), projects)
    }
}

fn check_confinement(
    confinement: Option<&Confinement>,
    projects: ProjectPattern,
) -> Result<(), Invalid> {
    let (count, most) = match confinement {
        None => return Ok(()),
        Some(Confinement::Subjects(subjects)) => (subjects.len(), GRANT_SUBJECTS_MAX),
        Some(Confinement::Labels(labels)) => (labels.len(), GRANT_LABELS_MAX),
    };
    if count == 0 || count > most {
        return Err(Invalid::Confinement { projects });
    }
    if let Some(Confinement::Labels(labels)) = confinement {
        let is_fine =
            |text: &str| text.len() <= LABEL_BYTES_MAX && !text.chars().any(char::is_control);
        let all = labels.iter().all(|label| {
            let value = label.value.as_deref().unwrap_or_default();
            let key = &*label.key;
            !key.is_empty() && !key.contains('=') && is_fine(key) && is_fine(value)
        });
        return all.then_some(()).ok_or(Invalid::Label { projects });
    }
    Ok(())
}
