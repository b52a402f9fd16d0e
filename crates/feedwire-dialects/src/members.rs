//! JSON taken apart: the members of an object and the elements of an array, each as the text that it is.
//!
//! Nothing is built of what nobody asked for, however much of it there is: it is passed over, or counted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::document::Malformed;

/// The name of a member, borrowed unless it holds escapes.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// The text of a string; `None` where it is null.
pub(crate) fn string(value: &RawValue) -> Result<Option<Cow<'_, str>>, &'static str> {
    let raw = value.get();
    if raw == "null" {
        return Ok(None);
    }
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.ok_or("it has to be a string")?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Some(Cow::Borrowed(inner)));
    }
    let unescaped = serde_json::from_str(raw)
        .ok()
        .ok_or("it holds half of a surrogate pair")?;
    Ok(Some(Cow::Owned(unescaped)))
}

/// The members of an object that were asked for.
#[derive(Debug)]
pub(crate) struct Members<'de, const N: usize> {
    /// Their values in the order of their names, where they are there and not null.
    pub(crate) values: [Option<&'de RawValue>; N],
    /// Which of them came twice.
    pub(crate) twice: Option<&'static str>,
}

/// The members `names` of the object that `text` is.
pub(crate) fn of_object<'de, const N: usize>(
    text: &'de str,
    names: [&'static str; N],
) -> Result<Members<'de, N>, Malformed> {
    let mut values = [None; N];
    let find = |name: &str| names.iter().position(|known| *known == name);
    let twice = take(text, find, &mut values)?.map(|at| names[at]);
    Ok(Members { values, twice })
}

/// Where the value of a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The byte of the object's text that it begins with.
    pub(crate) at: usize,
    /// Whether it is null.
    pub(crate) is_null: bool,
}

/// Where the values of the members `names` stand in the object that `text` is: the last one of each, which is what readers go by.
pub(crate) fn places<const N: usize>(
    text: &str,
    names: [&str; N],
) -> Result<[Option<Standing>; N], Malformed> {
    let mut values = [None; N];
    let find = |name: &str| names.iter().position(|known| *known == name);
    last(text, find, &mut values)?;
    let standing = |value: &RawValue| Standing {
        at: value.get().as_ptr().addr() - text.as_ptr().addr(),
        is_null: value.get() == "null",
    };
    Ok(values.map(|value| value.map(standing)))
}

/// Puts the members of the object that `text` is into the places of `values` that `find` has for their names, where they are not null;
/// which place was found twice is handed back.
pub(crate) fn take<'de>(
    text: &'de str,
    find: impl Fn(&str) -> Option<usize>,
    values: &mut [Option<&'de RawValue>],
) -> Result<Option<usize>, Malformed> {
    let twice = last(text, find, values)?;
    for value in values {
        *value = value.filter(|value| value.get() != "null");
    }
    Ok(twice)
}

/// The same with those that are null.
fn last<'de>(
    text: &'de str,
    find: impl Fn(&str) -> Option<usize>,
    values: &mut [Option<&'de RawValue>],
) -> Result<Option<usize>, Malformed> {
    struct Asked<'v, 'de, F>(F, &'v mut [Option<&'de RawValue>]);

    impl<'de, F: Fn(&str) -> Option<usize>> Visitor<'de> for Asked<'_, 'de, F> {
        type Value = Option<usize>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let Self(find, values) = self;
            let mut twice = None;
            while let Some(Key(name)) = map.next_key()? {
                let Some(at) = find(&name) else {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                };
                if values[at].replace(map.next_value::<&RawValue>()?).is_some() {
                    twice = Some(at);
                }
            }
            Ok(twice)
        }
    }

    let mut json = serde_json::Deserializer::from_str(text);
    let twice = json.deserialize_map(Asked(find, values))?;
    json.end()?;
    Ok(twice)
}

