//! What is asked of the kernel for each connection.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::Limits;

/// How many probes go unanswered before a silent connection is given up.
const PROBES: u32 = 3;

/// How much the kernel takes of what cannot be sent yet. Its own bound is the send buffer, which grows to megabytes, for each reader that
/// never reads; this is enough to keep the fastest reader busy.
#[cfg(target_os = "linux")]
const UNSENT_BYTES_MAX: u32 = 256 * 1024;

/// Sends small frames at once, and gives a connection up whose other end has vanished without a word: one that is silent by
/// probes, one that is written to by the time that its data goes unacknowledged.
pub(crate) fn tune(socket: &TcpStream, limits: &Limits) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let silence = limits.silence_timeout;
    // Half of the time in silence, the other half for the probes.
    let probe = (silence / 2 / PROBES).max(Duration::from_secs(1));
    let keepalive = TcpKeepalive::new()
        .with_time(silence / 2)
        .with_interval(probe)
        .with_retries(PROBES);
    let socket = SockRef::from(socket);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(silence))?;
        socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    }
    Ok(())
}

/// A socket that can be told how long to wait for the other end.
pub(crate) trait Timed {
    /// Has the system give the connection up when what was sent goes unacknowledged for `timeout`.
    fn lose_after(&self, timeout: Duration) -> io::Result<()>;
}

impl Timed for TcpStream {
    #[cfg(target_os = "linux")]
    fn lose_after(&self, timeout: Duration) -> io::Result<()> {
        SockRef::from(self).set_tcp_user_timeout(Some(timeout))
    }

    #[cfg(not(target_os = "linux"))]
    fn lose_after(&self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
impl Timed for tokio::io::DuplexStream {
    fn lose_after(&self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_whose_other_end_vanished_is_given_up_by_the_kernel() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let ((accepted, _), _client) = (
            accepted.expect("a connection"),
            client.expect("a connection"),
        );
        tune(&accepted, &Limits::default()).expect("options of this system");
        let socket = SockRef::from(&accepted);
        assert!(socket.keepalive().expect("an option"));
        assert!(socket.tcp_nodelay().expect("an option"));
        #[cfg(target_os = "linux")]
        assert_eq!(
            socket.tcp_user_timeout().expect("an option"),
            Some(Duration::from_mins(1))
        );
    }
}
