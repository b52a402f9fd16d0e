//! What the edge refuses by itself, as Validic's API tells it.

use super::error::{Failure, unknown_project};
use crate::failure::forbidden;
use crate::{Refusal, failure};

/// The vendor's words to whom it does not know.
const NOT_KNOWN: &str = "Invalid authentication credentials";

/// What the edge refuses by itself. Who is not known is told 403: the vendor has no 401.
pub fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::NoProof | Refusal::BadProof | Refusal::ExpiredProof => forbidden(NOT_KNOWN),
        Refusal::TwoProofs => forbidden(&refusal),
        Refusal::NoProject => unknown_project(),
        _ => failure::refused(refusal),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::error::tests::told;
    use super::*;
    use crate::refusal;

    #[test]
    fn what_the_edge_refuses_has_its_status() {
        assert_snapshot!(told(&refusal::tests::all().map(refused)), @r#"
        404 {"errors":["there is nothing at this address"]}
        405 {"errors":["this address does not take this method; the header Allow says which it takes"]}
        404 {"errors":["there is no such project"]}
        414 {"errors":["an address has at most 9 bytes"]}
        431 {"errors":["the headers of a request have at most 9 bytes together"]}
        400 {"errors":["Host: a request of HTTP/1.1 has this header once"]}
        421 {"errors":["without authentication only calls from this machine are answered: as localhost, 127.0.0.1 or [::1], whatever the port"]}
        400 {"errors":["path: a percent sign stands before two hexadecimal digits; itself it is written %25"]}
        400 {"errors":["Content-Type: this header is meant once"]}
        400 {"errors":["If-None-Match: it has to be entity tags in their quotes, parted by commas, or *"]}
        400 {"errors":["x: it has to be a UUID"]}
        412 {"errors":["this is not what If-Match says that it has to be: read it again"]}
        501 {"errors":["the only transfer encoding that is understood is chunked"]}
        413 {"errors":["a body has at most 9 bytes"]}
        413 {"errors":["the data of an event has at most 9 bytes"]}
        408 {"errors":["the rest of the request did not arrive in time"]}
        400 {"errors":["the body is cut off or its framing is broken"]}
        403 {"errors":["Invalid authentication credentials"]}
        403 {"errors":["Invalid authentication credentials"]}
        403 {"errors":["Invalid authentication credentials"]}
        403 {"errors":["a request proves who asks in one way: by one header Authorization, or by token= in the address"]}
        403 {"errors":["nothing is granted in this project"]}
        403 {"errors":["the right to publish is needed in this project"]}
        403 {"errors":["this is for those who administer the server: a grant of admin in every project"]}
        429 {"errors":["this credential has as many requests a second as it may: try again in 7 s"]} after 7 s
        503 {"errors":["too much is being sent at once; try again in a moment"]} after 1 s
        "#);
    }
}
