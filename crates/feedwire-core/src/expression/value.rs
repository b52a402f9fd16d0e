//! What the parts of an expression are worth at an event.

use std::borrow::Cow;
use std::cmp::Ordering;

use feedwire_event::Timestamp;

use super::cost::Cost;
use super::json;
use super::node::Relation;

/// There is no value: a member is missing, kinds do not fit each other, or it would cost too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fail;

/// A value. Of what comes with the event, objects and arrays stay the JSON text that they are.
#[derive(Clone, Debug)]
pub(super) enum Value<'v> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Cow<'v, str>),
    Time(Timestamp),
    /// In microseconds.
    Span(i64),
    Object(&'v str),
    Array(&'v str),
    List(Vec<Value<'v>>),
}

impl<'v> Value<'v> {
    /// Whether it is true; nothing but a boolean is true or false.
    pub(super) fn truth(&self) -> Result<bool, Fail> {
        match self {
            Self::Bool(truth) => Ok(*truth),
            _ => Err(Fail),
        }
    }

    /// How much is copied where it is.
    pub(super) fn copied_bytes(&self) -> usize {
        match self {
            Self::List(items) => items.iter().map(|item| 64 + item.copied_bytes()).sum(),
            Self::Text(text) => text.len(),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Double(_)
            | Self::Time(_)
            | Self::Span(_)
            | Self::Object(_)
            | Self::Array(_) => 0,
        }
    }

    /// The elements of a list, or the names of the members of an object.
    pub(super) fn items(self, cost: &Cost) -> Result<Vec<Self>, Fail> {
        match self {
            Self::List(items) => Ok(items),
            Self::Array(text) => {
                let elements = json::elements(text, cost)?.into_iter();
                elements.map(json::value).collect()
            }
            Self::Object(text) => {
                let members = json::members(text, cost)?;
                Ok(members.into_keys().map(Self::Text).collect())
            }
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Double(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::Span(_) => Err(Fail),
        }
    }

    /// The member `name`, if it has one; only an object has.
    pub(super) fn member(&self, name: &str, cost: &Cost) -> Result<Option<Value<'v>>, Fail> {
        match self {
            Self::Object(text) => json::member(text, name, cost)?.map(json::value).transpose(),
            _ => Err(Fail),
        }
    }

    /// The element or the member that `index` names.
    pub(super) fn index(self, index: &Value<'_>, cost: &Cost) -> Result<Value<'v>, Fail> {
        if let (Self::Object(_), Value::Text(name)) = (&self, index) {
            return self.member(name, cost)?.ok_or(Fail);
        }
        let at = match index {
            Value::Int(at) => usize::try_from(*at).ok(),
            _ => None,
        };
        match (self, at) {
            (Self::List(mut items), Some(at)) if at < items.len() => Ok(items.swap_remove(at)),
            (Self::Array(text), Some(at)) => {
                let elements = json::elements(text, cost)?;
                elements
                    .get(at)
                    .ok_or(Fail)
                    .and_then(|text| json::value(text))
            }
            _ => Err(Fail),
        }
    }
}

/// Whether `left` stands in this relation to `right`.
pub(super) fn relates(
    relation: Relation,
    left: &Value<'_>,
    right: Value<'_>,
    cost: &Cost,
) -> Result<bool, Fail> {
    let ordered = || order(left, &right, cost);
    match relation {
        Relation::Equal => are_equal(left, &right, cost),
        Relation::Unequal => Ok(!are_equal(left, &right, cost)?),
        Relation::Less => Ok(ordered()?.is_lt()),
        Relation::LessOrEqual => Ok(ordered()?.is_le()),
        Relation::Greater => Ok(ordered()?.is_gt()),
        Relation::GreaterOrEqual => Ok(ordered()?.is_ge()),
        Relation::In => is_in(left, right, cost),
    }
}

fn is_in(value: &Value<'_>, of: Value<'_>, cost: &Cost) -> Result<bool, Fail> {
    if let Value::Object(_) = of {
        return match value {
            Value::Text(name) => Ok(of.member(name, cost)?.is_some()),
            _ => Ok(false),
        };
    }
    if let Value::Text(_) = of {
        return Err(Fail);
    }
    for item in of.items(cost)? {
        if are_equal(value, &item, cost)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is of different kinds is not equal; numbers are one kind. The text of data is canonical: mostly what is equal is the same text.
pub(super) fn are_equal(left: &Value<'_>, right: &Value<'_>, cost: &Cost) -> Result<bool, Fail> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => {
            cost.step(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::Object(left), Value::Object(right)) => {
            cost.step(left.len().min(right.len()))?;
            Ok(left == right || are_equal_objects(left, right, cost)?)
        }
        (Value::Array(_) | Value::List(_), Value::Array(_) | Value::List(_)) => {
            if let (Value::Array(left), Value::Array(right)) = (left, right) {
                cost.step(left.len().min(right.len()))?;
                if left == right {
                    return Ok(true);
                }
            }
            cost.step(left.copied_bytes() + right.copied_bytes())?;
            let (left, right) = (left.clone().items(cost)?, right.clone().items(cost)?);
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(&right) {
                if !are_equal(left, right, cost)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Null, Value::Null) => Ok(true),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Time(left), Value::Time(right)) => Ok(left == right),
        (Value::Span(left), Value::Span(right)) => Ok(left == right),
        _ => {
            cost.step(0)?;
            Ok(order_numbers(left, right) == Some(Ordering::Equal))
        }
    }
}

fn are_equal_objects(left: &str, right: &str, cost: &Cost) -> Result<bool, Fail> {
    let (left, right) = (json::members(left, cost)?, json::members(right, cost)?);
    if left.len() != right.len() {
        return Ok(false);
    }
    for ((name, left), (other, right)) in left.iter().zip(&right) {
        if name != other || !are_equal(&json::value(left)?, &json::value(right)?, cost)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn order(left: &Value<'_>, right: &Value<'_>, cost: &Cost) -> Result<Ordering, Fail> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => {
            cost.step(left.len().min(right.len()))?;
            Ok(left.cmp(right))
        }
        (Value::Bool(left), Value::Bool(right)) => Ok(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Ok(left.cmp(right)),
        (Value::Span(left), Value::Span(right)) => Ok(left.cmp(right)),
        _ => order_numbers(left, right).ok_or(Fail),
    }
}

fn order_numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Double(right)) => order_mixed(*left, *right),
        (Value::Double(left), Value::Int(right)) => {
            order_mixed(*right, *left).map(Ordering::reverse)
        }
        _ => None,
    }
}

/// Exactly: what a double cannot tell apart is not equal for that.
fn order_mixed(int: i64, double: f64) -> Option<Ordering> {
    /// 2^63, behind every int.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if double.is_nan() {
        return None;
    }
    if double >= END {
        return Some(Ordering::Less);
    }
    if double < -END {
        return Some(Ordering::Greater);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole and within the range"
    )]
    let whole = double.trunc() as i64;
    let ordering = int.cmp(&whole);
    Some(ordering.then_with(|| 0.0.partial_cmp(&double.fract()).unwrap_or(Ordering::Equal)))
}
