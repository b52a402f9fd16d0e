//! Taking in bodies: whole or piece by piece, with a bound on size, on pauses and on all of them together.

use std::time::Duration;

use bytes::Bytes;
use feedwire_dialects::Refusal;
use feedwire_event::limits::EVENT_BYTES_MAX;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::asked::Asked;
use crate::edge::Edge;
use crate::room::Room;

/// A body that arrives in pieces.
#[derive(Debug)]
pub(crate) struct Pieces {
    body: Incoming,
    timeout: Duration,
}

impl Pieces {
    pub(crate) fn new(body: Incoming, edge: &Edge) -> Self {
        Self {
            body,
            timeout: edge.limits().body_timeout,
        }
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let frame = timeout(self.timeout, self.body.frame()).await;
            match frame {
                Err(_elapsed) => return Err(Refusal::RequestTimeout),
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(Refusal::BodyBroken),
                // Trailers are passed over: nothing of ours comes in them.
                Ok(Some(Ok(frame))) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }
}

/// A whole body, with the room that it takes.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    _room: Room,
}

/// Takes in all of `body`, which is to be small enough, from somebody who may still do what is asked when its last byte has come.
pub(crate) async fn whole(body: Incoming, asked: &Asked) -> Result<Whole, Refusal> {
    let bytes_max = asked.edge.limits().body_bytes_max;
    let too_large = Refusal::BodyTooLarge(bytes_max);
    let whole = within(bytes_max, too_large, body, &asked.edge).await?;
    asked.check_leave()?;
    Ok(whole)
}

/// Takes in all of `body`, which whoever sends it need not have proven to be anybody: it has at most `bytes_max`.
pub(crate) async fn small(body: Incoming, bytes_max: usize, edge: &Edge) -> Result<Whole, Refusal> {
    within(bytes_max, Refusal::BodyTooLarge(bytes_max), body, edge).await
}

/// As [`whole`], of what is the data of an event.
pub(crate) async fn data(body: Incoming, asked: &Asked) -> Result<Whole, Refusal> {
    let too_large = Refusal::DataTooLarge(EVENT_BYTES_MAX);
    let whole = within(EVENT_BYTES_MAX, too_large, body, &asked.edge).await?;
    asked.check_leave()?;
    Ok(whole)
}

async fn within(
    bytes_max: usize,
    too_large: Refusal,
    body: Incoming,
    edge: &Edge,
) -> Result<Whole, Refusal> {
    // A body that says that it is too large is refused before it is sent, if the client waits for that.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large);
    }
    let mut pieces = Pieces::new(body, edge);
    let mut room = Room::received(edge);
    let mut cover = |len| {
        if len > bytes_max {
            return Err(too_large);
        }
        room.cover(len)
    };
    let first = pieces.next().await?.unwrap_or_default();
    cover(first.len())?;
    let Some(second) = pieces.next().await? else {
        // As it nearly always comes; it is not copied.
        return Ok(Whole {
            bytes: first,
            _room: room,
        });
    };
    let mut bytes = first.to_vec();
    let mut next = Some(second);
    while let Some(piece) = next {
        cover(bytes.len() + piece.len())?;
        bytes.extend_from_slice(&piece);
        next = pieces.next().await?;
    }
    let bytes = bytes.into();
    Ok(Whole { bytes, _room: room })
}
