//! Families of metrics, as the encoder takes them.

use std::fmt;

use feedwire_tally::Distribution;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// No labels.
pub(super) const PLAIN: [(&str, &str); 0] = [];

/// What a family is called and what it tells. The encoder appends unit and kind to the name.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) unit: Option<Unit>,
    pub(super) help: &'static str,
}

/// A family without a unit.
pub(super) const fn number(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        unit: None,
        help,
    }
}

/// A family of bytes.
pub(super) const fn bytes(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        unit: Some(Unit::Bytes),
        help,
    }
}

/// A family of seconds.
pub(super) const fn seconds(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        unit: Some(Unit::Seconds),
        help,
    }
}

/// Families one after the other.
#[derive(Debug)]
pub(super) struct Families<'a>(DescriptorEncoder<'a>);

impl<'a> Families<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    fn write<L: EncodeLabelSet, T>(
        &mut self,
        family: &Family,
        kind: MetricType,
        series: impl IntoIterator<Item = (L, T)>,
        encode: impl Fn(&mut MetricEncoder<'_>, T) -> fmt::Result,
    ) -> fmt::Result {
        let Family { name, unit, help } = family;
        // A full stop ends every help: the encoder appends it.
        let mut all = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, value) in series {
            encode(&mut all.encode_family(&labels)?, value)?;
        }
        Ok(())
    }

    /// How often things have happened.
    pub(super) fn counts<L: EncodeLabelSet>(
        &mut self,
        family: &Family,
        series: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        self.write(family, MetricType::Counter, series, |one, count| {
            one.encode_counter::<NoLabelSet, _, u64>(&count, None)
        })
    }

    /// How much of a time has been taken.
    pub(super) fn time(&mut self, family: &Family, seconds: Option<f64>) -> fmt::Result {
        let series = seconds.map(|seconds| (PLAIN, seconds));
        self.write(family, MetricType::Counter, series, |one, seconds| {
            one.encode_counter::<NoLabelSet, _, u64>(&seconds, None)
        })
    }

    /// How things are now.
    pub(super) fn levels<L: EncodeLabelSet, V: EncodeGaugeValue>(
        &mut self,
        family: &Family,
        series: impl IntoIterator<Item = (L, V)>,
    ) -> fmt::Result {
        self.write(family, MetricType::Gauge, series, |one, level| {
            one.encode_gauge(&level)
        })
    }

    /// How large values were; `scale` of them make one of the unit.
    pub(super) fn distributions<L: EncodeLabelSet>(
        &mut self,
        family: &Family,
        scale: f64,
        series: impl IntoIterator<Item = (L, Distribution)>,
    ) -> fmt::Result {
        self.write(family, MetricType::Histogram, series, |one, found| {
            let bounds = found.bounds.iter().map(|bound| scaled(*bound, scale));
            let bounds = bounds.chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(found.counts.iter().copied()).collect();
            let sum = scaled(found.sum, scale);
            one.encode_histogram::<NoLabelSet>(sum, found.count(), &buckets, None)
        })
    }

    /// What does not change.
    pub(super) fn info(&mut self, family: &Family, labels: &[(&str, &str)]) -> fmt::Result {
        let Family { name, unit, help } = family;
        let kind = MetricType::Info;
        let mut all = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        all.encode_info(&labels)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the format has floats, and what is lost is beyond what anybody looks at"
)]
fn scaled(value: u64, scale: f64) -> f64 {
    value as f64 / scale
}
