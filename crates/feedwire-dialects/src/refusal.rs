//! What the edge refuses by itself, before or beside the core; each dialect tells it in its own way.

/// Why the edge refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is at this address.
    #[error("there is nothing at this address")]
    NotFound,
    /// What is at this address does not take this method.
    #[error("this address does not take this method; the header Allow says which it takes")]
    MethodNotAllowed,
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
    /// As much as there is room for is being sent by others.
    #[error("too much is being sent at once; try again in a moment")]
    Busy,
}
