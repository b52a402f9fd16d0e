//! What the edge refuses by itself, as Disruptive's API tells it.

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
        {"error":"there is nothing at this address","code":404,"help":"https://docs.d21s.com/error/#404"}
        {"error":"this address does not take this method; the header Allow says which it takes","code":405,"help":"https://docs.d21s.com/error/#405"}
        {"error":"there is no such project","code":404,"help":"https://docs.d21s.com/error/#404"}
        {"error":"an address has at most 9 bytes","code":414,"help":"https://docs.d21s.com/error/#414"}
        {"error":"the headers of a request have at most 9 bytes together","code":431,"help":"https://docs.d21s.com/error/#431"}
        {"error":"Host: a request of HTTP/1.1 has this header once","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"without authentication only calls from this machine are answered: as localhost, 127.0.0.1 or [::1], whatever the port","code":421,"help":"https://docs.d21s.com/error/#421"}
        {"error":"path: a percent sign stands before two hexadecimal digits; itself it is written %25","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"Content-Type: this header is meant once","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"If-None-Match: it has to be entity tags in their quotes, parted by commas, or *","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"x: it has to be a UUID","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"this is not what If-Match says that it has to be: read it again","code":412,"help":"https://docs.d21s.com/error/#412"}
        {"error":"the only transfer encoding that is understood is chunked","code":501,"help":"https://docs.d21s.com/error/#501"}
        {"error":"a body has at most 9 bytes","code":413,"help":"https://docs.d21s.com/error/#413"}
        {"error":"the data of an event has at most 9 bytes","code":413,"help":"https://docs.d21s.com/error/#413"}
        {"error":"the rest of the request did not arrive in time","code":408,"help":"https://docs.d21s.com/error/#408"}
        {"error":"the body is cut off or its framing is broken","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"this takes a credential: Authorization with Bearer and a token, or Basic with key id and secret","code":401,"help":"https://docs.d21s.com/error/#401"}
        {"error":"the credential is not one, is no longer, or its secret is another","code":401,"help":"https://docs.d21s.com/error/#401"}
        {"error":"the access token has expired: get another at /oauth2/token","code":401,"help":"https://docs.d21s.com/error/#401"}
        {"error":"a request proves who asks in one way: by one header Authorization, or by token= in the address","code":401,"help":"https://docs.d21s.com/error/#401"}
        {"error":"nothing is granted in this project","code":403,"help":"https://docs.d21s.com/error/#403"}
        {"error":"the right to publish is needed in this project","code":403,"help":"https://docs.d21s.com/error/#403"}
        {"error":"this is for those who administer the server: a grant of admin in every project","code":403,"help":"https://docs.d21s.com/error/#403"}
        {"error":"this credential has as many requests a second as it may: try again in 7 s","code":429,"help":"https://docs.d21s.com/error/#429"} after 7 s
        {"error":"too much is being sent at once; try again in a moment","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        "#);
    }
}
