//! Whole numbers as decimal text, and as JSON has them.

use serde_json::Number;

/// Appends `value` in decimal to `out`.
pub(crate) fn write(mut value: u64, out: &mut Vec<u8>) {
    // The longest u64 has 20 digits.
    let mut text = [0; 20];
    let mut start = text.len();
    loop {
        start -= 1;
        text[start] = b'0' + u8::try_from(value % 10).expect("a remainder of ten is a digit");
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[start..]);
}

/// A whole number, also one that is written with a fraction of nothing: to JSON Schema `10.0` is an integer.
pub(crate) fn whole(number: &Number) -> Option<u64> {
    let float = || number.as_f64().filter(|float| float.fract() == 0.0);
    let written = || float().and_then(|float| format!("{float:.0}").parse().ok());
    number.as_u64().or_else(written)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_display_does(value in any::<u64>(), shift in 0_u32..64) {
            let mut out = Vec::new();
            super::write(value >> shift, &mut out);
            prop_assert_eq!(out, (value >> shift).to_string().into_bytes());
        }
    }
}
