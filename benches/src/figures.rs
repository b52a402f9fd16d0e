//! Figures for people: short, and the median of several.

use std::time::Duration;

/// What stands where there is no figure.
pub(crate) const NONE: &str = "–";

/// `count` in a second of `span`.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn per_second(count: u64, span: Duration) -> f64 {
    count as f64 / span.as_secs_f64()
}

/// A span in seconds; no number where there is none.
pub(crate) fn seconds(span: Option<Duration>) -> f64 {
    span.map_or(f64::NAN, |span| span.as_secs_f64())
}

/// The one in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The median over `runs` of what `figure` takes from each.
pub(crate) fn median_of<T>(runs: &[T], figure: impl Fn(&T) -> f64) -> Option<f64> {
    median(runs.iter().map(figure).collect())
}

/// A number of something a second.
pub(crate) fn rate(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.2} G", v / 1e9),
        v if v >= 1e6 => format!("{:.2} M", v / 1e6),
        v if v >= 1e3 => format!("{:.1} k", v / 1e3),
        v => format!("{v:.0} "),
    }
    .trim_end()
    .to_owned()
}

/// Part of its core from which on the generator, and not the server, may be the limit.
const FULL: f64 = 0.95;

/// A rate of a peer; marked where the generator had no more to give.
pub(crate) fn peer_rate(value: Option<f64>, generator: Option<f64>) -> String {
    let is_full = generator.is_some_and(|part| part >= FULL);
    cell(value, rate) + if is_full { "+" } else { "" }
}

/// A span of so many seconds.
pub(crate) fn span(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.01 => format!("{:.1} ms", s * 1e3),
        s if s >= 0.001 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

/// Seconds of processor time, or what one thing takes more than another, which may be less than nothing: in hundredths of a microsecond.
pub(crate) fn fine_span(seconds: f64) -> String {
    format!("{:.2} µs", seconds * 1e6)
}

/// How one figure stands to another.
pub(crate) fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// A number of bytes.
pub(crate) fn bytes(value: f64) -> String {
    format!("{:.1} KiB", value / 1024.0)
}

/// A number of bytes of a whole program.
pub(crate) fn mebibytes(value: f64) -> String {
    format!("{:.0} MiB", value / (1024.0 * 1024.0))
}

/// A small part in hundredths.
pub(crate) fn fine_percent(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

/// What part of `whole` it is.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// A part in hundredths.
pub(crate) fn percent(value: f64) -> String {
    format!("{:.0} %", value * 100.0)
}

/// A figure in its form, if there is one.
pub(crate) fn cell(value: Option<f64>, form: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), form)
}
