//! `POST /oauth2/token`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feedwire_auth::limits::TOKEN_LIFETIME;
use feedwire_auth::{
    AccessToken, CLIENT_CREDENTIALS, Client, JWT_BEARER, Proof, TokenError, TokenRequest,
};
use feedwire_dialects::{Refusal, escape, media};
use feedwire_event::Timestamp;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};

use crate::access::{Access, Rule};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::{intake, proof};

/// The largest body: an assertion and what goes with it, escaped. Everybody may send one, and it takes room that publishers need.
const BODY_BYTES_MAX: usize = 32 * 1024;

/// That nobody is to keep an answer, in all the words that Aria's API has for it.
const NOT_KEPT: &str = "no-store, no-cache, must-revalidate";

/// An access token as RFC 6749, 5.1, has it.
#[derive(Serialize)]
struct Issued<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// Why there is none, as RFC 6749, 5.2, has it.
#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// The parameters that are looked at.
const KNOWN: [&str; 5] = [
    "grant_type",
    "client_id",
    "client_secret",
    "assertion",
    "scope",
];

/// The parameters of a request, each once.
type Parameters<'b> = BTreeMap<Cow<'b, str>, Cow<'b, str>>;

pub(super) async fn exchange(asked: Asked, body: Incoming) -> Answer {
    let body = match intake::small(body, BODY_BYTES_MAX, &asked.edge).await {
        Ok(body) => body,
        Err(refusal) => return answer::refusal(refusal, asked.head()),
    };
    let content = asked.headers().get(CONTENT_TYPE);
    let content = content.and_then(|value| value.to_str().ok());
    let parameters = match parameters(content.unwrap_or_default(), &body.bytes) {
        Ok(parameters) => parameters,
        Err(words) => return refused(StatusCode::BAD_REQUEST, "invalid_request", words),
    };
    match asked.edge.access() {
        Access::Open { .. } => open(&parameters, asked.edge.clock().now()),
        Access::Guarded(_) => guarded(&asked, &parameters).await,
    }
}

/// A token that proves nothing, of the time `now`. It has the shape of one: clients look into it for when to get another.
fn open_token(now: Timestamp) -> String {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let ends_at = now.after(TOKEN_LIFETIME).as_micros() / 1_000_000;
    let claims = format!(r#"{{"exp":{ends_at}}}"#);
    format!(
        "{}.{}.",
        part(r#"{"alg":"none","typ":"JWT"}"#),
        part(&claims)
    )
}

/// The answer of a server that asks nobody: whoever has a client that gets itself a token can try it out.
fn open(parameters: &Parameters<'_>, now: Timestamp) -> Answer {
    match parameters.get("grant_type").map(AsRef::as_ref) {
        Some(CLIENT_CREDENTIALS | JWT_BEARER) => issued(&Issued {
            access_token: &open_token(now),
            token_type: "Bearer",
            expires_in: TOKEN_LIFETIME.as_secs(),
            scope: None,
        }),
        Some(_) => failed(&TokenError::UnsupportedGrantType),
        None => failed(&TokenError::InvalidRequest("grant_type is missing")),
    }
}

async fn guarded(asked: &Asked, parameters: &Parameters<'_>) -> Answer {
    let Access::Guarded(auth) = asked.edge.access() else {
        return answer::refusal(Refusal::NotFound, asked.head());
    };
    let by_header = asked.shown(Rule::Open);
    let header = match by_header.as_ref().map(proof::Shown::proof) {
        Ok(Some(Proof::Basic { key_id, secret })) => Some((key_id, secret)),
        // Only a client that shows who it is by Basic does so in this header (RFC 6749, 2.3.1).
        Ok(Some(Proof::Bearer(_))) | Err(_) => return invalid_client(),
        Ok(None) => None,
    };
    let get = |name: &str| parameters.get(name).map(AsRef::as_ref);
    let posted = get("client_id").zip(get("client_secret"));
    if header.is_some() && get("client_secret").is_some() {
        let words = "a client shows who it is in one way: by Basic, or by client_secret";
        return refused(StatusCode::BAD_REQUEST, "invalid_request", words);
    }
    // RFC 6749, 2.3.1: both are form-encoded within Basic; neither of ours has a character that this changes.
    let client = header
        .or(posted)
        .map(|(key_id, secret)| Client { key_id, secret });
    let request = TokenRequest {
        grant_type: get("grant_type").unwrap_or_default(),
        client,
        assertion: get("assertion"),
        scope: get("scope"),
    };
    match auth.exchange(request).await {
        Ok(token) => counted(asked, &token),
        Err(error) => failed(&error),
    }
}

/// The answer that has `token`, if its credential may ask for one more.
fn counted(asked: &Asked, token: &AccessToken) -> Answer {
    let (mut metered, quotas) = (asked.metered().clone(), asked.edge.quotas());
    match quotas.of_credential(&mut metered, &token.key_id, token.limits) {
        Ok(()) => issued(&Issued {
            access_token: &token.token,
            token_type: "Bearer",
            expires_in: token.expires_in.as_secs(),
            scope: Some(token.scope_text()),
        }),
        Err(exceeded) => answer::refusal(exceeded.into(), asked.head()),
    }
}

fn failed(error: &TokenError) -> Answer {
    let words = error.to_string();
    match error {
        TokenError::InvalidClient => invalid_client(),
        TokenError::Full | TokenError::NoSpace(_) | TokenError::Unavailable(_) => {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "a token is not issued"
            );
            let words = "no token can be issued at present";
            refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                words,
            )
        }
        TokenError::InvalidRequest(_)
        | TokenError::InvalidGrant(_)
        | TokenError::UnauthorizedClient
        | TokenError::UnsupportedGrantType
        | TokenError::InvalidScope => {
            let code = error.code().unwrap_or("invalid_request");
            refused(StatusCode::BAD_REQUEST, code, &words)
        }
    }
}

