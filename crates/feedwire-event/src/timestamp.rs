//! Points in time, to the microsecond.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, datetime};
use jiff::tz::Offset;

const EPOCH: DateTime = datetime(1970, 1, 1, 0, 0, 0, 0);
const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A point in time in microseconds since 1970-01-01T00:00:00Z; written as RFC 3339 in UTC.
///
/// What a producer sends more finely than a microsecond is cut off, an offset is turned into UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// It is not a date-time of RFC 3339, or names a day or an hour that there is not.
    #[error("a time is written as RFC 3339, such as 2013-01-01T10:00:00Z")]
    Format,
    /// It is before [`Timestamp::MIN`] or after [`Timestamp::MAX`].
    #[error("a time is in the years 0000 to 9999 of UTC")]
    OutOfRange,
}

impl Timestamp {
    /// The earliest time there is, the start of the year 0: RFC 3339 writes none before it.
    pub const MIN: Self = Self(-62_167_219_200_000_000);
    /// The latest time there is, the end of the year 9999: RFC 3339 writes none after it.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// The time `micros` microseconds after the epoch, held within [`Timestamp::MIN`] and [`Timestamp::MAX`].
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// How long it is from this time to `later`; nothing if that is earlier.
    pub fn until(self, later: Self) -> std::time::Duration {
        let micros = u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0);
        std::time::Duration::from_micros(micros)
    }

    /// The time `span` earlier.
    #[must_use]
    pub fn before(self, span: std::time::Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(micros))
    }

    /// The time `span` later.
    #[must_use]
    pub fn after(self, span: std::time::Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Appends the time to `out` as [`Display`](fmt::Display) writes it, in a tenth of the time: each event that is sent has two.
    pub fn write(self, out: &mut Vec<u8>) {
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let in_day = self.0.rem_euclid(MICROS_PER_DAY);
        let (year, month, day) = date(self.0.div_euclid(MICROS_PER_DAY));
        let seconds = in_day / MICROS_PER_SECOND;
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], month);
        digits(&mut text[8..10], day);
        digits(&mut text[11..13], seconds / 3_600);
        digits(&mut text[14..16], seconds / 60 % 60);
        digits(&mut text[17..19], seconds % 60);
        digits(&mut text[20..26], in_day % MICROS_PER_SECOND);
        let fraction = text[19..26].iter().rposition(|byte| *byte != b'0');
        // Nothing but the point is no fraction.
        let end = fraction
            .filter(|last| *last > 0)
            .map_or(19, |last| 20 + last);
        out.extend_from_slice(&text[..end]);
        out.push(b'Z');
    }

    /// The time as [`Display`](fmt::Display) writes it, as a text of its own.
    pub fn to_text(self) -> String {
        let mut out = Vec::with_capacity("2013-01-01T10:00:00.000000Z".len());
        self.write(&mut out);
        String::from_utf8(out).expect("a time is written in ASCII")
    }

    /// What a calendar and a clock in UTC show.
    fn civil(self) -> DateTime {
        let seconds = self.0.div_euclid(MICROS_PER_SECOND);
        let nanos = i32::try_from(self.0.rem_euclid(MICROS_PER_SECOND) * 1_000);
        // jiff's timestamps end early by the widest offset, so that each has a date in every offset.
        let offset = if seconds < jiff::Timestamp::MAX.as_second() {
            Offset::UTC
        } else {
            Offset::MAX
        };
        let time = jiff::Timestamp::new(
            seconds - i64::from(offset.seconds()),
            nanos.expect("less than a second"),
        );
        offset.to_datetime(time.expect("MIN and MAX are within jiff's range, offset included"))
    }
}

/// Year, month and day that are `days` behind 1970-01-01, in the Gregorian calendar.
///
/// Counted in eras of 400 years that begin with a March, so that the leap day is the last of its year.
const fn date(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let since_era_zero = days + 719_468;
    let (era, day) = (
        since_era_zero.div_euclid(ERA),
        since_era_zero.rem_euclid(ERA),
    );
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let since_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * since_march + 2) / 5 + 1;
    let month = (since_march + 2) % 12 + 1;
    let year = era * 400 + year + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Writes `value` into `text`, with zeros before it.
