//! The frames of a stream of Server-Sent Events, within limits.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use sse_stream::{Sse, SseStream};

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
    stream: Pin<Box<SseStream<Counted>>>,
    unframed: Arc<AtomicUsize>,
    patience: Duration,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Frames {
    /// The frames in `body`, of which one must come at least every `patience`.
    pub(crate) fn new(body: Incoming, patience: Duration) -> Self {
        let unframed = Arc::new(AtomicUsize::new(0));
        let counted = Counted {
            body,
            unframed: Arc::clone(&unframed),
        };
        Self {
            stream: Box::pin(SseStream::new(counted)),
            unframed,
            patience,
        }
    }

    /// The next frame; `None` at the stream's orderly end. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Sse>, Error> {
        let frame = tokio::time::timeout(self.patience, self.stream.next()).await;
        self.unframed.store(0, Ordering::Relaxed);
        let frame = frame.ok().ok_or(Error::Silent(self.patience))?;
        Ok(frame.transpose()?)
    }
}

/// A body that fails when too much of it comes without a frame being complete.
#[derive(Debug)]
struct Counted {
    body: Incoming,
    unframed: Arc<AtomicUsize>,
}

impl Body for Counted {
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
        if self.unframed.fetch_add(bytes, Ordering::Relaxed) + bytes > FRAME_BYTES_MAX {
            let words = format!("a frame is larger than {FRAME_BYTES_MAX} bytes");
            return Poll::Ready(Some(Err(io::Error::other(words))));
        }
        Poll::Ready(Some(Ok(frame)))
    }
}
