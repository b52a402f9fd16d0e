//! A request that was received, as it is printed.

use std::fmt::Write as _;

use feedwire_push::{SigningSecret, TOLERANCE, verify};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde_json::Value;

use super::layout::laid_out;

/// Headers that are told with what they say. Of the others only the names are: they may be secrets, which are not for a screen.
const TOLD: &[&str] = &["content-type", "webhook-id", "webhook-timestamp"];

/// Headers that are in every request and say nothing.
const USUAL: &[&str] = &[
    "accept",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "user-agent",
    "webhook-signature",
];

/// A request.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Received {
    method: String,
    path: String,
    /// What it was answered with.
    status: u16,
    /// `good`, `unknown`, or why it is not good.
    signature: String,
    headers: Vec<(String, String)>,
    /// The names of those that are not told.
    others: Vec<String>,
    body: Value,
    /// As it came.
    #[serde(skip)]
    text: String,
}

impl Received {
    /// The request with this head and body, which is answered with `status`.
    pub(super) fn new(
        head: &Parts,
        body: &[u8],
        secrets: &[SigningSecret],
        now_seconds: i64,
        status: StatusCode,
    ) -> Self {
        let secrets: Vec<&SigningSecret> = secrets.iter().collect();
        let verified = verify(&head.headers, body, &secrets, now_seconds, TOLERANCE);
        let signature = match verified {
            _ if secrets.is_empty() => "not verified, for there is no secret".to_owned(),
            Ok(()) => "good".to_owned(),
            Err(why) => format!("WRONG: {why}"),
        };
        let (mut headers, mut others) = (Vec::new(), Vec::new());
        for (name, value) in &head.headers {
            let name = name.as_str();
            if TOLD.contains(&name) || name.starts_with("ce-") {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                headers.push((name.to_owned(), value));
            } else if !USUAL.contains(&name) {
                others.push(name.to_owned());
            }
        }
        let text = String::from_utf8_lossy(body).into_owned();
        let target = head.uri.path_and_query();
        Self {
            method: head.method.to_string(),
            path: target.map_or("/", |target| target.as_str()).to_owned(),
            status: status.as_u16(),
            signature,
            headers,
            others,
            body: serde_json::from_slice(body).unwrap_or_else(|_| Value::String(text.clone())),
            text,
        }
    }

    /// As one line of JSON.
    pub(super) fn json(&self) -> anyhow::Result<String> {
        crate::credential::one_line(self)
    }

    /// As people read it.
    pub(super) fn words(&self) -> String {
        let mut lines = format!(
            "{} {}, answered with {}, signature {}",
            self.method, self.path, self.status, self.signature
        );
        for (name, value) in &self.headers {
            write!(lines, "\n  {name}: {value}").expect("a text takes all");
        }
        if !self.others.is_empty() {
            let names = self.others.join(", ");
            write!(lines, "\n  and {names}").expect("a text takes all");
        }
        let body = match &self.body {
            Value::String(_) => self.text.clone(),
            _ => laid_out(&self.text),
        };
        for line in body.lines() {
            write!(lines, "\n  {line}").expect("a text takes all");
        }
        printable(&lines)
    }
}

/// `text` without what would move the cursor of a terminal.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use feedwire_push::standard_webhooks;
    use http::Request;

    use super::*;

    const BODY: &str = r#"{"id":"7","data":{"n":1}}"#;
    const NOW: i64 = 1_356_998_400;

    fn received(secrets: &[SigningSecret], by: &SigningSecret, body: &str) -> Received {
        let mut request = Request::post("/hook?a=1")
            .header("content-type", "application/cloudevents+json")
            .header("host", "127.0.0.1")
            .header("x-key", "hunter2")
            .body(())
            .expect("a request");
        let signed = standard_webhooks("7", NOW, BODY.as_bytes(), &[by]).expect("an id");
        request.headers_mut().extend(signed);
        let (head, ()) = request.into_parts();
        Received::new(&head, body.as_bytes(), secrets, NOW + 1, StatusCode::OK)
    }

    #[test]
    fn a_request_is_told_with_its_body_and_without_secrets() {
        let secret = SigningSecret::generate();
        let told = received(&[], &secret, BODY).words();
        let words = "\
POST /hook?a=1, answered with 200, signature not verified, for there is no secret
  content-type: application/cloudevents+json
  webhook-id: 7
  webhook-timestamp: 1356998400
  and x-key
  {
    \"id\": \"7\",
    \"data\": {
      \"n\": 1
    }
  }";
        assert_eq!(told, words);
    }

    #[test]
    fn whether_it_is_signed_by_one_of_the_secrets_is_said() {
        let (one, other) = (SigningSecret::generate(), SigningSecret::generate());
        let signature = |secrets: &[SigningSecret], body| received(secrets, &one, body).signature;
        let good = signature(&[other.clone(), one.clone()], BODY);
        assert_eq!(good, "good");
        let wrong = "WRONG: the request was signed with another secret, or was changed";
        assert_eq!(signature(&[other], BODY), wrong);
        assert_eq!(signature(std::slice::from_ref(&one), "{}"), wrong);
    }

    #[test]
    fn what_would_move_a_cursor_is_escaped() {
        let secret = SigningSecret::generate();
        let told = received(&[], &secret, "a\u{1b}[2Jb\u{9b}c").words();
        assert!(told.ends_with("\n  a\\u{1b}[2Jb\\u{9b}c"), "{told}");
        let json = received(&[], &secret, "{}").json().expect("JSON");
        assert!(json.contains(r#""others":["x-key"],"body":{}"#), "{json}");
    }
}