fn digits(text: &mut [u8], mut value: i64) {
    for digit in text.iter_mut().rev() {
        *digit =
            b'0' + u8::try_from(value % 10).expect("the digit of a number that is not negative");
        value /= 10;
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let micros = micros(text.as_bytes()).ok_or(TimestampError::Format)?;
        let range = Self::MIN.0..=Self::MAX.0;
        range
            .contains(&micros)
            .then_some(Self(micros))
            .ok_or(TimestampError::OutOfRange)
    }
}

// jiff reads more than RFC 3339: names of zones, hours alone, dates without dashes.

/// Microseconds since the epoch of a date-time of RFC 3339, section 5.6.
fn micros(text: &[u8]) -> Option<i64> {
    let (seconds, rest) = text.split_at_checked("2013-01-01T10:00:00".len())?;
    let (fraction, offset) = match rest.strip_prefix(b".") {
        Some(rest) => {
            let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
            rest.split_at_checked(end).filter(|_| end > 0)?
        }
        None => (&[][..], rest),
    };
    let seconds = date_time(seconds)?.duration_since(EPOCH).as_secs() - offset_seconds(offset)?;
    let digits = fraction.iter().map(|digit| i64::from(digit - b'0'));
    let digits = digits.chain(std::iter::repeat(0)).take(6);
    Some(seconds * MICROS_PER_SECOND + digits.fold(0, |micros, digit| micros * 10 + digit))
}

fn date_time(text: &[u8]) -> Option<DateTime> {
    let is_parted = matches!(
        (text[4], text[7], text[10], text[13], text[16]),
        (b'-', b'-', b'T' | b't' | b' ', b':', b':')
    );
    let year = number(&text[..2])? * 100 + number(&text[2..4])?;
    let two = |at: usize| number(&text[at..at + 2])?.try_into().ok();
    // A leap second is taken for the one before it, as most clocks show it.
    let second = two(17).map(|second: i8| if second == 60 { 59 } else { second })?;
    let time = DateTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?, second, 0);
    time.ok().filter(|_| is_parted)
}

fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *text {
        [b'Z' | b'z'] => return Some(0),
        [b'+', a, b, b':', c, d] => (1, [a, b], [c, d]),
        [b'-', a, b, b':', c, d] => (-1, [a, b], [c, d]),
        _ => return None,
    };
    let (hours, minutes) = (number(&hours)?, number(&minutes)?);
    let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
    Some(sign * i64::from(minutes) * 60)
}