/// The first `most` elements of the array that `value` is, and how many there are.
pub(crate) fn of_array(
    value: &RawValue,
    most: usize,
) -> Result<(Vec<&RawValue>, usize), Malformed> {
    struct First(usize);

    impl<'de> Visitor<'de> for First {
        type Value = (Vec<&'de RawValue>, usize);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let Self(most) = self;
            let mut first = Vec::new();
            while first.len() < most {
                match seq.next_element()? {
                    Some(element) => first.push(element),
                    None => break,
                }
            }
            let mut count = first.len();
            while seq.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok((first, count))
        }
    }

    let mut json = serde_json::Deserializer::from_str(value.get());
    Ok(json.deserialize_seq(First(most))?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).expect("JSON")
    }

    fn asked(text: &str) -> Result<([Option<&str>; 2], Option<&'static str>), String> {
        let members = of_object(text, ["a", "b"]).map_err(|error| error.reason)?;
        let values = members.values.map(|value| value.map(RawValue::get));
        Ok((values, members.twice))
    }

    #[test]
    fn members_come_as_their_texts_in_the_order_of_their_names() {
        let check = |text, values, twice| assert_eq!(asked(text), Ok((values, twice)), "{text}");
        let b = r#"{"x":[{"a":1}]}"#;
        let text = format!(r#" {{"b": {b}, "other":{{"a":2}}, "\u0061" : 1.50 }} "#);
        check(&text, [Some("1.50"), Some(b)], None);
        check("{}", [None, None], None);
        check(r#"{"a":null,"b":0}"#, [None, Some("0")], None);
        check(r#"{"b":0,"b":1}"#, [None, Some("1")], Some("b"));
        check(r#"{"a":null,"a":null}"#, [None, None], Some("a"));
    }

    #[test]
    fn a_value_is_found_where_it_stands_the_last_time() {
        let text = r#"{"a":[1],"x":{"b":2},"\u0061": null ,"c":"a"}"#;
        let [a, b, c] = places(text, ["a", "b", "c"]).expect("an object");
        let a = a.expect("it is there");
        assert_eq!((&text[a.at..a.at + 4], a.is_null), ("null", true));
        assert_eq!(b, None);
        let c = c.expect("it is there");
        assert_eq!((&text[c.at..], c.is_null), (r#""a"}"#, false));
        assert!(places("7", ["a"]).is_err());
    }

    #[test]
    fn what_is_no_object_is_told() {
        let check = |text, reason: &str| assert_eq!(asked(text), Err(reason.to_owned()), "{text}");
        check("[1,2]", "invalid type: sequence, expected an object");
        check("{} 7", "trailing characters");
        check(r#"{"x":}"#, "expected value");
        check("", "EOF while parsing a value");
    }

    #[test]
    fn elements_beyond_the_most_are_counted_and_not_kept() {
        let found = |text| {
            of_array(raw(text), 2).map(|(first, count)| {
                let texts: Vec<_> = first.iter().map(|raw| raw.get().to_owned()).collect();
                (texts, count)
            })
        };
        assert_eq!(found("[]"), Ok((vec![], 0)));
        assert_eq!(found(" [1]"), Ok((vec!["1".into()], 1)));
        assert_eq!(
            found("[{}, [2] ,3,4]"),
            Ok((vec!["{}".into(), "[2]".into()], 4))
        );
        let told = found("7").map_err(|error| error.reason);
        assert_eq!(
            told,
            Err("invalid type: integer `7`, expected an array".into())
        );
    }

    proptest! {
        #[test]
        fn a_string_is_read_as_it_was_written(text in any::<String>()) {
            let written = serde_json::to_string(&text).expect("JSON");
            prop_assert_eq!(string(raw(&written)), Ok(Some(text.into())));
        }

        #[test]
        fn any_text_is_taken_apart_without_panic(text in r#"[\[\]{}:,"ab0\\ ]{0,24}"#) {
            drop(asked(&text));
        }
    }
}
