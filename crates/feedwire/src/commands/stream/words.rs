//! Streams as people read them.

use feedwire_client::{Stream, StreamDetails, StreamFilter, StreamLag, StreamPartition};
use indicatif::HumanCount;

/// A line for each thing that there is to know of `stream`.
pub(super) fn stream(stream: &Stream) -> String {
    let mut lines = vec![("stream", stream.name.clone())];
    if !stream.display_name.is_empty() {
        lines.push(("name", stream.display_name.clone()));
    }
    let deliveries = stream.max_deliveries;
    lines.extend([
        ("of", filter(&stream.filter)),
        ("start", start(&stream.start)),
        ("mode", stream.mode.clone()),
        (
            "members",
            format!("{} of at most {}", stream.member_count, stream.members_max),
        ),
        ("partitions", stream.partitions.to_string()),
        ("heartbeat", stream.heartbeat.clone()),
    ]);
    if stream.mode != "delivered" {
        let sent = match deliveries {
            Some(max) => format!("up to {max} times, then put aside"),
            None => "until it is acknowledged".to_owned(),
        };
        let later = if stream.on_failure == "go_on" {
            "go on"
        } else {
            "wait"
        };
        lines.extend([
            ("ack within", stream.ack_timeout.clone()),
            ("in flight", format!("at most {}", stream.max_in_flight)),
            ("sent", sent),
            ("on failure", format!("later events of the subject {later}")),
        ]);
    }
    lines.extend([
        ("kept for", stream.checkpoint_lifetime.clone()),
        ("lag", lag(stream.lag, stream.counted < stream.head)),
    ]);
    if stream.lost_at_most > 0 {
        let lost = HumanCount(stream.lost_at_most);
        lines.push(("lost", format!("at most {lost} events, to retention")));
    }
    if stream.subjects_aside > 0 {
        let aside = match stream.subjects_aside {
            1 => "1 subject that has failed".to_owned(),
            count => format!("{} subjects that have failed", HumanCount(count)),
        };
        lines.push(("aside", aside));
    }
    if stream.dead_letters > 0 {
        lines.push(("dead letters", HumanCount(stream.dead_letters).to_string()));
    }
    let lines = lines
        .into_iter()
        .map(|(name, value)| format!("{name:12} {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The same, with its members and those of its partitions of which there is something to say.
pub(super) fn details(details: &StreamDetails) -> String {
    let mut lines = vec![stream(&details.stream)];
    if !details.members.is_empty() {
        lines.push(format!(
            "\n{:>8} {:>12} {:>12}",
            "member", "partitions", "in flight"
        ));
        lines.extend(details.members.iter().map(|member| {
            format!(
                "{:>8} {:>12} {:>12}",
                member.member, member.partitions, member.in_flight
            )
        }));
    }
    let is_told =
        |partition: &&StreamPartition| partition.member.is_some() || partition.lag.events > 0;
    let mut told = details
        .partition_details
        .iter()
        .filter(is_told)
        .map(|partition| {
            let member = partition.member.map(|member| member.to_string());
            format!(
                "{:>9} {:>8} {:>12} {:>16} {:>12}",
                partition.partition,
                member.as_deref().unwrap_or("none"),
                partition.in_flight,
                partition.checkpoint,
                partition.lag.events
            )
        })
        .peekable();
    if told.peek().is_some() {
        lines.push(format!(
            "\n{:>9} {:>8} {:>12} {:>16} {:>12}",
            "partition", "member", "in flight", "checkpoint", "lag"
        ));
    }
    lines.extend(told);
    lines.join("\n")
}

/// A line for each of `streams`.
pub(super) fn table(streams: &[Stream]) -> String {
    if streams.is_empty() {
        return "no stream yet".to_owned();
    }
    let names = streams.iter().map(|stream| stream.name.len());
    let width = names.max().unwrap_or_default().max("stream".len());
    let mut lines = vec![format!(
        "{:width$}  {:9} {:>8} {:>12} {:>13}",
        "stream", "mode", "members", "lag", "dead letters"
    )];
    lines.extend(streams.iter().map(|stream| {
        format!(
            "{:width$}  {:9} {:>8} {:>12} {:>13}",
            stream.name, stream.mode, stream.member_count, stream.lag.events, stream.dead_letters
        )
    }));
    lines.join("\n")
}

/// Which events something is of.
pub(in super::super) fn filter(filter: &StreamFilter) -> String {
    let lists = [
        ("feeds", &filter.feeds),
        ("types", &filter.types),
        ("subjects", &filter.subjects),
        ("labels", &filter.labels),
    ];
    let given = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let given: Vec<_> = given
        .map(|(name, list)| format!("{name} {}", list.join(", ")))
        .collect();
    if given.is_empty() {
        "everything".to_owned()
    } else {
        given.join("; ")
    }
}

fn start(start: &str) -> String {
    if start == "start" {
        "the start".to_owned()
    } else {
        format!("behind position {start}")
    }
}

/// How much is not settled, or how much at least.
pub(in super::super) fn lag(lag: StreamLag, is_partial: bool) -> String {
    let least = if is_partial { "at least " } else { "" };
    let events = HumanCount(lag.events);
    match lag.events {
        0 => format!("{least}0 events"),
        1 => format!("{least}1 event, of {:.1} s ago", lag.seconds),
        _ => format!(
            "{least}{events} events, the oldest of {:.1} s ago",
            lag.seconds
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Stream {
        let json = r#"{"name":"billing","display_name":"","filter":{"feeds":["orders","refunds"],"labels":["eu"]},"start":"17",
            "mode":"explicit","partitions":64,"members_max":3,"heartbeat":"5s","checkpoint_lifetime":"7d","ack_timeout":"30s",
            "max_in_flight":1000,"max_deliveries":10,"on_failure":"wait","created_at":"","updated_at":"","member_count":1,
            "lag":{"events":1200,"seconds":4.25},"counted":9,"head":9,"lost_at_most":0,"dead_letters":2,"subjects_aside":1}"#;
        serde_json::from_str(json).expect("a stream")
    }

    #[test]
    fn a_stream_is_a_line_for_each_thing_that_there_is_to_know() {
        let lines = "\
stream       billing
of           feeds orders, refunds; labels eu
start        behind position 17
mode         explicit
members      1 of at most 3
partitions   64
heartbeat    5s
ack within   30s
in flight    at most 1000
sent         up to 10 times, then put aside
on failure   later events of the subject wait
kept for     7d
lag          1,200 events, the oldest of 4.2 s ago
aside        1 subject that has failed
dead letters 2";
        assert_eq!(stream(&example()), lines);
    }

    #[test]
    fn streams_are_a_table_with_their_lag() {
        let lines = "\
stream   mode       members          lag  dead letters
billing  explicit         1         1200             2";
        assert_eq!(table(&[example()]), lines);
        assert_eq!(table(&[]), "no stream yet");
    }
}
