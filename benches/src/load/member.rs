//! A member of a stream: takes its events as lines of JSON, and acknowledges them in bulk.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use memchr::{memchr_iter, memmem};

use super::Request;

/// As much as is received at once.
const ROOM_BYTES: usize = 256 * 1024;

/// How long an answer, or nothing at all, is waited for.
const PATIENCE: Duration = Duration::from_millis(200);

/// A connection that is a member, and another that acknowledges for it.
#[derive(Debug)]
pub(crate) struct Member {
    socket: TcpStream,
    acks: Option<Acks>,
    room: Vec<u8>,
    rest: Vec<u8>,
}

/// What is acknowledged: the last receipt of each partition that something came of.
#[derive(Debug)]
struct Acks {
    address: SocketAddr,
    path: String,
    socket: TcpStream,
    last: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Member {
    /// Joins what is at `path`, such as `/v1/projects/default/streams/s`, and acknowledges what comes if `acknowledges`.
    pub(crate) fn join(
        address: SocketAddr,
        path: &str,
        acknowledges: bool,
    ) -> anyhow::Result<Self> {
        let mut socket = connect(address)?;
        let request = Request::get(address, &format!("{path}/connect"), "application/x-ndjson");
        socket.write_all(request.bytes())?;
        let acks = if acknowledges {
            Some(Acks {
                address,
                path: format!("{path}/ack"),
                socket: connect(address)?,
                last: BTreeMap::new(),
            })
        } else {
            None
        };
        Ok(Self {
            socket,
            acks,
            room: vec![0; ROOM_BYTES],
            rest: Vec::new(),
        })
    }

    /// How many events have come, of what comes next; none where nothing does for a moment. They are acknowledged.
    pub(crate) fn take(&mut self) -> anyhow::Result<u64> {
        let read = match self.socket.read(&mut self.room) {
            Ok(0) => bail!("a member was sent away"),
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        };
        self.rest.extend_from_slice(&self.room[..read]);
        let mut start = 0;
        let mut events = 0;
        for end in memchr_iter(b'\n', &self.rest) {
            let line = &self.rest[start..end];
            start = end + 1;
            if !line.starts_with(b"{\"specversion\"") {
                continue;
            }
            events += 1;
            if let Some(acks) = &mut self.acks {
                acks.note(line)?;
            }
        }
        self.rest.drain(..start);
        if let Some(acks) = &mut self.acks {
            acks.send()?;
        }
        Ok(events)
    }

    /// Ends the connection at once, whatever it has in hand.
    pub(crate) fn die(self) -> anyhow::Result<()> {
        Ok(self.socket.shutdown(Shutdown::Both)?)
    }
}

impl Acks {
    fn note(&mut self, line: &[u8]) -> anyhow::Result<()> {
        const NAME: &[u8] = b"\"receipt\":\"";
        let at = memmem::rfind(line, NAME).context("an event without a receipt")?;
        let receipt = &line[at + NAME.len()..];
        let end = receipt.iter().position(|byte| *byte == b'"');
        let receipt = &receipt[..end.context("a receipt without an end")?];
        let partition = receipt.split(|byte| *byte == b'.').next();
        let partition = partition.context("a receipt without a partition")?;
        self.last.insert(partition.to_vec(), receipt.to_vec());
        Ok(())
    }

    fn send(&mut self) -> anyhow::Result<()> {
        if self.last.is_empty() {
            return Ok(());
        }
        let receipts: Vec<String> = std::mem::take(&mut self.last)
            .into_values()
            .map(|receipt| String::from_utf8_lossy(&receipt).into_owned())
            .collect();
        let body = format!(r#"{{"through":["{}"]}}"#, receipts.join(r#"",""#));
        let request = Request::post_json(self.address, &self.path, &body);
        self.socket.write_all(request.bytes())?;
        let mut answer = [0; 4096];
        loop {
            match self.socket.read(&mut answer) {
                Ok(read) => {
                    ensure!(
                        answer[..read].starts_with(b"HTTP/1.1 200"),
                        "it is not acknowledged"
                    );
                    return Ok(());
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = TcpStream::connect(address).context("cannot connect")?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}
