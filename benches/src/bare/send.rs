//! Bare `send`: the same frame to each of many sockets in turn, as often as there are events.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use anyhow::Context as _;

use crate::arguments::Send;

/// Waits for its readers, sends them everything, and ends.
pub(crate) fn run(send: &Send) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
    println!("serving on http://{}", listener.local_addr()?);
    let accept = |_| -> anyhow::Result<TcpStream> {
        let (mut socket, _) = listener.accept().context("cannot accept")?;
        socket.set_nodelay(true)?;
        // What a reader asks is the same for all of them.
        let mut request = [0; 1_024];
        let _asked: usize = socket.read(&mut request)?;
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        Ok(socket)
    };
    let sockets = (0..send.readers).map(accept);
    let mut sockets: Vec<TcpStream> = sockets.collect::<anyhow::Result<_>>()?;
    let frame = frame(send.bytes);
    for _ in 0..send.events {
        for socket in &mut sockets {
            socket.write_all(&frame)?;
        }
    }
    for socket in &mut sockets {
        socket.write_all(b"event: end\n\n")?;
    }
    Ok(())
}

/// An event as large as one of the others'.
fn frame(bytes: usize) -> Vec<u8> {
    const HEAD: &[u8] = b"data: ";
    const TAIL: &[u8] = b"\"000000000\"}}\n\n";
    let filling = bytes.saturating_sub(HEAD.len() + TAIL.len());
    [HEAD, &vec![b'x'; filling], TAIL].concat()
}
