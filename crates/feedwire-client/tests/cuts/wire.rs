//! Bytes that are sent in part, and what comes then.

use feedwire_client::Client;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What comes behind the bytes that were sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// The end of the connection in good order, whatever it was about to say.
    Close,
    /// A reset.
    Reset,
    /// Bytes that mean nothing, then the end.
    Garbage,
    /// Nothing any more, with the connection left open.
    Silence,
}

impl Then {
    pub(crate) const ALL: [Self; 4] = [Self::Close, Self::Reset, Self::Garbage, Self::Silence];

    pub(crate) fn any() -> impl Strategy<Value = Self> {
        prop::sample::select(&Self::ALL[..])
    }
}

/// Connections that are silent, kept open.
pub(crate) type Silent = Vec<TcpStream>;

/// Sends `bytes` in pieces of `piece_bytes`, then what `then` says.
pub(crate) async fn send(
    mut socket: TcpStream,
    bytes: &[u8],
    piece_bytes: usize,
    then: Then,
    silent: &mut Silent,
) {
    socket.set_nodelay(true).expect("a TCP socket");
    for piece in bytes.chunks(piece_bytes) {
        // Who is answered early may be gone.
        if socket.write_all(piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    match then {
        Then::Close => drop(socket.shutdown().await),
        Then::Reset => socket.set_zero_linger().expect("a TCP socket"),
        // No line end is among them: what is whole before them stays all that is whole.
        Then::Garbage => drop(socket.write_all(b"\xff\x00{]garbage").await),
        Then::Silence => silent.push(socket),
    }
}

/// Reads until `enough` says so; what was read, or `None` where the connection ended before.
pub(crate) async fn read_until(
    socket: &mut TcpStream,
    enough: impl Fn(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    while !enough(&read) {
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    Some(read)
}

/// A free port, and a client of what listens there.
pub(crate) async fn listen() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let client = Client::new(&format!("http://{address}")).expect("an address");
    (listener, client)
}

/// Runs `test` to its end, with time standing still.
pub(crate) fn paused<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(test)
}
