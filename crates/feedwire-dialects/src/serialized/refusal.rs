//! What the edge refuses by itself, as Serialized's API tells it.

use http::StatusCode;

use super::error::{Failure, unknown_tenant};
use crate::Refusal;
use crate::failure::{self, failure};

/// What the edge refuses by itself.
pub fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::NoProof | Refusal::BadProof | Refusal::ExpiredProof | Refusal::TwoProofs => {
            unproven(refusal)
        }
        Refusal::NoProject => unknown_tenant(),
        _ => failure::refused(refusal),
    }
}

/// Nobody knows who asks.
fn unproven(refusal: Refusal) -> Failure {
    const HOW: &str = "Serialized-Access-Key with the key id and Serialized-Secret-Access-Key with the secret of a credential";
    let message = match refusal {
        Refusal::ExpiredProof => refusal.to_string(),
        Refusal::TwoProofs => format!("a request proves who asks in one way: by {HOW}"),
        Refusal::BadProof => format!("{refusal}; this takes {HOW}"),
        _ => format!("this takes two headers: {HOW}"),
    };
    failure(StatusCode::UNAUTHORIZED, &message)
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
        {"code":404,"message":"there is nothing at this address"}
        {"code":405,"message":"this address does not take this method; the header Allow says which it takes"}
        {"code":404,"message":"there is no such tenant"}
        {"code":414,"message":"an address has at most 9 bytes"}
        {"code":431,"message":"the headers of a request have at most 9 bytes together"}
        {"code":400,"message":"Host: a request of HTTP/1.1 has this header once"}
        {"code":421,"message":"without authentication only calls from this machine are answered: as localhost, 127.0.0.1 or [::1], whatever the port"}
        {"code":400,"message":"path: a percent sign stands before two hexadecimal digits; itself it is written %25"}
        {"code":400,"message":"Content-Type: this header is meant once"}
        {"code":400,"message":"If-None-Match: it has to be entity tags in their quotes, parted by commas, or *"}
        {"code":400,"message":"x: it has to be a UUID"}
        {"code":412,"message":"this is not what If-Match says that it has to be: read it again"}
        {"code":501,"message":"the only transfer encoding that is understood is chunked"}
        {"code":413,"message":"a body has at most 9 bytes"}
        {"code":413,"message":"the data of an event has at most 9 bytes"}
        {"code":408,"message":"the rest of the request did not arrive in time"}
        {"code":400,"message":"the body is cut off or its framing is broken"}
        {"code":401,"message":"this takes two headers: Serialized-Access-Key with the key id and Serialized-Secret-Access-Key with the secret of a credential"}
        {"code":401,"message":"the credential is not one, is no longer, or its secret is another; this takes Serialized-Access-Key with the key id and Serialized-Secret-Access-Key with the secret of a credential"}
        {"code":401,"message":"the access token has expired: get another at /oauth2/token"}
        {"code":401,"message":"a request proves who asks in one way: by Serialized-Access-Key with the key id and Serialized-Secret-Access-Key with the secret of a credential"}
        {"code":403,"message":"nothing is granted in this project"}
        {"code":403,"message":"the right to publish is needed in this project"}
        {"code":403,"message":"this is for those who administer the server: a grant of admin in every project"}
        {"code":429,"message":"this credential has as many requests a second as it may: try again in 7 s"} after 7 s
        {"code":503,"message":"too much is being sent at once; try again in a moment"} after 1 s
        "#);
    }
}
