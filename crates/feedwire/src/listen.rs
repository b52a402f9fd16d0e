//! Where the server listens: on an address of this machine alone, or on a socket that it was handed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context as _, bail};
use listenfd::ListenFd;

/// An address that only this machine can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loopback(SocketAddr);

impl Loopback {
    /// The port `port` of 127.0.0.1; 0 is any that is free.
    pub(crate) const fn port(port: u16) -> Self {
        Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    fn check(address: SocketAddr) -> anyhow::Result<Self> {
        if !address.ip().is_loopback() {
            bail!(
                "{address} can be reached from other machines, and there is no authentication yet: \
                 listen on 127.0.0.1 or [::1], and put nothing in front of it that lets others in"
            );
        }
        Ok(Self(address))
    }

    /// Binds it.
    pub(crate) fn bind(self) -> io::Result<TcpListener> {
        TcpListener::bind(self.0)
    }
}

impl std::fmt::Display for Loopback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads an address on the command line.
pub(crate) fn parse(text: &str) -> anyhow::Result<Loopback> {
    let named = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    let address = named.as_deref().unwrap_or(text).parse();
    Loopback::check(address.context("an address is written as 127.0.0.1:7373")?)
}

/// The listening socket that whoever started this process handed over (`LISTEN_FDS`), if there is one.
pub(crate) fn handed_over() -> anyhow::Result<Option<TcpListener>> {
    let mut sockets = ListenFd::from_env();
    if sockets.len() > 1 {
        bail!("{} sockets were handed over, one is served", sockets.len());
    }
    let socket = sockets.take_tcp_listener(0);
    let Some(listener) = socket.context("what was handed over is not a listening TCP socket")?
    else {
        return Ok(None);
    };
    Loopback::check(listener.local_addr()?)
        .context("the socket that was handed over is refused")?;
    Ok(Some(listener))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_taken() {
        for text in [
            "127.0.0.1:7373",
            "127.9.9.9:0",
            "[::1]:80",
            "localhost:7373",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in [
            "0.0.0.0:7373",
            "[::]:7373",
            "192.168.1.2:80",
            "7373",
            "example.org:80",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
