//! Options of a server about those who call it.

use bytesize::ByteSize;
use clap::Args;
use feedwire_core::RateLimits;

use crate::public_url::{self, PublicUrl};

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
    /// What each address may take.
    pub(crate) fn address_limits(&self) -> RateLimits {
        RateLimits {
            requests_per_second: self.address_requests,
            publish_bytes_per_second: self.address_publish_bytes.map(|ByteSize(bytes)| bytes),
            readers: self.address_readers,
        }
    }
}

fn some_bytes(text: &str) -> anyhow::Result<ByteSize> {
    let size: ByteSize = text.parse().map_err(anyhow::Error::msg)?;
    anyhow::ensure!(size.0 > 0, "a limit is at least one byte");
    Ok(size)
}
