//! Headers that users add to what is sent, such as a password that the receiver wants.

use http::{HeaderName, HeaderValue};

/// How many headers one connector may add.
pub const CUSTOM_HEADERS_MAX: usize = 20;

/// How long one of them may be, name and value together: more than any token has, and less than receivers take.
pub const HEADER_BYTES_MAX: usize = 4 * 1024;

/// Why a header is not added. What it was to say is not in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// It has no name that a header can have.
    #[error("the name of a header is of letters, digits and hyphens")]
    Name,
    /// It is one of those that say how and what is sent.
    #[error("the header {0} is not for users to set: it says how, what or by whom it is sent")]
    Reserved(HeaderName),
    /// It is too long.
    #[error("the header {0} is too long: name and value have {HEADER_BYTES_MAX} bytes at most")]
    Long(HeaderName),
    /// What it says can stand in no header.
    #[error(
        "the value of the header {0} is of visible ASCII characters, with spaces between them only"
    )]
    Value(HeaderName),
}

/// Names that are not for users: framing and connection, what the body is.
const RESERVED: &[&str] = &[
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-dt-signature",
];

/// What begins so is not for users either: what the body is, a proxy's, signatures, and the attributes of events.
const RESERVED_PREFIXES: &[&str] = &["ce-", "content-", "proxy-", "webhook-"];

/// A header that a user may add. Its value is marked as a secret.
pub fn check_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), BadHeader> {
    if name.len() > HEADER_BYTES_MAX {
        return Err(BadHeader::Name);
    }
    let Ok(header) = name.parse::<HeaderName>() else {
        return Err(BadHeader::Name);
    };
    let is_reserved = RESERVED.contains(&header.as_str())
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| header.as_str().starts_with(prefix));
    if is_reserved {
        return Err(BadHeader::Reserved(header));
    }
    if name.len() + value.len() > HEADER_BYTES_MAX {
        return Err(BadHeader::Long(header));
    }
    let is_visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !is_visible || value.trim() != value {
        return Err(BadHeader::Value(header));
    }
    match HeaderValue::from_str(value) {
        Ok(mut value) => {
            value.set_sensitive(true);
            Ok((header, value))
        }
        Err(_) => Err(BadHeader::Value(header)),
    }
}
