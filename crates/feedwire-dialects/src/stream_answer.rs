//! What is told about streams.

use feedwire_api::{RefusedReceipt, StreamFilter, StreamLag, StreamMember, StreamPartition};
use feedwire_core::LabelFilter;
use feedwire_core::stream::{
    Lag, Letter, MemberStatus, Mode, OnFailure, Overview, PartitionStatus, Receipt, Refused,
    Selection, Status,
};
use feedwire_event::{FeedName, ProjectName, StreamName, Subject, TypeName};

use crate::ascii::json;
use crate::native::event;
use crate::stream_framing::write_receipt;
use crate::{Unreadable, digits, span};

/// A stream.
pub fn stream(status: &Status) -> feedwire_api::Stream {
    let settings = &status.settings;
    feedwire_api::Stream {
        name: settings.name.to_string(),
        display_name: settings.display_name.clone(),
        filter: filter(&settings.selection),
        start: match status.origin {
            None => "start".to_owned(),
            Some(position) => position.to_string(),
        },
        mode: match settings.mode {
            Mode::Explicit => "explicit",
            Mode::Delivered => "delivered",
        }
        .to_owned(),
        partitions: settings.partitions.into(),
        members_max: settings.members_max as u64,
        heartbeat: span::write(settings.heartbeat),
        checkpoint_lifetime: span::write(settings.checkpoint_lifetime),
        ack_timeout: span::write(settings.ack_timeout),
        max_in_flight: settings.max_in_flight as u64,
        max_deliveries: settings.max_deliveries.map(u64::from),
        on_failure: match settings.on_failure {
            OnFailure::Wait => "wait",
            OnFailure::GoOn => "go_on",
        }
        .to_owned(),
        created_at: status.created_at.to_string(),
        updated_at: status.updated_at.to_string(),
        member_count: status.members as u64,
        lag: lag(status.lag),
        counted: status.counted.get(),
        head: status.head.get(),
        lost_at_most: status.lost_at_most,
        dead_letters: status.dead_letters,
        subjects_aside: status.subjects_aside as u64,
    }
}

/// A stream with its members and partitions.
pub fn details(overview: &Overview) -> feedwire_api::StreamDetails {
    let member = |status: &MemberStatus| StreamMember {
        member: status.member,
        partitions: status.partitions as u64,
        in_flight: status.in_flight as u64,
    };
    let partition = |status: &PartitionStatus| StreamPartition {
        partition: status.partition.into(),
        checkpoint: status.checkpoint.get(),
        member: status.member,
        generation: status.generation,
        in_flight: status.in_flight as u64,
        lag: lag(status.lag),
    };
    feedwire_api::StreamDetails {
        stream: stream(&overview.status),
        members: overview.members.iter().map(member).collect(),
        partition_details: overview.partitions.iter().map(partition).collect(),
    }
}

/// Which events a stream is of.
pub(crate) fn filter(selection: &Selection) -> StreamFilter {
    let label = |label: &LabelFilter| match &label.value {
        Some(value) => format!("{}={value}", label.key),
        None => label.key.clone(),
    };
    StreamFilter {
        feeds: selection.feeds.iter().map(FeedName::to_string).collect(),
        types: selection.types.iter().map(TypeName::to_string).collect(),
        subjects: selection.subjects.iter().map(Subject::to_string).collect(),
        labels: selection.labels.iter().map(label).collect(),
        expression: (selection.expression.as_ref()).map(|e| e.text().to_owned()),
    }
}

/// How much is not settled, to the millisecond.
pub(crate) fn lag(lag: Lag) -> StreamLag {
    let millis = u32::try_from(lag.age.as_millis()).unwrap_or(u32::MAX);
    StreamLag {
        events: lag.events,
        seconds: f64::from(millis) / 1_000.0,
    }
}

/// What became of receipts.
pub fn settled(count: usize, refused: &[(Receipt, Refused)]) -> feedwire_api::Settled {
    let told = refused.iter().map(|(receipt, why)| {
        let mut text = Vec::new();
        write_receipt(*receipt, &mut text);
        RefusedReceipt {
            receipt: String::from_utf8(text).expect("digits and dots"),
            reason: match why {
                Refused::Stale => "stale",
                Refused::Unknown => "unknown",
            }
            .to_owned(),
        }
    });
    feedwire_api::Settled {
        settled: count as u64,
        refused: told.collect(),
    }
}

