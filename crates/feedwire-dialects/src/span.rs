//! Spans of time and points in time, as parameters give them.

use std::time::Duration;

use feedwire_event::Timestamp;
use jiff::{Span, SpanRelativeTo, SpanRound, Unit};

/// A span such as `30s`, `5hours`, `1day` or `PT5H`; `None` for anything else. A day has 24 hours; months and years have no fixed
/// length and are refused, as is what is negative.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

/// A span of whole seconds as [`parse`] reads it: `30d`, `1d 12h`.
pub(crate) fn write(span: Duration) -> String {
    let days = SpanRound::new()
        .largest(Unit::Day)
        .relative(SpanRelativeTo::days_are_24_hours());
    let balanced = Span::try_from(span).and_then(|span| span.round(days));
    // Only what no calendar has, thousands of years, cannot be told in days.
    balanced.map_or_else(
        |_| format!("{}s", span.as_secs()),
        |span| format!("{span:#}"),
    )
}

/// A time in RFC 3339, or a span before `now`.
pub(crate) fn time_or_ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    time(text).or_else(|| parse(text).map(|span| now.before(span)))
}

/// A time in RFC 3339. The plus sign of an offset may have become a space: in a query string it means one.
fn time(text: &str) -> Option<Timestamp> {
    text.parse()
        .or_else(|_| text.replace(' ', "+").parse())
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_of_fixed_length_are_read() {
        let check = |text: &str, secs| assert_eq!(parse(text), secs, "{text}");
        let hours = |hours: u64| Some(Duration::from_hours(hours));
        check("30s", Some(Duration::from_secs(30)));
        check("5hours", hours(5));
        check("PT5H", hours(5));
        check("1day", hours(24));
        check("2w", hours(14 * 24));
        check("1h30m", Some(Duration::from_mins(90)));
        check("0s", Some(Duration::ZERO));
        for odd in [
            "1month",
            "1year",
            "-5h",
            "5hours ago",
            "5",
            "",
            "soon",
            "99999999999999999999h",
        ] {
            check(odd, None);
        }
    }

    #[test]
    fn spans_are_written_in_the_largest_units_that_have_a_fixed_length() {
        let check = |text: &str, written: &str| {
            let span = parse(text).expect("a span");
            assert_eq!(write(span), written, "{text}");
            assert_eq!(parse(written), Some(span), "{written}");
        };
        check("30days", "30d");
        check("2w", "14d");
        check("36h", "1d 12h");
        check("90m", "1h 30m");
        check("100000d 1s", "100000d 1s");
    }

    #[test]
    fn times_are_absolute_or_a_span_ago() {
        let now: Timestamp = "2013-01-01T10:00:00Z".parse().expect("a time");
        let check = |text: &str, time: Option<&str>| {
            let found = time_or_ago(text, now).map(|time| time.to_string());
            assert_eq!(found.as_deref(), time, "{text}");
        };
        check("5hours", Some("2013-01-01T05:00:00Z"));
        check("2013-01-01T12:00:00 02:00", Some("2013-01-01T10:00:00Z"));
        check("2013-01-01T12:00:00-01:00", Some("2013-01-01T13:00:00Z"));
        check("yesterday", None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            time_or_ago(&text, Timestamp::MIN);
        }

        #[test]
        fn any_span_is_written_without_panic(secs in any::<u64>(), shift in 0_u32..64) {
            write(Duration::from_secs(secs >> shift));
        }
    }
}
