//! Names of letters and digits with hyphens and underscores between, as some vendors have them.

/// Whether `text` has three characters or more, what `is_end` says at both ends, and that or `-` or `_` between.
///
/// That is what `^[e]+[e\-_]+[e]+$` matches.
pub(crate) fn is_name(text: &str, is_end: impl Fn(u8) -> bool) -> bool {
    let [first, inner @ .., last] = text.as_bytes() else {
        return false;
    };
    let is_inner = |byte: &u8| is_end(*byte) || matches!(byte, b'-' | b'_');
    !inner.is_empty() && is_end(*first) && is_end(*last) && inner.iter().all(is_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether the pattern has a match: every way of parting the text in three is tried.
    fn is_matched(text: &str, is_end: impl Fn(u8) -> bool) -> bool {
        let bytes = text.as_bytes();
        let len = bytes.len();
        let are_ends = |part: &[u8]| part.iter().all(|byte| is_end(*byte));
        let are_inner = |part: &[u8]| {
            part.iter()
                .all(|byte| is_end(*byte) || b"-_".contains(byte))
        };
        let is_parted = |one: usize, two: usize| {
            are_ends(&bytes[..one]) && are_inner(&bytes[one..two]) && are_ends(&bytes[two..])
        };
        (1..len).any(|one| (one + 1..len).any(|two| is_parted(one, two)))
    }

    proptest! {
        #[test]
        fn names_are_what_the_pattern_matches(text in "[aZ0_.-]{0,6}") {
            for is_end in [|byte: u8| byte.is_ascii_alphanumeric(), |byte: u8| byte == b'a'] {
                prop_assert_eq!(is_name(&text, is_end), is_matched(&text, is_end));
            }
        }
    }
}
