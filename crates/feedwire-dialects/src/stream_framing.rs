//! What a member of a stream is sent, on the wire.

use feedwire_api::{EVENT_STREAM, Heartbeat, HeldPartition, LostEvents, MemberCount, NDJSON};
use feedwire_core::stream::{Held, Lost, Receipt, Sent, Standing};
use feedwire_event::{ProjectName, Timestamp};

use crate::ascii::json;
use crate::native::event;
use crate::native::request::Stream;
use crate::stream_answer::lag;
use crate::{MemberFraming, Unreadable, digits};

/// The framing of a stream of `project`.
pub fn member(kind: Stream, project: &ProjectName) -> Box<dyn MemberFraming> {
    let project = project.clone();
    match kind {
        Stream::Sse => Box::new(Sse { project }),
        Stream::Ndjson => Box::new(Ndjson { project }),
    }
}

#[derive(Debug)]
struct Sse {
    project: ProjectName,
}

#[derive(Debug)]
struct Ndjson {
    project: ProjectName,
}

impl MemberFraming for Sse {
    fn media_type(&self) -> &'static str {
        EVENT_STREAM
    }

    fn event(&self, sent: &Sent, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let start = out.len();
        if let Some((receipt, _)) = sent.receipt {
            out.extend_from_slice(b"id: ");
            write_receipt(receipt, out);
            out.push(b'\n');
        }
        out.extend_from_slice(b"data: ");
        write_event(&self.project, sent, out).inspect_err(|_| out.truncate(start))?;
        out.extend_from_slice(b"\n\n");
        Ok(())
    }

    fn heartbeat(&self, standing: &Standing, _: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: heartbeat\ndata: ");
        out.extend_from_slice(&json(&heartbeat(standing)));
        out.extend_from_slice(b"\n\n");
    }

    fn changed(&self, standing: &Standing, now: Timestamp, out: &mut Vec<u8>) {
        self.heartbeat(standing, now, out);
    }

    fn lost(&self, lost: &Lost, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: lost\ndata: ");
        out.extend_from_slice(&json(&told(lost)));
        out.extend_from_slice(b"\n\n");
    }
}

impl MemberFraming for Ndjson {
    fn media_type(&self) -> &'static str {
        NDJSON
    }

    fn event(&self, sent: &Sent, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        write_event(&self.project, sent, out)?;
        out.push(b'\n');
        Ok(())
    }

    fn heartbeat(&self, standing: &Standing, _: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"heartbeat\":");
        out.extend_from_slice(&json(&heartbeat(standing)));
        out.extend_from_slice(b"}\n");
    }

    fn changed(&self, standing: &Standing, now: Timestamp, out: &mut Vec<u8>) {
        self.heartbeat(standing, now, out);
    }

    fn lost(&self, lost: &Lost, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"lost\":");
        out.extend_from_slice(&json(&told(lost)));
        out.extend_from_slice(b"}\n");
    }
}

/// Appends the event as the native API tells it, with its receipt where it has one.
fn write_event(project: &ProjectName, sent: &Sent, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let record = sent.event.record();
    event::write(project, record, out)
        .ok()
        .ok_or_else(|| Unreadable::of(record))?;
    if let Some((receipt, attempt)) = sent.receipt {
        // The closing brace comes behind the receipt.
        out.pop();
        out.extend_from_slice(b",\"receipt\":\"");
        write_receipt(receipt, out);
        out.extend_from_slice(b"\",\"attempt\":");
        digits::write(attempt.into(), out);
        out.push(b'}');
    }
    Ok(())
}

/// Appends a receipt as text.
pub(crate) fn write_receipt(receipt: Receipt, out: &mut Vec<u8>) {
    digits::write(receipt.partition.into(), out);
    out.push(b'.');
    digits::write(receipt.generation, out);
    out.push(b'.');
    digits::write(receipt.position.get(), out);
}

