//! [`Histogram`]: how large the values of something were, by bounds that are fixed.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts whole values by the least of its bounds that they do not exceed.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One a bound, and one for what exceeds all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a [`Histogram`] held at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Distribution {
    /// Ascending; each is the largest value that its count has.
    pub bounds: &'static [u64],
    /// How many values each bound has for itself, and last, how many exceed all of them. Empty where nothing was ever counted.
    pub counts: Vec<u64>,
    /// All values together.
    pub sum: u64,
}

impl Histogram {
    /// An empty one with these bounds, which ascend.
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0));
        Self {
            bounds,
            counts: counts.collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts `value`.
    pub fn record(&self, value: u64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// What it holds now.
    pub fn get(&self) -> Distribution {
        let counts = self.counts.iter();
        Distribution {
            bounds: self.bounds,
            counts: counts.map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

impl Distribution {
    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// This one and `other` together.
    ///
    /// # Panics
    /// If both have counted and their bounds are not the same.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        if self.counts.is_empty() {
            return other.clone();
        }
        if other.counts.is_empty() {
            return self;
        }
        assert_eq!(self.bounds, other.bounds, "alike can be added");
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_for_the_least_bound_that_it_does_not_exceed() {
        let histogram = Histogram::new(&[1, 10]);
        for value in [0, 1, 2, 10, 11, 1_000] {
            histogram.record(value);
        }
        let found = histogram.get();
        assert_eq!((found.counts.as_slice(), found.sum), (&[2, 2, 2][..], 1024));
        assert_eq!(found.count(), 6);
    }

    #[test]
    fn distributions_add_up() {
        let one = Histogram::new(&[5]);
        one.record(4);
        let other = Histogram::new(&[5]);
        other.record(6);
        let both = Distribution::default().and(&one.get()).and(&other.get());
        assert_eq!((both.counts.as_slice(), both.sum), (&[1, 1][..], 10));
        assert_eq!(both.clone().and(&Distribution::default()), both);
    }
}
