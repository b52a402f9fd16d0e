//! Whether two JSON values are the same.

use std::borrow::Cow;
use std::collections::HashMap;

use super::tree::{Tree, Value, unescaped};

/// Whether `one` and `other`, both canonical JSON, are the same value.
pub(super) fn are_equal(one: &str, other: &str) -> bool {
    let trees = || Tree::of(one).zip(Tree::of(other));
    one == other || trees().is_some_and(|(one, other)| are_same(one.root(), other.root()))
}

/// Whether `one` and `other` are the same.
pub(super) fn are_same(one: Value<'_>, other: Value<'_>) -> bool {
    match (one.kind(), other.kind()) {
        (b'{', b'{') => are_objects_same(one, other),
        (b'[', b'[') => {
            let mut others = other.values();
            let is_start = one
                .values()
                .all(|one| others.next().is_some_and(|other| are_same(one, other)));
            is_start && others.next().is_none()
        }
        _ if one.text() == other.text() => true,
        (b'"', b'"') => unescaped(one.text()) == unescaped(other.text()),
        (b'-' | b'0'..=b'9', b'-' | b'0'..=b'9') => {
            Number::of(one.text()).is_some_and(|one| Number::of(other.text()) == Some(one))
        }
        _ => false,
    }
}

fn are_objects_same(one: Value<'_>, other: Value<'_>) -> bool {
    let mut others: HashMap<Cow<'_, str>, Value<'_>> = other
        .values()
        .map(|member| (member.name(), member))
        .collect();
    let are_in_other = one.values().all(|member| {
        let other = others.remove(&*member.name());
        other.is_some_and(|other| are_same(member, other))
    });
    are_in_other && others.is_empty()
}

/// A decimal number: digits without zeros at either end, times a power of ten. Zero has no digits, and no sign.
#[derive(Debug, PartialEq, Eq)]
struct Number {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Number {
    /// `None` where the exponent is beyond what is reckoned with: such numbers are the same where their texts are.
    fn of(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
            None => (text, 0_i64),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_end_matches('0');
        let dropped = i64::try_from(all.len() - digits.len()).ok()?;
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let fraction = i64::try_from(fraction.len()).ok()?;
        Some(Self {
            is_negative,
            digits: digits.to_owned(),
            exponent: exponent.checked_sub(fraction)?.checked_add(dropped)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_same_whatever_their_text() {
        let check = |one: &str, other: &str| {
            assert!(are_equal(one, other), "{one} and {other}");
            assert!(are_equal(other, one), "{other} and {one}");
        };
        check("1", "1.0");
        check("100", "1e2");
        check("-0.50", "-5E-1");
        check("0", "-0.0e7");
        check("12345678901234567890.10", "12345678901234567890.1");
        check("1e99999999999999999999", "1e99999999999999999999");
        check(r#""\u00e9\/""#, r#""\u00E9/""#);
        check(r#"{"a":1,"b":[{"c":2.0}]}"#, r#"{"b":[{"c":2}],"a":1.0}"#);
        check("null", "null");
    }

    #[test]
    fn anything_else_differs() {
        let check = |one: &str, other: &str| {
            assert!(!are_equal(one, other), "{one} and {other}");
            assert!(!are_equal(other, one), "{other} and {one}");
        };
        check("1", "-1");
        check("1", "\"1\"");
        check("10", "1");
        check("12345678901234567890", "12345678901234567891");
        check("1e99999999999999999999", "1e99999999999999999998");
        check("[1,2]", "[2,1]");
        check("[1]", "[1,1]");
        check("{}", "[]");
        check("null", "false");
        check(r#"{"a":null}"#, "{}");
        check(r#"{"a":null}"#, r#"{"b":null}"#);
    }
}
