//! Connectors as people read them.

use feedwire_client::{Connector, ConnectorDelivery};
use indicatif::HumanCount;

use super::super::stream::words::{filter, lag};

/// A line for each thing that there is to know of `connector`.
pub(super) fn connector(connector: &Connector) -> String {
    let mut lines = vec![("connector", connector.name.clone())];
    if !connector.display_name.is_empty() {
        lines.push(("name", connector.display_name.clone()));
    }
    lines.push(("url", connector.url.clone()));
    let own = if connector.owns_stream {
        ", its own"
    } else {
        ""
    };
    lines.push(("stream", format!("{}{own}", connector.stream)));
    if let Some(of) = &connector.filter {
        lines.push(("of", filter(of)));
    }
    if let Some(replay) = &connector.replay {
        let words = format!("of {}, up to position {}", replay.of, replay.until);
        lines.push(("replay", words));
    }
    lines.push(("state", state(connector)));
    lines.extend(health(connector));
    lines.extend([
        ("format", format_of(connector)),
        (
            "requests",
            format!("at most {} at once", connector.concurrency),
        ),
        ("timeout", connector.timeout.clone()),
        (
            "retries",
            format!(
                "after up to {}, then up to {}, for {}",
                connector.retry_first, connector.retry_most, connector.retry_age
            ),
        ),
        (
            "disabled",
            format!("after {} without a success", connector.disable_after),
        ),
    ]);
    if connector.redirects > 0 {
        lines.push(("redirects", format!("up to {}", connector.redirects)));
    }
    if !connector.headers.is_empty() {
        lines.push(("headers", connector.headers.join(", ")));
    }
    lines.push(("signed", signed(connector)));
    if let Some(behind) = connector.lag {
        lines.push(("lag", lag(behind, false)));
    }
    if let Some(letters) = connector.dead_letters.filter(|letters| *letters > 0) {
        lines.push(("dead letters", HumanCount(letters).to_string()));
    }
    let lines = lines
        .into_iter()
        .map(|(name, value)| format!("{name:13} {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn state(connector: &Connector) -> String {
    let why = connector.reason.as_ref();
    let why = why.map_or_else(String::new, |why| format!(": {}", why.escape_debug()));
    format!("{} since {}{why}", connector.state, connector.state_since)
}

fn health(connector: &Connector) -> Vec<(&'static str, String)> {
    let health = &connector.health;
    let mut lines = Vec::new();
    if let Some(since) = &health.failing_since {
        let failures = HumanCount(health.failures);
        lines.push(("failing", format!("since {since}, {failures} in a row")));
    }
    if let Some(until) = &health.held_until {
        lines.push(("waits", format!("until {until}")));
    }
    if let Some(hindrance) = &health.hindrance {
        lines.push(("hindered", hindrance.escape_debug().to_string()));
    }
    if let Some(at) = &health.succeeded_at {
        let delivered = HumanCount(health.delivered);
        lines.push(("delivered", format!("{delivered}, the last at {at}")));
    }
    lines
}

fn format_of(connector: &Connector) -> String {
    if connector.batch_size == 1 {
        return connector.format.clone();
    }
    format!(
        "{} of up to {}, which wait up to {}",
        connector.format, connector.batch_size, connector.linger
    )
}

fn signed(connector: &Connector) -> String {
    match &connector.previous_secret_until {
        _ if !connector.signed => "no".to_owned(),
        None => "yes".to_owned(),
        Some(until) => format!("yes, by the secret before too until {until}"),
    }
}

/// A line for each of `connectors`.
pub(super) fn table(connectors: &[Connector]) -> String {
    if connectors.is_empty() {
        return "no connector yet".to_owned();
    }
    let names = connectors.iter().map(|connector| connector.name.len());
    let width = names.max().unwrap_or_default().max("connector".len());
    let mut lines = vec![format!(
        "{:width$}  {:8} {:>12} {:>13}  url",
        "connector", "state", "lag", "dead letters"
    )];
    let number = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    lines.extend(connectors.iter().map(|connector| {
        format!(
            "{:width$}  {:8} {:>12} {:>13}  {}",
            connector.name,
            connector.state,
            number(connector.lag.map(|lag| lag.events)),
            number(connector.dead_letters),
            connector.url
        )
    }));
    lines.join("\n")
}

/// A request and what came of it.
pub(super) fn delivery(delivery: &ConnectorDelivery) -> String {
    let events = match &delivery.events {
        None => delivery.occasion.clone(),
        Some(events) if events.count == 1 => format!("position {}", events.first),
        Some(events) => format!(
            "{} events, positions {} to {}",
            events.count, events.first, events.last
        ),
    };
    let took = format!("{:.0} ms", delivery.latency_seconds * 1_000.0);
    let came = match (delivery.status, &delivery.error) {
        (Some(status), _) => format!("answered with {status} in {took}"),
        (None, Some(error)) => format!("failed in {took}: {}", error.escape_debug()),
        (None, None) => format!("not answered in {took}"),
    };
    let times = match delivery.attempt {
        0 | 1 => String::new(),
        times => format!(", try {times}"),
    };
    let head = format!("{} {events}{times} {came}", delivery.at);
    match delivery.answer.as_deref().filter(|text| !text.is_empty()) {
        Some(answer) if !delivery.delivered => format!("{head}\n  {}", answer.escape_debug()),
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Connector {
        let json = r#"{"name":"billing","display_name":"","url":"https://receiver.invalid/","stream":"billing","owns_stream":true,
            "filter":{"feeds":["orders"]},"format":"batch","batch_size":100,"linger":"500ms","concurrency":8,"timeout":"10s",
            "retry_first":"1s","retry_most":"5m","retry_age":"12h","disable_after":"5d","redirects":0,"headers":["authorization"],
            "signed":true,"previous_secret_until":null,"state":"disabled","reason":"it answered 410","state_since":"T1","replay":null,
            "health":{"in_flight":0,"failing_since":"T0","failures":7,"succeeded_at":null,"held_until":null,"hindrance":null,
            "requests":0,"failed_requests":0,"delivered":0,"buried":0},"lag":{"events":1200,"seconds":4.25},"dead_letters":2,"created_at":"","updated_at":""}"#;
        serde_json::from_str(json).expect("a connector")
    }

    #[test]
    fn a_connector_is_a_line_for_each_thing_that_there_is_to_know() {
        let lines = "\
connector     billing
url           https://receiver.invalid/
stream        billing, its own
of            feeds orders
state         disabled since T1: it answered 410
failing       since T0, 7 in a row
format        batch of up to 100, which wait up to 500ms
requests      at most 8 at once
timeout       10s
retries       after up to 1s, then up to 5m, for 12h
disabled      after 5d without a success
headers       authorization
signed        yes
lag           1,200 events, the oldest of 4.2 s ago
dead letters  2";
        assert_eq!(connector(&example()), lines);
    }

    #[test]
    fn connectors_are_a_table_with_their_states() {
        let lines = "\
connector  state             lag  dead letters  url
billing    disabled         1200             2  https://receiver.invalid/";
        assert_eq!(table(&[example()]), lines);
        assert_eq!(table(&[]), "no connector yet");
    }

    #[test]
    fn a_delivery_says_what_came_of_it_and_can_move_no_cursor() {
        let json = r#"{"id":"i","occasion":"event","at":"T","events":{"first":3,"last":4,"count":2},"attempt":2,"delivered":false,
            "status":500,"answer":"no\u001b[2J","error":null,"latency_seconds":0.0125}"#;
        let failed: ConnectorDelivery = serde_json::from_str(json).expect("a delivery");
        let words =
            "T 2 events, positions 3 to 4, try 2 answered with 500 in 12 ms\n  no\\u{1b}[2J";
        assert_eq!(delivery(&failed), words);
    }
}
