//! A server with one feed of numbered events, which it streams as badly as it is told to.

use feedwire_client::Client;
use tokio::task::JoinSet;

use crate::wire::{Silent, Then, listen, read_until, send};

/// The head of a stream as a server of ours sends it.
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\nconnection: close\r\ntransfer-encoding: chunked\r\ndate: Sat, 21 Nov 2026 12:24:02 GMT\r\n\r\n";

/// How a connection ends before its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// How many bytes are sent.
    pub(crate) bytes: usize,
    pub(crate) cut: Cut,
    /// In pieces of how many bytes.
    pub(crate) piece_bytes: usize,
    /// How many events are sent again that the client has.
    pub(crate) again: u64,
}

/// What the bytes of a [`Fault`] are counted of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Of what goes over the wire: head, sizes of chunks, events.
    Wire(Then),
    /// Of the events: the chunks in which they are sent are whole, also the last one.
    Text,
}

/// A server that streams `count` events, one connection for each fault, and then a good one.
pub(crate) async fn serve(count: u64, faults: Vec<Fault>) -> (Client, JoinSet<()>) {
    let (listener, client) = listen().await;
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut faults = faults.into_iter();
        let mut silent = Silent::new();
        loop {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let whole = |request: &[u8]| request.ends_with(b"\r\n\r\n");
            let Some(request) = read_until(&mut socket, whole).await else {
                continue;
            };
            let (bytes, piece_bytes, then) = answer(after(&request), count, faults.next());
            send(socket, &bytes, piece_bytes, then, &mut silent).await;
        }
    });
    (client, serving)
}

/// Behind which event the request asks to go on.
fn after(request: &[u8]) -> u64 {
    let request = std::str::from_utf8(request).expect("ASCII");
    match request.split_once("after=") {
        Some((_, rest)) => {
            let end = rest.find(['&', ' ']).expect("a protocol");
            rest[..end].parse().expect("a cursor that was handed out")
        }
        None => 0,
    }
}

fn answer(after: u64, count: u64, fault: Option<Fault>) -> (Vec<u8>, usize, Then) {
    let again = fault.map_or(0, |fault| fault.again);
    let chunks = chunks(after.saturating_sub(again), after, count);
    match fault {
        None => (wire(&chunks), usize::MAX, Then::Close),
        Some(fault) => match fault.cut {
            Cut::Wire(then) => {
                let mut bytes = wire(&chunks);
                bytes.truncate(fault.bytes);
                (bytes, fault.piece_bytes, then)
            }
            Cut::Text => {
                let mut left = fault.bytes;
                let cut = chunks.iter().map(|chunk| {
                    let cut = &chunk[..left.min(chunk.len())];
                    left -= cut.len();
                    cut.to_owned()
                });
                (
                    wire(&cut.collect::<Vec<_>>()),
                    fault.piece_bytes,
                    Then::Close,
                )
            }
        },
    }
}

/// The texts that are sent to a client that has everything up to `after`, from behind `start` on.
fn chunks(start: u64, after: u64, count: u64) -> Vec<String> {
    let first = format!("retry: 1\nid: {after}\n\n");
    let mut chunks = vec![first];
    for position in start + 1..=count {
        chunks.push(event(position));
        if position % 3 == 0 && position > after {
            chunks.push(format!("id: {position}\n\n"));
        }
    }
    chunks.push(format!("event: end\ndata: {{\"cursor\":\"{count}\"}}\n\n"));
    chunks
}

fn event(position: u64) -> String {
    format!(
        "id: {position}\ndata: {{\"id\":\"e{position}\",\"source\":\"/s\",\"type\":\"t\",\"time\":\"\",\"feed\":\"f\",\"position\":{position},\"recordedat\":\"\"}}\n\n"
    )
}

fn wire(chunks: &[String]) -> Vec<u8> {
    let mut bytes = HEAD.as_bytes().to_vec();
    for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
        bytes.extend_from_slice(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes());
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// How many bytes the whole stream of `count` events has.
pub(crate) fn len(count: u64) -> usize {
    wire(&chunks(0, 0, count)).len()
}
