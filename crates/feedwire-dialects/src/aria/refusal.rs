//! What the edge refuses by itself, as Aria's API tells it.

use super::error::{Failure, unknown_project};
use crate::{Refusal, failure};

/// What the edge refuses by itself.
pub fn refused(refusal: Refusal) -> Failure {
    match refusal {
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
        404 {"error":"not_found","error_description":"there is nothing at this address"}
        405 {"error":"invalid_request","error_description":"this address does not take this method; the header Allow says which it takes"}
        404 {"error":"not_found","error_description":"there is no such project"}
        414 {"error":"invalid_request","error_description":"an address has at most 9 bytes"}
        431 {"error":"invalid_request","error_description":"the headers of a request have at most 9 bytes together"}
        400 {"error":"invalid_request","error_description":"Host: a request of HTTP/1.1 has this header once"}
        421 {"error":"invalid_request","error_description":"without authentication only calls from this machine are answered: as localhost, 127.0.0.1 or [::1], whatever the port"}
        400 {"error":"invalid_request","error_description":"path: a percent sign stands before two hexadecimal digits; itself it is written %25"}
        400 {"error":"invalid_request","error_description":"Content-Type: this header is meant once"}
        400 {"error":"invalid_request","error_description":"If-None-Match: it has to be entity tags in their quotes, parted by commas, or *"}
        400 {"error":"invalid_request","error_description":"x: it has to be a UUID"}
        412 {"error":"invalid_request","error_description":"this is not what If-Match says that it has to be: read it again"}
        501 {"error":"server_error","error_description":"the only transfer encoding that is understood is chunked"}
        413 {"error":"invalid_request","error_description":"a body has at most 9 bytes"}
        413 {"error":"invalid_request","error_description":"the data of an event has at most 9 bytes"}
        408 {"error":"invalid_request","error_description":"the rest of the request did not arrive in time"}
        400 {"error":"invalid_request","error_description":"the body is cut off or its framing is broken"}
        401 {"error":"invalid_token","error_description":"this takes a credential: Authorization with Bearer and a token, or Basic with key id and secret"}
        401 {"error":"invalid_token","error_description":"the credential is not one, is no longer, or its secret is another"}
        401 {"error":"invalid_token","error_description":"the access token has expired: get another at /oauth2/token"}
        401 {"error":"invalid_token","error_description":"a request proves who asks in one way: by one header Authorization, or by token= in the address"}
        403 {"error":"insufficient_scope","error_description":"nothing is granted in this project"}
        403 {"error":"insufficient_scope","error_description":"the right to publish is needed in this project"}
        403 {"error":"insufficient_scope","error_description":"this is for those who administer the server: a grant of admin in every project"}
        429 {"error":"temporarily_unavailable","error_description":"this credential has as many requests a second as it may: try again in 7 s"} after 7 s
        503 {"error":"temporarily_unavailable","error_description":"too much is being sent at once; try again in a moment"} after 1 s
        "#);
    }
}
