//! The bodies of the bare server's answers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::Full;

use super::broadcast::Listener;

/// Bytes that are sent again and again.
static BYTES: [u8; 1 << 20] = [b'x'; 1 << 20];

/// As large as a chunk of a stream of Feedwire.
const PIECE_BYTES: usize = 64 * 1024;

pub(super) enum Body {
    /// All of it at once, with its length.
    Whole(Full<Bytes>),
    /// So many bytes, in chunks.
    Pieces(usize),
    /// What is broadcast from now on.
    Broadcast(Listener),
}

impl Body {
    /// So many bytes, or as many as there are, at once.
    pub(super) fn whole(bytes: usize) -> Self {
        let bytes = bytes.min(BYTES.len());
        Self::Whole(Full::new(Bytes::from_static(&BYTES[..bytes])))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context),
            Self::Pieces(0) => Poll::Ready(None),
            Self::Pieces(left) => {
                let bytes = PIECE_BYTES.min(*left);
                *left -= bytes;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&BYTES[..bytes])))))
            }
            Self::Broadcast(listener) => {
                let frames = std::task::ready!(listener.poll_frames(context));
                Poll::Ready(Some(Ok(Frame::data(frames))))
            }
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(body) => http_body::Body::size_hint(body),
            Self::Pieces(_) | Self::Broadcast(_) => http_body::SizeHint::default(),
        }
    }
}
