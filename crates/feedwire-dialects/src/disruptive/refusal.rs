//! What the edge refuses by itself, as Disruptive's API tells it.

use http::StatusCode;

use super::error::{Failure, failure, too_large, unavailable, unknown_project};
use crate::Refusal;

/// What the edge refuses by itself.
pub fn refused(refusal: Refusal) -> Failure {
    let status = match refusal {
        Refusal::NoProof | Refusal::BadProof | Refusal::ExpiredProof | Refusal::TwoProofs => {
            return unproven(refusal);
        }
        Refusal::TooMuch { retry_after, .. } => {
            let failure = failure(StatusCode::TOO_MANY_REQUESTS, &refusal);
            return Failure {
                retry_after: Some(retry_after),
                ..failure
            };
        }
        Refusal::BodyTooLarge(bytes_max) => {
            return too_large(&format!("a body has at most {bytes_max} bytes"));
        }
        Refusal::NoProject => return unknown_project(),
        Refusal::Busy => return unavailable(&refusal),
        Refusal::NothingGranted | Refusal::RightMissing(_) | Refusal::ServerOnly => {
            StatusCode::FORBIDDEN
        }
        Refusal::NotFound => StatusCode::NOT_FOUND,
        Refusal::DataTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Refusal::NotOneHost
        | Refusal::PathEscape
        | Refusal::NotEntityTags(_)
        | Refusal::HeaderTwice(_)
        | Refusal::NotUuid(_)
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

/// Nobody knows who asks.
fn unproven(refusal: Refusal) -> Failure {
    failure(StatusCode::UNAUTHORIZED, &refusal)
}
