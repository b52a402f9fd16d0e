//! How a connector pushes.

use std::ops::RangeInclusive;
use std::time::Duration;

use feedwire_event::ConnectorName;

use super::Error;
use crate::stream::DISPLAY_NAME_CHARS_MAX;

/// How many requests of a connector may be on their way at once.
pub const CONCURRENCY: RangeInclusive<usize> = 1..=64;

/// How many events one request may have.
pub const BATCH_EVENTS: RangeInclusive<usize> = 1..=1_000;

/// How long an event may wait for others to be in one request with it.
pub const LINGER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(1);

/// How long an answer may be waited for.
pub const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

/// How long a first retry may wait, and any at most.
pub const RETRY_WAIT: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_hours(24);

/// For how long an event that fails may be tried.
pub const RETRY_AGE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_hours(30 * 24);

/// After how long without a success a connector that fails may be disabled.
pub const DISABLE_AFTER: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_hours(30 * 24);

/// Most redirects that a request may follow.
pub const REDIRECTS_MAX: u8 = 5;

/// Longest URL.
pub const URL_BYTES_MAX: usize = 2_048;

/// Most labels that are told with a reading.
pub const LABELS_MAX: usize = 100;

/// How the bodies of a connector look, and how they are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// One event, as JSON with its attributes.
    #[default]
    Structured,
    /// One event: its data is the body, its attributes are headers.
    Binary,
    /// An array of events as JSON with their attributes.
    Batch,
    /// One reading of a device, with these of its labels.
    Reading {
        /// The keys of the labels.
        labels: Vec<String>,
    },
}

/// How what fails is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How long the first wait may be. Each later one may be twice as long as the one before.
    pub first: Duration,
    /// How long any wait may be.
    pub most: Duration,
    /// How long after its first failure an event is given up.
    pub age: Duration,
}

/// How a connector pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What it is named by. For good.
    pub name: ConnectorName,
    /// What people call it; may be empty.
    pub display_name: String,
    /// Where to.
    pub url: String,
    /// How its bodies look. Whether they are readings is for good.
    pub form: Form,
    /// Most events of a request.
    pub batch_events: usize,
    /// How long an event waits for others to be in one request with it.
    pub linger: Duration,
    /// Most requests on their way at once.
    pub concurrency: usize,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// How what fails is tried again.
    pub retry: Retry,
    /// After how long without a success it is disabled.
    pub disable_after: Duration,
    /// How many redirects a request follows.
    pub redirects: u8,
}

impl Settings {
    /// Those of a connector `name` to `url`, which says nothing else.
    pub fn new(name: ConnectorName, url: String) -> Self {
        Self {
            name,
            display_name: String::new(),
            url,
            form: Form::default(),
            batch_events: 1,
            linger: Duration::ZERO,
            concurrency: 8,
            timeout: Duration::from_secs(10),
            retry: Retry {
                first: Duration::from_secs(1),
                most: Duration::from_mins(5),
                age: Duration::from_hours(12),
            },
            disable_after: Duration::from_hours(5 * 24),
            redirects: 0,
        }
    }

