//! A request body that is read from somewhere while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use tokio::io::{AsyncRead, ReadBuf};

/// How much is read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// What `source` reads as a body; `progress` is told how many bytes the connection has taken.
pub(crate) struct Lines<R, P> {
    source: R,
    progress: P,
    sent: u64,
}

impl<R, P> Lines<R, P> {
    pub(crate) fn new(source: R, progress: P) -> Self {
        Self {
            source,
            progress,
            sent: 0,
        }
    }
}

impl<R: AsyncRead + Unpin, P: FnMut(u64) + Unpin> Body for Lines<R, P> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        let mut piece = BytesMut::zeroed(PIECE_BYTES);
        let mut buffer = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut this.source).poll_read(context, &mut buffer))?;
        let read = buffer.filled().len();
        // Asked for more, the connection has taken what it was given before.
        (this.progress)(this.sent);
        if read == 0 {
            return Poll::Ready(None);
        }
        this.sent += u64::try_from(read).expect("a piece is small");
        piece.truncate(read);
        Poll::Ready(Some(Ok(Frame::data(piece.freeze()))))
    }
}
