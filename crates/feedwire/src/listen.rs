//! Where the server listens: on an address, or on a socket that it was handed; and which of them it may.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context as _, bail};
use listenfd::ListenFd;

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(SocketAddr);

/// From where a server may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine, for it is open to everybody.
    Machine,
    /// This machine, for nothing protects what is sent, and nobody said that nothing has to.
    Unprotected,
    /// Everywhere: what is sent is protected, or need not be.
    Network,
}

impl Address {
    /// The port `port` of 127.0.0.1; 0 is any that is free.
    pub(crate) const fn port(port: u16) -> Self {
        Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// Binds it.
    pub(crate) fn bind(self) -> io::Result<TcpListener> {
        TcpListener::bind(self.0)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Reach {
    /// Whether a server may listen on `address`.
    pub(crate) fn check(self, Address(address): Address) -> anyhow::Result<()> {
        if address.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        let reached = format!("{address} can be reached from other machines");
        match self {
            Self::Machine => bail!(
                "{reached}, and with --dev the server is open to everybody: listen on 127.0.0.1 or [::1]"
            ),
            Self::Unprotected => bail!(
                "{reached}, and tokens and events would travel readable: give a certificate (--tls-cert, --tls-key), \
                 or say that a proxy in front has one (--behind-proxy) or that they may (--plaintext)"
            ),
            Self::Network => Ok(()),
        }
    }
}

/// Reads an address on the command line.
pub(crate) fn parse(text: &str) -> anyhow::Result<Address> {
    let named = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    let address = named.as_deref().unwrap_or(text).parse();
    Ok(Address(
        address.context("an address is written as 127.0.0.1:7373")?,
    ))
}

/// The listening socket that whoever started this process handed over (`LISTEN_FDS`), if there is one.
pub(crate) fn handed_over(reach: Reach) -> anyhow::Result<Option<TcpListener>> {
    let mut sockets = ListenFd::from_env();
    if sockets.len() > 1 {
        bail!("{} sockets were handed over, one is served", sockets.len());
    }
    let socket = sockets.take_tcp_listener(0);
    let Some(listener) = socket.context("what was handed over is not a listening TCP socket")?
    else {
        return Ok(None);
    };
    reach
        .check(Address(listener.local_addr()?))
        .context("the socket that was handed over is refused")?;
    Ok(Some(listener))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numbers_with_a_port() {
        for text in [
            "127.0.0.1:7373",
            "[::1]:80",
            "localhost:7373",
            "0.0.0.0:7373",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in ["7373", "example.org:80", "127.0.0.1", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_addresses_of_this_machine_are_taken_from_whom_nothing_protects() {
        let check = |text: &str, reach: Reach, is_taken: bool| {
            let checked = reach.check(parse(text).expect("an address"));
            assert_eq!(checked.is_ok(), is_taken, "{text} {reach:?}");
        };
        for reach in [Reach::Machine, Reach::Unprotected, Reach::Network] {
            check("127.9.9.9:0", reach, true);
            check("[::1]:80", reach, true);
            check("[::ffff:127.0.0.1]:80", reach, true);
        }
        for text in [
            "0.0.0.0:7373",
            "[::]:7373",
            "192.168.1.2:80",
            "[2001:db8::1]:80",
        ] {
            check(text, Reach::Machine, false);
            check(text, Reach::Unprotected, false);
            check(text, Reach::Network, true);
        }
    }
}
