//! What bodies are made of.

use feedwire_core::limits::FILTER_VALUES_MAX;
use feedwire_dialects::native::body::RETENTION_BYTES_MAX;
use feedwire_event::Position;
use feedwire_event::limits::{
    BATCH_EVENTS_MAX, EXTENSION_NAME_BYTES_MAX, EXTENSIONS_MAX, ID_BYTES_MAX, LABEL_BYTES_MAX,
    LABELS_MAX, NAME_BYTES_MAX, SOURCE_BYTES_MAX, SUBJECT_BYTES_MAX,
};
use serde_json::{Value, json};

/// A media type; it may have parameters.
const MEDIA_TYPE: &str = "^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$";

const ABSOLUTE_URI: &str = r"^[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-Z\[\]_a-z~]+$";

/// What no name of ours, subject or label has: a control character.
pub(super) const NO_CONTROL: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// A span of fixed length as most write it; ISO 8601 (`PT5H`) and sums (`1h 30m`) are read too.
const SPAN: &str =
    "^([1-9][0-9]{0,3}(s|m|h|d|seconds?|minutes?|hours?|days?)|[1-9][0-9]{0,2}(w|weeks?))$";

/// A reference to the component `name`.
pub(super) fn at(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

pub(super) fn count(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

/// A position, or 0 where there is none.
pub(super) fn position(description: &str) -> Value {
    json!({
        "type": "integer",
        "minimum": 0,
        "maximum": Position::MAX.get(),
        "description": description,
    })
}

pub(super) fn time(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

/// A name of a project, a feed or a type.
pub(super) fn name() -> Value {
    let rest = NAME_BYTES_MAX - 1;
    json!({ "type": "string", "pattern": format!("^[A-Za-z0-9-][A-Za-z0-9._-]{{0,{rest}}}$") })
}

/// A text of so many bytes of UTF-8, which are no more characters than that, without control characters.
pub(super) fn bounded(least: usize, bytes_max: usize) -> Value {
    json!({
        "type": "string",
        "minLength": least,
        "maxLength": bytes_max,
        "pattern": NO_CONTROL,
        "description": format!("At most {bytes_max} bytes of UTF-8, without control characters."),
    })
}

/// An id of an event or of an erasure.
pub(super) fn bounded_id() -> Value {
    bounded(1, ID_BYTES_MAX)
}

pub(super) fn subject() -> Value {
    bounded(1, SUBJECT_BYTES_MAX)
}

/// A list of entity tags, or any.
pub(super) fn tags() -> Value {
    let one = one_tag();
    let pattern = format!("^([ \t]*\\*[ \t]*|[ \t,]*({one}(,[ \t,]*{one})*)?[ \t,]*)$");
    json!({ "type": "string", "pattern": pattern })
}

/// As [`tags`], with one at least.
pub(super) fn some_tags() -> Value {
    let one = one_tag();
    let pattern = format!("^([ \t]*\\*[ \t]*|[ \t,]*{one}(,[ \t,]*{one})*[ \t,]*)$");
    json!({ "type": "string", "pattern": pattern })
}

fn one_tag() -> &'static str {
    "(W/)?\"[!#-~]*\"[ \t]*"
}

/// A span of time, such as `5hours`.
pub(super) fn span() -> Value {
    json!({ "type": "string", "pattern": SPAN, "examples": ["5hours"] })
}

/// A moment as `from` and `until` take it.
pub(super) fn moment(words: &[&str]) -> Value {
    json!({
        "anyOf": [
            { "enum": words },
            { "type": "string", "format": "date-time" },
            span(),
        ],
    })
}

/// A list in a query.
pub(super) fn list(items: Value) -> Value {
    let mut list = json!({ "type": "array", "maxItems": FILTER_VALUES_MAX });
    list["items"] = items;
    list
}

/// The schema `one`, or null.
pub(super) fn or_null(one: Value) -> Value {
    let either = [one, json!({ "type": "null" })];
    json!({ "anyOf": either })
}

/// The schemas that operations refer to, by name.
pub(super) fn all() -> impl Iterator<Item = (String, Value)> {
    [
        ("NewEvent", new_event()),
        ("NewBatch", new_batch()),
        ("Event", event()),
        ("Page", page()),
        ("ServerSentEvent", server_sent_event()),
        ("Published", published()),
        ("Uploaded", uploaded()),
        ("Feeds", feeds()),
        ("Labels", labels()),
        ("NewRetention", new_retention()),
        ("Retention", retention()),
        ("NewErasure", new_erasure()),
        ("Receipt", receipt()),
    ]
    .into_iter()
    .chain(super::entity_schemas::all())
    .chain(super::stream_schemas::all())
    .chain(super::connector_schemas::all())
    .map(|(name, schema)| (name.to_owned(), schema))
}

fn new_event() -> Value {
    let given = "specversion|id|source|type|subject|time|datacontenttype|dataschema|data|data_base64|liveonly";
    let ours = "feed|position|recordedat|version|publishedid|entity";
    let extension = format!("^(?!({given}|{ours})$)[a-z0-9]{{1,{EXTENSION_NAME_BYTES_MAX}}}$");
    let not_json = json!({ "type": "string", "not": { "pattern": "[/+][jJ][sS][oO][nN]$" } });
    let no_subject = json!({ "const": "" });
    let data = "Bytes in base64, with padding, instead of `data`.";
    let base64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";
    json!({
        "type": "object",
        "description": format!(
            "An event as CloudEvents has it. Members that are not named here are extension attributes, at most {EXTENSIONS_MAX}."
        ),
        "required": ["type"],
        "properties": {
            "specversion": { "enum": ["1.0", null] },
            "type": name(),
            "subject": { "anyOf": [subject(), no_subject, { "type": "null" }] },
            "id": or_null(bounded_id()),
            "source": or_null(bounded(1, SOURCE_BYTES_MAX)),
            "time": or_null(time("When it happened.")),
            "datacontenttype": or_null(json!({ "type": "string", "pattern": MEDIA_TYPE })),
            "dataschema": or_null(json!({ "type": "string", "pattern": ABSOLUTE_URI })),
            "data": { "description": "Any JSON value, nested at most 128 deep." },
            "data_base64": or_null(json!({ "type": "string", "pattern": base64, "description": data })),
            "live_only": or_null(live_only()),
            "liveonly": or_null(live_only()),
        },
        "patternProperties": { extension: { "type": ["string", "number", "boolean", "null"], "pattern": NO_CONTROL } },
        "if": { "required": ["datacontenttype"], "properties": { "datacontenttype": not_json } },
        "then": { "properties": { "data": { "type": "string" } } },
        "additionalProperties": false,
        "not": { "anyOf": [
            { "required": ["data", "data_base64"] },
            {
                "required": ["live_only", "liveonly"],
                "properties": { "live_only": { "type": "boolean" }, "liveonly": { "type": "boolean" } },
            },
        ] },
    })
}

fn live_only() -> Value {
    let words = "Whether it reaches those alone who read the feed when it comes, and no one later. `live_only` and `liveonly` are the same.";
    json!({ "type": "boolean", "description": words })
}

fn new_batch() -> Value {
    json!({
        "type": "array",
        "description": "One batch: all of it or none. No two events have the same source, id and subject.",
        "items": at("NewEvent"),
        "minItems": 1,
        "maxItems": BATCH_EVENTS_MAX,
    })
}

fn event() -> Value {
    json!({
        "type": "object",
        "description": "An event as it is kept. Members that are not named here are its extension attributes.",
        "required": ["specversion", "id", "source", "type", "time", "feed", "position", "recordedat"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text("What tells it from the others of its source."),
            "source": text("Where it happened; where none was given, the feed's address."),
            "type": name(),
            "subject": subject(),
            "time": time("When it happened; where none was given, when it was recorded."),
            "feed": name(),
            "position": position("Its place in the project's log."),
            "recordedat": time("When the server took it."),
            "version": count("How many batches its subject has had in this feed; where it has a subject."),
            "entity": {
                "const": true,
                "description": "It tells of an entity, a change of it or how it is; where it does. No other event has it.",
            },
            "liveonly": {
                "const": true,
                "description": "It reaches those alone who were there before it came; where it does.",
            },
            "data": { "description": "As it was published; of an entity, all of its state, or what of it changed." },
            "ids": text("Of an entity: its ids, as JSON."),
            "removed": text("Of an entity: JSON Pointers to what is gone, as a JSON array; what data has nevertheless takes its place."),
            "stateposition": position("Of a state that is told again: where the change stands that made it."),
            "data_base64": text("As it was published."),
        },
    })
}

fn page() -> Value {
    json!({
        "type": "object",
        "required": ["events", "cursor", "has_more", "head"],
        "properties": {
            "events": { "type": "array", "items": at("Event") },
            "cursor": cursor("What to ask for next, as `after`."),
            "has_more": { "type": "boolean", "description": "Whether there may be more already." },
            "mark": position("On the last page of states, where a reading begins with them: the events behind this follow."),
            "head": position("The last position of the log, read no later than the events."),
        },
    })
}

pub(super) fn cursor(description: &str) -> Value {
    let pattern = "^([0-9]{1,16}|state:[0-9]{1,16}:[A-Za-z0-9_-]*)$";
    json!({ "type": "string", "pattern": pattern, "description": description })
}

/// One frame with data. Frames without, which only move the id on, are not shown to whoever listens.
fn server_sent_event() -> Value {
    let told = |schema: Value| {
        json!({
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": schema,
        })
    };
    let end = json!({
        "type": "object",
        "required": ["cursor"],
        "properties": { "cursor": cursor("Where to go on from.") },
    });
    let named = |event: &str| json!({ "properties": { "event": { "const": event } }, "required": ["event"] });
    let is = |schema: Value| json!({ "properties": { "data": told(schema) } });
    json!({
        "type": "object",
        "required": ["data"],
        "properties": {
            "id": cursor("Where to go on from, as `Last-Event-ID`."),
            "event": {
                "enum": ["message", "mark", "end", "expired", "overloaded"],
                "default": "message",
                "description": "`mark` stands behind the last of the states that a reading begins with. `end`, `expired` and `overloaded` are the last of a stream; on events there is none, which clients take for `message`.",
            },
            "data": { "type": "string" },
        },
        "if": { "properties": { "event": { "enum": ["end", "mark"] } }, "required": ["event"] },
        "then": is(end),
        "else": {
            "if": named("expired"),
            "then": is(at("problem.cursor-expired")),
            "else": {
                "if": named("overloaded"),
                "then": is(at("problem.too-many-requests")),
                "else": is(at("Event")),
            },
        },
    })
}

fn published() -> Value {
    json!({
        "type": "object",
        "description": "One event or one batch is on disk.",
        "required": ["first", "last", "count", "recorded_at"],
        "properties": {
            "first": position("The position of the first event."),
            "last": position("The position of the last event."),
            "count": count("How many events."),
            "recorded_at": time("When they were recorded."),
            "version": count("The version of their subject, where all have the same one."),
            "duplicate": { "type": "boolean", "description": "Whether they were there already: nothing was published." },
        },
    })
}

fn uploaded() -> Value {
    json!({
        "type": "object",
        "description": "Every line of a body of lines is on disk.",
        "required": ["first", "last", "count", "batches", "recorded_at"],
        "properties": {
            "first": position("The position of the first event."),
            "last": position("The position of the last event; those of others may lie between."),
            "count": count("How many events, those that were there already among them."),
            "duplicates": count("How many were there already, and were left out."),
            "batches": count("In how many batches."),
            "recorded_at": time("When the last batch was recorded."),
        },
    })
}

fn feeds() -> Value {
    json!({
        "type": "object",
        "required": ["feeds", "head"],
        "properties": {
            "feeds": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "events", "batches", "subjects", "last"],
                    "properties": {
                        "name": name(),
                        "events": count("How many events it has had, those that are gone too."),
                        "batches": count("How many batches."),
                        "subjects": count("How many subjects."),
                        "last": position("The position of its last event."),
                    },
                },
            },
            "head": position("The position up to which was counted."),
        },
    })
}

