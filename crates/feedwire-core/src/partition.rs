//! Partitions: which part of the subjects one of several consumers has.
//!
//! An event's partition is the xxh3-64 of its subject, modulo their number; without a subject it is that of the empty text. It is the
//! same in every feed, after a restart and in every version: consumers depend on it.

use std::num::NonZeroU32;

use xxhash_rust::xxh3::xxh3_64;

/// One of a number of parts of all subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partition {
    number: u32,
    count: NonZeroU32,
}

impl Partition {
    /// Part `number`, from 0, of `count`; `None` where there are not so many.
    pub fn new(number: u32, count: NonZeroU32) -> Option<Self> {
        (number < count.get()).then_some(Self { number, count })
    }

    /// Whether events about `subject` are in it.
    pub fn has(self, subject: Option<&str>) -> bool {
        let hash = xxh3_64(subject.unwrap_or_default().as_bytes());
        hash % u64::from(self.count.get()) == u64::from(self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: u32, count: u32) -> Partition {
        let count = NonZeroU32::new(count).expect("it is not 0");
        Partition::new(number, count).expect("it is below")
    }

    #[test]
    fn each_subject_is_in_one_partition_of_each_number_of_them() {
        for count in 1..20 {
            for subject in [
                None,
                Some("a"),
                Some("723ecfce-14e9-4889-98d5-a3d0ad54912f"),
            ] {
                let having = (0..count).filter(|number| partition(*number, count).has(subject));
                assert_eq!(having.count(), 1, "{subject:?} of {count}");
            }
        }
        let two = NonZeroU32::new(2).expect("it is not 0");
        assert_eq!(Partition::new(2, two), None);
    }

    /// Consumers keep what they have by partition: these numbers are never to change.
    #[test]
    fn the_partition_of_a_subject_is_the_same_for_good() {
        let of = |subject| (0..7).find(|number| partition(*number, 7).has(subject));
        let found = [None, Some("a"), Some("b"), Some("order-42"), Some("\u{e9}")].map(of);
        assert_eq!(found, [Some(4), Some(1), Some(4), Some(1), Some(6)]);
    }
}
