//! What hostile expressions come to, on the largest events.

use std::thread;

use feedwire_engine::Record;
use feedwire_event::limits::{EVENT_BYTES_MAX, JSON_DEPTH_MAX};
use proptest::prelude::*;

use super::world::{departure, json, record};
use crate::Expression;
use crate::limits::EXPRESSION_BYTES_MAX;

/// What is put together to a text that could be an expression.
const WORDS: [&str; 48] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "?",
    ":",
    ".",
    ",",
    "&&",
    "||",
    "==",
    "<",
    "in",
    "data",
    "type",
    "labels",
    "has(",
    ".a",
    ".exists(x,",
    ".all(x,",
    "x",
    "size(",
    "'a'",
    "'",
    "\"\"\"",
    "\\",
    "r'",
    "1",
    "0x",
    "1e",
    "1.",
    "u",
    " ",
    "//",
    "\n",
    "é",
    "true",
    "null",
    "string(",
    ".contains(",
];

/// Does `work` with as much stack as a thread of the runtime has left at worst: in these builds frames are several times larger.
fn with_little_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::Builder::new().stack_size(1024 * 1024).spawn(work);
    thread.expect("a thread").join().expect("no panic")
}

fn long(word: &str) -> String {
    word.repeat(EXPRESSION_BYTES_MAX / word.len())
}

#[test]
fn nothing_that_nests_overflows_the_stack() {
    with_little_stack(|| {
        let departure = departure();
        for word in WORDS {
            for text in [long(word), format!("{}1", long(word).split_off(word.len()))] {
                if let Ok(expression) = Expression::new(&text) {
                    expression.holds(&departure, None);
                }
            }
        }
        let deep = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Expression::new(&deep(31)).is_ok());
        let refused = Expression::new(&deep(32))
            .expect_err("it is too deep")
            .to_string();
        assert!(refused.contains("nested at most 32 deep"), "{refused}");
        let half = |word: &str| word.repeat(EXPRESSION_BYTES_MAX / 2 / word.len());
        for text in [
            half("data.a.") + "a",
            half("1+") + "1 == 1",
            half("!") + "true",
        ] {
            let refused = Expression::new(&text).expect_err("it is too deep");
            assert!(refused.reason.contains("nested"), "{refused}");
        }
        let chain = half("true && ") + "true";
        assert!(Expression::new(&chain).is_ok(), "a chain is not deep");
    });
}

/// What `text` costs at `record`, and how much that is against the bytes that it may.
fn costs(text: &str, record: &Record) -> (bool, usize) {
    let expression = Expression::new(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.holds(record, None)
}

#[test]
fn no_expression_costs_more_than_reading_the_event_32_times() {
    let elements = format!("[{}1]", "1,".repeat(EVENT_BYTES_MAX / 2 - 200));
    let text = format!("\"{}\"", "a".repeat(EVENT_BYTES_MAX - 300));
    let nested = format!("{}1{}", "{\"a\":[".repeat(60), "]}".repeat(60));
    let hostile = [
        (
            &elements,
            "data.exists(a, data.exists(b, data.exists(c, a + b + c < 0)))",
        ),
        (&elements, "data.all(a, a in data)"),
        (
            &elements,
            "[data, data].exists(a, [a, a, a].exists(b, [b, b, b] == [data, data, data]))",
        ),
        (
            &text,
            "data + data + data + data + data + data + data + data == data",
        ),
        (
            &text,
            "[1, 2, 3].exists(x, [1, 2, 3].exists(y, [1, 2, 3].all(z, [1, 2, 3].all(w, (data + data).contains(data + 'b')))))",
        ),
        (
            &text,
            "string(string(string(string(data)))).lowerAscii().upperAscii().size() == 1",
        ),
        (
            &nested,
            "data == data && data.a[0].a[0].a[0] != data.a[0].a[0]",
        ),
    ];
    for (data, expression) in hostile {
        let record = record(Some(json(data)), None);
        let allowed = 32 * (record.bytes() + 4 * 1024);
        let (_, cost) = costs(expression, &record);
        assert!(cost <= allowed, "{expression}: {cost}");
    }
    let record = record(Some(json(&elements)), None);
    let (passes, cost) = costs("data.all(a, data.exists(b, a == b))", &record);
    assert!(!passes, "it is not known, for it would cost too much");
    assert_eq!(cost, 32 * (record.bytes() + 4 * 1024));
    // What a person asks of the largest events is far within.
    let people = r#"{"name":"somebody","age":40,"town":"Oslo"},"#.repeat(11_000);
    let record = self::record(Some(json(&format!("[{people}null]"))), None);
    let text =
        "size(data) == 11001 && data[7].age == 40 && data.exists(who, who.age > 90 || who == null)";
    let (passes, _) = costs(text, &record);
    assert!(passes);
}

/// JSON of any shape, with few names.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        any::<i64>().prop_map(|int| int.to_string()),
        Just("1e999".to_owned()),
        Just("-0.0".to_owned()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).expect("a string")),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5);
        let object = prop::collection::vec(("[ab\"é]{0,2}", inner), 0..5);
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(","))),
            object.prop_map(|members| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, value)| {
                        let name = serde_json::to_string(&name).expect("a string");
                        format!("{name}:{value}")
                    })
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_is_not(text in any::<String>()) {
        if let Err(error) = Expression::new(&text) {
            prop_assert!(error.line > 0 && error.column > 0);
        }
    }

    #[test]
    fn any_words_are_held_against_any_event(
        words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..30),
        data in any_json(),
    ) {
        if let Ok(expression) = Expression::new(&words.concat()) {
            let record = record(Some(json(&data)), None);
            expression.holds(&record, None);
        }
    }
}

#[test]
fn data_as_deep_as_it_can_be_is_looked_into() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let record = record(Some(json(&deep(JSON_DEPTH_MAX))), None);
    let (passes, _) =
        with_little_stack(move || costs("data == [data[0]] && data[0][0] != data", &record));
    assert!(passes);
}