fn labels() -> Value {
    let key = format!("^[^=\\u0000-\\u001f\\u007f-\\u009f]{{1,{LABEL_BYTES_MAX}}}$");
    let key = json!({ "pattern": key });
    json!({
        "type": "object",
        "required": ["labels"],
        "properties": {
            "labels": {
                "type": "object",
                "maxProperties": LABELS_MAX,
                "propertyNames": key,
                "additionalProperties": bounded(0, LABEL_BYTES_MAX),
            },
        },
        "additionalProperties": false,
    })
}

fn new_retention() -> Value {
    let bytes = "The newest events up to this many bytes on disk are kept; null is no bound.";
    json!({
        "type": "object",
        "properties": {
            "age": or_null(span()),
            "bytes": {
                "type": ["integer", "null"],
                "minimum": 1,
                "maximum": RETENTION_BYTES_MAX,
                "description": bytes,
            },
        },
        "additionalProperties": false,
    })
}

fn retention() -> Value {
    json!({
        "type": "object",
        "required": ["age", "bytes"],
        "properties": {
            "age": { "type": ["string", "null"], "description": "A span, in the largest units that have a fixed length." },
            "bytes": { "type": ["integer", "null"] },
        },
    })
}

fn new_erasure() -> Value {
    json!({
        "type": "object",
        "properties": { "subject": or_null(subject()), "feed": or_null(name()) },
        "additionalProperties": false,
        "anyOf": [
            { "required": ["subject"], "properties": { "subject": { "type": "string" } } },
            { "required": ["feed"], "properties": { "feed": { "type": "string" } } },
        ],
    })
}

fn receipt() -> Value {
    json!({
        "type": "object",
        "required": ["id", "feed", "subject", "through", "asked_at", "erased_at", "events"],
        "properties": {
            "id": text("Names the erasure."),
            "feed": { "type": ["string", "null"], "description": "null is every feed." },
            "subject": { "type": ["string", "null"], "description": "null is every subject." },
            "through": position("The position up to which events are erased."),
            "asked_at": time("When it was asked for."),
            "erased_at": or_null(time("When they were gone from disk.")),
            "events": { "type": ["integer", "null"], "description": "How many were taken from disk." },
        },
    })
}
