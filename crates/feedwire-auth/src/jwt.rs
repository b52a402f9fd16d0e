//! The text of a JWT: RFC 7515's compact serialization, and nothing that it can say of itself but that.
//!
//! What is looked for in its header and claims stands with each kind of token: `access.rs` and `assertion.rs`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The parts of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compact<'a> {
    /// What the signature is about: header, dot, claims.
    pub(crate) signed: &'a str,
    pub(crate) header: &'a str,
    pub(crate) claims: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Compact<'a> {
    /// The three parts of `text`; `None` if there are more or fewer.
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        (!claims.contains('.')).then_some(Self {
            signed,
            header,
            claims,
            signature,
        })
    }
}

/// The bytes that one part stands for. There is one text for them: padding, white space and stray bits are refused.
pub(crate) fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, A.1.
    const RFC_7515: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn the_example_of_the_rfc_is_split_and_verified() {
        let token = Compact::split(RFC_7515).expect("three parts");
        let header = decode(token.header).expect("base64url");
        assert_eq!(header, b"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}");
        let key = decode(
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        );
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key.expect("a key"));
        let signature = decode(token.signature).expect("base64url");
        let verified = aws_lc_rs::hmac::verify(&key, token.signed.as_bytes(), &signature);
        assert!(verified.is_ok());
    }

    #[test]
    fn a_token_has_three_parts() {
        for text in ["", "a", "a.b", "a.b.c.d", "...", "a.b.c."] {
            assert!(Compact::split(text).is_none(), "{text:?}");
        }
    }
}
