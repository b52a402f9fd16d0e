//! Connectors: made, looked at, changed; what they pushed and could not push.

use serde_json::{Value, json};

use super::streams;
use crate::openapi::operation::Operation;
use crate::openapi::parameters;
use crate::openapi::schemas::{at, name};

const TAG: &str = "connectors";

fn of_connector() -> Value {
    json!([
        parameters::project(),
        parameters::in_path("name", "The connector.", name())
    ])
}

/// What every call about a connector may be refused with.
const REFUSALS: &[&str] = &["not-found", "no-space", "damaged"];

pub(crate) fn all() -> Value {
    let words = "Takes a grant of everything that it pushes. Without `secret` one is made, which is told this once.";
    json!({
        "parameters": [parameters::project()],
        "get": Operation::new("listConnectors", TAG, "The connectors all of whose events one may have")
            .parameters(parameters::part(name()))
            .json("Those whose names come behind `after`.", at("Connectors"))
            .refuses(&["not-found", "damaged"])
            .described(),
        "post": Operation::new("createConnector", TAG, "Have events pushed to a URL")
            .description(words)
            .body(&[("application/json", at("NewConnector"))])
            .answer(201, "It is there.", parameters::location(), &[("application/json", at("MadeConnector"))])
            .refuses(&["already-exists", "too-many-connectors", "too-many-streams", "too-many-partitions"])
            .refuses(&["stream-pushed", "not-acknowledged"])
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn one() -> Value {
    json!({
        "parameters": of_connector(),
        "get": Operation::new("getConnector", TAG, "A connector, how it is and how it goes")
            .json("The connector.", at("Connector"))
            .refuses(&["not-found", "damaged"])
            .described(),
        "patch": Operation::new("changeConnector", TAG, "Change a connector")
            .description("What is not there stays. It goes on where it was.")
            .body(&[("application/json", at("ConnectorChange"))])
            .json("The connector.", at("Connector"))
            .refuses(&["connector-unfit"])
            .refuses(REFUSALS)
            .described(),
        "delete": Operation::new("deleteConnector", TAG, "Delete a connector, and its stream where that is its own")
            .answer(204, "It is deleted.", json!({}), &[])
            .refuses(REFUSALS)
            .described(),
    })
}

fn moved(id: &str, summary: &str, refusals: &[&'static str]) -> Value {
    json!({
        "parameters": of_connector(),
        "post": Operation::new(id, TAG, summary)
            .json("The connector.", at("Connector"))
            .refuses(refusals)
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn pause() -> Value {
    moved("pauseConnector", "Have a connector wait", &[])
}

pub(crate) fn resume() -> Value {
    let summary = "Have a connector go on that is paused or disabled";
    moved("resumeConnector", summary, &["connector-done"])
}

pub(crate) fn secret() -> Value {
    let words = "Both secrets sign for as long as `overlap` says. Without `secret` one is made, which is told this once.";
    json!({
        "parameters": of_connector(),
        "post": Operation::new("rotateConnectorSecret", TAG, "Have a connector sign by another secret")
            .description(words)
            .optional_body(&[("application/json", at("NewConnectorSecret"))])
            .json("The new secret, where none was given.", at("ConnectorSecret"))
            .refuses(&["connector-unfit"])
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn test() -> Value {
    let words =
        "It is answered with 200 whatever the receiver said: what that was stands in the answer.";
    json!({
        "parameters": of_connector(),
        "post": Operation::new("testConnector", TAG, "Push one sample event now")
            .description(words)
            .json("The request, and what came of it.", at("ConnectorDelivery"))
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn deliveries() -> Value {
    json!({
        "parameters": of_connector(),
        "get": Operation::new("listDeliveries", TAG, "The last requests of a connector")
            .json("The newest first, since the server was started.", at("ConnectorDeliveries"))
            .refuses(&["not-found", "damaged"])
            .described(),
    })
}

pub(crate) fn metrics() -> Value {
    json!({
        "parameters": of_connector(),
        "get": Operation::new("getConnectorMetrics", TAG, "The requests of the last three hours in numbers")
            .json("Since the server was started.", at("ConnectorMetrics"))
            .refuses(&["not-found", "damaged"])
            .described(),
    })
}

pub(crate) fn replays() -> Value {
    json!({
        "parameters": of_connector(),
        "post": Operation::new("replay", TAG, "Push once more what a connector is of, up to an end")
            .description("A connector is made for it, which is done when that is pushed. The other goes on meanwhile.")
            .body(&[("application/json", at("NewReplay"))])
            .answer(201, "It is there.", parameters::location(), &[("application/json", at("MadeConnector"))])
            .refuses(&["already-exists", "too-many-connectors", "too-many-streams", "too-many-partitions"])
            .refuses(&["connector-unfit"])
            .refuses(REFUSALS)
            .described(),
    })
}

pub(crate) fn letters() -> Value {
    let words = "The events that could not be pushed";
    let listing = Operation::new("listUndelivered", TAG, words);
    streams::listed(&of_connector(), listing)
}

pub(crate) fn redrive() -> Value {
    let choice = Operation::new("redriveUndelivered", TAG, "Push dead letters once more");
    streams::chosen(&of_connector(), choice)
}

pub(crate) fn forget() -> Value {
    let choice = Operation::new("dropUndelivered", TAG, "Forget dead letters");
    streams::chosen(&of_connector(), choice)
}
