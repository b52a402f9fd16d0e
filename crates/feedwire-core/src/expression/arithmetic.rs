//! Sums and products of values.

use std::borrow::Cow;

use feedwire_event::Timestamp;

use super::cost::Cost;
use super::node::Operator;
use super::value::{Fail, Value};

/// An int and a double are calculated with as doubles: JSON does not tell a whole double from an int.
pub(super) fn calculated<'v>(
    operator: Operator,
    left: Value<'v>,
    right: Value<'v>,
    cost: &Cost,
) -> Result<Value<'v>, Fail> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => ints(operator, left, right).map(Value::Int),
        (Value::Double(left), Value::Double(right)) => doubles(operator, left, right),
        (Value::Int(left), Value::Double(right)) => doubles(operator, double(left), right),
        (Value::Double(left), Value::Int(right)) => doubles(operator, left, double(right)),
        (Value::Text(left), Value::Text(right)) if operator == Operator::Add => {
            cost.step(left.len() + right.len())?;
            Ok(Value::Text(Cow::Owned(format!("{left}{right}"))))
        }
        (left, right) => times(operator, left, right),
    }
}

/// The negative of `value`.
pub(super) fn negated(value: &Value<'_>) -> Result<Value<'static>, Fail> {
    match value {
        Value::Int(int) => int.checked_neg().map(Value::Int).ok_or(Fail),
        Value::Double(double) => Ok(Value::Double(-*double)),
        Value::Span(span) => span.checked_neg().map(Value::Span).ok_or(Fail),
        Value::Null
        | Value::Bool(_)
        | Value::Text(_)
        | Value::Time(_)
        | Value::Object(_)
        | Value::Array(_)
        | Value::List(_) => Err(Fail),
    }
}

/// The double next to `int`.
pub(super) fn double(int: i64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "doubles are as near as they are"
    )]
    let double = int as f64;
    double
}

fn ints(operator: Operator, left: i64, right: i64) -> Result<i64, Fail> {
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => left.checked_rem(right),
    };
    result.ok_or(Fail)
}

fn doubles(operator: Operator, left: f64, right: f64) -> Result<Value<'static>, Fail> {
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Remainder => return Err(Fail),
    };
    Ok(Value::Double(result))
}

fn times<'v>(operator: Operator, left: Value<'v>, right: Value<'v>) -> Result<Value<'v>, Fail> {
    let time = |micros: Option<i64>| {
        let time = micros.map(Timestamp::from_micros).ok_or(Fail)?;
        Ok(Value::Time(time))
    };
    match (left, operator, right) {
        (Value::Time(left), Operator::Subtract, Value::Time(right)) => {
            let span = left.as_micros().checked_sub(right.as_micros());
            span.map(Value::Span).ok_or(Fail)
        }
        (Value::Time(left), Operator::Subtract, Value::Span(right)) => {
            time(left.as_micros().checked_sub(right))
        }
        (Value::Time(at), Operator::Add, Value::Span(span))
        | (Value::Span(span), Operator::Add, Value::Time(at)) => {
            time(at.as_micros().checked_add(span))
        }
        (Value::Span(left), Operator::Add | Operator::Subtract, Value::Span(right)) => {
            ints(operator, left, right).map(Value::Span)
        }
        _ => Err(Fail),
    }
}
