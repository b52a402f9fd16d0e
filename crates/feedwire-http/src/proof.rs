//! What a request shows of who asks: a header `Authorization`, a token in the address, or the headers of a dialect.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use feedwire_auth::Proof;
use feedwire_dialects::{Refusal, escape};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::access::Rule;
use crate::routes::Dialect;

/// The parameter that bears a token.
const TOKEN: &str = "token";

/// What a request shows.
#[derive(Debug)]
pub(crate) struct Shown<'r> {
    credentials: Option<Credentials<'r>>,
    /// What is asked behind the question mark, where a token was taken out of it.
    pub(crate) query: Option<String>,
}

enum Credentials<'r> {
    Bearer(Cow<'r, str>),
    /// Key id and secret, with a colon between.
    Basic(String),
    Apart {
        key_id: &'r str,
        secret: &'r str,
    },
    /// Of no scheme that is known, or not as its scheme has it.
    Other,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Shown<'_> {
    /// What is to prove who asks; `None` where there is nothing.
    pub(crate) fn proof(&self) -> Option<Proof<'_>> {
        Some(match self.credentials.as_ref()? {
            Credentials::Bearer(token) => Proof::Bearer(token),
            Credentials::Basic(pair) => {
                let (key_id, secret) = pair.split_once(':').unwrap_or((pair, ""));
                Proof::Basic { key_id, secret }
            }
            Credentials::Apart { key_id, secret } => Proof::Basic { key_id, secret },
            // Nothing is proven by it.
            Credentials::Other => Proof::Bearer(""),
        })
    }
}

/// What the request with this `head` shows, where `rule` says whether a token may be in its address, and `dialect` whether it may be for
/// everything, and whether a token, or key id and secret, have headers of their own.
pub(crate) fn shown<'r>(
    head: &'r Parts,
    rule: Rule,
    dialect: &Dialect,
) -> Result<Shown<'r>, Refusal> {
    let header = head.headers.get(AUTHORIZATION);
    // Cheaper than to ask for ASCII, a character at a time; what is not, proves nothing either.
    let text = |value: &'r HeaderValue| std::str::from_utf8(value.as_bytes()).unwrap_or_default();
    let header = header.map(|value| authorization(text(value)));
    let apart = dialect.key_headers.map(|names| pair(&head.headers, names));
    let apart = apart.transpose()?.flatten();
    let bare = dialect.token_header.map(|name| bare(&head.headers, name));
    let bare = bare.transpose()?.flatten();
    let mut headers = [header, apart, bare].into_iter().flatten();
    let header = headers.next();
    if headers.next().is_some() {
        return Err(Refusal::TwoProofs);
    }
    let query = head.uri.query().unwrap_or_default();
    let takes_token = dialect.token_header.is_some() || rule.takes_token(&head.method);
    if !query.contains(TOKEN) || !takes_token {
        return Ok(Shown {
            credentials: header,
            query: None,
        });
    }
    let is_token = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        escape::form(name).is_some_and(|name| name == TOKEN)
    };
    let (mut tokens, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_token);
    let Some(token) = tokens.pop() else {
        return Ok(Shown {
            credentials: header,
            query: None,
        });
    };
    if header.is_some() || !tokens.is_empty() {
        return Err(Refusal::TwoProofs);
    }
    let value = token.split_once('=').map_or("", |(_, value)| value);
    Ok(Shown {
        credentials: Some(escape::form(value).map_or(Credentials::Other, Credentials::Bearer)),
        query: Some(others.join("&")),
    })
}

/// What two headers bear; one without the other proves nothing.
fn pair<'r>(
    headers: &'r HeaderMap,
    (key_id, secret): (&'static str, &'static str),
) -> Result<Option<Credentials<'r>>, Refusal> {
    Ok(match (one(headers, key_id)?, one(headers, secret)?) {
        (None, None) => None,
        (Some(key_id), Some(secret)) => Some(Credentials::Apart { key_id, secret }),
        _ => Some(Credentials::Other),
    })
}

/// The token that a header bears.
fn bare<'r>(
    headers: &'r HeaderMap,
    name: &'static str,
) -> Result<Option<Credentials<'r>>, Refusal> {
    Ok(one(headers, name)?.map(|token| Credentials::Bearer(token.into())))
}

/// The value of a header that is there once.
fn one<'r>(headers: &'r HeaderMap, name: &'static str) -> Result<Option<&'r str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(|value| value.to_str().unwrap_or_default())),
        _ => Err(Refusal::TwoProofs),
    }
}

/// What a header `Authorization` bears (RFC 7235, 2.1; RFC 7617; RFC 6750, 2.1).
fn authorization(value: &str) -> Credentials<'_> {
    let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim_start();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credentials::Bearer(rest.into());
    }
    let pair = || String::from_utf8(STANDARD.decode(rest).ok()?).ok();
    if scheme.eq_ignore_ascii_case("basic")
        && let Some(pair) = pair()
    {
        return Credentials::Basic(pair);
    }
    Credentials::Other
}

#[cfg(test)]
mod tests {
    use feedwire_core::Right;
    use http::Request;

    use super::*;
    use crate::native::DIALECT;

    /// A dialect that has two headers.
    const APART: Dialect = Dialect {
        key_headers: Some(("key-id", "key-secret")),
        ..DIALECT
    };

    /// A dialect that has a header of a token alone.
    const BARE: Dialect = Dialect {
        token_header: Some("token"),
        ..DIALECT
    };

    const READ: Rule = Rule::Project(Right::Read);

