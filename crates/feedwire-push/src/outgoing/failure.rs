//! Why there is no answer to a request. The texts are shown to users: none holds a header, a path or a query.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use http::StatusCode;
use rustls::CertificateError;

use super::guard::Inside;
use super::target::BadUrl;

/// Why a request has no answer. Whether the receiver had it is known of those alone that are about connecting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The host has an address that nothing is sent to.
    #[error("the receiver is not sent to: {0}")]
    Refused(#[from] Inside),
    /// The host's name has such addresses alone.
    #[error(
        "the name {name} leads to an address that is not let in: whoever runs the server can let it in (--push-allow-network)"
    )]
    Inward {
        /// The name.
        name: String,
        /// The first of the addresses. It is not told.
        inside: Inside,
    },
    /// The host's name has no address.
    #[error("the name {name} is not resolved: {reason}")]
    Unresolved {
        /// The name.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// Nothing answers there.
    #[error("the receiver is not reached: {0}")]
    Unreachable(String),
    /// The receiver's certificate is not one to trust.
    #[error("the receiver's certificate is not trusted: {0}")]
    Untrusted(String),
    /// TLS does not come about for another reason.
    #[error("TLS with the receiver failed: {0}")]
    Handshake(String),
    /// There are no certificates of authorities to hold the receiver's against.
    #[error("no receiver's certificate can be verified: {0}")]
    Authorities(String),
    /// It took too long.
    #[error("timed out while {0}")]
    TimedOut(Stage),
    /// The connection ended before an answer.
    #[error("the receiver closed the connection before it answered: {0}")]
    Closed(String),
    /// The head of the answer is larger than any should be.
    #[error(
        "the head of the receiver's answer is larger than 64 KiB, or has more than 100 headers"
    )]
    HeadTooLarge,
    /// What came is no answer of HTTP/1.1.
    #[error("the receiver's answer is not HTTP/1.1: {0}")]
    Malformed(String),
    /// The answer is a redirect that is not followed.
    #[error("the receiver answered {} and redirects elsewhere: {fault}", status.as_u16())]
    Redirected {
        /// The status of the answer.
        status: StatusCode,
        /// Why it is not followed.
        fault: RedirectFault,
    },
}

/// Why a redirect is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectFault {
    /// None is.
    #[error("redirects are not followed here")]
    Off,
    /// It is not 307 or 308.
    #[error("only 307 and 308 are followed, for others do not keep method and body")]
    Status,
    /// There were too many before it.
    #[error("too many redirects, one after the other")]
    TooMany,
    /// It does not say where it leads.
    #[error("there is no `Location` that could be read")]
    Location,
    /// It leads from `https` to `http`.
    #[error("it leads from https to http")]
    Downgrade,
    /// It leads to where nothing is sent.
    #[error("{0}")]
    Target(#[from] BadUrl),
}

/// What a request was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// For the addresses of a name.
    Resolving,
    /// For a connection.
    Connecting,
    /// For TLS.
    Securing,
    /// For the head of the answer, the request being written.
    Answering,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolving => "the receiver's name was looked up",
            Self::Connecting => "the connection was made",
            Self::Securing => "TLS was agreed on",
            Self::Answering => "the receiver's answer was waited for",
        })
    }
}

impl Failure {
    /// Why sending failed.
    pub(super) fn of(error: &hyper_util::client::legacy::Error) -> Self {
        let mut link: &(dyn StdError + 'static) = error;
        loop {
            // What the connector said.
            if let Some(failure) = link.downcast_ref::<Self>() {
                return failure.clone();
            }
            if let Some(error) = link.downcast_ref::<hyper::Error>() {
                if error.is_parse_too_large() {
                    return Self::HeadTooLarge;
                }
                if error.is_parse() {
                    return Self::Malformed(error.to_string());
                }
            }
            link = match cause(link) {
                Some(cause) => cause,
                // The layers around it only name themselves.
                None => return Self::Closed(link.to_string()),
            };
        }
    }

    /// Why the handshake of TLS failed.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(rustls::Error::InvalidCertificate(why)) => Self::Untrusted(words(why)),
            Some(rustls::Error::InvalidMessage(_)) => {
                Self::Handshake("what answers there does not speak TLS".to_owned())
            }
            Some(other) => Self::Handshake(other.to_string()),
            None => Self::Handshake(error.to_string()),
        }
    }
}

fn cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    // What an I/O error was made of is not what it calls its source, but stands before it.
    let within = error
        .downcast_ref()
        .and_then(io::Error::get_ref)
        .map(|inner| inner as &(dyn StdError + 'static));
    within.or_else(|| error.source())
}

fn words(why: &CertificateError) -> String {
    match why {
        // The last two are of one that has the name of an authority that is trusted, and not its key.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed by an authority that the server does not trust; whoever runs the server can add one (--push-ca-file)"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.join(", ");
            format!("it is for {names}, and not for the host of the URL")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: it is too new, or the server's clock is wrong".to_owned()
        }
        other => other.to_string(),
    }
}
