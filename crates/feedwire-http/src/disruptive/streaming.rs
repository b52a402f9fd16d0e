//! Live streams of what the devices of a project tell, or of all that may be read.

use feedwire_core::{Filter, Reading, Start};
use feedwire_dialects::Refusal;
use feedwire_dialects::disruptive::request::{self, Kind, Stream};
use feedwire_dialects::disruptive::{error, framing};
use hyper::body::Incoming;

use super::reach::Reach;
use super::refuse::{self, NoStream, Refused};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::sources::{Source, Sources};
use crate::stay::Stay;
use crate::stream;
use crate::turns::{Beats, Plan};

/// Most projects that one stream is of: each of them is waited for.
const PROJECTS_MAX: usize = 100;

pub(super) async fn stream(asked: Asked, _: Incoming) -> Result<Answer, NoStream> {
    let kind = refuse::kind(asked.headers());
    let plan = plan(&asked, kind).await;
    let plan = plan.map_err(|refused| NoStream(refused, kind))?;
    Ok(stream::answer(plan, &asked.edge))
}

async fn plan(asked: &Asked, kind: Kind) -> Result<Plan, Refused> {
    let Stream {
        filter,
        ping_interval,
    } = request::stream(asked.query())?;
    let reach = Reach::of(asked)?;
    let grants = reach.grants();
    if grants.is_empty() {
        return Err(Refusal::NothingGranted.into());
    }
    if grants.len() > PROJECTS_MAX {
        return Err(Refused(error::too_many_projects(PROJECTS_MAX)));
    }
    let mut stay = Stay::of(asked)?;
    if let Some(metered) = reach.metered() {
        stay = stay.among(metered)?;
    }
    let filter = Filter {
        feeds: vec![request::feed()],
        labels: filter.groups(),
        types: filter.event_types,
        subjects: filter.devices,
        ..Filter::default()
    };
    let mut sources = Vec::new();
    for grant in grants {
        let reading = Reading {
            filter: filter.clone(),
            start: Start::Now,
            until: None,
        };
        let reader = asked.edge.core().follow(grant, reading).await;
        if let Some(reader) = reach.unless_away(reader.map(Some))? {
            let framing = framing::stream(kind, grant.project());
            sources.push(Source { reader, framing });
        }
    }
    if sources.is_empty() {
        return Err(Refusal::NothingGranted.into());
    }
    let sources = Sources::new(sources);
    Ok(Plan {
        cursor: sources.cursor(),
        sources,
        limit: None,
        beats: Beats::Always(ping_interval),
        lifetime: asked.edge.limits().disruptive_lifetime,
        states: None,
        stay,
        first: Vec::new(),
    })
}
