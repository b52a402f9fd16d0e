//! A proxy that hands bytes on until it is told to cut.

use std::net::SocketAddr;

use feedwire_client::Client;
use tokio::io::{AsyncReadExt as _, copy};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::wire::listen;

/// When a connection is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) way: Way,
    /// How many bytes go that way before.
    pub(crate) bytes: u64,
    /// Both ends get a reset, not an end in good order.
    pub(crate) is_reset: bool,
}

/// Which bytes are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    ToServer,
    ToClient,
}

/// A client of `server` through a proxy with a fault for each connection, and then none.
pub(crate) async fn before(server: SocketAddr, faults: Vec<Fault>) -> (Client, JoinSet<()>) {
    let (listener, client) = listen().await;
    let mut passing = JoinSet::new();
    passing.spawn(async move {
        let mut faults = faults.into_iter();
        let mut connections = JoinSet::new();
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            let server = TcpStream::connect(server).await.expect("it listens");
            connections.spawn(pass(socket, server, faults.next()));
        }
    });
    (client, passing)
}

async fn pass(mut client: TcpStream, mut server: TcpStream, fault: Option<Fault>) {
    let limit = |way: fn(Way) -> bool| match fault {
        Some(fault) if way(fault.way) => fault.bytes,
        _ => u64::MAX,
    };
    let (to_server, to_client) = (
        limit(|way| matches!(way, Way::ToServer)),
        limit(|way| matches!(way, Way::ToClient)),
    );
    {
        let (from_client, mut into_client) = client.split();
        let (from_server, mut into_server) = server.split();
        let mut from_client = from_client.take(to_server);
        let mut from_server = from_server.take(to_client);
        // The end of one way is the end of both; what an end meets is no concern of the proxy's.
        tokio::select! {
            sent = copy(&mut from_client, &mut into_server) => drop(sent),
            sent = copy(&mut from_server, &mut into_client) => drop(sent),
        }
    }
    if fault.is_some_and(|fault| fault.is_reset) {
        for socket in [client, server] {
            socket.set_zero_linger().expect("a TCP socket");
        }
    }
}
