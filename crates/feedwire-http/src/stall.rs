//! A socket whose writes fail when the other end takes nothing for too long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::patience::Patience;
use crate::socket::Timed;

/// A socket that gives a write up after `timeout` without progress. The clock runs only while a write waits, so an idle
/// connection costs no timer.
#[derive(Debug)]
pub(crate) struct Stall<S> {
    socket: S,
    patience: Patience,
    /// What the system was asked for last.
    timeout: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S: Timed> Stall<S> {
    pub(crate) fn new(socket: S, timeout: Duration) -> Self {
        Self {
            socket,
            patience: Patience::new(timeout),
            timeout,
            waiting: None,
        }
    }

    /// The patience with the other end, for whoever has less of it.
    pub(crate) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// The socket, without its clock.
    pub(crate) fn into_inner(self) -> S {
        self.socket
    }

    fn watch<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        let timeout = self.patience.get();
        if timeout != self.timeout {
            self.timeout = timeout;
            // Where it cannot be had, the clock here is what there is.
            drop(self.socket.lose_after(timeout));
        }
        if written.is_ready() {
            self.waiting = None;
            return self.patience.noted(written);
        }
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(sleep(self.timeout)));
        match waiting.as_mut().poll(cx) {
            Poll::Ready(()) => self
                .patience
                .noted(Poll::Ready(Err(io::ErrorKind::TimedOut.into()))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stall<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        self.patience.noted(read)
    }
}

impl<S: AsyncWrite + Timed + Unpin> AsyncWrite for Stall<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.watch(written, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        self.watch(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.socket).poll_shutdown(cx);
        self.watch(closed, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.watch(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_takes_fails_after_the_timeout() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let started = tokio::time::Instant::now();
        let mut ours = Stall::new(ours, TIMEOUT);
        let written = ours.write_all(&[0; 17]).await;
        assert_eq!(
            written.map_err(|error| error.kind()),
            Err(io::ErrorKind::TimedOut)
        );
        assert!(ours.patience().is_over());
        assert_eq!(started.elapsed().as_secs(), TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_that_takes_something_each_time_is_waited_for() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut ours = Stall::new(ours, TIMEOUT);
        let slow = async {
            let mut taken = [0; 16];
            for _ in 0..10 {
                sleep(TIMEOUT / 2).await;
                theirs
                    .read_exact(&mut taken)
                    .await
                    .expect("what was written");
            }
        };
        let (written, ()) = tokio::join!(ours.write_all(&[0; 160]), slow);
        assert!(written.is_ok());
    }
}
