//! Who is at the other end of a connection: whoever opened it, or whom a proxy opened it for.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

/// Where a proxy says whom a request is from.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whom requests are taken to be from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Peers {
    /// Whoever opened the connection. What a header says of it anybody could say.
    #[default]
    Direct,
    /// Whom the proxy in front names last in `X-Forwarded-For`: what stands before that, the client may have sent itself.
    BehindProxy,
}

impl Peers {
    /// The address that a request is from, which came from `opener` with `headers`.
    pub(crate) fn of(self, opener: IpAddr, headers: &HeaderMap) -> IpAddr {
        let named = match self {
            Self::Direct => None,
            Self::BehindProxy => last_named(headers),
        };
        named.unwrap_or(opener).to_canonical()
    }
}

/// The last entry of the last header there is; proxies that do not append to one add another.
fn last_named(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get_all(X_FORWARDED_FOR).iter().next_back()?;
    let last = value.to_str().ok()?.rsplit(',').next()?.trim();
    let bare = last
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(last).parse();
    // Some proxies name the port too.
    address
        .or_else(|_| last.parse().map(|whole: SocketAddr| whole.ip()))
        .ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn named(peers: Peers, values: &[&str]) -> String {
        let values = values
            .iter()
            .map(|value| HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        let headers = values.map(|value| (X_FORWARDED_FOR, value)).collect();
        peers.of([10, 0, 0, 1].into(), &headers).to_string()
    }

    #[test]
    fn only_what_the_last_hop_wrote_is_taken() {
        let check = |values: &[&str], peer: &str| {
            assert_eq!(named(Peers::BehindProxy, values), peer, "{values:?}");
        };
        check(&["192.0.2.7"], "192.0.2.7");
        check(&["203.0.113.9, 192.0.2.7"], "192.0.2.7");
        check(&["192.0.2.7", "2001:db8::1"], "2001:db8::1");
        check(&["203.0.113.9,[2001:db8::1]"], "2001:db8::1");
        check(&["[2001:db8::1]:4711"], "2001:db8::1");
        check(&["192.0.2.7:4711"], "192.0.2.7");
        check(&["::ffff:192.0.2.7"], "192.0.2.7");
    }

    #[test]
    fn where_the_last_hop_wrote_no_address_it_is_the_proxy_itself() {
        for values in [
            &[][..],
            &[""],
            &["192.0.2.7,"],
            &["192.0.2.7, unknown"],
            &["192.0.2.7", "é"],
            &["192.0.2.7 203.0.113.9"],
            &["[192.0.2.7"],
        ] {
            assert_eq!(named(Peers::BehindProxy, values), "10.0.0.1", "{values:?}");
        }
    }

    #[test]
    fn without_a_proxy_a_header_says_nothing() {
        assert_eq!(named(Peers::Direct, &["192.0.2.7"]), "10.0.0.1");
    }
}
