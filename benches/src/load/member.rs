//! A member of a stream that acknowledges nothing, as a process of its own: it says that it is there, and reads until it is killed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, bail};

use super::Request;
use crate::arguments::Member;

pub(crate) fn member(member: &Member) -> anyhow::Result<()> {
    let mut socket = TcpStream::connect(member.address).context("cannot connect")?;
    let path = format!("{}/connect", member.path);
    let request = Request::get(member.address, &path, "text/event-stream");
    socket.write_all(request.bytes())?;
    let mut room = vec![0; 64 * 1024];
    let mut has_said = false;
    loop {
        let read = socket.read(&mut room).context("cannot receive")?;
        if read == 0 {
            bail!("the server ended the stream");
        }
        if !has_said {
            println!("joined");
            has_said = true;
        }
    }
}