fn invalid_client() -> Answer {
    let words = "the client is not known by this id and secret";
    let mut answer = refused(StatusCode::UNAUTHORIZED, "invalid_client", words);
    let challenge = HeaderValue::from_static(r#"Basic realm="feedwire""#);
    answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    answer
}

fn issued(token: &Issued<'_>) -> Answer {
    secret(StatusCode::OK, token)
}

fn refused(status: StatusCode, error: &str, words: &str) -> Answer {
    // RFC 6749, 5.2, has neither quotes nor backslashes nor what is not ASCII in a description.
    let plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    let words: String = words
        .chars()
        .map(|c| if plain(c) { c } else { '\'' })
        .collect();
    let body = Refused {
        error,
        error_description: &words,
    };
    secret(status, &body)
}

fn secret(status: StatusCode, body: &impl Serialize) -> Answer {
    let mut answer = answer::json(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(NOT_KEPT));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    answer
}

/// The parameters of a form, or of a JSON object of texts, in which the client may be a number. An empty value is as good as none (RFC 6749, 3.2).
fn parameters<'b>(content_type: &str, body: &'b [u8]) -> Result<Parameters<'b>, &'static str> {
    let text = std::str::from_utf8(body).or(Err("the body is not UTF-8"))?;
    let pairs: Vec<(Cow<'b, str>, Cow<'b, str>)> = match &*media::essence(content_type) {
        "application/json" => json(text).ok_or("the body is no JSON object of texts")?,
        "application/x-www-form-urlencoded" | "" => form(text).ok_or("the body is no form")?,
        _ => return Err("the body is application/x-www-form-urlencoded or application/json"),
    };
    let mut parameters = Parameters::new();
    // What is not known is passed over (RFC 6749, 3.2).
    for (name, value) in pairs
        .into_iter()
        .filter(|(name, _)| KNOWN.contains(&&**name))
    {
        if parameters.insert(name, value).is_some() {
            return Err("a parameter is given twice");
        }
    }
    parameters.retain(|_, value| !value.is_empty());
    Ok(parameters)
}

fn form(text: &str) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let read = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((escape::form(name)?, escape::form(value)?))
    });
    read.collect()
}

fn json(text: &str) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    /// Clients of Aria's API have numbers.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Client {
        Text(String),
        Number(serde_json::Number),
    }
    /// Of members that are not known, any value is passed over.
    #[derive(Deserialize)]
    struct Members {
        grant_type: Option<String>,
        client_id: Option<Client>,
        client_secret: Option<String>,
        assertion: Option<String>,
        scope: Option<String>,
    }
    let members: Members = serde_json::from_str(text)
        .ok()
        .filter(|_| text.trim_start().starts_with('{'))?;
    let client_id = match members.client_id {
        None => None,
        Some(Client::Text(text)) => Some(text),
        // The number of a client is a whole one.
        Some(Client::Number(number)) if number.is_u64() || number.is_i64() => {
            Some(number.to_string())
        }
        Some(Client::Number(_)) => return None,
    };
    let values = [
        members.grant_type,
        client_id,
        members.client_secret,
        members.assertion,
        members.scope,
    ];
    let pairs = KNOWN.into_iter().zip(values);
    let given = pairs.filter_map(|(name, value)| Some((name.into(), value?.into())));
    Some(given.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &str) -> Result<Vec<(String, String)>, &'static str> {
        let read = parameters(content_type, body.as_bytes())?;
        let pairs = read
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        Ok(pairs.collect())
    }

    #[test]
    fn parameters_come_as_a_form_or_as_json() {
        let expected = vec![
            ("assertion".to_owned(), "a.b c".to_owned()),
            ("grant_type".to_owned(), "x:y".to_owned()),
        ];
        let form = "grant_type=x%3Ay&assertion=a.b+c&scope=&resource=1&resource=2";
        assert_eq!(
            read("application/x-www-form-urlencoded", form),
            Ok(expected.clone())
        );
        let typed = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(read(typed, form), Ok(expected.clone()));
        let numbered = r#"{"grant_type":"x:y","client_id":1845601}"#;
        let numbered = read("application/JSON", numbered).expect("parameters");
        assert_eq!(numbered[0], ("client_id".to_owned(), "1845601".to_owned()));
        let json = r#"{"grant_type":"x:y","assertion":"a.b c","scope":"","other":7}"#;
        assert_eq!(read("application/json; charset=utf-8", json), Ok(expected));
    }

    #[test]
    fn what_is_neither_or_there_twice_is_refused() {
        for (content_type, body) in [
            ("application/xml", "<a/>"),
            ("application/json", "[]"),
            ("application/json", r#"{"scope":1}"#),
            ("application/json", r#"{"client_id":true}"#),
            ("application/json", r#"{"client_id":1.5}"#),
            ("application/json", r#"{"scope":"1","scope":"2"}"#),
            ("application/x-www-form-urlencoded", "a=%zz"),
            ("application/x-www-form-urlencoded", "scope=1&scope=1"),
        ] {
            assert!(read(content_type, body).is_err(), "{body}");
        }
    }
}