/// The number that two digits write.
fn number(text: &[u8]) -> Option<i16> {
    match *text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(i16::from(tens - b'0') * 10 + i16::from(ones - b'0'))
        }
        _ => None,
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.civil())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(time: Timestamp) -> String {
        let mut out = Vec::new();
        time.write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    proptest! {
        #[test]
        fn the_fast_way_of_writing_writes_what_display_does(
            micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros(),
            round in prop::sample::select(vec![1, 10, 1_000, 1_000_000, 86_400_000_000]),
        ) {
            let time = Timestamp::from_micros(micros / round * round);
            prop_assert_eq!(written(time), time.to_string());
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn what_is_read_is_what_the_calendar_says(
            micros in Timestamp::MIN.as_micros()..=jiff::Timestamp::MAX.as_second() * MICROS_PER_SECOND,
            offset in -23 * 60..23 * 60,
        ) {
            let time = jiff::Timestamp::from_microsecond(micros).expect("within the range");
            let offset = Offset::from_seconds(offset * 60).expect("less than a day");
            let text = time.display_with_offset(offset).to_string();
            // An offset can move a time into a year that RFC 3339 does not write.
            if let Ok(read) = text.parse::<Timestamp>() {
                prop_assert_eq!(read, Timestamp::from_micros(micros));
            } else {
                prop_assert!(text.starts_with('-'), "{}", text);
            }
        }
    }

    #[test]
    fn days_that_calendars_get_wrong_are_written_right() {
        for day in [
            "1970-01-01",
            "2000-02-29",
            "1900-02-28",
            "2100-03-01",
            "0000-03-01",
            "1969-12-31",
        ] {
            let text = format!("{day}T23:59:59.000001Z");
            assert_eq!(text.parse().map(written), Ok(text));
        }
        assert_eq!(written(Timestamp::MIN), Timestamp::MIN.to_string());
    }

    #[test]
    fn rfc_3339_is_read_into_utc_and_cut_to_microseconds() {
        let check = |text: &str, written: Option<&str>| {
            let time = text.parse::<Timestamp>().ok().map(|t| t.to_string());
            assert_eq!(time.as_deref(), written, "{text:?}");
        };
        check("2013-01-01T10:00:00Z", Some("2013-01-01T10:00:00Z"));
        check(
            "2013-01-01T12:00:00.123456789+02:00",
            Some("2013-01-01T10:00:00.123456Z"),
        );
        check("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00Z"));
        check("2013-01-01t12:00:00.1z", Some("2013-01-01T12:00:00.1Z"));
        check("2013-01-01 12:00:00-00:00", Some("2013-01-01T12:00:00Z"));
        check(
            "1969-12-31T23:59:59.9999999Z",
            Some("1969-12-31T23:59:59.999999Z"),
        );
        check(
            "2013-01-01T12:00:00.00000000000000000000000001Z",
            Some("2013-01-01T12:00:00Z"),
        );
        check("2016-12-31T23:59:60Z", Some("2016-12-31T23:59:59Z"));
        check("-000001-12-31T23:59:59Z", None);
        check("2013-01-01", None);
        check("2013-01-01T10:00:00", None);
        check("yesterday", None);
    }

    #[test]
    fn what_only_resembles_rfc_3339_is_refused() {
        for text in [
            "",
            "2013-01-01T00Z",
            "2013-01-01T00:00Z",
            "20130101T000000Z",
            "2013-01-01T00:00:00+01",
            "2013-01-01T00:00:00+0100",
            "2013-01-01T00:00:00+01:00:00",
            "2013-01-01T00:00:00+24:00",
            "2013-01-01T00:00:00+01:60",
            "2013-01-01T00:00:00+01:00[Europe/Berlin]",
            "2013-01-01T00:00:00Z[UTC]",
            "2013-01-01T00:00:00.Z",
            "2013-01-01T00:00:00,5Z",
            "2013-01-01T00:00:00.5",
            "2013-01-01T24:00:00Z",
            "2013-01-01T00:00:61Z",
            "2013-02-29T00:00:00Z",
            "2013-13-01T00:00:00Z",
            "2013-01-01_00:00:00Z",
            " 2013-01-01T00:00:00Z",
            "2013-01-01T00:00:00Z ",
            "+02013-01-01T00:00:00Z",
            "2013-01-01T00:00:0\u{661}Z",
        ] {
            assert_eq!(
                text.parse::<Timestamp>(),
                Err(TimestampError::Format),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_last_days_of_the_year_9999_are_taken_and_what_lies_beyond_is_said_to() {
        for text in [
            "9999-12-30T22:00:00Z",
            "9999-12-31T00:00:00.000001Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.999999Z",
        ] {
            assert_eq!(text.parse().map(written).as_deref(), Ok(text));
        }
        for text in ["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"] {
            assert_eq!(
                text.parse::<Timestamp>(),
                Err(TimestampError::OutOfRange),
                "{text}"
            );
        }
    }

    #[test]
    fn the_ends_of_time_can_be_written() {
        assert_eq!(Timestamp::MIN.to_string().parse(), Ok(Timestamp::MIN));
        assert_eq!(Timestamp::MAX.to_string().parse(), Ok(Timestamp::MAX));
        assert_eq!(Timestamp::from_micros(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::from_micros(i64::MAX), Timestamp::MAX);
    }
}
