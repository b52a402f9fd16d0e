//! Times as ISO 8601 writes them, with less in them than RFC 3339 asks for.

use feedwire_event::Timestamp;

/// A time in RFC 3339, or one that lacks its zone, which is then UTC, its seconds or its time of day, which are then nothing. The plus
/// sign of an offset may have become a space: in a query string it means one.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked("2013-01-01".len())?;
    if rest.is_empty() {
        return format!("{date}T00:00:00Z").parse().ok();
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let seconds = if clock.len() == "10:00".len() {
        ":00"
    } else {
        ""
    };
    let (sign, offset) = match zone.strip_prefix(' ') {
        Some(offset) => ("+", offset),
        None if zone.is_empty() => ("", "Z"),
        None => ("", zone),
    };
    format!("{date}T{clock}{seconds}{sign}{offset}")
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_time_lacks_is_utc_and_nothing() {
        let check = |text: &str, read: Option<&str>| {
            let time = time(text).map(|time| time.to_string());
            assert_eq!(time.as_deref(), read, "{text:?}");
        };
        check("2020-02-29", Some("2020-02-29T00:00:00Z"));
        check("2020-01-01T10:20", Some("2020-01-01T10:20:00Z"));
        check("2020-01-01T10:20:30", Some("2020-01-01T10:20:30Z"));
        check("2020-01-01 10:20:30.125", Some("2020-01-01T10:20:30.125Z"));
        check("2020-01-01T10:20Z", Some("2020-01-01T10:20:00Z"));
        check("2020-01-01T10:20+02:00", Some("2020-01-01T08:20:00Z"));
        check("2020-01-01T10:20:30 02:00", Some("2020-01-01T08:20:30Z"));
        check("2020-01-01T10:20:30-02:00", Some("2020-01-01T12:20:30Z"));
        check("2020-01-01t10:20:30.5z", Some("2020-01-01T10:20:30.5Z"));
        for odd in [
            "",
            "2020",
            "2020-01",
            "2020-02-30",
            "20200101",
            "2020-01-01T",
            "2020-01-01T10",
            "2020-01-01T10:20:",
            "2020-01-01T24:00",
            "2020-01-01T10:20 ",
            "2020-01-01T10:20+02",
            "2020-01-01T10:20 +02:00",
            "2020-01-01x10:20",
            "2020-01-0é",
            "1577836800000",
            "yesterday",
        ] {
            check(odd, None);
        }
    }

    proptest! {
        #[test]
        fn rfc_3339_is_read_as_it_is_anyway(
            micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros(),
        ) {
            let written = Timestamp::from_micros(micros);
            prop_assert_eq!(time(&written.to_string()), Some(written));
        }

        #[test]
        fn any_text_is_read_without_panic(text in any::<String>(), near in "[-0-9Tt:+Zz .é]{0,32}") {
            time(&text);
            time(&near);
        }
    }
}
