//! Receiving bytes that mean nothing, as fast as they come.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::Request;
use crate::{clock, interrupt};

/// As much as readers receive at once.
const ROOM_BYTES: usize = 256 * 1024;

/// Sends `request` and receives until `bytes` have come; tells how long it took.
pub(crate) fn swallow(
    address: SocketAddr,
    request: &Request,
    bytes: u64,
) -> anyhow::Result<Duration> {
    let mut room = vec![0; ROOM_BYTES];
    let start = clock::now();
    let mut socket = TcpStream::connect(address).context("cannot connect")?;
    socket.write_all(request.bytes())?;
    let mut left = bytes;
    while left > 0 {
        interrupt::check()?;
        match socket.read(&mut room)? {
            0 => bail!("{left} bytes never came"),
            read => left = left.saturating_sub(read as u64),
        }
    }
    Ok(start.elapsed())
}
