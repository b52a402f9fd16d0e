//! Streams: durable consumer groups, each told apart: there are at most a hundred of a project at once.

use std::fmt;

use feedwire_core::Stats;
use feedwire_core::stats::StreamStats;

use super::families::{Families, Family, number, seconds};

const MEMBERS: Family = number("feedwire_stream_members", "Members that the stream has");
const MEMBERS_MAX: Family = number(
    "feedwire_stream_members_max",
    "Members that the stream may have",
);
const LAG: Family = number(
    "feedwire_stream_lag_events",
    "Events of the stream that are not settled",
);
const LAG_AGE: Family = seconds(
    "feedwire_stream_lag",
    "How long ago the oldest event was recorded that is not settled",
);
const LETTERS: Family = number(
    "feedwire_stream_dead_letters",
    "Events that failed too often and were put aside",
);
const ASIDE: Family = number(
    "feedwire_stream_subjects_aside",
    "Subjects that have failed, would hold up others, and go on by themselves",
);
const SENT: Family = number(
    "feedwire_stream_sent_events",
    "Events that members of the stream were sent",
);
const AGAIN: Family = number(
    "feedwire_stream_resent_events",
    "Those that were sent once more, as they failed or were not acknowledged in time",
);
const ACKNOWLEDGED: Family = number(
    "feedwire_stream_acknowledged_events",
    "Events that were acknowledged",
);
const BURIED: Family = number(
    "feedwire_stream_buried_events",
    "Events that were put aside, as they had failed too often",
);
const GIVEN_UP: Family = number(
    "feedwire_stream_members_given_up",
    "Members that took nothing for two heartbeats and were given up",
);
const OVERDUE: Family = number(
    "feedwire_stream_overdue_partitions",
    "Partitions that went to another member before what was sent of them was settled, as their time to drain was over",
);
const LOST: Family = number(
    "feedwire_stream_lost_positions",
    "Positions that retention took from the stream before they were settled, at most",
);

pub(super) fn tell(families: &mut Families<'_>, core: &Stats) -> fmt::Result {
    let each = |number: fn(&StreamStats) -> u64| each(core, number);
    families.levels(&MEMBERS, each(|stream| stream.members))?;
    families.levels(&MEMBERS_MAX, each(|stream| stream.members_max))?;
    families.levels(&LAG, each(|stream| stream.lag.events))?;
    families.levels(&LAG_AGE, each(|stream| stream.lag.age.as_secs()))?;
    families.levels(&LETTERS, each(|stream| stream.dead_letters))?;
    families.levels(&ASIDE, each(|stream| stream.subjects_aside))?;
    families.counts(&SENT, each(|stream| stream.sent))?;
    families.counts(&AGAIN, each(|stream| stream.sent_again))?;
    families.counts(&ACKNOWLEDGED, each(|stream| stream.acknowledged))?;
    families.counts(&BURIED, each(|stream| stream.buried))?;
    families.counts(&GIVEN_UP, each(|stream| stream.given_up))?;
    families.counts(&OVERDUE, each(|stream| stream.overdue))?;
    families.counts(&LOST, each(|stream| stream.lost_at_most))
}

fn each(
    core: &Stats,
    number: fn(&StreamStats) -> u64,
) -> impl Iterator<Item = ([(&str, &str); 2], u64)> {
    core.projects.iter().flat_map(move |project| {
        project.streams.iter().map(move |stream| {
            let named = [
                ("project", project.name.as_str()),
                ("stream", stream.name.as_str()),
            ];
            (named, number(stream))
        })
    })
}
