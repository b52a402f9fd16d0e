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
