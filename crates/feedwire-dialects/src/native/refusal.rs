//! What the edge refuses by itself, as a problem.

use feedwire_api::Problem;
use http::StatusCode;

use super::error::{
    changed, forbidden, invalid_parameter, not_found, problem, too_large, unavailable, with,
};
use crate::Refusal;

/// The kind of a request that nothing proves who asks.
pub const UNAUTHORIZED: &str = "unauthorized";

/// What the edge refuses by itself.
pub fn refused(refusal: Refusal) -> Problem {
    let (status, kind, title) = match refusal {
        Refusal::NothingGranted | Refusal::RightMissing(_) | Refusal::ServerOnly => {
            return forbidden(&refusal);
        }
        Refusal::TwoProofs => return invalid_parameter(&refusal, "Authorization"),
        Refusal::TooMuch {
            of, retry_after, ..
        } => {
            let problem = with(too_much(&refusal), "limited", of);
            return with(problem, "retry_after", retry_after);
        }
        Refusal::NoProof | Refusal::BadProof | Refusal::ExpiredProof => {
            return unproven(refusal);
        }
        Refusal::NotFound | Refusal::NoProject => return not_found(&refusal),
        Refusal::Busy => return unavailable(&refusal),
        Refusal::DataTooLarge(bytes_max) => {
            let problem = too_large("event-too-large", "An event is too large", &refusal);
            return with(problem, "limit", bytes_max);
        }
        Refusal::BodyTooLarge(bytes_max) => {
            let problem = too_large("body-too-large", "The body is too large", &refusal);
            return with(problem, "limit", bytes_max);
        }
        Refusal::NotOneHost => return invalid_parameter(&refusal, "Host"),
        Refusal::TenantUnclear => return invalid_parameter(&refusal, "tenantId"),
        Refusal::PathEscape => return invalid_parameter(&refusal, "path"),
        Refusal::PreconditionFailed => return changed(&refusal),
        Refusal::NotEntityTags(name) | Refusal::HeaderTwice(name) | Refusal::NotUuid(name) => {
            return invalid_parameter(&refusal, name);
        }
        Refusal::ForeignHost => (
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected-request",
            "Not called by a name of this machine",
        ),
        Refusal::TransferEncoding => (
            StatusCode::NOT_IMPLEMENTED,
            "not-implemented",
            "The transfer encoding is not understood",
        ),
        Refusal::MethodNotAllowed => (
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "Method not allowed",
        ),
        Refusal::UriTooLong(_) => (
            StatusCode::URI_TOO_LONG,
            "uri-too-long",
            "The address is too long",
        ),
        Refusal::HeadersTooLarge(_) => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers-too-large",
            "The headers are too large",
        ),
        Refusal::RequestTimeout => (
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            "The request took too long",
        ),
        Refusal::BodyBroken => (
            StatusCode::BAD_REQUEST,
            "body-broken",
            "The body is cut off",
        ),
    };
    problem(status, kind, title, &refusal)
}

/// Nobody knows who asks.
fn unproven(refusal: Refusal) -> Problem {
    let kind = match refusal {
        Refusal::NoProof => UNAUTHORIZED,
        Refusal::ExpiredProof => "token-expired",
        _ => "invalid-credential",
    };
    let title = "It is not proven who asks";
    problem(StatusCode::UNAUTHORIZED, kind, title, &refusal)
}

fn too_much(refusal: &Refusal) -> Problem {
    let title = "There is as much as there may be";
    problem(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-requests",
        title,
        refusal,
    )
}

#[cfg(test)]
mod tests {
    use feedwire_core::Right;
    use insta::assert_snapshot;

    use super::*;
    use crate::refusal::Taken;

    #[test]
    fn each_refusal_has_its_kind_and_status() {
        let problems = [
            Refusal::NotFound,
            Refusal::MethodNotAllowed,
            Refusal::NotOneHost,
            Refusal::HeaderTwice("Content-Type"),
            Refusal::PreconditionFailed,
            Refusal::DataTooLarge(9),
            Refusal::BodyTooLarge(9),
            Refusal::HeadersTooLarge(9),
            Refusal::NoProof,
            Refusal::ExpiredProof,
            Refusal::BadProof,
            Refusal::TwoProofs,
            Refusal::RightMissing(Right::Publish),
            Refusal::TooMuch {
                of: "credential",
                what: Taken::Requests,
                retry_after: 7,
            },
            Refusal::Busy,
        ];
        let kinds = problems.map(|refusal| {
            let problem = refused(refusal);
            format!(
                "{} {} {:?}",
                problem.status,
                problem.kind(),
                problem.members
            )
        });
        assert_snapshot!(kinds.join("\n"), @r#"
        404 not-found {}
        405 method-not-allowed {}
        400 invalid-parameter {"parameter": String("Host")}
        400 invalid-parameter {"parameter": String("Content-Type")}
        412 precondition-failed {}
        413 event-too-large {"limit": Number(9)}
        413 body-too-large {"limit": Number(9)}
        431 headers-too-large {}
        401 unauthorized {}
        401 token-expired {}
        401 invalid-credential {}
        400 invalid-parameter {"parameter": String("Authorization")}
        403 forbidden {}
        429 too-many-requests {"limited": String("credential"), "retry_after": Number(7)}
        503 unavailable {}
        "#);
    }
}
