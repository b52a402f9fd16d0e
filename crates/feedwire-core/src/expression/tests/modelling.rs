//! Expressions against another implementation of the language.

use std::collections::HashMap;
use std::sync::Arc;

use cel::{Context, Program, Value};
use proptest::prelude::*;

use super::world::{holds, json, record};

/// What that implementation makes of `text` for an event with `data`.
fn modelled(text: &str, data: &serde_json::Value) -> bool {
    let program = Program::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut context = Context::default();
    context.add_variable_from_value("data", value(data));
    context.add_variable_from_value("subject", Value::Null);
    context.add_variable_from_value("feed", "flights");
    program.execute(&context) == Ok(Value::Bool(true))
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => Value::Float(number.as_f64().expect("a number")),
        },
        serde_json::Value::String(text) => Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(value).collect())),
        serde_json::Value::Object(members) => {
            let members = members.iter().map(|(name, of)| (name.clone(), value(of)));
            members.collect::<HashMap<String, Value>>().into()
        }
    }
}

/// Data whose members are of any kind.
fn data() -> impl Strategy<Value = serde_json::Value> {
    let number = prop_oneof![
        (-3_i64..4).prop_map(serde_json::Value::from),
        prop::sample::select(vec![0.5, 1.0, -2.5]).prop_map(serde_json::Value::from),
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        number,
        "[ab]{0,2}".prop_map(serde_json::Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::hash_map("[abc]", inner, 0..3)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::hash_map("[abc]", value, 0..4)
        .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()))
}

/// Something that is or is not true, or fails.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("true".to_owned()),
        Just("false".to_owned()),
        (term(), relation(), term())
            .prop_map(|(left, relation, right)| format!("{left} {relation} {right}")),
        path().prop_map(|path| format!("has({path})")),
        (term(), term()).prop_map(|(left, right)| format!("({left}).contains({right})")),
        path(),
    ];
    leaf.prop_recursive(4, 20, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| format!("!({of})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} && {right}")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} || {right})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(of, yes, no)| format!("({of} ? {yes} : {no})")),
            (path(), quantifier(), inner.clone())
                .prop_map(|(of, quantifier, asked)| format!("{of}.{quantifier}(x, {asked})")),
            (path(), quantifier(), term(), inner).prop_map(|(of, quantifier, term, asked)| {
                format!("{of}.{quantifier}(x, x == {term} || {asked})")
            }),
        ]
    })
}

fn relation() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "in"])
}

fn quantifier() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["all", "exists", "exists_one"])
}

fn path() -> impl Strategy<Value = String> {
    let steps = vec![".a", ".b", ".c", "['a']"];
    prop::collection::vec(prop::sample::select(steps), 0..3)
        .prop_map(|steps| format!("data{}.a", steps.concat()))
}

fn term() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => path(),
        1 => Just("data".to_owned()),
        1 => prop::sample::select(vec!["null", "true", "'a'", "''", "0.5", "[1, 'a']", "subject", "feed"]).prop_map(str::to_owned),
        2 => (-3_i64..4).prop_map(|int| int.to_string()),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            inner.clone().prop_map(|of| format!("size({of})")),
            inner.clone().prop_map(|of| format!("string(size({of}))")),
            (inner.clone(), -1_i64..3).prop_map(|(of, at)| format!("({of})[{at}]")),
            // Ints alone: an int and a double are calculated with here.
            ((-3_i64..4), operator, inner)
                .prop_map(|(int, operator, of)| format!("({int} {operator} size({of}))")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn an_expression_says_what_another_implementation_says(text in condition(), data in data()) {
        let record = record(Some(json(&data.to_string())), None);
        prop_assert_eq!(holds(&text, &record), modelled(&text, &data), "{} of {}", text, data);
    }
}
