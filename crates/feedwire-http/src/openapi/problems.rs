//! Every kind of problem, with its status and its further members.

use std::collections::BTreeMap;

use feedwire_api::{KIND_PREFIX, PROBLEM_JSON};
use serde_json::{Value, json};

use super::schemas::{at, count, position, text};

/// A kind of problem.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    status: u16,
    /// Further members that are always there.
    always: fn() -> Value,
    /// Further members that may be there.
    sometimes: fn() -> Value,
}

const fn plain(name: &'static str, status: u16) -> Kind {
    Kind {
        name,
        status,
        always: || json!({}),
        sometimes: || json!({}),
    }
}

const KINDS: &[Kind] = &[
    Kind {
        always: || json!({ "parameter": text("What cannot be meant: a parameter, a header, a part of the path, or a member.") }),
        ..plain("invalid-parameter", 400)
    },
    Kind {
        always: || json!({ "line": count("From 1."), "column": count("In bytes, from 1; 0 where a line end is what was wrong.") }),
        ..plain("invalid-json", 400)
    },
    Kind {
        sometimes: || {
            json!({
                "attribute": text("Which attribute."),
                "index": count("Which event of the batch, from 0."),
                "line": count("Which line, from 1."),
            })
        },
        ..plain("invalid-event", 400)
    },
    Kind {
        always: || json!({ "head": position("The last position there is.") }),
        ..plain("cursor-ahead", 400)
    },
    plain("body-broken", 400),
    plain("unauthorized", 401),
    plain("invalid-credential", 401),
    plain("token-expired", 401),
    plain("forbidden", 403),
    plain("not-found", 404),
    plain("not-acceptable", 406),
    plain("request-timeout", 408),
    Kind {
        always: || {
            json!({
                "known": count("How many of the events are there already."),
                "index": count("The first of them in the batch, from 0."),
                "position": position("Where that one is."),
            })
        },
        ..plain("partly-known", 409)
    },
    Kind {
        always: || {
            json!({
                "subject": text("The subject."),
                "version": count("The version it has; 0 where it has had nothing."),
                "position": position("The position of its last event; 0 where it has had nothing."),
            })
        },
        ..plain("conflict", 409)
    },
    Kind {
        always: || {
            json!({
                "first_position": position("The first position that can be asked for."),
                "first_time": { "type": ["string", "null"], "format": "date-time", "description": "When it was recorded." },
                "lost_at_most": count("At most how many positions of what was asked for are gone."),
            })
        },
        ..plain("cursor-expired", 410)
    },
    plain("already-exists", 409),
    plain("has-children", 409),
    plain("too-many-credentials", 409),
    plain("too-many-projects", 409),
    plain("too-many-streams", 409),
    plain("too-many-partitions", 409),
    plain("stream-pushed", 409),
    plain("too-many-connectors", 409),
    plain("connector-done", 409),
    plain("connector-unfit", 409),
    plain("not-acknowledged", 409),
    plain("too-many-loads", 409),
    Kind {
        sometimes: || {
            json!({
                "position": {
                    "type": ["integer", "null"],
                    "description": "Of an entity: where its last change is; null where it is not there.",
                },
            })
        },
        ..plain("precondition-failed", 412)
    },
    Kind {
        sometimes: || {
            json!({
                "index": count("Which event of the batch, from 0."),
                "line": count("Which line, from 1."),
                "limit": count("The most bytes that are taken."),
            })
        },
        ..plain("event-too-large", 413)
    },
    Kind {
        sometimes: || json!({ "line": count("Which line, from 1.") }),
        ..plain("batch-too-large", 413)
    },
    Kind {
        always: || json!({ "limit": count("The most bytes that are taken.") }),
        ..plain("body-too-large", 413)
    },
    plain("uri-too-long", 414),
    plain("unsupported-media-type", 415),
    plain("misdirected-request", 421),
    Kind {
        always: || json!({ "position": position("Where the first event of the other request is.") }),
        ..plain("idempotency-key-reused", 422)
    },
    Kind {
        always: || {
            json!({
                "limited": { "enum": ["address", "credential", "project"], "description": "Whose limit it is." },
                "retry_after": count("When to come again, in seconds."),
            })
        },
        ..plain("too-many-requests", 429)
    },
    Kind {
        always: || {
            json!({
                "members_max": count("How many members the stream may have."),
                "retry_after": count("When to come again, in seconds."),
            })
        },
        ..plain("stream-full", 429)
    },
    plain("headers-too-large", 431),
    plain("damaged", 500),
    plain("not-implemented", 501),
    plain("unavailable", 503),
    plain("no-space", 507),
];

