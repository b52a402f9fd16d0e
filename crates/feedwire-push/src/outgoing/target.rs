//! The URL that a request is sent to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::uri::{Authority, Scheme};

use super::guard::Inside;

/// How long a URL may be: what common servers take of a request's first line, and more than any webhook's address has.
pub const URL_BYTES_MAX: usize = 2_048;

/// How long a name may be: RFC 1035, section 2.3.4.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// An absolute URL of `https` or `http` that requests may be sent to.
///
/// Path and query may hold a secret: they are not in what [`Debug`](fmt::Debug) and [`Display`](fmt::Display) show.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
    host: Host,
}

#[derive(Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// In lower case.
    Name(String),
}

/// Why nothing is sent to a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It is too long.
    #[error("a URL is of {URL_BYTES_MAX} bytes at most")]
    Long,
    /// There is something in it that no URL holds.
    #[error(
        "a URL is of visible ASCII characters: others are written as %20, and names of hosts as xn--..."
    )]
    Characters,
    /// It is not of the form of a URL.
    #[error("it is not a URL: one is written as https://feeds.example.com/events")]
    Malformed,
    /// It has no scheme or no host.
    #[error("the URL is not absolute: it is written in full, as https://feeds.example.com/events")]
    Relative,
    /// Its scheme is neither `https` nor `http`.
    #[error("the URL begins with https://")]
    Scheme,
    /// It begins with `http://`.
    #[error(
        "the URL begins with https://: whoever runs the server can let in http:// (--push-allow-http)"
    )]
    Http,
    /// There are a user and a password in it.
    #[error("the URL has no user and no password in it: they are put into a header")]
    UserInfo,
    /// It has a fragment.
    #[error("the URL has no fragment: what follows # is never sent, a # itself is written as %23")]
    Fragment,
    /// Its port is none.
    #[error("the port of a URL is a number from 1 to 65535")]
    Port,
    /// Its host is neither a name nor an address.
    #[error(
        "the host of a URL is a name of letters, digits and hyphens, an IPv4 address, or an IPv6 address in brackets"
    )]
    Host,
    /// Its host is an IPv6 address with a zone.
    #[error("the URL has no zone behind its IPv6 address: one with a zone is of this link only")]
    Zone,
    /// Its host is an IPv4 address in another than the usual form.
    #[error("an IPv4 address is written as four decimal numbers, such as 198.51.100.7")]
    Number,
    /// Its host is an address that nothing is sent to.
    #[error(transparent)]
    Inside(#[from] Inside),
}

/// Scheme, host and port of `url`, for a record of where something goes: path and query may be secrets. `None` where it has no host, or a
/// password.
pub fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    (!authority.as_str().contains('@')).then(|| format!("{scheme}://{authority}"))
}

impl Target {
    /// `text` as a target, whether it is one of the inside or not.
    pub(super) fn parse(text: &str) -> Result<Self, BadUrl> {
        if text.len() > URL_BYTES_MAX {
            return Err(BadUrl::Long);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadUrl::Characters);
        }
        // The parser of URLs cuts it off.
        if text.contains('#') {
            return Err(BadUrl::Fragment);
        }
        let Ok(uri) = text.parse::<Uri>() else {
            return Err(refused_by_parser(text));
        };
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(BadUrl::Relative);
        };
        if *scheme != Scheme::HTTPS && *scheme != Scheme::HTTP {
            return Err(BadUrl::Scheme);
        }
        if authority.as_str().contains('@') {
            return Err(BadUrl::UserInfo);
        }
        let host = authority.host();
        check_port(&authority.as_str()[host.len()..])?;
        let host = Host::parse(host)?;
        Ok(Self { uri, host })
    }

    /// What a request is sent to.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// The address that stands for its host, if it is no name.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Address(address) => Some(address),
            Host::Name(_) => None,
        }
    }

    /// Whether it names this machine: RFC 6761, section 6.3.
    pub(super) fn is_localhost(&self) -> bool {
        let Host::Name(name) = &self.host else {
            return false;
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        name == "localhost" || name.ends_with(".localhost")
    }

    /// Whether both are of one scheme, host and port.
    pub(crate) fn is_of_origin(&self, other: &Self) -> bool {
        let of = |target: &Self| (target.is_https(), target.port());
        of(self) == of(other) && self.host == other.host
    }

    fn port(&self) -> u16 {
        let usual = if self.is_https() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(usual)
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, BadUrl> {
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').ok_or(BadUrl::Host)?;
            if address.contains('%') {
                return Err(BadUrl::Zone);
            }
            let Ok(address) = address.parse::<Ipv6Addr>() else {
                return Err(BadUrl::Host);
            };
            return Ok(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        check_name(text)?;
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

/// What is wrong with a text that is no URL by its syntax.
fn refused_by_parser(text: &str) -> BadUrl {
    let Some((_, rest)) = text.split_once("://") else {
        return BadUrl::Malformed;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        BadUrl::UserInfo
    } else if authority.contains('%') && authority.starts_with('[') {
        BadUrl::Zone
    } else if authority.is_empty() {
        BadUrl::Relative
    } else if authority.parse::<Authority>().is_err() {
        BadUrl::Host
    } else {
        BadUrl::Malformed
    }
}

/// `rest` is what stands behind the host: nothing, or a colon and the port.
fn check_port(rest: &str) -> Result<(), BadUrl> {
    if rest.is_empty() {
        return Ok(());
    }
    let port = rest.strip_prefix(':').unwrap_or_default();
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && matches!(port.parse(), Ok(1_u16..)) {
        Ok(())
    } else {
        Err(BadUrl::Port)
    }
}

fn check_name(text: &str) -> Result<(), BadUrl> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.len() > NAME_BYTES_MAX || !name.split('.').all(is_label) {
        return Err(BadUrl::Host);
    }
    // No domain at the top is a number, but resolvers take such names for addresses: 2130706433 and 0x7f.1 are 127.0.0.1.
    let top = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = top.strip_prefix("0x").or_else(|| top.strip_prefix("0X"));
    let is_number = top.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_number {
        return Err(BadUrl::Number);
    }
    Ok(())
}

/// Letters, digits and hyphens; and the underscore that private names have.
fn is_label(label: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label.bytes().all(is_of_name)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map_or("", |a| a.as_str());
        write!(f, "{scheme}://{authority}")
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}
