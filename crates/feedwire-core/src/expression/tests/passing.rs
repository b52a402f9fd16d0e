//! What is true of an event, what is not, and what fails.

use feedwire_event::Data;
use feedwire_event::json::Canonical;

use super::world::{departure, holds, json, record};

/// Checks that each of `expressions` is true of the departure, and its opposite not; or that both fail.
fn check(is_true: bool, expressions: &[&str]) {
    let departure = departure();
    for text in expressions {
        assert_eq!(holds(text, &departure), is_true, "{text}");
        let opposite = format!("!({text}\n)");
        assert!(!holds(&opposite, &departure), "{opposite}");
    }
}

#[test]
fn what_an_event_has_is_named() {
    check(
        true,
        &[
            "type == 'flight.departed' && feed == \"flights\" && subject == 'DY123'",
            "id == 'e-1' && source == '/planes' && position == 7",
            "time < recorded_at && recorded_at - time == duration('2s')",
            "time >= timestamp('2013-01-01T11:00:00+01:00') && time + duration('1m30.5s') > recorded_at",
            "int(time) == 1357034400 && string(time) == '2013-01-01T10:00:00Z'",
            "labels.carrier == 'DY æ' && 'carrier' in labels && !has(labels.room)",
            "extensions.traceid == '4f'",
        ],
    );
}

#[test]
fn data_is_looked_into() {
    check(
        true,
        &[
            "data.delay > 60 && type == 'flight.departed'",
            "data.gate == 'Bär' && data.gate.size() == 3 && data['gate'].startsWith('B')",
            "data.from.code.endsWith('SL') && data.from.zone == 1 && data['a b'] == 1",
            "data.tags[0] == 'late' && 'wet' in data.tags && size(data.tags) == 2",
            "data.legs.exists(leg, leg.to == 'TRD' && leg.minutes < 50)",
            "data.legs.all(leg, leg.minutes >= 45) && data.legs.exists_one(leg, leg.to == 'BGO')",
            "data.legs.exists(a, data.legs.exists(b, a.minutes == b.minutes + 5))",
            "data.crew == null && has(data.crew) && !has(data.captain) && data.dry == false",
            "data.exists(name, name == 'ratio') && data.ratio * 2 == 1 && data.delay / 2 == 37",
            "data.delay in [1, 75.0] && data.delay % 10 == 5 && -data.delay < 0",
            "data.from == data.from && data.tags == ['late', 'wet'] && data.tags != ['wet', 'late']",
            "data.dry ? data.nothing : data.ratio < 1",
            "data.gate.lowerAscii() + '!' == 'bär!' && string(data.delay).contains('75')",
            "double('1.5') == 1.5 && int('-3') == -3 && int(2.9) == 2",
        ],
    );
}

#[test]
fn what_fails_lets_nothing_pass() {
    check(
        false,
        &[
            "data.captain == 'x'",
            "has(data.captain.name)",
            "has(data.delay.minutes)",
            "data.delay > 'x'",
            "data.delay",
            "data.tags[2] == 'x'",
            "data.tags[-1] == 'x'",
            "data.gate + 1 == 2",
            "data.delay / 0 == 1",
            "9223372036854775807 + data.delay > 0",
            "-9223372036854775808 / -1 > 0",
            "data.delay && true",
            "data.delay.size() == 1",
            "data.delay in 'x75'",
            "data.legs.exists_one(leg, leg.from == 'x')",
            "timestamp(data.gate) > time",
            "duration('1 hour') > duration('0')",
            "data.crew.exists(x, true)",
            "data.gate.exists(x, true)",
            "(data.dry ? 1 : 2) == 2 ? data.delay : false",
        ],
    );
}

#[test]
fn a_part_that_decides_does_so_whatever_fails_beside_it() {
    check(
        true,
        &[
            "data.captain == 'x' || data.delay == 75",
            "data.delay == 75 || data.captain == 'x'",
            "!(data.captain == 'x' && data.delay == 1)",
            "data.legs.exists(leg, leg.gate == 1 || leg.to == 'TRD')",
            "!data.legs.all(leg, leg.to == 'BGO' ? leg.gate == 1 : false)",
        ],
    );
    check(
        false,
        &[
            "data.captain == 'x' || data.delay == 1",
            "data.delay == 75 && data.captain == 'x'",
        ],
    );
}

#[test]
fn the_language_reads_as_it_is_written_elsewhere() {
    check(
        true,
        &[
            "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 - 3 - 2 == 2 && --1 == 1",
            "true || false && false",
            "(true ? false : true) ? false : true ? true : false",
            "0x10 == 16 && 1e3 == 1000 && .5 == 1.0 / 2 && -1.5 < 0 && -9223372036854775808 < 0",
            r#"'a\n\'\x41\u00e9\U0001F600\101' == "a\n'A\u00e9😀A" && r'\n' == "\\n""#,
            "'''it's\n\"so\"''' == 'it\\'s\\n\"so\"' // so it is",
            "9007199254740993 != 9007199254740992.0 && 9007199254740992 == 9007199254740992.0",
            "1 < 1.5 && 2 > 1.5 && 1.5 < 2 && -1 > -1.5 && 9223372036854775807 < 1e19",
            "null != 0 && 'a' != 1 && [] != null && 'b' > 'a' && false < true",
            "[1, 'a', [null]] == [1.0, 'a', [null],] && duration('-1h1.5m') < duration('1us')",
        ],
    );
}

#[test]
fn data_of_every_kind_is_a_value() {
    let with = |text: &str| record(Some(json(text)), None);
    assert!(holds(
        "data == null && subject == null && source == null",
        &record(None, None)
    ));
    assert!(holds("data", &with("true")));
    assert!(!holds("data", &with("1")));
    assert!(holds("data.exists(x, x > 2)", &with("[1,\"a\",3]")));
    assert!(holds(
        "data == 18446744073709551616.0",
        &with("18446744073709551616")
    ));
    assert!(holds("data.a == 2", &with(r#"{"a":1,"\u0061":2}"#)));
    let equal = with(r#"[{"a":1,"b":[1.0,{}]},{"b":[1,{}],"a":1e0}]"#);
    assert!(holds("data[0] == data[1] && data[0] in [data[1]]", &equal));
    let binary = record(Some(Data::Base64(Canonical::string("YmluYXJ5"))), None);
    assert!(holds("data == 'YmluYXJ5'", &binary));
}
