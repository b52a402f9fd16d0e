//! What was recorded, once more.

use std::time::Duration;

use feedwire_core::{Reading, Start, Until};
use feedwire_dialects::validic::{framing, request};
use hyper::body::Incoming;

use super::refuse::Refused;
use crate::answer::Answer;
use crate::asked::Asked;
use crate::sources::{Source, Sources};
use crate::stay::Stay;
use crate::stream;
use crate::turns::{Beats, Plan};

/// How often there is a sign of life.
const POKE: Duration = Duration::from_secs(5);

pub(super) async fn replay(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let replay = request::replay(asked.query(), asked.edge.clock().now())?;
    let stay = Stay::of(&asked)?;
    let reading = Reading {
        filter: replay.filter,
        start: Start::At(replay.from),
        until: Some(Until::Now),
    };
    let reader = asked.edge.core().follow(asked.grant(), reading).await?;
    let framing = framing::replay();
    let sources = Sources::new(vec![Source { reader, framing }]);
    let plan = Plan {
        cursor: sources.cursor(),
        sources,
        limit: None,
        beats: Beats::Always(POKE),
        lifetime: None,
        states: None,
        stay,
        first: Vec::new(),
    };
    Ok(stream::answer(plan, &asked.edge))
}
