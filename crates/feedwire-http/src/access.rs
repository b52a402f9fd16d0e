//! Who may have done what: the rule of each method of each route, and holding a request against it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use feedwire_auth::{Auth, Denied, Principal};
use feedwire_core::{Allowance, Grant, Right};
use feedwire_dialects::Refusal;
use feedwire_event::ProjectName;
use http::Method;

use crate::edge::Edge;
use crate::proof::Shown;
use crate::quota::Metered;

/// Who may have a method of a route done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Everybody.
    Open,
    /// Whoever proves to be somebody; what is done looks at the rest itself.
    Known,
    /// Whoever may do anything at all in the project that the first variable of the path names.
    Member,
    /// Whoever has this right in the project that the first variable of the path names.
    Project(Right),
    /// The same; where the path names every project, whoever proves to be somebody, for what is done in those in which they have it.
    Each(Right),
    /// Whoever has this right in the project that they are at home in.
    Home(Right),
    /// Whoever has this right in the child of that project which the request names, or in that project where it names none.
    Child(Right),
    /// Whoever administers the server.
    Server,
}

/// Who may call a server.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody may do everything.
    Open {
        /// Whether there are credentials all the same, which nobody is asked for.
        has_credentials: bool,
    },
    /// Whoever has a credential may do what that is granted.
    Guarded(Auth),
}

/// A request that passed its rule.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// Who asks; `None` where everybody may.
    pub(crate) principal: Option<Principal>,
    /// What may be done in the project of the path, where the rule is about one.
    pub(crate) grant: Option<Grant>,
    /// What is asked behind the question mark, without a token.
    pub(crate) query: Option<String>,
}

static EVERYTHING: LazyLock<Arc<Allowance>> = LazyLock::new(|| Arc::new(Allowance::whole()));

impl Rule {
    /// Whether it is about the project of a path.
    fn is_of_project(self) -> bool {
        match self {
            Self::Member | Self::Project(_) | Self::Each(_) | Self::Home(_) | Self::Child(_) => {
                true
            }
            Self::Open | Self::Known | Self::Server => false,
        }
    }

    /// Whether it is for those who publish.
    pub(crate) fn is_publishing(self) -> bool {
        matches!(
            self,
            Self::Project(Right::Publish)
                | Self::Each(Right::Publish)
                | Self::Child(Right::Publish)
        )
    }

    /// Whether a token in the address proves who asks for `method`: where a browser's `EventSource` can send no header.
    pub(crate) fn takes_token(self, method: &Method) -> bool {
        let is_reading = matches!(*method, Method::GET | Method::HEAD);
        let is_for_readers = matches!(
            self,
            Self::Project(Right::Read | Right::Streams)
                | Self::Each(Right::Read)
                | Self::Home(Right::Read)
        );
        is_reading && is_for_readers
    }
}

/// How a request names the project that it is about.
#[derive(Debug)]
pub(crate) enum Named<'r> {
    /// By the first variable of its path, as far as that can be read.
    Path(Option<Cow<'r, str>>),
    /// As every one.
    Every,
    /// As the one that who asks is at home in, or as a child of that.
    Home(Option<String>),
}

impl Named<'_> {
    fn project(self, principal: Option<&Principal>) -> Option<ProjectName> {
        let child = match self {
            Self::Path(name) => return ProjectName::new(&name?).ok(),
            Self::Every => return None,
            Self::Home(child) => child,
        };
        let home = home(principal);
        match child {
            None => Some(home),
            Some(child) => ProjectName::new(&format!("{home}.{child}")).ok(),
        }
    }
}

/// The project that `principal` is at home in. For those who are the server's own, and where nobody is asked, that is the first one.
fn home(principal: Option<&Principal>) -> ProjectName {
    let homes = principal.map(|principal| &principal.credential().home);
    let home = homes.filter(|home| !home.is_system()).cloned();
    home.unwrap_or_else(|| ProjectName::new("default").expect("it is a name"))
}

