//! Zones of the world, by their names.

use anyhow::Context as _;
use feedwire_http::Zone;
use jiff::tz::{Offset, TimeZone};

/// The furthest that a clock may be from UTC, as XML Schema and others have it.
const SECONDS_MAX: i32 = 18 * 60 * 60;

/// The zone `text`: a name of IANA's, or an offset. Its rules are the system's where that has some, and otherwise those that the program
/// brings along; they are looked up once.
pub(crate) fn parse(text: &str) -> anyhow::Result<Zone> {
    // Rules that are written out, such as UTC+2, mean another clock than they seem to: they are no names.
    let zone = if text.starts_with(['+', '-']) {
        offset(text).map(TimeZone::fixed)
    } else {
        TimeZone::get(text).ok()
    };
    let zone = zone.context(
        "a zone is named as by IANA, such as Europe/Berlin, or is an offset such as +05:30, up to 18:00",
    )?;
    Ok(Zone::new(zone))
}

/// The offset that is written as `+hh:mm` or `-hh:mm`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let seconds = two_digits(hours)? * 3_600 + two_digits(minutes).filter(|m| *m < 60)? * 60;
    let is_near = seconds <= SECONDS_MAX;
    is_near.then(|| Offset::from_seconds(sign * seconds).ok())?
}

fn two_digits(text: &str) -> Option<i32> {
    let is_two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_two_digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        for text in [
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
            "utc",
            "EST5EDT",
            "+05:30",
            "-08:00",
            "+00:00",
            "-18:00",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "Berlin",
            "+18:01",
            "+25:00",
            "+26:00",
            "+05:60",
            "+05:30:15",
            "+5:30",
            "+05",
            "+0530",
            "+",
            "--5:00",
            "-+5:00",
            "25",
            "summer",
            "UTC+2",
            "<+05>-5",
            "EST5EDT,M3.2.0,M11.1.0",
            "../etc/passwd",
            "Europe/Berlin\0",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