fn heartbeat(standing: &Standing) -> Heartbeat {
    let held = |held: &Held| HeldPartition {
        partition: held.partition.into(),
        generation: held.generation,
        lag: held.lag,
        leaving: held.is_leaving,
    };
    Heartbeat {
        members: MemberCount {
            count: standing.members as u64,
            max: standing.members_max as u64,
        },
        lag: lag(standing.lag),
        partitions: standing.held.iter().map(held).collect(),
    }
}

fn told(lost: &Lost) -> LostEvents {
    LostEvents {
        lost_at_most: lost.lost_at_most,
        first: lost.first.get(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use feedwire_core::Delivered;
    use feedwire_core::stream::Lag;
    use feedwire_event::Position;
    use insta::assert_snapshot;

    use super::*;
    use crate::native::event::tests::{bare, full};

    fn position(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    /// Everything that a member can be sent.
    fn said(kind: Stream) -> String {
        let framing = member(kind, &ProjectName::new("default").expect("a name"));
        let held = |partition, is_leaving| Held {
            partition,
            generation: 7,
            lag: 2,
            is_leaving,
        };
        let standing = Standing {
            members: 2,
            members_max: 3,
            lag: Lag {
                events: 4,
                age: Duration::from_micros(1_500_999),
            },
            held: vec![held(0, false), held(1_023, true)],
        };
        let receipt = Receipt {
            partition: 1_023,
            generation: 7,
            position: position(101),
        };
        let mut out = Vec::new();
        framing.heartbeat(&standing, Timestamp::MIN, &mut out);
        for (record, receipt) in [(full(), Some((receipt, 2))), (bare(), None)] {
            let event = Delivered::Logged(record);
            let sent = Sent { event, receipt };
            framing.event(&sent, &mut out).expect("a payload");
        }
        framing.changed(
            &Standing {
                held: Vec::new(),
                ..standing
            },
            Timestamp::MIN,
            &mut out,
        );
        let lost = Lost {
            lost_at_most: 1_200,
            first: position(5_911),
        };
        framing.lost(&lost, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn server_sent_events_bear_the_receipt_as_their_id() {
        assert_snapshot!(said(Stream::Sse), @r#"
        event: heartbeat
        data: {"members":{"count":2,"max":3},"lag":{"events":4,"seconds":1.5},"partitions":[{"partition":0,"generation":7,"lag":2},{"partition":1023,"generation":7,"lag":2,"leaving":true}]}

        id: 1023.7.101
        data: {"specversion":"1.0","id":"a-1","source":"/planes","type":"flight.departed","subject":"N14228 \u00e9\"","time":"2013-01-01T10:00:00.5Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"traceid":"4f","data":{"delay":2.50,"to":"\u00c6r\u00f8\u2028"},"receipt":"1023.7.101","attempt":2}

        data: {"specversion":"1.0","id":"given","source":"/v1/projects/default/feeds/flights","type":"tick","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z"}

        event: heartbeat
        data: {"members":{"count":2,"max":3},"lag":{"events":4,"seconds":1.5},"partitions":[]}

        event: lost
        data: {"lost_at_most":1200,"first":5911}
        "#);
    }

    #[test]
    fn lines_of_one_member_are_no_events() {
        assert_snapshot!(said(Stream::Ndjson), @r#"
        {"heartbeat":{"members":{"count":2,"max":3},"lag":{"events":4,"seconds":1.5},"partitions":[{"partition":0,"generation":7,"lag":2},{"partition":1023,"generation":7,"lag":2,"leaving":true}]}}
        {"specversion":"1.0","id":"a-1","source":"/planes","type":"flight.departed","subject":"N14228 \u00e9\"","time":"2013-01-01T10:00:00.5Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"traceid":"4f","data":{"delay":2.50,"to":"\u00c6r\u00f8\u2028"},"receipt":"1023.7.101","attempt":2}
        {"specversion":"1.0","id":"given","source":"/v1/projects/default/feeds/flights","type":"tick","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z"}
        {"heartbeat":{"members":{"count":2,"max":3},"lag":{"events":4,"seconds":1.5},"partitions":[]}}
        {"lost":{"lost_at_most":1200,"first":5911}}
        "#);
    }
}
