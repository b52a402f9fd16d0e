//! Durations as they are written in an expression: `1h30m`, `-1.5s`.

/// Microseconds of each unit; `m` comes behind those that begin with it.
const UNITS: [(&str, i128); 5] = [
    ("ms", 1_000),
    ("us", 1),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
];
/// Most digits of a number.
const DIGITS_MAX: usize = 18;

/// The microseconds that `text` stands for, if it stands for any; what is finer than one is cut off.
pub(super) fn micros(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum: i128 = 0;
    loop {
        let whole = digits(&mut rest);
        let fraction = match rest.strip_prefix('.') {
            Some(behind) => {
                rest = behind;
                digits(&mut rest)
            }
            None => "",
        };
        if whole.len() + fraction.len() == 0 || whole.len().max(fraction.len()) > DIGITS_MAX {
            return None;
        }
        let unit = UNITS.iter().find(|(unit, _)| rest.starts_with(unit));
        let (unit, micros) = unit?;
        rest = &rest[unit.len()..];
        sum += number(whole)? * micros;
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        sum += number(fraction)? * micros / scale;
        if rest.is_empty() {
            return i64::try_from(sign * sum).ok();
        }
    }
}

fn digits<'t>(rest: &mut &'t str) -> &'t str {
    let len = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(len);
    *rest = behind;
    digits
}

fn number(digits: &str) -> Option<i128> {
    if digits.is_empty() {
        return Some(0);
    }
    digits.parse().ok()
}
