//! An event in CloudEvents' binary mode (HTTP binding 1.0.2, section 3.1): its attributes are headers, its data is the body.

use std::borrow::Cow;

use feedwire_event::json::Canonical;
use feedwire_event::{Data, Event};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;

use crate::attributes::{Attributes, Fault, NO_BOOLEAN};
use crate::base64;
use crate::cloudevents::Error;
use crate::escape;
use crate::media::MediaType;

const PREFIX: &str = "ce-";
/// The headers of the attributes that CloudEvents requires.
const REQUIRED: [&str; 4] = ["ce-specversion", "ce-id", "ce-source", "ce-type"];

/// Whether a request with `headers` is meant as an event in binary mode, unless its body says that it holds the attributes too.
///
/// One of the headers is enough: a body whose producer forgot the others is not to be taken for something else.
pub fn is_meant(headers: &HeaderMap) -> bool {
    let is_one = |name: &HeaderName| REQUIRED.contains(&name.as_str());
    headers.keys().any(is_one)
}

/// The event in `headers` and `body`.
pub(crate) fn event(headers: &HeaderMap, body: &[u8]) -> Result<Event, Error> {
    let mut attributes = attributes(headers).map_err(Error::Event)?;
    attributes.datacontenttype = content_type(headers);
    let data = data(attributes.datacontenttype.as_deref(), body)?;
    attributes.into_event(data).map_err(Error::Event)
}

fn attributes(headers: &HeaderMap) -> Result<Attributes<'_>, Fault> {
    let mut attributes = Attributes::default();
    for header in headers.keys() {
        let Some(name) = header.as_str().strip_prefix(PREFIX) else {
            continue;
        };
        let mut values = headers.get_all(header).iter();
        let first = values.next().map(|value| text(value)).transpose();
        let first = first.map_err(|reason| Fault::new(name, reason))?;
        if values.next().is_some() {
            return Err(Fault::new(name, "it is given twice"));
        }
        match name {
            "specversion" => attributes.specversion = first,
            "id" => attributes.id = first,
            "source" => attributes.source = first,
            "type" => attributes.ty = first,
            "subject" => attributes.subject = first,
            "time" => attributes.time = first,
            "dataschema" => attributes.dataschema = first,
            "liveonly" => attributes.live_only = flag(name, first.as_deref())?,
            "datacontenttype" => {
                let reason = "in binary mode the header Content-Type says what the data is";
                return Err(Fault::new(name, reason));
            }
            "data" => return Err(Fault::new(name, "in binary mode the data is the body")),
            _ => attributes.extend(name, &Canonical::string(&first.unwrap_or_default()))?,
        }
    }
    Ok(attributes)
}

fn flag(name: &str, text: Option<&str>) -> Result<bool, Fault> {
    match text {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        _ => Err(Fault::new(name, NO_BOOLEAN)),
    }
}

/// The text that the value of a header stands for: quotes are taken off, then percent signs are taken out, once.
fn text(value: &HeaderValue) -> Result<Cow<'_, str>, &'static str> {
    let value = value
        .to_str()
        .ok()
        .filter(|text| !text.contains('\t'))
        .ok_or("its header has printable ASCII; what else there is, is percent-encoded UTF-8")?;
    let unquoted = unquoted(value).ok_or("its quotes are not closed where it ends")?;
    let escaped = "its header has %XX for a byte of UTF-8, and %25 for a percent sign";
    match unquoted {
        Cow::Borrowed(text) => escape::percent(text).ok_or(escaped),
        Cow::Owned(text) => match escape::percent(&text) {
            Some(text) => Ok(Cow::Owned(text.into_owned())),
            None => Err(escaped),
        },
    }
}

/// What stands in quotes, as producers of earlier versions wrote what has spaces; `None` for quotes that do not end where the text does.
fn unquoted(text: &str) -> Option<Cow<'_, str>> {
    let Some(inner) = text.strip_prefix('"') else {
        return Some(Cow::Borrowed(text));
    };
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(Cow::Owned(out)),
            '\\' => out.push(characters.next()?),
            character => out.push(character),
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get(CONTENT_TYPE)?;
    // What is not ASCII is a text that no media type is written as.
    let text = value.to_str().unwrap_or("\u{fffd}").trim();
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

