//! Which names of the server may be called.
//!
//! A web page can have its own name lead to this machine (DNS rebinding). The browser then takes the server for the page's own, and
//! keeps nothing from it: without authentication, the name that was called is all that tells such a page from a local program.

use std::net::{Ipv4Addr, Ipv6Addr};

use feedwire_dialects::Refusal;
use http::header::HOST;
use http::{HeaderMap, Uri, Version};

/// The names of the server that may be called: what a request has in `Host`, or as the host of its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hosts {
    /// `localhost`, `127.0.0.0/8` and `[::1]`, with any port. Everything else is refused.
    #[default]
    LoopbackOnly,
    /// Every name. For a server that asks who calls.
    Any,
}

impl Hosts {
    /// Whether a request of this head may be answered.
    pub(crate) fn check(
        self,
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let mut named = headers.get_all(HOST).iter();
        let host = named.next();
        if named.next().is_some() || (host.is_none() && version >= Version::HTTP_11) {
            return Err(Refusal::NotOneHost);
        }
        if self == Self::Any {
            return Ok(());
        }
        let host = host.map(|host| host.to_str().unwrap_or_default());
        let is_local = host.into_iter().all(is_loopback)
            && uri
                .authority()
                .is_none_or(|named| is_loopback(named.as_str()));
        is_local.then_some(()).ok_or(Refusal::ForeignHost)
    }
}

/// Whether `text` is a name of this machine, with or without a port. Every request asks this, so nothing is built for it.
fn is_loopback(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        // An address of IPv6 has its colons in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    if !is_port || !(port.is_empty() || port.parse::<u16>().is_ok()) {
        return false;
    }
    let is_v4 = || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    let is_v6 = || {
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        inner.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback()))
    };
    host.eq_ignore_ascii_case("localhost") || is_v4() || is_v6()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_few_names() {
        for host in [
            "localhost",
            "LocalHost:7373",
            "127.0.0.1",
            "127.0.0.1:",
            "127.255.0.9:1",
            "[::1]",
            "[0:0:0:0:0:0:0:1]:65535",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            ":7373",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:7373",
            "evil@localhost",
            "localhost:x",
            "localhost:99999",
            "localhost/",
            "128.0.0.1",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "::1",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
