//! What somebody may take of the server.

/// What a project, a credential or an address may take; `None` is as much as there is. Whoever serves sees to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RateLimits {
    /// Requests a second.
    pub requests_per_second: Option<u64>,
    /// Bytes of bodies to publish, a second.
    pub publish_bytes_per_second: Option<u64>,
    /// Streams and waiting polls at the same time.
    pub readers: Option<u64>,
}