    /// Whether all of it can be. The URL is for the outbound edge to look at.
    pub fn check(&self) -> Result<(), Error> {
        let span = |name, is: Duration, range: &RangeInclusive<Duration>| {
            let (least, most) = (range.start(), range.end());
            let (least, most) = (words(*least), words(*most));
            let range_is = format!("{least} to {most}, in whole milliseconds");
            let is_whole = is.subsec_nanos().is_multiple_of(1_000_000);
            holds(name, range.contains(&is) && is_whole, range_is)
        };
        let display_name = &self.display_name;
        let is_name = display_name.chars().count() <= DISPLAY_NAME_CHARS_MAX
            && !display_name.contains(char::is_control);
        let words = format!(
            "at most {DISPLAY_NAME_CHARS_MAX} characters, none of them a control character"
        );
        holds("display_name", is_name, words)?;
        let words = || format!("at most {URL_BYTES_MAX} bytes");
        holds("url", self.url.len() <= URL_BYTES_MAX, words())?;
        let batch = (*BATCH_EVENTS.start(), *BATCH_EVENTS.end());
        let is_batch = BATCH_EVENTS.contains(&self.batch_events);
        holds(
            "batch_size",
            is_batch,
            format!("{} to {}", batch.0, batch.1),
        )?;
        let is_form = self.form == Form::Batch || self.batch_events == 1;
        holds("batch_size", is_form, "1 unless the format is batch".into())?;
        span("linger", self.linger, &LINGER)?;
        let most = *CONCURRENCY.end();
        let is_concurrency = CONCURRENCY.contains(&self.concurrency);
        holds("concurrency", is_concurrency, format!("1 to {most}"))?;
        span("timeout", self.timeout, &TIMEOUT)?;
        let Retry { first, most, age } = self.retry;
        span("retry_first", first, &RETRY_WAIT)?;
        span("retry_most", most, &RETRY_WAIT)?;
        holds(
            "retry_most",
            most >= first,
            "no less than retry_first".into(),
        )?;
        span("retry_age", age, &RETRY_AGE)?;
        span("disable_after", self.disable_after, &DISABLE_AFTER)?;
        let words = format!("0 to {REDIRECTS_MAX}");
        holds("redirects", self.redirects <= REDIRECTS_MAX, words)?;
        let is_labels = match &self.form {
            Form::Reading { labels } => {
                labels.len() <= LABELS_MAX && labels.iter().all(|key| key.len() <= 1_000)
            }
            Form::Structured | Form::Binary | Form::Batch => true,
        };
        holds("labels", is_labels, format!("at most {LABELS_MAX} keys"))
    }
}

fn holds(name: &'static str, is_so: bool, has_to_be: String) -> Result<(), Error> {
    let bad = || Error::Setting { name, has_to_be };
    is_so.then_some(()).ok_or_else(bad)
}

/// A span of time in the largest unit that it is whole in.
fn words(span: Duration) -> String {
    const UNITS: [(u128, &str); 4] = [
        (24 * 60 * 60 * 1_000, "d"),
        (60 * 60 * 1_000, "h"),
        (60 * 1_000, "m"),
        (1_000, "s"),
    ];
    let millis = span.as_millis();
    let mut whole = UNITS
        .iter()
        .filter(|(unit, _)| millis.is_multiple_of(*unit));
    match whole.next() {
        Some(_) if millis == 0 => "0s".to_owned(),
        Some((unit, letter)) => format!("{}{letter}", millis / unit),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_setting_has_to_be_is_told_in_words() {
        let named = ConnectorName::new("c").expect("a name");
        let usual = Settings::new(named, "https://example.com/".into());
        usual.check().expect("it is as usual");
        let long = Duration::from_hours(25);
        let bad = [
            Settings {
                linger: long,
                ..usual.clone()
            },
            Settings {
                timeout: Duration::from_micros(200_500),
                ..usual.clone()
            },
            Settings {
                retry: Retry {
                    first: long,
                    ..usual.retry
                },
                ..usual.clone()
            },
            Settings {
                disable_after: Duration::ZERO,
                ..usual.clone()
            },
            Settings {
                batch_events: 2,
                ..usual.clone()
            },
            Settings {
                redirects: 6,
                ..usual
            },
        ];
        let told = bad.map(|settings| settings.check().expect_err("it cannot be").to_string());
        let expected = [
            "linger has to be 0s to 1m, in whole milliseconds",
            "timeout has to be 100ms to 1m, in whole milliseconds",
            "retry_first has to be 10ms to 1d, in whole milliseconds",
            "disable_after has to be 1s to 30d, in whole milliseconds",
            "batch_size has to be 1 unless the format is batch",
            "redirects has to be 0 to 5",
        ];
        assert_eq!(told, expected);
    }
}
