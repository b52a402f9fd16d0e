//! A histogram of spans: log buckets, each split evenly, so that any span is told to less than one part in a hundred.

use std::time::Duration;

/// Bits of a span that are told apart within a power of two.
const BITS: u32 = 7;
const SPLIT: u64 = 1 << BITS;

#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        let buckets = index(u64::MAX) + 1;
        Self {
            counts: vec![0; buckets],
            total: 0,
        }
    }

    pub(crate) fn record(&mut self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.counts[index(nanos)] += 1;
        self.total += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The span that `per_mille` of all spans do not exceed; nothing was recorded, nothing is told.
    pub(crate) fn at(&self, per_mille: u64) -> Option<Duration> {
        let rank = (self.total * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.map(|bucket| Duration::from_nanos(highest(bucket)))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most a few thousand")]
fn index(nanos: u64) -> usize {
    let shift = nanos.checked_ilog2().unwrap_or(0).saturating_sub(BITS);
    (u64::from(shift) * SPLIT + (nanos >> shift)) as usize
}

/// The largest span of a bucket.
fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / SPLIT).saturating_sub(1);
    let lowest = (bucket - shift * SPLIT) << shift;
    lowest + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_to_less_than_one_part_in_a_hundred() {
        for nanos in (0..60).flat_map(|power| [1_u64 << power, (1 << power) + 1, (3 << power) - 1])
        {
            let mut histogram = Histogram::new();
            histogram.record(Duration::from_nanos(nanos));
            let told = histogram.at(500).expect("one was recorded").as_nanos();
            let (told, nanos) = (u64::try_from(told).expect("it was one"), nanos);
            assert!(
                told >= nanos && (told - nanos) * 100 <= nanos,
                "{nanos}: {told}"
            );
        }
    }

    #[test]
    fn ranks_are_counted_over_all_buckets() {
        let mut histogram = Histogram::new();
        for micros in 1..=1_000 {
            histogram.record(Duration::from_micros(micros));
        }
        assert_eq!(histogram.total(), 1_000);
        for (per_mille, micros) in [(500, 500), (990, 990), (1_000, 1_000)] {
            let told = histogram.at(per_mille).expect("recorded").as_micros();
            assert!(
                (micros..=micros + micros / 100).contains(&told),
                "{per_mille}: {told}"
            );
        }
        assert_eq!(Histogram::new().at(500), None);
    }
}