    /// What is shown, in words, and what is left of the query.
    fn told(
        method: &str,
        address: &str,
        header: Option<&str>,
        rule: Rule,
    ) -> (String, Option<String>) {
        let header = header.map(|header| ("authorization", header));
        let head = head(method, address, header.as_slice());
        match shown(&head, rule, &DIALECT) {
            Err(refusal) => (format!("{refusal:?}"), None),
            Ok(shown) => (words(&shown), shown.query),
        }
    }

    fn head(method: &str, address: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    fn words(shown: &Shown<'_>) -> String {
        match shown.proof() {
            None => "nothing".to_owned(),
            Some(Proof::Bearer(token)) => format!("bearer {token}"),
            Some(Proof::Basic { key_id, secret }) => format!("basic {key_id} {secret}"),
        }
    }

    #[test]
    fn a_header_shows_a_token_or_a_key_with_its_secret() {
        let check = |header: &str, words: &str| {
            assert_eq!(told("GET", "/", Some(header), READ).0, words, "{header}");
        };
        check("Bearer abc.def", "bearer abc.def");
        check("bearer   abc", "bearer abc");
        check("Basic a2V5OnNlY3JldA==", "basic key secret");
        check("BASIC a2V5OnNlOmNyZXQ=", "basic key se:cret");
        check("Basic a2V5", "basic key ");
        for odd in ["Basic !!", "Basic /w==", "Digest x", "Bearer", "abc", ""] {
            check(odd, "bearer ");
        }
        assert_eq!(told("GET", "/", None, READ).0, "nothing");
    }

    #[test]
    fn a_token_in_the_address_shows_who_reads_and_nobody_else() {
        let check = |method: &str, query: &str, rule: Rule, words: &str, left: Option<&str>| {
            let found = told(method, &format!("/x?{query}"), None, rule);
            assert_eq!(
                found,
                (words.to_owned(), left.map(str::to_owned)),
                "{method} {query}"
            );
        };
        check("GET", "token=abc", READ, "bearer abc", Some(""));
        check(
            "HEAD",
            "a=1&token=a%2Bb&c=2",
            READ,
            "bearer a+b",
            Some("a=1&c=2"),
        );
        check("GET", "%74oken=abc&a=1", READ, "nothing", None);
        check("GET", "tokens=abc&a=token", READ, "nothing", None);
        check("GET", "token=%zz", READ, "bearer ", Some(""));
        check("GET", "token", READ, "bearer ", Some(""));
        check("GET", "token=a&token=b", READ, "TwoProofs", None);
        check("POST", "token=abc", READ, "nothing", None);
        check(
            "GET",
            "token=abc",
            Rule::Project(Right::Admin),
            "nothing",
            None,
        );
        check("GET", "token=abc", Rule::Member, "nothing", None);
    }

    #[test]
    fn what_is_shown_twice_is_refused() {
        assert_eq!(
            told("GET", "/x?token=a", Some("Bearer a"), READ).0,
            "TwoProofs"
        );
    }

    #[test]
    fn nothing_of_it_is_told_when_it_is_written_down() {
        let request = Request::builder().uri("/x?token=verysecret").body(());
        let (head, ()) = request.expect("a request").into_parts();
        let shown = shown(&head, READ, &DIALECT).expect("it is shown");
        assert!(!format!("{shown:?}").contains("verysecret"));
    }

    #[test]
    fn two_headers_of_a_dialect_show_a_key_with_its_secret_and_nothing_half() {
        let check = |headers: &[(&str, &str)], words: &str| {
            let head = head("GET", "/x", headers);
            let told = match shown(&head, READ, &APART) {
                Err(refusal) => format!("{refusal:?}"),
                Ok(shown) => self::words(&shown),
            };
            assert_eq!(told, words, "{headers:?}");
            let elsewhere = shown(&head, READ, &DIALECT).expect("other headers are others'");
            assert!(elsewhere.proof().is_none() || head.headers.contains_key(AUTHORIZATION));
        };
        let (key_id, secret) = (("key-id", "k"), ("key-secret", "s"));
        check(&[], "nothing");
        check(&[key_id, secret], "basic k s");
        check(&[key_id], "bearer ");
        check(&[secret], "bearer ");
        check(&[key_id, key_id, secret], "TwoProofs");
        check(
            &[key_id, secret, ("authorization", "Bearer x")],
            "TwoProofs",
        );
    }

    #[test]
    fn where_a_dialect_has_a_header_of_a_token_the_address_may_bear_it_too_whatever_is_asked() {
        let check = |method: &str, address: &str, headers: &[(&str, &str)], words: &str| {
            let head = head(method, address, headers);
            let told = match shown(&head, Rule::Home(Right::Streams), &BARE) {
                Err(refusal) => format!("{refusal:?}"),
                Ok(shown) => self::words(&shown),
            };
            assert_eq!(told, words, "{method} {address} {headers:?}");
        };
        let token = ("token", "abc");
        for method in ["GET", "POST", "PUT", "DELETE"] {
            check(method, "/x", &[token], "bearer abc");
            check(method, "/x?token=abc", &[], "bearer abc");
        }
        check("GET", "/x", &[("token", "")], "bearer ");
        check("GET", "/x", &[token, token], "TwoProofs");
        check("GET", "/x?token=abc", &[token], "TwoProofs");
        let authorization = ("authorization", "Bearer abc");
        check("GET", "/x", &[token, authorization], "TwoProofs");
        let elsewhere = head("GET", "/x", &[token]);
        let elsewhere = shown(&elsewhere, READ, &DIALECT).expect("other headers are others'");
        assert!(elsewhere.proof().is_none());
    }
}
