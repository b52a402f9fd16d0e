//! Connectors, each told apart: there are at most a hundred of a project.

use std::fmt;

use feedwire_core::connectors::Phase;
use feedwire_event::Timestamp;
use feedwire_push::Stats;

use super::families::{Families, Family, number, seconds};

const ACTIVE: Family = number(
    "feedwire_connector_active",
    "1 while the connector is to push, 0 while it is paused, disabled or done",
);
const DISABLED: Family = number(
    "feedwire_connector_disabled",
    "1 while the connector waits because the server had it wait: it failed for too long, or was told 410 Gone",
);
const HINDERED: Family = number(
    "feedwire_connector_hindered",
    "1 while the connector is to push and cannot begin: others read its stream, its project cannot be opened, or what it signs with",
);
const FAILING: Family = seconds(
    "feedwire_connector_failing",
    "How long nothing has succeeded, where something has failed since",
);
const IN_FLIGHT: Family = number(
    "feedwire_connector_in_flight_requests",
    "Requests that are on their way",
);
const REQUESTS: Family = number(
    "feedwire_connector_requests",
    "Requests that were sent, or could not be",
);
const FAILED: Family = number(
    "feedwire_connector_failed_requests",
    "Those that were answered otherwise than with success, or not at all",
);
const DELIVERED: Family = number(
    "feedwire_connector_delivered_events",
    "Events that the receiver took",
);
const BURIED: Family = number(
    "feedwire_connector_buried_events",
    "Events that were put aside, as they had failed for too long",
);

pub(super) fn tell(
    families: &mut Families<'_>,
    connectors: &[Stats],
    now: Timestamp,
) -> fmt::Result {
    let each = |number: &dyn Fn(&Stats) -> u64| -> Vec<_> {
        let told = connectors.iter().map(|stats| (named(stats), number(stats)));
        told.collect()
    };
    let is = |phase: fn(&Phase) -> bool| each(&move |stats| phase(&stats.connector.phase).into());
    families.levels(&ACTIVE, is(|phase| *phase == Phase::Active))?;
    let disabled = is(|phase| matches!(phase, Phase::Disabled(_)));
    families.levels(&DISABLED, disabled)?;
    let hindered = each(&|stats| stats.health.hindrance.is_some().into());
    families.levels(&HINDERED, hindered)?;
    let failing = each(&|stats| {
        let since = stats.health.failing_since;
        since.map_or(0, |since| since.until(now).as_secs())
    });
    families.levels(&FAILING, failing)?;
    let in_flight = each(&|stats| stats.health.in_flight as u64);
    families.levels(&IN_FLIGHT, in_flight)?;
    families.counts(&REQUESTS, each(&|stats| stats.health.requests))?;
    let failed = each(&|stats| stats.health.failed);
    families.counts(&FAILED, failed)?;
    let delivered = each(&|stats| stats.health.delivered);
    families.counts(&DELIVERED, delivered)?;
    families.counts(&BURIED, each(&|stats| stats.health.buried))
}

fn named(stats: &Stats) -> [(&str, &str); 2] {
    let connector = &stats.connector.settings.name;
    [
        ("project", stats.project.as_str()),
        ("connector", connector.as_str()),
    ]
}
