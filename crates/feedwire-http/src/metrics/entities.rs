//! Entities, and what is loaded of them.

use std::fmt;

use feedwire_core::Stats;
use feedwire_core::stats::ProjectStats;

use super::families::{Families, Family, bytes, number};

const ENTITIES: Family = number("feedwire_entities", "Entities that are there");
const UNWRITTEN: Family = bytes(
    "feedwire_entities_unwritten",
    "States of entities that are in memory and not yet in the store; where there are 64 MiB of them, whoever puts more waits",
);
const LOADS: Family = number(
    "feedwire_loads_open",
    "Load jobs that are run or wait to be",
);

pub(super) fn tell(families: &mut Families<'_>, core: &Stats) -> fmt::Result {
    let each = |number: fn(&ProjectStats) -> u64| {
        let projects = core.projects.iter();
        projects.map(move |project| ([("project", project.name.as_str())], number(project)))
    };
    families.levels(&ENTITIES, each(|project| project.entities))?;
    families.levels(&UNWRITTEN, each(|project| project.unwritten_bytes))?;
    families.levels(&LOADS, each(|project| project.loads_open))
}
