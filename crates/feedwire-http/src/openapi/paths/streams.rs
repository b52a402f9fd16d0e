//! Streams: made, looked at, joined and acknowledged; their dead letters.

use feedwire_api::{EVENT_STREAM, NDJSON};
use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters;
use crate::openapi::schemas::{at, name};

const TAG: &str = "streams";

fn stream() -> Value {
    parameters::in_path("name", "The stream.", name())
}

fn of_stream() -> Value {
    json!([parameters::project(), stream()])
}

/// What every call about a stream may be refused with.
const REFUSALS: &[&str] = &["not-found", "no-space", "damaged"];

pub(crate) fn all() -> Value {
    json!({
        "parameters": [parameters::project()],
        "get": Operation::new("listStreams", TAG, "The streams that one may join")
            .parameters(parameters::part(name()))
            .json("Those whose names come behind `after`.", at("Streams"))
            .refuses(&["not-found", "damaged"])
            .described(),
        "post": Operation::new("createStream", TAG, "Make a stream")
            .description("Takes a grant of everything that its filter lets through.")
            .body(&[("application/json", at("NewStream"))])
            .answer(201, "It is there.", parameters::location(), &[("application/json", at("Stream"))])
            .refuses(&["already-exists", "too-many-streams", "too-many-partitions"])
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn one() -> Value {
    json!({
        "parameters": of_stream(),
        "get": Operation::new("getStream", TAG, "A stream with its members and partitions")
            .json("The stream.", at("StreamDetails"))
            .refuses(&["not-found", "damaged"])
            .described(),
        "patch": Operation::new("changeStream", TAG, "Change settings of a stream")
            .description("What is not there stays. Members are sent away in order, unless only `display_name` is changed.")
            .body(&[("application/json", at("StreamChange"))])
            .json("The stream.", at("Stream"))
            .refuses(REFUSALS)
            .described(),
        "delete": Operation::new("deleteStream", TAG, "Delete a stream, with its checkpoints and dead letters")
            .answer(204, "It is deleted.", json!({}), &[])
            .refuses(&["stream-pushed"])
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn connect() -> Value {
    let words = "The connection is a member as long as it is open: it is sent its share of the events, with receipts, and heartbeats that say what it \
         holds. Where there is no place, whoever asks for Server-Sent Events is told so by a stream that ends.";
    let lines =
        "An event a line, and lines of one member: `{\"heartbeat\":{…}}`, `{\"lost\":{…}}`.";
    let lines = json!({ "type": "string", "description": lines });
    let content = [(EVENT_STREAM, at("MemberEvent")), (NDJSON, lines)];
    json!({
        "parameters": of_stream(),
        "get": Operation::new("joinStream", TAG, "Become a member of a stream")
            .description(words)
            .answer(200, "Events, until either end closes it.", json!({}), &content)
            .refuses(&["not-acceptable", "stream-full"])
            .refuses(REFUSALS)
            .described(),
    })
}

fn settle(id: &str, summary: &str, body: &str) -> Value {
    json!({
        "parameters": of_stream(),
        "post": Operation::new(id, TAG, summary)
            .body(&[("application/json", at(body))])
            .json("How many were taken, and which were not.", at("Settled"))
            .refuses(&["not-acknowledged"])
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn ack() -> Value {
    settle("acknowledge", "Say which events are done", "Ack")
}

pub(crate) fn nack() -> Value {
    settle("refuse", "Say which events failed", "Nack")
}

pub(crate) fn seek() -> Value {
    json!({
        "parameters": of_stream(),
        "post": Operation::new("seekStream", TAG, "Have a stream go on from somewhere else")
            .description("While it has members: receipts from before are void.")
            .body(&[("application/json", at("Seek"))])
            .json("Behind which position it goes on.", at("Sought"))
            .refuses(REFUSALS)
            .described(),
    })
}

/// Dead letters, of what `parameters` name.
pub(super) fn listed(parameters: &Value, listing: Operation) -> Value {
    let after = json!({ "type": "string", "pattern": "^[0-9]{1,15}$" });
    json!({
        "parameters": parameters,
        "get": listing
            .parameters(parameters::part(after))
            .json("Those behind the position `after`.", at("DeadLetters"))
            .refuses(&["not-found", "damaged"])
            .described(),
    })
}

/// Something that is done with dead letters, of what `parameters` name.
pub(super) fn chosen(parameters: &Value, choice: Operation) -> Value {
    json!({
        "parameters": parameters,
        "post": choice
            .body(&[("application/json", at("WhichLetters"))])
            .json("How many it was about.", at("LettersChosen"))
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn letters() -> Value {
    let listing = Operation::new("listDeadLetters", TAG, "The events that failed too often");
    listed(&of_stream(), listing)
}

pub(crate) fn redrive() -> Value {
    let choice = Operation::new("redriveDeadLetters", TAG, "Send dead letters once more");
    chosen(&of_stream(), choice)
}

pub(crate) fn forget() -> Value {
    let choice = Operation::new("dropDeadLetters", TAG, "Forget dead letters");
    chosen(&of_stream(), choice)
}
