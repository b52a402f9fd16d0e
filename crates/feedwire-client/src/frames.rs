//! The frames of a stream of Server-Sent Events, within limits.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use sse_stream::{Sse, SseStream};
use tokio::time::{Instant, Sleep};

/// The most bytes that may come without a frame being complete: the largest event with every character escaped, and
/// what one read may bring beyond it.
const FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why there is no further frame.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("nothing was heard for {} seconds", .0.as_secs())]
    Silent(Duration),
    #[error(transparent)]
    Broken(#[from] sse_stream::Error),
}

/// Frames one by one.
pub(crate) struct Frames {
    stream: Pin<Box<SseStream<Watched>>>,
    heard: Arc<Heard>,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
}

/// What came and was not yet taken account of.
#[derive(Debug, Default)]
struct Heard {
    something: AtomicBool,
    /// How many bytes came since the last frame was complete.
    unframed: AtomicUsize,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Frames {
    /// The frames in `body`, of which something must come at least every `patience`: not a whole frame, for over a slow
    /// network a large one takes longer.
    pub(crate) fn new(body: Incoming, patience: Duration) -> Self {
        let heard = Arc::default();
        let watched = Watched {
            body,
            heard: Arc::clone(&heard),
        };
        Self {
            stream: Box::pin(SseStream::new(watched)),
            heard,
            patience,
            deadline: Box::pin(tokio::time::sleep(patience)),
        }
    }

    /// The next frame; `None` at the stream's orderly end.
    pub(crate) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Sse>, Error>> {
        let frame = self.stream.poll_next_unpin(context);
        if self.heard.something.swap(false, Ordering::Relaxed) {
            self.deadline.as_mut().reset(Instant::now() + self.patience);
        }
        if let Poll::Ready(frame) = frame {
            self.heard.unframed.store(0, Ordering::Relaxed);
            return Poll::Ready(frame.transpose().map_err(Error::Broken));
        }
        ready!(self.deadline.poll_unpin(context));
        Poll::Ready(Err(Error::Silent(self.patience)))
    }
}

/// A body that notes what comes of it, and fails when too much comes without a frame being complete.
#[derive(Debug)]
struct Watched {
    body: Incoming,
    heard: Arc<Heard>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(io::Error::other)?;
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        self.heard.something.store(true, Ordering::Relaxed);
        if self.heard.unframed.fetch_add(bytes, Ordering::Relaxed) + bytes > FRAME_BYTES_MAX {
            let words = format!("a frame is larger than {FRAME_BYTES_MAX} bytes");
            return Poll::Ready(Some(Err(io::Error::other(words))));
        }
        Poll::Ready(Some(Ok(frame)))
    }
}
