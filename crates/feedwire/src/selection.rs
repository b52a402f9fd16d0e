//! Which events a stream or a connector is of, as it is said on the command line.

use clap::Args;
use feedwire_client::StreamFilter;

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Only this feed; may be given more than once
    #[arg(long = "feed", value_name = "FEED")]
    feeds: Vec<String>,
    /// Only this type; may be given more than once
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only this subject; may be given more than once
    #[arg(long = "subject", value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// Only subjects with this label, a key or `key=value`; all that are given must hold
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Only events of which this is true, in the Common Expression Language, such as `data.delay > 60`
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
}

impl Selection {
    /// What is given of it; `None` is nothing.
    pub(crate) fn given(self) -> Option<StreamFilter> {
        let filter = StreamFilter {
            feeds: self.feeds,
            types: self.types,
            subjects: self.subjects,
            labels: self.labels,
            expression: self.filter,
        };
        (filter != StreamFilter::default()).then_some(filter)
    }
}
