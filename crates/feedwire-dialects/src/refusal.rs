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
    /// A body that has to be whole is too large.
    #[error(
        "a body of one JSON document has at most {0} bytes; newline delimited JSON may be longer"
    )]
    BodyTooLarge(usize),
    /// The client stopped in the middle of its request.
    #[error("the rest of the request did not arrive in time")]
    RequestTimeout,
    /// The body ended before its end, or its framing is broken.
    #[error("the body is cut off or its framing is broken")]
    BodyBroken,
    /// As much as there is room for is being sent by others.
    #[error("too much is being published at once; try again in a moment")]
    Busy,
}
