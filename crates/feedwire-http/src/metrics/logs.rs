//! Publishing and the logs, project by project where there is something to tell apart.

use std::fmt;

use feedwire_core::Stats;
use feedwire_core::stats::{ProjectStats, PublishFailures};
use feedwire_engine::LogStats;
use feedwire_tally::Distribution;

use super::families::{Families, Family, PLAIN, bytes, number, seconds};

const PROJECTS: Family = number("feedwire_projects_open", "Projects whose log is open");
const EVENTS: Family = number("feedwire_published_events", "Events that were published");
const BATCHES: Family = number(
    "feedwire_published_batches",
    "Batches that were published, one event or many",
);
const BYTES: Family = bytes("feedwire_published", "What was published, as it is on disk");
const REPEATS: Family = number(
    "feedwire_repeated_batches",
    "Batches that were there already, by ids or by key, and were not published again",
);
const FAILURES: Family = number(
    "feedwire_publish_failures",
    "Well-formed batches that were not published",
);
const FIRST: Family = number(
    "feedwire_log_first_position",
    "The first position that is retained",
);
const LAST: Family = number("feedwire_log_last_position", "The last position of the log");
const SIZE: Family = bytes(
    "feedwire_log_size",
    "The log on disk, with what is allocated ahead",
);
const SEGMENTS: Family = number("feedwire_log_segments", "Segments of the log");
const QUEUED: Family = bytes(
    "feedwire_log_queued",
    "What was submitted and is not on disk yet",
);
const FAILING: Family = number(
    "feedwire_log_failing",
    "1 from a write or sync that failed until the log is mended, which is tried with the next batch",
);
const LOG_FAILURES: Family = number(
    "feedwire_log_failures",
    "Times that the log could not be written or synced",
);
const TRIMMED: Family = number(
    "feedwire_log_trimmed_segments",
    "Segments that retention let go of",
);
const ERASED: Family = number(
    "feedwire_log_erased_events",
    "Events that erasures took from disk",
);
const COMMITS: Family = number(
    "feedwire_log_commit_events",
    "Events that shared one commit, which is one sync",
);
const SYNCS: Family = seconds(
    "feedwire_log_sync_duration",
    "How long a sync took that batches waited for",
);

pub(super) fn tell(families: &mut Families<'_>, core: &Stats) -> fmt::Result {
    let projects = core.projects.as_slice();
    families.levels(&PROJECTS, [(PLAIN, projects.len() as u64)])?;
    published(families, projects)?;
    families.counts(&REPEATS, [(PLAIN, core.repeats)])?;
    families.counts(&FAILURES, by_reason(&core.failures))?;
    let each = |number: fn(&ProjectStats) -> u64| each(projects, number);
    families.levels(&FIRST, each(|project| project.bounds.first.get()))?;
    families.levels(&LAST, each(|project| project.bounds.last.get()))?;
    families.levels(&SIZE, each(|project| project.log.size_bytes))?;
    families.levels(&SEGMENTS, each(|project| project.log.segments))?;
    families.levels(&QUEUED, each(|project| project.log.queued_bytes))?;
    families.levels(&FAILING, each(|project| project.log.is_failing.into()))?;
    families.counts(&LOG_FAILURES, each(|project| project.log.failures))?;
    families.counts(&TRIMMED, each(|project| project.log.trimmed_segments))?;
    families.counts(&ERASED, each(|project| project.log.erased_events))?;
    let commits = together(core, |log| &log.commits);
    families.distributions(&COMMITS, 1.0, [(PLAIN, commits)])?;
    let syncs = together(core, |log| &log.syncs);
    families.distributions(&SYNCS, 1e6, [(PLAIN, syncs)])
}

fn published(families: &mut Families<'_>, projects: &[ProjectStats]) -> fmt::Result {
    let each = |number: fn(&ProjectStats) -> u64| each(projects, number);
    families.counts(&EVENTS, each(|project| project.log.commits.sum))?;
    families.counts(&BATCHES, each(|project| project.log.batches))?;
    families.counts(&BYTES, each(|project| project.log.appended_bytes))
}

fn by_reason(failures: &PublishFailures<u64>) -> [([(&'static str, &'static str); 1], u64); 10] {
    let reasons = [
        ("forbidden", failures.forbidden),
        ("unknown-project", failures.unknown_project),
        ("batch", failures.batch),
        ("conflict", failures.conflict),
        ("partly-known", failures.partly_known),
        ("key-reused", failures.key_reused),
        ("no-space", failures.no_space),
        ("closing", failures.closing),
        ("damaged", failures.damaged),
        ("unavailable", failures.unavailable),
    ];
    reasons.map(|(reason, count)| ([("reason", reason)], count))
}

fn each(
    projects: &[ProjectStats],
    number: fn(&ProjectStats) -> u64,
) -> impl Iterator<Item = ([(&str, &str); 1], u64)> {
    projects
        .iter()
        .map(move |project| ([("project", project.name.as_str())], number(project)))
}

/// Of the projects that are open, and of those that were.
fn together(core: &Stats, of: fn(&LogStats) -> &Distribution) -> Distribution {
    let open = core.projects.iter().map(|project| of(&project.log));
    open.fold(of(&core.others.log).clone(), Distribution::and)
}
