//! What the edge refuses by itself, before or beside the core; each dialect tells it in its own way.

use std::fmt;

use feedwire_core::Right;

/// What there may not be more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Requests a second.
    Requests,
    /// Bytes published a second.
    PublishBytes,
    /// Streams and waiting polls at one time.
    Readers,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests a second",
            Self::PublishBytes => "bytes published a second",
            Self::Readers => "readers at one time",
        })
    }
}

/// Why the edge refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is at this address.
    #[error("there is nothing at this address")]
    NotFound,
    /// What is at this address does not take this method.
    #[error("this address does not take this method; the header Allow says which it takes")]
    MethodNotAllowed,
    /// The project that is named is none, or nothing in it is granted.
    #[error("there is no such project")]
    NoProject,
    /// The address is too long.
    #[error("an address has at most {0} bytes")]
    UriTooLong(usize),
    /// The headers are too large.
    #[error("the headers of a request have at most {0} bytes together")]
    HeadersTooLarge(usize),
    /// The name by which the server was called is missing, or there are two.
    #[error("Host: a request of HTTP/1.1 has this header once")]
    NotOneHost,
    /// The server was called by a name that may be another's.
    #[error(
        "without authentication only calls from this machine are answered: as localhost, 127.0.0.1 or [::1], whatever the port"
    )]
    ForeignHost,
    /// A percent sign in the path stands before something else than two digits.
    #[error("path: a percent sign stands before two hexadecimal digits; itself it is written %25")]
    PathEscape,
    /// A header that is meant once is there twice.
    #[error("{0}: this header is meant once")]
    HeaderTwice(&'static str),
    /// What is to name something by a UUID is none.
    #[error("{0}: it has to be a UUID")]
    NotUuid(&'static str),
    /// Which tenant is meant is not clear from the query.
    #[error(
        "tenantId: it is given once, as a UUID, and the same as in the header Serialized-Tenant-Id where that is there"
    )]
    TenantUnclear,
    /// A condition that is no list of entity tags.
    #[error("{0}: it has to be entity tags in their quotes, parted by commas, or *")]
    NotEntityTags(&'static str),
    /// What is asked for is not what the request depends on.
    #[error("this is not what If-Match says that it has to be: read it again")]
    PreconditionFailed,
    /// The body is packed for its way in one more manner than in chunks.
    #[error("the only transfer encoding that is understood is chunked")]
    TransferEncoding,
    /// A body that has to be whole is too large.
    #[error(
        "a body of one JSON document has at most {0} bytes; newline delimited JSON may be longer"
    )]
    BodyTooLarge(usize),
    /// A body that is the data of an event is too large.
    #[error("the data of an event has at most {0} bytes")]
    DataTooLarge(usize),
    /// The client stopped in the middle of its request.
    #[error("the rest of the request did not arrive in time")]
    RequestTimeout,
    /// The body ended before its end, or its framing is broken.
    #[error("the body is cut off or its framing is broken")]
    BodyBroken,
    /// Nothing proves who asks.
    #[error(
        "this takes a credential: Authorization with Bearer and a token, or Basic with key id and secret"
    )]
    NoProof,
    /// What is to prove it does not.
    #[error("the credential is not one, is no longer, or its secret is another")]
    BadProof,
    /// It was proof until lately.
    #[error("the access token has expired: get another at /oauth2/token")]
    ExpiredProof,
    /// There is more than one, and they may be of two.
    #[error(
        "a request proves who asks in one way: by one header Authorization, or by token= in the address"
    )]
    TwoProofs,
    /// Nothing is granted to who asks in the project that is named, whether it is there or not.
    #[error("nothing is granted in this project")]
    NothingGranted,
    /// What is granted is not enough.
    #[error("the right to {0} is needed in this project")]
    RightMissing(Right),
    /// What is asked for is for those who administer the server.
    #[error("this is for those who administer the server: a grant of admin in every project")]
    ServerOnly,
    /// There is more of something than there may be.
    #[error("this {of} has as many {what} as it may: try again in {retry_after} s")]
    TooMuch {
        /// Whose limit it is: `address`, `credential` or `project`.
        of: &'static str,
        /// What of.
        what: Taken,
        /// When to come again, in seconds.
        retry_after: u64,
    },
    /// As much as there is room for is being sent by others.
    #[error("too much is being sent at once; try again in a moment")]
    Busy,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One of each, for what every dialect says of it.
    pub(crate) fn all() -> [Refusal; 26] {
        [
            Refusal::NotFound,
            Refusal::MethodNotAllowed,
            Refusal::NoProject,
            Refusal::UriTooLong(9),
            Refusal::HeadersTooLarge(9),
            Refusal::NotOneHost,
            Refusal::ForeignHost,
            Refusal::PathEscape,
            Refusal::HeaderTwice("Content-Type"),
            Refusal::NotEntityTags("If-None-Match"),
            Refusal::NotUuid("x"),
            Refusal::PreconditionFailed,
            Refusal::TransferEncoding,
            Refusal::BodyTooLarge(9),
            Refusal::DataTooLarge(9),
            Refusal::RequestTimeout,
            Refusal::BodyBroken,
            Refusal::NoProof,
            Refusal::BadProof,
            Refusal::ExpiredProof,
            Refusal::TwoProofs,
            Refusal::NothingGranted,
            Refusal::RightMissing(Right::Publish),
            Refusal::ServerOnly,
            Refusal::TooMuch {
                of: "credential",
                what: Taken::Requests,
                retry_after: 7,
            },
            Refusal::Busy,
        ]
    }
}