/// Dead letters of a stream of `project`, with where to ask for more, where there are.
pub fn letters(
    project: &ProjectName,
    letters: &[Letter],
    more: bool,
) -> Result<Vec<u8>, Unreadable> {
    let mut out = b"{\"dead_letters\":[".to_vec();
    for (index, letter) in letters.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"position\":");
        digits::write(letter.position.get(), &mut out);
        out.extend_from_slice(b",\"partition\":");
        digits::write(letter.partition.into(), &mut out);
        out.extend_from_slice(b",\"deliveries\":");
        digits::write(letter.deliveries.into(), &mut out);
        out.extend_from_slice(b",\"buried_at\":\"");
        letter.buried_at.write(&mut out);
        out.extend_from_slice(b"\",\"redriven\":");
        out.extend_from_slice(if letter.is_redriven {
            b"true"
        } else {
            b"false"
        });
        if let Some(reason) = &letter.reason {
            out.extend_from_slice(b",\"reason\":");
            out.extend_from_slice(&json(&&**reason));
        }
        out.extend_from_slice(b",\"event\":");
        match &letter.event {
            None => out.extend_from_slice(b"null"),
            Some(record) => event::write(project, record, &mut out)
                .ok()
                .ok_or_else(|| Unreadable::of(record))?,
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"next\":");
    match letters.last().filter(|_| more) {
        None => out.extend_from_slice(b"null"),
        Some(last) => out.extend_from_slice(&json(&last.position.to_string())),
    }
    out.push(b'}');
    Ok(out)
}

