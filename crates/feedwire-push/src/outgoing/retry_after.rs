//! When a receiver wants the next request: RFC 9110, section 10.2.3.

use std::time::Duration;

use feedwire_event::Timestamp;
use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};
use jiff::fmt::rfc2822;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// How long to wait: seconds, or until a date. The date is taken by the clock of the receiver, if it tells the time, for it may be
/// another than ours; else by `now`. What cannot be read is left.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER)?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are as long as can be.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let then = date(text)?;
    let now = self::text(headers, DATE).and_then(date).unwrap_or(now);
    Some(now.until(then))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A date as HTTP has it, `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<Timestamp> {
    let seconds = rfc2822::parse(text).ok()?.timestamp().as_second();
    Some(Timestamp::from_micros(
        seconds.saturating_mul(MICROS_PER_SECOND),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(HeaderName, &str)]) -> Option<Duration> {
        let now = "2026-11-26T12:00:00Z".parse().expect("RFC 3339");
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().expect("a value")));
        retry_after(&headers.collect(), now)
    }

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let at = "Thu, 26 Nov 2026 12:01:30 GMT";
        for (value, wait) in [
            ("120", seconds(120)),
            ("0", seconds(0)),
            ("99999999999999999999999", seconds(u64::MAX)),
            (at, seconds(90)),
            ("Thu, 26 Nov 2026 11:00:00 GMT", seconds(0)),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(read(&[(RETRY_AFTER, value)]), wait, "{value:?}");
        }
        assert_eq!(read(&[]), None);
        let date = (DATE, "Thu, 26 Nov 2026 12:01:00 GMT");
        assert_eq!(read(&[(RETRY_AFTER, at), date]), seconds(30));
        assert_eq!(read(&[(RETRY_AFTER, at), (DATE, "today")]), seconds(90));
    }
}
