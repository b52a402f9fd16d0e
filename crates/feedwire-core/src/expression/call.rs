//! The functions of expressions.

use std::borrow::Cow;

use super::arithmetic::double;
use super::cost::Cost;
use super::duration;
use super::json;
use super::node::Function;
use super::value::{Fail, Value};

/// What `function` makes of `arguments`, which are as many as it has.
pub(super) fn called<'v>(
    function: Function,
    arguments: Vec<Value<'v>>,
    cost: &Cost,
) -> Result<Value<'v>, Fail> {
    let mut arguments = arguments.into_iter();
    let mut next = || arguments.next().ok_or(Fail);
    let value = next()?;
    if let Value::Text(text) = &value {
        cost.step(text.len())?;
    }
    match function {
        Function::Size => size(value, cost).map(Value::Int),
        Function::Contains | Function::StartsWith | Function::EndsWith => match (value, next()?) {
            (Value::Text(text), Value::Text(part)) => {
                cost.step(part.len())?;
                Ok(Value::Bool(has_part(function, &text, &part)))
            }
            _ => Err(Fail),
        },
        Function::LowerAscii | Function::UpperAscii => match value {
            Value::Text(text) if function == Function::LowerAscii => {
                Ok(Value::Text(text.to_ascii_lowercase().into()))
            }
            Value::Text(text) => Ok(Value::Text(text.to_ascii_uppercase().into())),
            _ => Err(Fail),
        },
        Function::Int => int(&value).map(Value::Int),
        Function::Double => match value {
            Value::Double(double) => Ok(Value::Double(double)),
            Value::Int(int) => Ok(Value::Double(double(int))),
            Value::Text(text) => text.parse().map(Value::Double).or(Err(Fail)),
            _ => Err(Fail),
        },
        Function::String => string(value),
        Function::Timestamp => match value {
            Value::Time(time) => Ok(Value::Time(time)),
            Value::Text(text) => text.parse().map(Value::Time).or(Err(Fail)),
            _ => Err(Fail),
        },
        Function::Duration => match value {
            Value::Span(span) => Ok(Value::Span(span)),
            Value::Text(text) => duration::micros(&text).map(Value::Span).ok_or(Fail),
            _ => Err(Fail),
        },
    }
}

fn has_part(function: Function, text: &str, part: &str) -> bool {
    match function {
        Function::StartsWith => text.starts_with(part),
        Function::EndsWith => text.ends_with(part),
        _ => text.contains(part),
    }
}

/// How many characters, elements or members `value` has.
fn size(value: Value<'_>, cost: &Cost) -> Result<i64, Fail> {
    let size = match value {
        Value::Text(text) => text.chars().count(),
        Value::List(items) => items.len(),
        Value::Array(text) => json::elements(text, cost)?.len(),
        Value::Object(text) => json::members(text, cost)?.len(),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Double(_)
        | Value::Time(_)
        | Value::Span(_) => return Err(Fail),
    };
    i64::try_from(size).or(Err(Fail))
}

/// A double is cut off, a time is its seconds since 1970.
fn int(value: &Value<'_>) -> Result<i64, Fail> {
    /// 2^63, behind every int.
    const END: f64 = 9_223_372_036_854_775_808.0;
    match value {
        Value::Int(int) => Ok(*int),
        #[expect(clippy::cast_possible_truncation, reason = "it is within the range")]
        Value::Double(double) if *double > -END && *double < END => Ok(*double as i64),
        Value::Text(text) => text.parse().or(Err(Fail)),
        Value::Time(time) => Ok(time.as_micros().div_euclid(1_000_000)),
        _ => Err(Fail),
    }
}

fn string(value: Value<'_>) -> Result<Value<'_>, Fail> {
    let text = match value {
        Value::Text(text) => text,
        Value::Bool(truth) => Cow::Borrowed(if truth { "true" } else { "false" }),
        Value::Int(int) => Cow::Owned(int.to_string()),
        Value::Double(double) => Cow::Owned(double.to_string()),
        Value::Time(time) => Cow::Owned(time.to_text()),
        Value::Null | Value::Span(_) | Value::Object(_) | Value::Array(_) | Value::List(_) => {
            return Err(Fail);
        }
    };
    Ok(Value::Text(text))
}
