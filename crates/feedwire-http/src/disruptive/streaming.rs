//! Live streams of what the devices of a project tell.

use feedwire_core::{Filter, Reading, Start};
use feedwire_dialects::disruptive::framing;
use feedwire_dialects::disruptive::request::{self, Kind, Stream};
use hyper::body::Incoming;

use super::reach::Reach;
use super::refuse::{self, NoStream, Refused};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::stay::Stay;
use crate::stream;
use crate::turns::{Beats, Plan};

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
    let grant = Reach::of(asked)?.only()?;
    let stay = Stay::of(asked)?;
    let labels = filter.groups();
    let reading = Reading {
        filter: Filter {
            feeds: vec![request::feed()],
            types: filter.event_types,
            subjects: filter.devices,
            labels,
            partition: None,
        },
        start: Start::Now,
        until: None,
    };
    let reader = asked.edge.core().follow(&grant, reading).await?;
    Ok(Plan {
        cursor: reader.cursor(),
        reader,
        framing: framing::stream(kind, grant.project()),
        limit: None,
        beats: Beats::Always(ping_interval),
        lifetime: asked.edge.limits().disruptive_lifetime,
        stay,
        first: Vec::new(),
    })
}
