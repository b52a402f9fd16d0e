//! Options of a server about those who call it.

use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;
use feedwire_core::RateLimits;
use feedwire_http::{Aria, Zone};

use crate::expiry;
use crate::public_url::{self, PublicUrl};
use crate::zone;

/// How clients call the server, and what they may take of it.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The address that clients call the server by, such as `https://feeds.example.com`
    #[arg(long, env = "FEEDWIRE_PUBLIC_URL", value_name = "URL", value_parser = public_url::parse)]
    pub(crate) public_url: Option<PublicUrl>,
    /// End streams and waiting polls when the access token expires that they were begun by
    #[arg(long)]
    pub(crate) end_streams_with_tokens: bool,
    /// How long a stream of Disruptive's API lasts; 0s is for as long as its reader likes
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = lifetime)]
    pub(crate) disruptive_lifetime: Lifetime,
    /// Streams that Validic's API makes in a project
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) validic_streams: u8,
    /// Connections to a stream of Validic's API at one time
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) validic_members: u8,
    /// The zone that Aria's feeds tell times in: a name such as `Europe/Berlin`, or an offset such as `+05:30`
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone::parse, allow_hyphen_values = true)]
    aria_zone: Zone,
    /// Have the end of the connection alone end Aria's feeds (HTTP/1.0), as Aria's own client reads best
    #[arg(long)]
    aria_close_delimited: bool,
    /// Requests a second that each address may make
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    address_requests: Option<u64>,
    /// Bytes a second that each address may publish
    #[arg(long, value_name = "SIZE", value_parser = some_bytes)]
    address_publish_bytes: Option<ByteSize>,
    /// Streams and waiting polls that each address may have at one time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    address_readers: Option<u64>,
}

impl Options {
    /// How the feeds of Aria's API are told.
    pub(crate) fn aria(&self) -> Aria {
        Aria {
            zone: self.aria_zone.clone(),
            is_close_delimited: self.aria_close_delimited,
        }
    }

    /// What each address may take.
    pub(crate) fn address_limits(&self) -> RateLimits {
        RateLimits {
            requests_per_second: self.address_requests,
            publish_bytes_per_second: self.address_publish_bytes.map(|ByteSize(bytes)| bytes),
            readers: self.address_readers,
        }
    }
}

/// How long a stream lasts; `None` is for as long as its reader likes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime(pub(crate) Option<Duration>);

/// The vendor's client comes back at once when a stream ends, and would do nothing else where that is right after it began.
const LIFETIME_MIN: Duration = Duration::from_secs(10);

fn lifetime(text: &str) -> anyhow::Result<Lifetime> {
    let lifetime = expiry::span(text)?;
    if lifetime.is_zero() {
        return Ok(Lifetime(None));
    }
    anyhow::ensure!(
        lifetime >= LIFETIME_MIN,
        "a stream lasts for at least 10 s: clients come back at once"
    );
    Ok(Lifetime(Some(lifetime)))
}

fn some_bytes(text: &str) -> anyhow::Result<ByteSize> {
    let size: ByteSize = text.parse().map_err(anyhow::Error::msg)?;
    anyhow::ensure!(size.0 > 0, "a limit is at least one byte");
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_lasts_as_long_as_it_is_told_and_not_too_short_to_be_one() {
        let check = |text: &str, expected: Option<Option<u64>>| {
            let told = lifetime(text).ok();
            let told = told.map(|Lifetime(span)| span.map(|span| span.as_secs()));
            assert_eq!(told, expected, "{text}");
        };
        check("1h", Some(Some(3_600)));
        check("10s", Some(Some(10)));
        check("0s", Some(None));
        for odd in ["9s", "1ms", "-1h", "1", "", "never"] {
            check(odd, None);
        }
    }

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        callers: Options,
    }

    #[test]
    fn an_offset_behind_utc_is_no_option() {
        for zone in ["-05:00", "+05:30", "UTC"] {
            let line = <Line as clap::Parser>::try_parse_from(["serve", "--aria-zone", zone]);
            let line = line.map(|line| line.callers.aria());
            assert!(line.is_ok(), "{zone}: {line:?}");
        }
        let rule = <Line as clap::Parser>::try_parse_from(["serve", "--aria-zone", "UTC+2"]);
        assert!(rule.is_err());
    }
}
