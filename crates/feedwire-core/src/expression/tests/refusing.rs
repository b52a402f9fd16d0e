//! What is no expression, and what is said of it.

use crate::Expression;
use crate::limits::EXPRESSION_BYTES_MAX;

fn check(text: &str, expected: &str) {
    let refused = Expression::new(text).expect_err(text).to_string();
    assert!(refused.starts_with(expected), "{text}: {refused}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    check(
        "",
        "line 1, column 1: here is the end where a value is expected",
    );
    check(
        "data.a >",
        "line 1, column 9: here is the end where a value",
    );
    check(
        "data.a\n  == é",
        "line 2, column 6: 'é' is not expected here",
    );
    check(
        "'é' == datum",
        "line 1, column 8: there is no `datum`; an event has data, type, subject",
    );
    check("a.exists(a, true)", "line 1, column 1: there is no `a`");
    check(
        "data.exists(x, true) && x",
        "line 1, column 25: there is no `x`",
    );
    check("data.a = 1", "line 1, column 8: '=' is not expected here");
    check(
        "data.a == 1 type",
        "line 1, column 13: here is `type` where the end, or an operator",
    );
    check(
        "(data.a == 1",
        "line 1, column 13: here is the end where `)` is expected",
    );
    check(
        "data.a == [1 2]",
        "line 1, column 14: here is a number where `]` is expected",
    );
    check(
        "data. == 1",
        "line 1, column 7: here is `==` where the name of a member",
    );
    check(".data.a", "line 1, column 1: here is `.` where a value");
    check(
        "data ? 1",
        "line 1, column 9: here is the end where `:` is expected",
    );
}

#[test]
fn what_the_language_has_and_is_not_here_is_named() {
    check(
        "data.a.matches('a+')",
        "line 1, column 8: there are no regular expressions here",
    );
    check(
        "data.a.map(x, x)",
        "line 1, column 8: lists are not made into others here",
    );
    check(
        "data.a.trim() == ''",
        "line 1, column 8: there is no function `trim`; values have size, contains",
    );
    check(
        "type(data) == type",
        "line 1, column 1: there is no function `type`; there are has, size, int",
    );
    check(
        "{'a': 1} == data",
        "line 1, column 1: maps cannot be written here",
    );
    check("b'a' == data", "line 1, column 1: there are no bytes here");
    check(
        "data == 1u",
        "line 1, column 10: numbers have no suffix `u`",
    );
    check("has(data)", "line 1, column 5: has() asks for a member");
    check(
        "size(data, 1) == 1",
        "line 1, column 1: `size` has another number of arguments",
    );
}

#[test]
fn what_is_never_true_is_refused() {
    for text in [
        "1",
        "'a'",
        "data.a + 1",
        "type",
        "size(data)",
        "[true]",
        "true ? 1 : 2",
    ] {
        check(text, "line 1, column 1: this is a value, and no condition");
    }
}

#[test]
fn texts_and_numbers_have_to_be_whole() {
    check(
        "data == 'a",
        "line 1, column 9: this text has no closing quote",
    );
    check(
        "data == 'a\n'",
        "line 1, column 9: this text has no closing quote",
    );
    check(
        r"data == '\q'",
        "line 1, column 10: this escape stands for no character",
    );
    check(r"data == '\u12'", "line 1, column 10: this escape");
    check(r"data == '\ud800'", "line 1, column 10: this escape");
    check("data == 12a", "line 1, column 9: this is not a number");
    check("data == 1e999", "line 1, column 9: this is not a number");
    check(
        "data == 9223372036854775808",
        "line 1, column 9: this number is too large for an int",
    );
    check(
        "data == 18446744073709551616",
        "line 1, column 9: this is not a number",
    );
}

#[test]
fn the_length_has_a_limit() {
    let text = format!("type == '{}'", "x".repeat(EXPRESSION_BYTES_MAX - 10));
    assert_eq!(text.len(), EXPRESSION_BYTES_MAX);
    assert!(Expression::new(&text).is_ok());
    check(
        &format!("{text} "),
        "line 1, column 2049: an expression has at most 2048 bytes, this has 2049",
    );
}

#[test]
fn expressions_are_equal_by_their_text() {
    let [one, same, other] = ["data.a == 1", "data.a == 1", "data.a==1"]
        .map(|text| Expression::new(text).expect("an expression"));
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert_eq!(format!("{one:?}"), "Expression(\"data.a == 1\")");
}
