//! How much of a disk has to stay free.

use std::fmt;

/// What has to stay free on the disk, in bytes, and is why something was refused; `None` where it is not known.
///
/// It is shown as the end of a sentence that says that there is no space left, and is nothing where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinFree(pub Option<u64>);

impl fmt::Display for MinFree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let Some(bytes) = self.0 else {
            return Ok(());
        };
        // What has to be free is told no rounder than it is: whoever makes just as much room must have enough.
        let is_whole = |(size, _): &(u64, &str)| bytes >= *size && bytes.is_multiple_of(*size);
        let (size, unit) = UNITS.into_iter().find(is_whole).unwrap_or((1, "bytes"));
        write!(f, ": {} {unit} have to stay free on the disk", bytes / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_stay_free_is_told_to_the_byte() {
        let check = |bytes: u64, words: &str| {
            let words = format!(": {words} have to stay free on the disk");
            assert_eq!(MinFree(Some(bytes)).to_string(), words);
        };
        check(128 << 20, "128 MiB");
        check(3 << 30, "3 GiB");
        check(512 << 10, "512 KiB");
        check(1_000_000_000, "1000000000 bytes");
        assert_eq!(MinFree(None).to_string(), "");
    }
}
