//! Why something is not done, as dialects tell it whose errors are a status and words.

use std::fmt::Display;

use feedwire_core::{audit, store};
use feedwire_engine::Unavailable;
use http::StatusCode;

use crate::Refusal;

/// When to come again, in seconds, where nobody can say.
const RETRY_AFTER: u64 = 1;

/// A refusal as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The status, which is the code in its body too.
    pub status: StatusCode,
    /// What went wrong.
    pub message: String,
    /// What is wrong with a body, member by member, where the dialect tells it so.
    pub errors: Vec<String>,
    /// When to come again, in whole seconds.
    pub retry_after: Option<u64>,
}

pub(crate) fn failure(status: StatusCode, message: &(impl Display + ?Sized)) -> Failure {
    Failure {
        status,
        message: message.to_string(),
        errors: Vec::new(),
        retry_after: None,
    }
}

pub(crate) fn bad_request(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::BAD_REQUEST, message)
}

pub(crate) fn forbidden(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::FORBIDDEN, message)
}

pub(crate) fn not_found(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::NOT_FOUND, message)
}

pub(crate) fn conflict(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::CONFLICT, message)
}

pub(crate) fn too_large(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::PAYLOAD_TOO_LARGE, message)
}

pub(crate) fn no_space(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::INSUFFICIENT_STORAGE, message)
}

/// What is stored cannot be read.
pub fn damaged(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::INTERNAL_SERVER_ERROR, message)
}

/// The request cannot be met at present.
pub(crate) fn unavailable(message: &(impl Display + ?Sized)) -> Failure {
    Failure {
        retry_after: Some(RETRY_AFTER),
        ..failure(StatusCode::SERVICE_UNAVAILABLE, message)
    }
}

/// The server takes nothing more: it stops.
pub(crate) fn stopping() -> Failure {
    unavailable("the server is stopping")
}

/// Something that is kept beside the events and was not stored; `read` tells why it was not looked at.
pub(crate) fn store(
    error: &store::Error,
    read: impl FnOnce(&feedwire_core::read::Error) -> Failure,
) -> Failure {
    match error {
        store::Error::Read(error) => read(error),
        store::Error::Changed => conflict(error),
        store::Error::NoSpace(_) => no_space(error),
        store::Error::Unavailable(_) => unavailable("it cannot be stored"),
    }
}

/// A change that is not on record, and so is not made.
pub fn audit(error: &audit::Error) -> Failure {
    match error {
        audit::Error::NoSpace(_) => no_space(error),
        audit::Error::Closing => stopping(),
        audit::Error::Event(_) | audit::Error::Damaged(_) | audit::Error::Unavailable(_) => {
            unavailable("it cannot be put on record, and so it is not done")
        }
    }
}

/// What could not be looked up.
pub fn unanswered(_: &Unavailable) -> Failure {
    unavailable("it cannot be looked up")
}

/// What the edge refuses by itself, where the dialect has no words of its own for it.
pub(crate) fn refused(refusal: Refusal) -> Failure {
    let status = match refusal {
        Refusal::TooMuch { retry_after, .. } => {
            return Failure {
                retry_after: Some(retry_after),
                ..failure(StatusCode::TOO_MANY_REQUESTS, &refusal)
            };
        }
        Refusal::Busy => return unavailable(&refusal),
        Refusal::BodyTooLarge(bytes_max) => {
            return too_large(&format!("a body has at most {bytes_max} bytes"));
        }
        Refusal::NoProof | Refusal::BadProof | Refusal::ExpiredProof | Refusal::TwoProofs => {
            StatusCode::UNAUTHORIZED
        }
        Refusal::NothingGranted | Refusal::RightMissing(_) | Refusal::ServerOnly => {
            StatusCode::FORBIDDEN
        }
        Refusal::NotFound | Refusal::NoProject => StatusCode::NOT_FOUND,
        Refusal::DataTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Refusal::NotOneHost
        | Refusal::PathEscape
        | Refusal::NotEntityTags(_)
        | Refusal::HeaderTwice(_)
        | Refusal::NotUuid(_)
        | Refusal::TenantUnclear
        | Refusal::BodyBroken => StatusCode::BAD_REQUEST,
        Refusal::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
        Refusal::TransferEncoding => StatusCode::NOT_IMPLEMENTED,
        Refusal::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::UriTooLong(_) => StatusCode::URI_TOO_LONG,
        Refusal::HeadersTooLarge(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Refusal::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
    };
    failure(status, &refusal)
}
