//! Media types: what a client takes, and what it sends.

use std::borrow::Cow;

/// What a `Content-Type` says, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// Without its parameters, in lower case.
    essence: Cow<'a, str>,
    /// The parameter of this name, in lower case.
    charset: Option<String>,
}

impl<'a> MediaType<'a> {
    /// Reads `text`, which is to be written as RFC 9110, section 8.3.1, has it; `None` where it is not.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (essence, mut rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        let (kind, subtype) = essence.trim_matches(WHITE).split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut charset = None;
        while let Some(behind) = rest.strip_prefix(';') {
            let behind = behind.trim_start_matches(WHITE);
            // Nothing between two semicolons, or behind the last, is no parameter.
            if behind.is_empty() || behind.starts_with(';') {
                rest = behind;
                continue;
            }
            let (name, behind) = behind.split_once('=')?;
            let (value, behind) = parameter(behind)?;
            rest = behind.trim_start_matches(WHITE);
            if !is_token(name) {
                return None;
            }
            // Two of them could be read in two ways.
            let is_charset = name.eq_ignore_ascii_case("charset");
            if is_charset && charset.replace(value.to_ascii_lowercase()).is_some() {
                return None;
            }
        }
        rest.is_empty().then(|| Self {
            essence: self::essence(essence),
            charset,
        })
    }

    /// Whether it is JSON, as CloudEvents' JSON format tells (3.1.1): by the subtype `json`, or one that ends with `+json`.
    pub fn is_json(&self) -> bool {
        let subtype = self.essence.split_once('/').map(|(_, subtype)| subtype);
        subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
    }

    /// Whether it is text of any kind.
    pub fn is_text(&self) -> bool {
        self.essence.starts_with("text/")
    }

    /// Whether it is in UTF-8, or says nothing else.
    pub fn is_utf8(&self) -> bool {
        matches!(
            self.charset.as_deref(),
            None | Some("utf-8" | "utf8" | "us-ascii")
        )
    }
}

const WHITE: [char; 2] = [' ', '\t'];

fn is_token(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// The value of a parameter, without its quotes, and what stands behind it.
fn parameter(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return is_token(value).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

/// The media type of a `Content-Type` without its parameters, in lower case.
pub fn essence(content_type: &str) -> Cow<'_, str> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(essence.to_ascii_lowercase())
    } else {
        Cow::Borrowed(essence)
    }
}

/// The one of `offers` that an `Accept` header asks for most; the first of those that it asks for alike. A client that sends no such
/// header takes the first.
pub fn accept<T: Copy>(header: Option<&str>, offers: &[(&str, T)]) -> Option<T> {
    let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
        return offers.first().map(|(_, meant)| *meant);
    };
    let mut best: Option<(u16, T)> = None;
    for range in header.split(',') {
        let quality = quality(range);
        let essence = essence(range);
        let offer = offers.iter().find(|(offer, _)| matches(&essence, offer));
        if let Some((_, meant)) = offer.filter(|_| quality > best.map_or(0, |(best, _)| best)) {
            best = Some((quality, *meant));
        }
    }
    best.map(|(_, meant)| meant)
}

fn matches(range: &str, offer: &str) -> bool {
    range == "*/*"
        || range == offer
        || range
            .strip_suffix('*')
            .is_some_and(|kind| kind.ends_with('/') && offer.starts_with(kind))
}

/// The `q` of a media range in thousandths; 1 where there is none, 0 where it is no number.
fn quality(range: &str) -> u16 {
    let parameter = range.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let Some(value) = parameter else { return 1000 };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let is_number = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, is_number) {
        ("1", true) => 1000,
        ("0", true) => format!("{fraction:0<3}").parse().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFERS: [(&str, u8); 3] = [
        ("application/json", 0),
        ("text/event-stream", 1),
        ("application/x-ndjson", 2),
    ];

    #[test]
    fn the_offer_that_is_wanted_most_is_taken() {
        let check = |header, offer| assert_eq!(accept(header, &OFFERS), offer, "{header:?}");
        check(None, Some(0));
        check(Some(""), Some(0));
        check(Some("*/*"), Some(0));
        check(Some("application/*"), Some(0));
        check(Some("text/event-stream"), Some(1));
        check(Some("Text/Event-Stream; charset=utf-8"), Some(1));
        check(
            Some("application/json;q=0.5, application/x-ndjson"),
            Some(2),
        );
        check(Some("text/html, */*;q=0.1"), Some(0));
        check(Some("text/html"), None);
        check(Some("application/json;q=0"), None);
        check(
            Some("application/json;q=x, text/event-stream;q=0.001"),
            Some(1),
        );
    }

    #[test]
    fn a_media_type_is_known_by_its_parts() {
        let parse = |text| MediaType::parse(text).unwrap_or_else(|| panic!("{text}"));
        for text in [
            "application/json",
            "Text/JSON ; charset=UTF-8",
            "application/vnd.a+json;v=\"a;b\\\"\";Charset=\"utf-8\";",
        ] {
            assert!(parse(text).is_json() && parse(text).is_utf8(), "{text}");
        }
        assert!(parse("text/plain;; q=1;charset=us-ascii").is_text());
        assert!(parse("text/plain").is_utf8() && !parse("text/plain").is_json());
        assert!(!parse("text/plain;charset=iso-8859-1").is_utf8());
        assert!(!parse("application/jsonl").is_json());
        for text in [
            "",
            "json",
            "/json",
            "text/",
            "a b/c",
            "text/plain charset=utf-8",
            "text/plain;charset",
            "text/plain;charset=",
            "text/plain;charset=\"utf-8",
            "text/plain;charset=utf-8;charset=utf-16",
            "text/plain; charset = utf-8",
            "text/plain, text/html",
            "t\u{e9}xt/plain",
        ] {
            assert_eq!(MediaType::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_media_type_is_read_without_panic(text in any::<String>(), parameters in "[a;=\"\\\\ é]{0,12}") {
            MediaType::parse(&text);
            MediaType::parse(&format!("text/plain;{parameters}"));
        }

        #[test]
        fn any_header_is_read_without_panic(header in any::<String>()) {
            accept(Some(&header), &OFFERS);
        }
    }
}
