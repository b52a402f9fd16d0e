//! Options that say when a credential ends.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::{Span, SpanRelativeTo};

use crate::seams;

/// When it ends; without one of them, never by itself.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// It ends after this span from now
    #[arg(long, value_name = "SPAN", value_parser = span, conflicts_with = "expires_at")]
    expires_in: Option<Duration>,
    /// It ends at this time
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
}

impl Options {
    /// The time, in RFC 3339 as far as it is ours; one that was written is for the server to read.
    pub(crate) fn time(&self) -> Option<String> {
        let Some(span) = self.expires_in else {
            return self.expires_at.clone();
        };
        Some(seams::system().clock.now().after(span).to_text())
    }
}

/// Reads a span on the command line. A day has 24 hours; months and years have no fixed length and are refused.
pub(crate) fn span(text: &str) -> anyhow::Result<Duration> {
    let span: Span = text.parse()?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours())?;
    Duration::try_from(span).context("a span is not negative")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_fixed_length() {
        let check = |text: &str, seconds| {
            assert_eq!(
                span(text).ok().map(|span| span.as_secs()),
                seconds,
                "{text}"
            );
        };
        check("30days", Some(30 * 86_400));
        check("1h30m", Some(5_400));
        for odd in ["", "7", "1month", "-1d", "soon"] {
            check(odd, None);
        }
    }
}