/// Holds a request that shows this of who asks against `rule`, and has it counted by `metered`.
pub(crate) fn admit(
    edge: &Edge,
    rule: Rule,
    shown: Shown<'_>,
    named: Named<'_>,
    metered: &mut Metered,
) -> Result<Admitted, Refusal> {
    let (principal, grant) = match edge.access() {
        _ if rule == Rule::Open => (None, None),
        Access::Open { .. } if rule.is_of_project() && !matches!(named, Named::Every) => {
            let project = named.project(None).ok_or(Refusal::NoProject)?;
            (None, grant_in(None, &project))
        }
        Access::Open { .. } => (None, None),
        Access::Guarded(auth) => {
            let principal = prove(auth, &shown)?;
            let (quotas, limits) = (edge.quotas(), principal.limits());
            quotas.of_credential(metered, &principal.key_id(), limits)?;
            let grant = match named {
                Named::Every => None,
                named => granted(rule, &principal, |who| named.project(Some(who)))?,
            };
            (Some(principal), grant)
        }
    };
    if let Some(grant) = &grant {
        count(edge, grant.project(), metered)?;
    }
    Ok(Admitted {
        principal,
        grant,
        query: shown.query,
    })
}

/// What `principal` may do in `project`, or everybody where nobody is asked; `None` where that is nothing.
pub(crate) fn grant_in(principal: Option<&Principal>, project: &ProjectName) -> Option<Grant> {
    match principal {
        Some(principal) => principal.grant(project),
        None => Some(Grant::new(project.clone(), EVERYTHING.clone())),
    }
}

/// Counts a request for `project`, and for each that it is below: whoever makes children of a project has no more by that.
pub(crate) fn count(
    edge: &Edge,
    project: &ProjectName,
    metered: &mut Metered,
) -> Result<(), Refusal> {
    let (quotas, core) = (edge.quotas(), edge.core());
    quotas.of_project(metered, project, core.project_limits(project))?;
    let mut above = project.parent();
    while let Some(project) = above {
        quotas.of_project(metered, &project, core.project_limits(&project))?;
        above = project.parent();
    }
    Ok(())
}

/// As [`count`] for each of `projects`, and once for what more of them are below.
pub(crate) fn count_each<'p>(
    edge: &Edge,
    projects: impl IntoIterator<Item = &'p ProjectName>,
    metered: &mut Metered,
) -> Result<(), Refusal> {
    let lineage =
        |project: &ProjectName| std::iter::successors(Some(project.clone()), ProjectName::parent);
    let all: BTreeSet<ProjectName> = projects.into_iter().flat_map(lineage).collect();
    let (quotas, core) = (edge.quotas(), edge.core());
    all.iter().try_for_each(|project| {
        quotas.of_project(metered, project, core.project_limits(project))
    })?;
    Ok(())
}

fn prove(auth: &Auth, shown: &Shown<'_>) -> Result<Principal, Refusal> {
    let proof = shown.proof().ok_or(Refusal::NoProof)?;
    auth.prove(proof).map_err(|denied| match denied {
        Denied::Invalid => Refusal::BadProof,
        Denied::Expired => Refusal::ExpiredProof,
    })
}

/// What `rule` asks of `principal`. Whether there is such a project is not looked at: nobody is told who may not know.
fn granted(
    rule: Rule,
    principal: &Principal,
    project: impl FnOnce(&Principal) -> Option<ProjectName>,
) -> Result<Option<Grant>, Refusal> {
    match rule {
        Rule::Open | Rule::Known => Ok(None),
        Rule::Server if principal.is_server_admin() => Ok(None),
        Rule::Server => Err(Refusal::ServerOnly),
        Rule::Member | Rule::Project(_) | Rule::Each(_) | Rule::Home(_) | Rule::Child(_) => {
            let grant = project(principal).and_then(|project| principal.grant(&project));
            let grant = grant.ok_or(Refusal::NothingGranted)?;
            match rule {
                Rule::Project(right)
                | Rule::Each(right)
                | Rule::Home(right)
                | Rule::Child(right)
                    if grant.require(right).is_err() =>
                {
                    Err(Refusal::RightMissing(right))
                }
                _ => Ok(Some(grant)),
            }
        }
    }
}
