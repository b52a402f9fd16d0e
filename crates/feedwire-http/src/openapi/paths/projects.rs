//! Projects and their limits.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::parameters;
use crate::openapi::schemas::at;

pub(crate) fn all() -> Value {
    json!({
        "get": Operation::new("listProjects", "access", "The projects in which something is granted")
            .parameters(parameters::part(at("ProjectName")))
            .json("Those whose names come behind `after`.", at("Projects"))
            .described(),
        "post": Operation::new("createProject", "access", "Make a project")
            .description("A child takes the right to admin in its parent, any other the right to admin in every project.")
            .body(&[("application/json", at("NewProject"))])
            .answer(201, "It is there, and empty.", parameters::location(), &[("application/json", at("Project"))])
            .refuses(&["already-exists", "too-many-projects", "no-space"])
            .described(),
    })
}

pub(crate) fn one() -> Value {
    let words = "Asked without a token, the answer has one, and nothing is deleted; asked again with it, the project is, with its events, \
         credentials and everything else. One that has children is not.";
    json!({
        "parameters": [parameters::project()],
        "get": Operation::new("getProject", "access", "A project")
            .json("The project.", at("Project"))
            .if_none_match()
            .refuses(&["not-found"])
            .described(),
        "delete": Operation::new("deleteProject", "access", "Delete a project, in two steps")
            .description(words)
            .parameter(parameters::query("delete_token", "The token of the first answer.", json!({ "type": "string" })))
            .json("By what the deletion is confirmed.", at("Deletion"))
            .answer(204, "It is deleted.", json!({}), &[])
            .refuses(&["not-found", "has-children", "precondition-failed", "no-space"])
            .described(),
    })
}

pub(crate) fn limits() -> Value {
    let found = "What may be taken; null is no limit.";
    json!({
        "parameters": [parameters::project()],
        "get": Operation::new("getProjectLimits", "access", "What the project may take of the server")
            .json(found, at("RateLimits"))
            .if_none_match()
            .refuses(&["not-found"])
            .described(),
        "put": Operation::new("replaceProjectLimits", "access", "Say what the project may take of the server")
            .description("Takes the right to admin in its parent, or in every project where it has none.")
            .body(&[("application/json", at("NewRateLimits"))])
            .json(found, at("RateLimits"))
            .if_match()
            .refuses(&["not-found", "no-space", "damaged"])
            .described(),
    })
}
