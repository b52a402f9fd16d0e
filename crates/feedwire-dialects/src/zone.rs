//! The zone in which times are told, where a dialect tells them by a clock on a wall.

use feedwire_event::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// A zone: what a clock on a wall shows there.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// That of UTC.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// That which `zone` is. Whoever makes one looks up its rules: there is nothing to be read here.
    pub const fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// Appends `time` to the second, with how far the clock is ahead of UTC, as `yyyy-MM-dd'T'HH:mm:ssXXX` of Java has it: `Z` where it
    /// is not ahead.
    pub(crate) fn write(&self, time: Timestamp, out: &mut Vec<u8>) {
        let (shown, ahead) = self.shown(time);
        let start = out.len();
        shown.write(out);
        out.truncate(start + "2013-01-01T10:00:00".len());
        if ahead == 0 {
            out.push(b'Z');
            return;
        }
        let minutes = ahead.unsigned_abs();
        out.push(if ahead < 0 { b'-' } else { b'+' });
        push_two(minutes / 60, out);
        out.push(b':');
        push_two(minutes % 60, out);
    }

    /// What the clock shows at `time`, as if that were UTC, and how many minutes it is ahead. Some clocks of old were ahead by seconds,
    /// too, which cannot be told: they are shown as if they were not.
    fn shown(&self, time: Timestamp) -> (Timestamp, i64) {
        // jiff's timestamps end early by the widest offset; by then, nobody knows the rules.
        let offset = jiff::Timestamp::from_microsecond(time.as_micros())
            .map_or(Offset::UTC, |time| self.0.to_offset(time));
        let ahead = i64::from(offset.seconds()) / 60;
        let micros = time.as_micros() + ahead * MICROS_PER_MINUTE;
        let shown = Timestamp::from_micros(micros);
        if shown.as_micros() == micros {
            (shown, ahead)
        } else {
            // A year that is not written.
            (time, 0)
        }
    }

    /// The time that a clock there shows as `civil`: of two the earlier one, and of none the last before.
    pub(crate) fn time(&self, civil: DateTime) -> Option<Timestamp> {
        let time = self.0.to_ambiguous_timestamp(civil).earlier().ok()?;
        Some(Timestamp::from_micros(time.as_microsecond()))
    }
}

/// Appends a number below 100 as two digits.
fn push_two(number: u64, out: &mut Vec<u8>) {
    for digit in [number / 10, number % 10] {
        out.push(b'0' + u8::try_from(digit % 10).unwrap_or_default());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::tz::TimeZoneDatabase;
    use proptest::prelude::*;

    use super::*;

    /// The zone of this name, or that is so many hours ahead.
    pub(crate) fn zone(name: &str) -> Zone {
        let found = match name.parse() {
            Ok(hours) => Ok(TimeZone::fixed(jiff::tz::offset(hours))),
            Err(_) => TimeZoneDatabase::bundled().get(name),
        };
        Zone::new(found.expect("a zone"))
    }

    fn written(zone: &Zone, time: Timestamp) -> String {
        let mut out = Vec::new();
        zone.write(time, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn a_time_is_told_as_the_clock_there_shows_it() {
        let check = |name: &str, time: &str, shown: &str| {
            let time = time.parse().expect("a time");
            assert_eq!(written(&zone(name), time), shown, "{name}");
        };
        check("UTC", "2020-07-01T04:12:31.9999Z", "2020-07-01T04:12:31Z");
        for (time, shown) in [
            ("2020-07-01T04:12:31Z", "2020-07-01T06:12:31+02:00"),
            ("2020-12-31T23:30:00.5Z", "2021-01-01T00:30:00+01:00"),
            // The hour that the clock shows twice.
            ("2020-10-25T00:59:59Z", "2020-10-25T02:59:59+02:00"),
            ("2020-10-25T01:00:00Z", "2020-10-25T02:00:00+01:00"),
            // The hour that it leaves out.
            ("2021-03-28T00:59:59Z", "2021-03-28T01:59:59+01:00"),
            ("2021-03-28T01:00:00Z", "2021-03-28T03:00:00+02:00"),
            // 53 minutes and 28 seconds ahead.
            ("1880-01-01T00:00:00Z", "1880-01-01T00:53:00+00:53"),
        ] {
            check("Europe/Berlin", time, shown);
        }
        check(
            "Europe/London",
            "2020-12-31T23:30:00Z",
            "2020-12-31T23:30:00Z",
        );
        check(
            "Asia/Kolkata",
            "2020-12-31T23:30:00Z",
            "2021-01-01T05:00:00+05:30",
        );
        check(
            "America/St_Johns",
            "2021-01-01T00:00:00Z",
            "2020-12-31T20:30:00-03:30",
        );
        check("-5", "2019-01-15T19:30:45Z", "2019-01-15T14:30:45-05:00");
        // Years that would not be written.
        check("2", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z");
        check("-5", "0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z");
    }

    #[test]
    fn what_a_clock_shows_twice_was_the_first_of_it_and_what_it_never_shows_is_before() {
        let check = |civil: &str, time: &str| {
            let civil = civil.parse().expect("a civil time");
            let found = zone("Europe/Berlin").time(civil).expect("a time");
            assert_eq!(found.to_text(), time, "{civil}");
        };
        check("2020-07-01T06:12:31", "2020-07-01T04:12:31Z");
        check("2020-10-25T02:30:00", "2020-10-25T00:30:00Z");
        check("2021-03-28T02:30:00", "2021-03-28T00:30:00Z");
    }

    proptest! {
        #[test]
        fn what_is_told_is_the_same_time(
            micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros(),
            name in prop::sample::select(vec!["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Africa/Monrovia", "14", "-12"]),
        ) {
            let text = written(&zone(name), Timestamp::from_micros(micros));
            let read: Timestamp = text.parse().expect("RFC 3339");
            prop_assert_eq!(read.as_micros(), micros - micros.rem_euclid(1_000_000), "{}", text);
        }
    }
}
