//! Loopback TCP: as many bytes as are asked for, to one connection.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use anyhow::Context as _;

use crate::arguments::Pour;

/// Bytes of one `send`.
const PIECE_BYTES: usize = 256 * 1024;

/// Waits for its reader, sends it everything, and ends.
pub(crate) fn run(pour: &Pour) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
    println!("serving on http://{}", listener.local_addr()?);
    let (mut socket, _) = listener.accept().context("cannot accept")?;
    let mut request = [0; 1_024];
    let _asked: usize = socket.read(&mut request)?;
    let piece = vec![b'x'; PIECE_BYTES];
    let mut left = pour.bytes;
    while left > 0 {
        let bytes = piece.len().min(usize::try_from(left)?);
        socket.write_all(&piece[..bytes])?;
        left -= bytes as u64;
    }
    Ok(())
}
