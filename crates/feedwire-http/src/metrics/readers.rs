//! Readers, and what is done for projects now and then.

use std::fmt;

use feedwire_core::Stats;
use feedwire_core::stats::{ProjectStats, Upkeep};

use super::families::{Families, Family, PLAIN, bytes, number};

const READERS: Family = number(
    "feedwire_readers",
    "Readings under way: at the `tail`, or catching up from the `log`",
);
const DELIVERED: Family = number(
    "feedwire_delivered_events",
    "Events that readers were handed, from memory at the `tail` or out of the `log`",
);
const WAKES: Family = number(
    "feedwire_reader_wakes",
    "Times that a reader that waited at the tail was woken",
);
const TAIL: Family = bytes(
    "feedwire_tail_size",
    "Memory that the last events of the logs take",
);
const TAIL_POSITION: Family = number(
    "feedwire_tail_last_position",
    "The last position that readers at the tail can have: that of the log but for a moment",
);
const UPKEEP_RUNS: Family = number(
    "feedwire_upkeep_runs",
    "Times that upkeep was done: `retention` looks for what is not to be kept, `erasure` takes events from disk",
);
const UPKEEP_FAILURES: Family = number(
    "feedwire_upkeep_failures",
    "Times that upkeep failed and has to be tried again: retention, erasures, bringing events to the `tail`, writing `counts` and the states of `entities`",
);
const ERASURES: Family = number(
    "feedwire_erasures_open",
    "Erasures that are hidden and not yet gone from disk",
);

pub(super) fn tell(families: &mut Families<'_>, core: &Stats) -> fmt::Result {
    let (projects, others) = (core.projects.as_slice(), &core.others);
    let sum = |number: fn(&ProjectStats) -> u64| projects.iter().map(number).sum::<u64>();
    let at_tail = sum(|project| project.tail.readers);
    let readers = sum(|project| project.readers);
    // A reader leaves its seat and the count one after the other.
    let catching_up = readers.saturating_sub(at_tail);
    let place = |name: &'static str, number| ([("place", name)], number);
    families.levels(
        &READERS,
        [place("tail", at_tail), place("log", catching_up)],
    )?;
    let tailed = others.tailed_events + sum(|project| project.tailed_events);
    let logged = others.logged_events + sum(|project| project.logged_events);
    families.counts(&DELIVERED, [place("tail", tailed), place("log", logged)])?;
    let wakes = others.wakes + sum(|project| project.tail.wakes);
    families.counts(&WAKES, [(PLAIN, wakes)])?;
    families.levels(&TAIL, [(PLAIN, sum(|project| project.tail.bytes))])?;
    let heads = projects.iter().map(|project| {
        let labels = [("project", project.name.as_str())];
        (labels, project.tail.head.get())
    });
    families.levels(&TAIL_POSITION, heads)?;
    upkeep(families, core)?;
    let open = sum(|project| project.erasures_open);
    families.levels(&ERASURES, [(PLAIN, open)])
}

fn upkeep(families: &mut Families<'_>, core: &Stats) -> fmt::Result {
    let sum = |number: fn(&Upkeep<u64>) -> u64| {
        let open = core.projects.iter().map(|project| &project.upkeep);
        let each = open.chain([&core.others.upkeep]).map(number);
        each.sum::<u64>()
    };
    let task = |name: &'static str, number| ([("task", name)], number);
    let runs = [
        task("retention", sum(|upkeep| upkeep.retention_runs)),
        task("erasure", sum(|upkeep| upkeep.erasures)),
    ];
    families.counts(&UPKEEP_RUNS, runs)?;
    let failures = [
        task("retention", sum(|upkeep| upkeep.retention_failures)),
        task("erasure", sum(|upkeep| upkeep.erasure_failures)),
        task("tail", sum(|upkeep| upkeep.tail_failures)),
        task("counts", sum(|upkeep| upkeep.counts_failures)),
        task("entities", sum(|upkeep| upkeep.entities_failures)),
    ];
    families.counts(&UPKEEP_FAILURES, failures)
}
