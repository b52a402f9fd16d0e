//! Each error as Disruptive's API tells it: `{"error":"…","code":404,"help":"…"}`, and in another shape to whom asked for a stream of lines.

use std::fmt::Display;

use feedwire_core::{audit, publish, read, store};
use feedwire_engine::{BatchError, Unavailable};
use feedwire_event::Subject;
use http::StatusCode;
use serde::Serialize;

use super::{body, request};
use crate::Unreadable;
use crate::ascii;

/// When to come again, in seconds, where nobody can say.
const RETRY_AFTER: u64 = 1;
/// Where the vendor explains its codes; each has a place there.
const HELP: &str = "https://docs.d21s.com/error/#";

/// A refusal as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The status, which is the `code` too.
    pub status: u16,
    /// What went wrong.
    pub message: String,
    /// When to come again, in whole seconds: the vendor's client reads no dates, and gives up on a 429 without it.
    pub retry_after: Option<u64>,
}

impl Failure {
    /// The body as one line of ASCII.
    pub fn json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Answer<'a> {
            error: &'a str,
            code: u16,
            help: String,
        }
        ascii::json(&Answer {
            error: &self.message,
            code: self.status,
            help: self.help(),
        })
    }

    /// The body where a stream of lines was asked for, as one line of ASCII without its end. The vendor's client takes such a body for the
    /// lines of the stream, whatever the status is, and dies of any other shape.
    pub fn stream_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Error<'a> {
            code: u16,
            grpc_code: u8,
            http_code: u16,
            message: &'a str,
            http_status: &'static str,
            details: [(); 0],
        }
        #[derive(Serialize)]
        struct Answer<'a> {
            error: Error<'a>,
            code: u16,
            help: String,
        }
        let status = StatusCode::from_u16(self.status).ok();
        ascii::json(&Answer {
            error: Error {
                code: self.status,
                grpc_code: grpc_code(self.status),
                http_code: self.status,
                message: &self.message,
                http_status: status
                    .and_then(|status| status.canonical_reason())
                    .unwrap_or_default(),
                details: [],
            },
            code: self.status,
            help: self.help(),
        })
    }

    fn help(&self) -> String {
        format!("{HELP}{}", self.status)
    }
}

/// What gRPC calls a failure of this status (google.rpc.Code).
const fn grpc_code(status: u16) -> u8 {
    match status {
        408 => 1,
        404 | 410 => 5,
        409 => 10,
        403 => 7,
        401 => 16,
        405 | 501 => 12,
        412 => 9,
        429 | 507 => 8,
        503 => 14,
        400..=499 => 3,
        _ => 13,
    }
}

pub(super) fn failure(status: StatusCode, message: &(impl Display + ?Sized)) -> Failure {
    Failure {
        status: status.as_u16(),
        message: message.to_string(),
        retry_after: None,
    }
}

fn bad_request(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::BAD_REQUEST, message)
}

fn forbidden(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::FORBIDDEN, message)
}

fn not_found(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::NOT_FOUND, message)
}

fn conflict(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::CONFLICT, message)
}

pub(super) fn too_large(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::PAYLOAD_TOO_LARGE, message)
}

fn no_space(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::INSUFFICIENT_STORAGE, message)
}

fn damaged(message: &(impl Display + ?Sized)) -> Failure {
    failure(StatusCode::INTERNAL_SERVER_ERROR, message)
}

/// The request cannot be met at present.
pub fn unavailable(message: &(impl Display + ?Sized)) -> Failure {
    let failure = failure(StatusCode::SERVICE_UNAVAILABLE, message);
    Failure {
        retry_after: Some(RETRY_AFTER),
        ..failure
    }
}

/// The server takes nothing more: it stops.
pub fn stopping() -> Failure {
    unavailable("the server is stopping")
}

/// There is no such project.
pub fn unknown_project() -> Failure {
    not_found("there is no such project")
}

/// There is no such device.
pub fn unknown_device(device: &Subject) -> Failure {
    not_found(&format!("there is no device {device}"))
}

/// Something is asked for that is done in one project, and the path names all.
pub fn every_project() -> Failure {
    bad_request("project: this is done in one project, which has to be named")
}

/// Only what was made by the emulator is deleted and published to by it.
pub fn not_emulated(device: &Subject) -> Failure {
    bad_request(&format!("device {device} is no emulated one"))
}

/// A request that was refused before its body was looked at.
pub fn request(error: &request::Error) -> Failure {
    match error {
        request::Error::Parameter { .. } => bad_request(error),
        request::Error::ContentEncoding(_) => failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, error),
    }
}

/// A body that was refused.
pub fn body(error: &body::Error) -> Failure {
    match error {
        body::Error::Json { .. } => {
            bad_request(&format!("the body is not JSON as it is asked for: {error}"))
        }
        body::Error::Members(_) => bad_request(&format!("the body cannot be meant: {error}")),
    }
}

/// Events that were not published.
pub fn publish(error: &publish::Error) -> Failure {
    match error {
        publish::Error::Forbidden(_) => forbidden(error),
        publish::Error::UnknownProject(_) => unknown_project(),
        publish::Error::Batch(batch) => self::batch(batch),
        publish::Error::Conflict { .. } | publish::Error::PartlyKnown { .. } => conflict(error),
        publish::Error::KeyReused { .. } => bad_request(error),
        publish::Error::NoSpace(_) => no_space(error),
        publish::Error::Closing => stopping(),
        publish::Error::Damaged(_) => damaged(error),
        publish::Error::Unavailable(_) => {
            unavailable("the log cannot be written to; the event may have been published or not")
        }
    }
}

fn batch(error: &BatchError) -> Failure {
    match error {
        BatchError::Empty | BatchError::ExpectedTwice(_) | BatchError::SameId { .. } => {
            bad_request(error)
        }
        BatchError::TooMany(_) | BatchError::TooLarge(_) | BatchError::EventTooLarge { .. } => {
            too_large(error)
        }
    }
}

/// A reading that is not begun, or not gone on with.
pub fn read(error: &read::Error) -> Failure {
    match error {
        read::Error::Forbidden(_) => forbidden(error),
        read::Error::UnknownProject(_) => unknown_project(),
        // A stream is live and a history ends where there is nothing more: neither asks for what is gone, but retention may overtake both.
        read::Error::Expired(_) => unavailable("it was let go of while it was read"),
        read::Error::CursorAhead { .. } => {
            bad_request("pageToken: no page was told with this token")
        }
        read::Error::Damaged(_) => damaged(error),
        read::Error::Unavailable(_) => unavailable("the log cannot be read"),
    }
}

/// Something that is kept beside the events and was not stored.
pub fn store(error: &store::Error) -> Failure {
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

/// An event that was stored by a later version.
pub fn unreadable(error: Unreadable) -> Failure {
    damaged(&error)
}
