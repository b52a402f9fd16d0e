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

fn filter(selection: &Selection) -> StreamFilter {
    let label = |label: &LabelFilter| match &label.value {
        Some(value) => format!("{}={value}", label.key),
        None => label.key.clone(),
    };
    StreamFilter {
        feeds: selection.feeds.iter().map(FeedName::to_string).collect(),
        types: selection.types.iter().map(TypeName::to_string).collect(),
        subjects: selection.subjects.iter().map(Subject::to_string).collect(),
        labels: selection.labels.iter().map(label).collect(),
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