/// JSON as JSON, text in UTF-8 as a string, everything else as bytes in base64.
///
/// Where nothing says what it is, it is looked at, as RFC 9110 (8.3) lets a recipient do: producers that take JSON for understood,
/// as CloudEvents' JSON format does, send no content type.
fn data(content_type: Option<&str>, body: &[u8]) -> Result<Option<Data>, Error> {
    if body.is_empty() {
        return Ok(None);
    }
    let utf8 = std::str::from_utf8(body);
    let bytes = || Data::Base64(Canonical::string(&base64::encode(body)));
    let Some(content_type) = content_type else {
        let data = utf8.ok().and_then(|text| json(text).ok());
        return Ok(Some(data.unwrap_or_else(bytes)));
    };
    let Some(media_type) = MediaType::parse(content_type) else {
        // What is wrong with it is told with the other attributes.
        return Ok(None);
    };
    match utf8 {
        Ok(text) if media_type.is_json() && media_type.is_utf8() => json(text).map(Some),
        _ if media_type.is_json() => Err(Error::Event(Fault::new(
            "data",
            "it is not UTF-8, as JSON has to be",
        ))),
        Ok(text) if media_type.is_text() && media_type.is_utf8() => {
            Ok(Some(Data::Json(Canonical::string(text))))
        }
        _ => Ok(Some(bytes())),
    }
}

fn json(text: &str) -> Result<Data, Error> {
    let raw: &RawValue = serde_json::from_str(text).map_err(Error::Json)?;
    let canonical = Canonical::new(raw);
    canonical
        .map(Data::Json)
        .map_err(|error| Error::Event(Fault::new("data", &error)))
}

