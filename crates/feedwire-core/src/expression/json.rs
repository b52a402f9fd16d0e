//! Members and elements out of the text of JSON, without building what it holds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cost::Cost;
use super::value::{Fail, Value};

/// What an element costs beside its text.
const ELEMENT: usize = 16;
/// What a member costs beside its text, which has its place by its name.
const MEMBER: usize = 64;

/// What `text` is, valid JSON without white space around it.
pub(super) fn value(text: &str) -> Result<Value<'_>, Fail> {
    Ok(match text.as_bytes().first() {
        Some(b'{') => Value::Object(text),
        Some(b'[') => Value::Array(text),
        Some(b'"') => Value::Text(string(text)?),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => number(text)?,
    })
}

/// Whole numbers are ints as long as they fit one.
fn number(text: &str) -> Result<Value<'_>, Fail> {
    if let Ok(int) = text.parse() {
        return Ok(Value::Int(int));
    }
    text.parse().map(Value::Double).or(Err(Fail))
}

fn string(text: &str) -> Result<Cow<'_, str>, Fail> {
    let inner = text.get(1..text.len().saturating_sub(1)).ok_or(Fail)?;
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(text).map(Cow::Owned).or(Err(Fail))
}

/// The text of the member `name` of `object`, the last one that has this name.
pub(super) fn member<'v>(
    object: &'v str,
    name: &str,
    cost: &Cost,
) -> Result<Option<&'v str>, Fail> {
    cost.step(object.len())?;
    let mut read = serde_json::Deserializer::from_str(object);
    let found = read.deserialize_map(Find(name)).or(Err(Fail))?;
    Ok(found.map(RawValue::get))
}

/// The texts of the members of `object`, by their names.
pub(super) fn members<'v>(
    object: &'v str,
    cost: &Cost,
) -> Result<BTreeMap<Cow<'v, str>, &'v str>, Fail> {
    cost.step(object.len())?;
    let mut read = serde_json::Deserializer::from_str(object);
    let members = read.deserialize_map(Collect).or(Err(Fail))?;
    cost.step(MEMBER * members.len())?;
    Ok(members)
}

/// The texts of the elements of `array`.
pub(super) fn elements<'v>(array: &'v str, cost: &Cost) -> Result<Vec<&'v str>, Fail> {
    cost.step(array.len())?;
    let elements: Vec<&RawValue> = serde_json::from_str(array).or(Err(Fail))?;
    cost.step(ELEMENT * elements.len())?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

struct Find<'n>(&'n str);

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(IsName(self.0))? {
            if is_it {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a name is this one.
struct IsName<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, read: D) -> Result<bool, D::Error> {
        read.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = BTreeMap<Cow<'de, str>, &'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(Name(name)) = map.next_key()? {
            members.insert(name, map.next_value::<&RawValue>()?.get());
        }
        Ok(members)
    }
}

/// A name that borrows the text where it can.
#[derive(serde::Deserialize)]
struct Name<'n>(#[serde(borrow)] Cow<'n, str>);
