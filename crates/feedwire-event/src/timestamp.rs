//! Points in time, to the microsecond.

use std::fmt;
use std::str::FromStr;

use jiff::fmt::temporal::DateTimePrinter;

/// A point in time in microseconds since 1970-01-01T00:00:00Z; written as RFC 3339 in UTC.
///
/// What a producer sends more finely than a microsecond is cut off, an offset is turned into UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as RFC 3339, such as 2013-01-01T10:00:00Z")]
pub struct TimestampError;

impl Timestamp {
    /// The earliest time there is, the start of the year 0: RFC 3339 writes none before it.
    pub const MIN: Self = Self(-62_167_219_200_000_000);
    /// The latest time there is.
    pub const MAX: Self = Self(253_402_207_200_000_000);

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

    /// Appends the time to `out` as [`Display`](fmt::Display) writes it, without a formatter in between.
    pub fn write(self, out: &mut Vec<u8>) {
        const PRINTER: DateTimePrinter = DateTimePrinter::new();
        let written = PRINTER.print_timestamp(&self.to_jiff(), out);
        written.expect("memory takes everything");
    }

    fn to_jiff(self) -> jiff::Timestamp {
        let time = jiff::Timestamp::from_microsecond(self.0);
        time.expect("MIN and MAX are within jiff's range")
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let time = text.parse::<jiff::Timestamp>().ok().ok_or(TimestampError)?;
        let time = Self(time.as_microsecond());
        Some(time)
            .filter(|time| (Self::MIN..=Self::MAX).contains(time))
            .ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
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
        check("-000001-12-31T23:59:59Z", None);
        check("2013-01-01", None);
        check("2013-01-01T10:00:00", None);
        check("yesterday", None);
    }

    #[test]
    fn the_ends_of_time_can_be_written() {
        assert_eq!(Timestamp::MIN.to_string().parse(), Ok(Timestamp::MIN));
        assert_eq!(Timestamp::MAX.to_string().parse(), Ok(Timestamp::MAX));
        assert_eq!(Timestamp::from_micros(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::from_micros(i64::MAX), Timestamp::MAX);
    }
}