/// Where a stream is looked at.
pub fn address(project: &ProjectName, name: &StreamName) -> String {
    format!("/v1/projects/{project}/streams/{name}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use feedwire_core::stream::Settings;
    use feedwire_event::{Position, Timestamp};
    use insta::assert_snapshot;

    use super::*;
    use crate::native::event::tests::full;

    fn position(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn told(answer: Vec<u8>) -> String {
        String::from_utf8(answer).expect("ASCII")
    }

    fn status(settings: Settings) -> Status {
        Status {
            settings,
            origin: None,
            starts_at: None,
            created_at: time("2026-11-21T08:00:00Z"),
            updated_at: time("2026-11-21T09:00:00Z"),
            members: 0,
            lag: Lag::default(),
            counted: Position::ZERO,
            head: position(12),
            lost_at_most: 0,
            dead_letters: 0,
            subjects_aside: 0,
        }
    }

    fn named(name: &str) -> Settings {
        Settings::new(StreamName::new(name).expect("a name"))
    }

    #[test]
    fn a_stream_is_told_with_all_that_was_left_out_when_it_was_made() {
        assert_snapshot!(told(json(&stream(&status(named("billing"))))), @r#"{"name":"billing","display_name":"","filter":{},"start":"start","mode":"explicit","partitions":64,"members_max":3,"heartbeat":"5s","checkpoint_lifetime":"7d","ack_timeout":"30s","max_in_flight":1000,"max_deliveries":10,"on_failure":"wait","created_at":"2026-11-21T08:00:00Z","updated_at":"2026-11-21T09:00:00Z","member_count":0,"lag":{"events":0,"seconds":0.0},"counted":0,"head":12,"lost_at_most":0,"dead_letters":0,"subjects_aside":0}"#);
    }

    #[test]
    fn a_stream_is_told_with_its_members_and_partitions() {
        let label = |key: &str, value: Option<&str>| LabelFilter {
            key: key.to_owned(),
            value: value.map(str::to_owned),
        };
        let settings = Settings {
            display_name: "B\u{f6}ok".into(),
            selection: Selection {
                feeds: vec![FeedName::new("orders").expect("a name")],
                types: vec![TypeName::new("order.placed").expect("a name")],
                subjects: vec![Subject::new("\u{e6}").expect("a subject")],
                labels: vec![label("room", Some("a=b")), label("floor", None)],
                ..Selection::default()
            },
            partitions: 2,
            mode: Mode::Delivered,
            members_max: 2,
            heartbeat: Duration::from_secs(90),
            max_deliveries: None,
            on_failure: OnFailure::GoOn,
            ..named("s")
        };
        let lag = Lag {
            events: 3,
            age: Duration::from_micros(1_500_999),
        };
        let held = PartitionStatus {
            partition: 0,
            checkpoint: position(9),
            member: Some(4),
            generation: Some(17),
            in_flight: 2,
            lag,
        };
        let overview = Overview {
            status: Status {
                origin: Some(position(7)),
                members: 1,
                lag,
                lost_at_most: 5,
                dead_letters: 6,
                subjects_aside: 2,
                ..status(settings)
            },
            members: vec![MemberStatus {
                member: 4,
                partitions: 1,
                in_flight: 2,
            }],
            partitions: vec![
                held,
                PartitionStatus {
                    partition: 1,
                    member: None,
                    generation: None,
                    in_flight: 0,
                    ..held
                },
            ],
        };
        assert_snapshot!(told(json(&details(&overview))), @r#"{"name":"s","display_name":"B\u00f6ok","filter":{"feeds":["orders"],"types":["order.placed"],"subjects":["\u00e6"],"labels":["room=a=b","floor"]},"start":"7","mode":"delivered","partitions":2,"members_max":2,"heartbeat":"1m 30s","checkpoint_lifetime":"7d","ack_timeout":"30s","max_in_flight":1000,"max_deliveries":null,"on_failure":"go_on","created_at":"2026-11-21T08:00:00Z","updated_at":"2026-11-21T09:00:00Z","member_count":1,"lag":{"events":3,"seconds":1.5},"counted":0,"head":12,"lost_at_most":5,"dead_letters":6,"subjects_aside":2,"members":[{"member":4,"partitions":1,"in_flight":2}],"partition_details":[{"partition":0,"checkpoint":9,"member":4,"generation":17,"in_flight":2,"lag":{"events":3,"seconds":1.5}},{"partition":1,"checkpoint":9,"member":null,"generation":null,"in_flight":0,"lag":{"events":3,"seconds":1.5}}]}"#);
    }

    #[test]
    fn receipts_that_are_refused_are_told_as_they_were_given() {
        let receipt = |partition| Receipt {
            partition,
            generation: u64::MAX,
            position: Position::MAX,
        };
        let refused = [
            (receipt(0), Refused::Stale),
            (receipt(1_023), Refused::Unknown),
        ];
        assert_snapshot!(told(json(&settled(2, &refused))), @r#"{"settled":2,"refused":[{"receipt":"0.18446744073709551615.9007199254740991","reason":"stale"},{"receipt":"1023.18446744073709551615.9007199254740991","reason":"unknown"}]}"#);
        assert_eq!(
            told(json(&settled(0, &[]))),
            r#"{"settled":0,"refused":[]}"#
        );
    }

    #[test]
    fn a_dead_letter_without_its_event_is_still_told() {
        let project = ProjectName::new("default").expect("a name");
        let letter = |position_, event| Letter {
            position: position(position_),
            partition: 3,
            deliveries: 10,
            buried_at: time("2026-11-21T08:00:00Z"),
            is_redriven: position_ == 101,
            reason: (position_ == 7).then(|| "410 \u{22}Gone\u{22}".into()),
            event,
        };
        let all = [letter(7, None), letter(101, Some(full()))];
        assert_snapshot!(told(letters(&project, &all, true).expect("a payload")), @r#"{"dead_letters":[{"position":7,"partition":3,"deliveries":10,"buried_at":"2026-11-21T08:00:00Z","redriven":false,"reason":"410 \"Gone\"","event":null},{"position":101,"partition":3,"deliveries":10,"buried_at":"2026-11-21T08:00:00Z","redriven":true,"event":{"specversion":"1.0","id":"a-1","source":"/planes","type":"flight.departed","subject":"N14228 \u00e9\"","time":"2013-01-01T10:00:00.5Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"traceid":"4f","data":{"delay":2.50,"to":"\u00c6r\u00f8\u2028"}}}],"next":"101"}"#);
        let none = told(letters(&project, &[], false).expect("nothing"));
        assert_eq!(none, r#"{"dead_letters":[],"next":null}"#);
        let last = told(letters(&project, &all, false).expect("a payload"));
        assert!(last.ends_with(r#"],"next":null}"#));
    }
}
