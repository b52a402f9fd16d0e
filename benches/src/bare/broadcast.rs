//! A bare broadcast: frames in memory, a cursor for each listener, and nothing else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::ReusableBoxFuture;

/// Frames that are kept; a listener that is further behind misses some.
const FRAMES_MAX: usize = 65_536;

/// What a listener is given at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// What Feedwire puts around an event, so that the same bytes go over the wire.
const ENVELOPE: &str = r#"{"specversion":"1.0","id":"01a1fe10-47b1-7680-a9d7-ff64921da560","source":"/v1/projects/default/feeds/flights","time":"2026-11-21T12:24:02.225391Z","feed":"flights","position":1000001,"recordedat":"2026-11-21T12:24:02.225391Z","version":1000,"#;

#[derive(Debug)]
pub(super) struct Broadcast {
    frames: Mutex<Frames>,
    head: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Frames {
    /// The position after that of the last one.
    end: u64,
    kept: VecDeque<Bytes>,
}

impl Broadcast {
    pub(super) fn new() -> Self {
        Self {
            frames: Mutex::default(),
            head: watch::Sender::new(0),
        }
    }

    /// Hands `body`, which is a batch of `events` of one size, to everybody; tells the position of the first.
    pub(super) fn publish(&self, body: &Bytes, events: usize) -> u64 {
        let (events, opened) = if events > 1 { (events, 1) } else { (1, 0) };
        let stride = (body.len() + 1 - 2 * opened) / events;
        let (first, end) = {
            let mut frames = self.frames.lock();
            let first = frames.end + 1;
            for index in 0..events {
                let start = opened + index * stride;
                let event = &body[start..start + stride - 1];
                let position = first + index as u64;
                frames.kept.push_back(frame(position, event));
            }
            frames.end += events as u64;
            while frames.kept.len() > FRAMES_MAX {
                frames.kept.pop_front();
            }
            (first, frames.end)
        };
        self.head.send_replace(end);
        first
    }

    pub(super) fn listen(self: &Arc<Self>) -> Listener {
        let mut head = self.head.subscribe();
        let end = *head.borrow_and_update();
        Listener {
            broadcast: self.clone(),
            end,
            is_new: true,
            changed: ReusableBoxFuture::new(changed(head)),
        }
    }
}

/// As a dialect frames an event.
fn frame(position: u64, event: &[u8]) -> Bytes {
    let head = format!("id: {position}\ndata: {ENVELOPE}");
    let mut frame = BytesMut::with_capacity(head.len() + event.len() + 1);
    frame.extend_from_slice(head.as_bytes());
    frame.extend_from_slice(event.get(1..).unwrap_or_default());
    frame.extend_from_slice(b"\n\n");
    frame.freeze()
}

async fn changed(mut head: watch::Receiver<u64>) -> watch::Receiver<u64> {
    // Its sender is owned by the broadcast, which the listener owns too.
    drop(head.changed().await);
    head
}

/// Who follows a broadcast.
pub(super) struct Listener {
    broadcast: Arc<Broadcast>,
    /// The last position that it has.
    end: u64,
    is_new: bool,
    changed: ReusableBoxFuture<'static, watch::Receiver<u64>>,
}

impl Listener {
    /// The frames that came since it was asked last.
    pub(super) fn poll_frames(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        if std::mem::take(&mut self.is_new) {
            return Poll::Ready(Bytes::from_static(b"retry: 1000\n\n"));
        }
        loop {
            if let Some(bytes) = self.take() {
                return Poll::Ready(bytes);
            }
            let head = std::task::ready!(self.changed.poll(context));
            self.changed.set(changed(head));
        }
    }

    fn take(&mut self) -> Option<Bytes> {
        let frames = self.broadcast.frames.lock();
        let behind = usize::try_from(frames.end - self.end).unwrap_or(usize::MAX);
        let start = frames.kept.len().saturating_sub(behind);
        let mut waiting = frames.kept.range(start..);
        self.end = frames.end - waiting.len() as u64;
        let first = waiting.next()?.clone();
        self.end += 1;
        if waiting.len() == 0 {
            return Some(first);
        }
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        chunk.extend_from_slice(&first);
        for frame in waiting {
            if chunk.len() + frame.len() > CHUNK_BYTES {
                break;
            }
            chunk.extend_from_slice(frame);
            self.end += 1;
        }
        Some(chunk.freeze())
    }
}
