//! Days of the calendar, in UTC.

use std::fmt;
use std::time::Duration;

use feedwire_event::Timestamp;

use crate::iso8601;

const LENGTH: Duration = Duration::from_hours(24);

/// A day from its first moment on, written as `2013-01-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Timestamp);

impl Day {
    /// The day that `text` writes as year, month and day.
    pub fn parse(text: &str) -> Option<Self> {
        let is_whole = text.len() == "2013-01-01".len();
        is_whole
            .then(|| iso8601::time(text))
            .flatten()
            .map(Self::of)
    }

    /// The day in which `time` is.
    pub fn of(time: Timestamp) -> Self {
        let length = i64::try_from(LENGTH.as_micros()).expect("a day is short");
        let micros = time.as_micros().div_euclid(length) * length;
        Self(Timestamp::from_micros(micros))
    }

    /// The day that is so many days earlier.
    #[must_use]
    pub fn before(self, days: u32) -> Self {
        let Self(start) = self;
        Self(start.before(days * LENGTH))
    }

    /// When it begins.
    pub fn start(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.0.to_text();
        let (date, _) = start.split_once('T').expect("a time has a date");
        f.write_str(date)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_is_written_as_its_date() {
        let check = |text: &str, start: Option<&str>| {
            let day = Day::parse(text);
            let found = day.map(|day| day.start().to_text());
            assert_eq!(found.as_deref(), start, "{text:?}");
            if let Some(day) = day {
                assert_eq!(day.to_string(), text);
            }
        };
        check("2024-02-29", Some("2024-02-29T00:00:00Z"));
        check("0000-01-01", Some("0000-01-01T00:00:00Z"));
        check("9999-12-31", Some("9999-12-31T00:00:00Z"));
        for odd in [
            "",
            "2023-02-29",
            "2024-2-29",
            "24-02-29",
            "2024-02-29T00:00:00Z",
            "2024-02-29 ",
            " 024-02-29",
            "+024-02-29",
            "2024/02/29",
            "today",
            "2024-02-2\u{e9}",
        ] {
            check(odd, None);
        }
    }

    #[test]
    fn days_are_counted_back_through_months_and_years() {
        let day = Day::parse("2024-03-01").expect("a day");
        assert_eq!(day.before(1).to_string(), "2024-02-29");
        assert_eq!(day.before(366).to_string(), "2023-03-01");
        assert_eq!(day.before(u32::MAX).to_string(), "0000-01-01");
    }

    proptest! {
        #[test]
        fn a_time_is_within_its_day(
            micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros(),
        ) {
            let time = Timestamp::from_micros(micros);
            let day = Day::of(time);
            prop_assert!(day.start() <= time && day.start().until(time) < LENGTH);
            prop_assert_eq!(Day::parse(&day.to_string()), Some(day));
        }

        #[test]
        fn any_text_is_read_without_panic(text in any::<String>(), near in "[-0-9Tt:+Zz é]{8,12}") {
            Day::parse(&text);
            Day::parse(&near);
        }
    }
}
