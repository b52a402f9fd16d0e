//! A request that has a route, as its handler is given it; the body comes beside it.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Range;

use feedwire_auth::Principal;
use feedwire_core::Grant;
use feedwire_core::stream::Member;
use feedwire_dialects::{Refusal, escape};
use feedwire_event::ProjectName;
use http::HeaderMap;
use http::request::Parts;
use tokio::sync::MutexGuard;

use crate::access::{self, Admitted, Rule};
use crate::edge::Edge;
use crate::native::DIALECT;
use crate::patience::Patience;
use crate::proof::{self, Shown};
use crate::quota::Metered;

/// What is asked: by whom it is answered, and the head of the request.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) edge: Edge,
    // In a box: it is handed on a few times before it is looked at.
    rest: Box<Rest>,
}

#[derive(Debug)]
struct Rest {
    head: Parts,
    peer: IpAddr,
    patience: Patience,
    variables: Variables,
    admitted: Admitted,
    metered: Metered,
}

/// Most variables of a route.
pub(crate) const VARIABLES_MAX: usize = 3;

/// Where in a path the variables of its route are, in order.
pub(crate) type Variables = [Range<usize>; VARIABLES_MAX];

/// The variable `place` of a path, as [`Asked::variable`] tells it.
pub(crate) fn variable<'p>(
    path: &'p str,
    variables: &Variables,
    place: usize,
) -> Option<Cow<'p, str>> {
    escape::percent(&path[variables[place].clone()])
}

impl Asked {
    pub(crate) fn new(
        edge: Edge,
        head: Parts,
        (peer, patience): (IpAddr, Patience),
        variables: Variables,
        admitted: Admitted,
        metered: Metered,
    ) -> Self {
        let rest = Rest {
            head,
            peer,
            patience,
            variables,
            admitted,
            metered,
        };
        Self {
            edge,
            rest: Box::new(rest),
        }
    }

    /// The address that it is asked from.
    pub(crate) fn peer(&self) -> IpAddr {
        self.rest.peer
    }

    /// Gives the connection up when `member`, who is at its other end, takes nothing for two heartbeats: others are to have its work.
    pub(crate) fn patience_with(&self, member: &Member) -> Patience {
        self.rest.patience.shorten(member.heartbeat() * 2);
        self.rest.patience.clone()
    }

    /// Who asks; `None` where everybody may do everything.
    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.rest.admitted.principal.as_ref()
    }

    /// Whether whoever asks may still do what they might when they were asked who they are: a body may take as long as its sender likes.
    pub(crate) fn check_leave(&self) -> Result<(), Refusal> {
        let is_ended = |who: &Principal| who.ended().is_cancelled();
        if self.principal().is_some_and(is_ended) {
            return Err(Refusal::BadProof);
        }
        Ok(())
    }

    /// The turn to change projects or credentials, for somebody who may still.
    pub(crate) async fn settling(&self) -> Result<MutexGuard<'_, ()>, Refusal> {
        let turn = self.edge.settling().await;
        self.check_leave()?;
        Ok(turn)
    }

    /// What it shows of who asks.
    pub(crate) fn shown(&self, rule: Rule) -> Result<Shown<'_>, Refusal> {
        proof::shown(&self.rest.head, rule, &DIALECT)
    }

    /// What it is counted by.
    pub(crate) fn metered(&self) -> &Metered {
        &self.rest.metered
    }

    /// What may be done in the project of the path.
    ///
    /// # Panics
    /// Where the rule of the route is not about a project, or the path may name every one.
    pub(crate) fn grant(&self) -> &Grant {
        let grant = self.granted();
        grant.expect("the rule of a route below a project is about it")
    }

    /// What may be done in the project of the path; `None` where that names every project.
    pub(crate) fn granted(&self) -> Option<&Grant> {
        self.rest.admitted.grant.as_ref()
    }

    /// What whoever asks may do in `project`; `None` where that is nothing.
    pub(crate) fn grant_in(&self, project: &ProjectName) -> Option<Grant> {
        access::grant_in(self.principal(), project)
    }

    /// The segment of the path where the route has its variable `place`, counted from 0; `None` where that is not percent-encoded
    /// UTF-8.
    pub(crate) fn variable(&self, place: usize) -> Option<Cow<'_, str>> {
        variable(self.rest.head.uri.path(), &self.rest.variables, place)
    }

    /// Behind the question mark, without a token.
    pub(crate) fn query(&self) -> &str {
        let whole = self.rest.head.uri.query().unwrap_or_default();
        self.rest.admitted.query.as_deref().unwrap_or(whole)
    }

    pub(crate) fn head(&self) -> &Parts {
        &self.rest.head
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.rest.head.headers
    }
}