/// The responses that tell these kinds, by status; `besides` are members that each may have too.
pub(super) fn responses(names: &[&str], besides: Option<&Value>) -> BTreeMap<u16, Value> {
    let mut by_status: BTreeMap<u16, Vec<&Kind>> = BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| names.contains(&kind.name)) {
        by_status.entry(kind.status).or_default().push(kind);
    }
    for name in names {
        let is_known = KINDS.iter().any(|kind| kind.name == *name);
        assert!(is_known, "{name} is no kind of problem");
    }
    let responses = by_status.into_iter().map(|(status, kinds)| {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
        (status, response(status, &names, besides))
    });
    responses.collect()
}

fn response(status: u16, names: &[&str], besides: Option<&Value>) -> Value {
    let refs: Vec<Value> = names.iter().map(|name| at(&schema_name(name))).collect();
    let mut schema = match &refs[..] {
        [only] => only.clone(),
        _ => json!({ "oneOf": refs }),
    };
    if let Some(members) = besides {
        schema = json!({ "allOf": [schema, { "properties": members }] });
    }
    let mut response = json!({
        "description": names.join(", "),
        "content": { PROBLEM_JSON: { "schema": schema } },
    });
    if matches!(status, 429 | 503) {
        let seconds = json!({ "type": "integer", "minimum": 1 });
        response["headers"] = json!({
            "Retry-After": { "description": "Seconds.", "required": true, "schema": seconds },
        });
    }
    if status == 401 {
        response["headers"] = json!({
            "WWW-Authenticate": { "description": "RFC 6750, 3.", "required": true, "schema": { "type": "string" } },
        });
    }
    response
}

/// The schemas of all kinds, by their names among the components.
pub(super) fn schemas() -> impl Iterator<Item = (String, Value)> {
    KINDS
        .iter()
        .map(|kind| (schema_name(kind.name), schema(kind)))
}

fn schema_name(kind: &str) -> String {
    format!("problem.{kind}")
}

fn schema(kind: &Kind) -> Value {
    let mut properties = json!({
        "type": { "const": format!("{KIND_PREFIX}{}", kind.name) },
        "title": text("The kind in words."),
        "status": { "const": kind.status },
        "detail": text("What was wrong this time, and what to do."),
    });
    let mut required = vec![
        "type".to_owned(),
        "title".into(),
        "status".into(),
        "detail".into(),
    ];
    let (always, sometimes) = ((kind.always)(), (kind.sometimes)());
    for (name, member) in always.as_object().into_iter().flatten() {
        properties[name] = member.clone();
        required.push(name.clone());
    }
    for (name, member) in sometimes.as_object().into_iter().flatten() {
        properties[name] = member.clone();
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str = include_str!("../../../../docs/api.md");

    /// Kinds with their statuses out of the table of errors; one row may have several kinds.
    fn documented() -> Vec<(String, u16)> {
        let rows = MANUAL
            .lines()
            .skip_while(|line| !line.starts_with("| kind | status |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let kinds = rows.flat_map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let (names, status) = (cells.next(), cells.next());
            let status: u16 = status.and_then(|text| text.parse().ok()).expect("a status");
            let names = names.unwrap_or_default().split(", ");
            names.map(move |name| (name.trim_matches('`').to_owned(), status))
        });
        kinds.collect()
    }

    #[test]
    fn kinds_and_statuses_are_those_of_the_manual() {
        let mut known: Vec<_> = KINDS
            .iter()
            .map(|kind| (kind.name.to_owned(), kind.status))
            .collect();
        // No operation is refused with it: it is what there is at a method that is none.
        known.push(("method-not-allowed".to_owned(), 405));
        known.sort();
        let mut documented = documented();
        documented.sort();
        assert_eq!(known, documented);
    }
}