#[cfg(test)]
mod tests {
    use feedwire_event::Subject;
    use http::HeaderName;
    use insta::{assert_debug_snapshot, assert_snapshot};
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = HeaderValue::from_bytes(value).expect("the value of a header");
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    fn read(lines: &[(&'static str, &[u8])], body: &[u8]) -> Result<Event, Error> {
        let all = [&[("ce-type", &b"t"[..])], lines].concat();
        event(&headers(&all), body)
    }

    #[test]
    fn an_event_is_read_with_all_its_attributes() {
        let headers = headers(&[
            ("ce-specversion", b"1.0"),
            ("ce-type", b"flight.departed"),
            ("ce-source", b"/planes"),
            ("ce-id", b"a-1"),
            ("ce-subject", b"N%C3%a9"),
            ("ce-time", b"2013-01-01T12%3A00%3A00+02:00"),
            ("ce-dataschema", b"https://example.com/s"),
            ("ce-traceid", b"4f"),
            ("ce-retries", b"2"),
            ("ce-liveonly", b"true"),
            ("content-type", b"application/vnd.a+json; charset=UTF-8"),
            ("x-other", b"%%"),
        ]);
        let event = event(&headers, b" { \"late\" : 2.50 }\n").expect("an event");
        let Event {
            id,
            source,
            ty,
            subject,
            time,
            live_only,
            extensions,
            data,
        } = event;
        let texts = (id, source, ty, subject, time, live_only, data);
        let extensions = String::from_utf8(extensions.members().to_vec()).expect("ASCII");
        assert_snapshot!(format!("{texts:?}\n{extensions}"), @r#"
        (Some("a-1"), Some("/planes"), "flight.departed", Some("Né"), Some(2013-01-01T10:00:00Z), true, Some(Json({"late":2.50})))
        "traceid":"4f","retries":"2","datacontenttype":"application/vnd.a+json; charset=UTF-8","dataschema":"https://example.com/s"
        "#);
    }

    #[test]
    fn values_are_unquoted_once_and_unescaped_once() {
        let check = |value: &'static str, subject: &str| {
            let event = read(&[("ce-subject", value.as_bytes())], b"").expect("an event");
            let found = event.subject.as_ref().map(Subject::as_str);
            assert_eq!(found, Some(subject), "{value}");
        };
        check("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro \u{20ac} \u{1f600}");
        check("%41%2f%2B+", "A/++");
        check("a%2520b", "a%20b");
        check(r#""a \"b\\ %22""#, r#"a "b\ ""#);
        check(r#"a"b""#, r#"a"b""#);
        check("a b, c", "a b, c");
    }

    #[test]
    fn data_is_what_its_content_type_says() {
        let check = |content_type: &'static str, body: &[u8], data: &str| {
            let lines = [("content-type", content_type.as_bytes())];
            let event = read(&lines, body).expect("an event");
            assert_eq!(format!("{:?}", event.data), data, "{content_type}");
        };
        check("application/json", b"", "None");
        check("application/json", b"null", "Some(Json(null))");
        check("text/json", b"[1, 2]", "Some(Json([1,2]))");
        check("text/plain", b"{\"a\"}\n", r#"Some(Json("{\"a\"}\n"))"#);
        let utf8 = "text/csv; charset=utf-8";
        check(utf8, "\u{e9}".as_bytes(), r#"Some(Json("\u00e9"))"#);
        check(utf8, b"\xe9", r#"Some(Base64("6Q=="))"#);
        let latin = "text/plain; charset=iso-8859-1";
        check(latin, b"a", r#"Some(Base64("YQ=="))"#);
        check("application/xml", b"<a/>", r#"Some(Base64("PGEvPg=="))"#);
        check("image/png", b"\x89P\0", r#"Some(Base64("iVAA"))"#);
    }

    #[test]
    fn data_of_an_unknown_kind_is_looked_at() {
        let data = |body: &[u8]| format!("{:?}", read(&[], body).expect("an event").data);
        assert_eq!(data(b""), "None");
        assert_eq!(data(b"{\"a\": 1}"), r#"Some(Json({"a":1}))"#);
        assert_eq!(data(b"{\"a\""), r#"Some(Base64("eyJhIg=="))"#);
        assert_eq!(data(b"\xff"), r#"Some(Base64("/w=="))"#);
        let empty = read(&[("content-type", b" ")], b"1").expect("an event");
        assert!(empty.extensions.members().is_empty());
    }

    #[test]
    fn an_event_is_for_everybody_unless_its_header_says_otherwise() {
        let is_live_only = |lines| read(lines, b"").expect("an event").live_only;
        assert!(!is_live_only(&[]));
        assert!(!is_live_only(&[("ce-liveonly", b"false")]));
        assert!(is_live_only(&[("ce-liveonly", b"\"true\"")]));
    }

    /// Headers of which no event is made.
    const ODD: [&[(&str, &[u8])]; 35] = [
        &[("ce-specversion", b"0.3")],
        &[("ce-specversion", b"")],
        &[("ce-type", b"t")],
        &[("ce-id", b"")],
        &[("ce-id", b"a"), ("ce-id", b"a")],
        &[("ce-traceid", b"a"), ("ce-traceid", b"b")],
        &[("ce-subject", b"a%0D%0Ab")],
        &[("ce-subject", b"a\tb")],
        &[("ce-subject", b"N\xc3\xa9")],
        &[("ce-subject", b"100%")],
        &[("ce-subject", b"%zz")],
        &[("ce-subject", b"%+1")],
        &[("ce-subject", b"%C0%A0")],
        &[("ce-subject", b"%ED%A0%80")],
        &[("ce-subject", b"\"a")],
        &[("ce-subject", b"\"a\" b")],
        &[("ce-subject", b"\"a\\")],
        &[("ce-source", b"%00")],
        &[("ce-time", b"today")],
        &[("ce-dataschema", b"schema")],
        &[("ce-datacontenttype", b"application/json")],
        &[("ce-data", b"1")],
        &[("ce-data_base64", b"AA==")],
        &[("ce-", b"1")],
        &[("ce-trace-id", b"1")],
        &[("ce-traceid", b"%0A")],
        &[("ce-position", b"1")],
        &[("ce-publishedid", b"1")],
        &[("content-type", b"json")],
        &[("content-type", b"text/plain\xff")],
        &[("content-type", b"application/json;charset=utf-16")],
        &[("ce-liveonly", b"True")],
        &[("ce-liveonly", b"")],
        &[("ce-liveonly", b"true"), ("ce-liveonly", b"true")],
        &[("ce-live_only", b"true")],
    ];

    #[test]
    fn what_is_no_event_is_told_by_its_attribute() {
        let refusals: Vec<String> = ODD
            .map(|lines| match read(lines, b"{}") {
                Err(Error::Event(Fault {
                    attribute, reason, ..
                })) => format!("{attribute}: {reason}"),
                other => panic!("{lines:?} is no event, and not {other:?}"),
            })
            .into();
        assert_debug_snapshot!(refusals, @r#"
        [
            "specversion: it has to be 1.0, the version of CloudEvents that is spoken here",
            "specversion: it has to be 1.0, the version of CloudEvents that is spoken here",
            "type: it is given twice",
            "id: it is empty",
            "id: it is given twice",
            "traceid: it is given twice",
            "subject: a subject has no control characters, this one has '\\r'",
            "subject: its header has printable ASCII; what else there is, is percent-encoded UTF-8",
            "subject: its header has printable ASCII; what else there is, is percent-encoded UTF-8",
            "subject: its header has %XX for a byte of UTF-8, and %25 for a percent sign",
            "subject: its header has %XX for a byte of UTF-8, and %25 for a percent sign",
            "subject: its header has %XX for a byte of UTF-8, and %25 for a percent sign",
            "subject: its header has %XX for a byte of UTF-8, and %25 for a percent sign",
            "subject: its header has %XX for a byte of UTF-8, and %25 for a percent sign",
            "subject: its quotes are not closed where it ends",
            "subject: its quotes are not closed where it ends",
            "subject: its quotes are not closed where it ends",
            "source: it has no control characters, this one has '\\0'",
            "time: a time is written as RFC 3339, such as 2013-01-01T10:00:00Z",
            "dataschema: it has to be an absolute URI",
            "datacontenttype: in binary mode the header Content-Type says what the data is",
            "data: in binary mode the data is the body",
            "data_base64: the name of an extension attribute is made of a-z and 0-9, not '_'",
            ": it is empty",
            "trace-id: the name of an extension attribute is made of a-z and 0-9, not '-'",
            "traceid: it has no control characters, this one has '\\n'",
            "position: it is given by the server",
            "publishedid: it is given by the server",
            "datacontenttype: it has to be a media type such as application/json",
            "datacontenttype: it has to be a media type such as application/json",
            "data: it is not UTF-8, as JSON has to be",
            "liveonly: it has to be true or false",
            "liveonly: it has to be true or false",
            "liveonly: it is given twice",
            "live_only: the name of an extension attribute is made of a-z and 0-9, not '_'",
        ]
        "#);
    }

    #[test]
    fn an_event_without_a_type_and_data_that_is_not_json_are_told() {
        let untyped = event(&headers(&[("ce-id", b"a")]), b"{}");
        assert!(matches!(untyped, Err(Error::Event(fault)) if fault.attribute == "type"));
        let json = [("content-type", &b"application/json"[..])];
        let broken = read(&json, b"{\n\"a\"");
        assert!(matches!(broken, Err(Error::Json(error)) if error.line() == 2));
        let binary = read(&json, b"\xff");
        assert!(matches!(binary, Err(Error::Event(fault)) if fault.attribute == "data"));
    }

    #[test]
    fn a_request_is_meant_as_an_event_by_each_of_the_attributes_that_every_event_has() {
        for name in REQUIRED {
            assert!(is_meant(&headers(&[(name, b"x")])), "{name}");
        }
        let others = [("ce-traceid", &b"x"[..]), ("ce-time", b"x")];
        assert!(!is_meant(&headers(&others)));
    }

    proptest! {
        #[test]
        fn any_value_of_any_attribute_is_read_without_panic(
            name in prop::sample::select(vec![
                "ce-id", "ce-source", "ce-type", "ce-subject", "ce-time", "ce-specversion", "ce-dataschema", "ce-liveonly", "ce-a", "content-type",
            ]),
            value in any::<Vec<u8>>(), plain in "[ -~]{0,16}|[\"\\\\%a0]{0,8}", body in any::<Vec<u8>>(),
        ) {
            for value in [value.as_slice(), plain.as_bytes()] {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    let mut headers = headers(&[("ce-type", b"t")]);
                    headers.insert(name, value);
                    drop(event(&headers, &body));
                }
            }
        }

        #[test]
        fn a_subject_comes_back_however_it_is_encoded(subject in "[^\\pC]{1,40}", mask in any::<u64>()) {
            let encoded = subject.bytes().enumerate().map(|(at, byte)| {
                let has_to = !byte.is_ascii_graphic() || matches!(byte, b'"' | b'%');
                if has_to || mask >> (at % 64) & 1 == 1 {
                    format!("%{byte:02X}")
                } else {
                    char::from(byte).to_string()
                }
            });
            let mut headers = headers(&[("ce-type", b"t")]);
            headers.insert("ce-subject", encoded.collect::<String>().parse().expect("ASCII"));
            let found = event(&headers, b"").expect("an event").subject;
            prop_assert_eq!(found.as_ref().map(Subject::as_str), Some(subject.as_str()));
        }
    }
}
