//! Options that say how much somebody may take of the server, and the words for it.

use bytesize::ByteSize;
use clap::Args;
use feedwire_client::RateLimits;
use indicatif::HumanCount;

/// How much may be taken. What is not given has no limit.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Requests a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    requests: Option<u64>,
    /// Bytes a second to publish
    #[arg(long, value_name = "SIZE")]
    publish_bytes: Option<ByteSize>,
    /// Streams and waiting polls at one time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    readers: Option<u64>,
}

impl Options {
    /// All of them, if one is given.
    pub(crate) fn given(&self) -> Option<RateLimits> {
        let limits = RateLimits {
            requests_per_second: self.requests,
            publish_bytes_per_second: self.publish_bytes.map(|ByteSize(bytes)| bytes),
            readers: self.readers,
        };
        (limits != RateLimits::default()).then_some(limits)
    }
}

/// What `limits` say.
pub(crate) fn words(limits: &RateLimits) -> String {
    let RateLimits {
        requests_per_second,
        publish_bytes_per_second,
        readers,
    } = limits;
    let each = [
        (requests_per_second, "requests a second"),
        (publish_bytes_per_second, "bytes a second to publish"),
        (readers, "readers at one time"),
    ];
    let each = each.map(|(limit, what)| limit.map(|limit| format!("{} {what}", HumanCount(limit))));
    let told: Vec<_> = each.into_iter().flatten().collect();
    if told.is_empty() {
        "none".to_owned()
    } else {
        told.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_words() {
        let mut limits = RateLimits::default();
        assert_eq!(words(&limits), "none");
        limits.requests_per_second = Some(1_000);
        limits.readers = Some(5);
        assert_eq!(
            words(&limits),
            "1,000 requests a second, 5 readers at one time"
        );
    }
}
