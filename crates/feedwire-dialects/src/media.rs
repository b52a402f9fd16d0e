//! Media types: what a client takes, and what it sends.

use std::borrow::Cow;

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

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(header in any::<String>()) {
            accept(Some(&header), &OFFERS);
        }
    }
}
