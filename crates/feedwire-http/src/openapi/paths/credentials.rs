//! The credentials of a project.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::schemas::at;
use crate::openapi::{access, parameters};

pub(crate) fn all() -> Value {
    let once = "It is made. Its secret is told this once.";
    json!({
        "parameters": [parameters::project()],
        "get": Operation::new("listCredentials", "access", "The credentials that are managed in a project")
            .parameters(parameters::part(at("KeyId")))
            .json("Those whose key ids come behind `after`.", at("Credentials"))
            .refuses(&["not-found"])
            .described(),
        "post": Operation::new("createCredential", "access", "Make a credential")
            .description("Nobody gives what they do not have: it takes the right to admin in each project that is granted.")
            .body(&[("application/json", at("NewCredential"))])
            .answer(201, once, parameters::location(), &[("application/json", at("CredentialWithSecret"))])
            .refuses(&["not-found", "too-many-credentials", "no-space"])
            .described(),
    })
}

pub(crate) fn one() -> Value {
    let changed =
        "Streams that run by it end where it may do less, or something else, than before.";
    json!({
        "parameters": [parameters::project(), access::key_id()],
        "get": Operation::new("getCredential", "access", "A credential")
            .json("The credential, without its secret.", at("Credential"))
            .if_none_match()
            .refuses(&["not-found"])
            .described(),
        "patch": Operation::new("changeCredential", "access", "Change a credential")
            .description(changed)
            .body(&[("application/json", at("CredentialChange"))])
            .json("The credential as it is now.", at("Credential"))
            .if_match()
            .refuses(&["not-found", "no-space"])
            .described(),
        "delete": Operation::new("revokeCredential", "access", "Revoke a credential for good")
            .description("Streams that run by it end within seconds.")
            .answer(204, "It is no more.", json!({}), &[])
            .if_match_alone()
            .refuses(&["not-found", "no-space"])
            .described(),
    })
}

pub(crate) fn rotate() -> Value {
    json!({
        "parameters": [parameters::project(), access::key_id()],
        "post": Operation::new("rotateCredential", "access", "Give a credential another secret")
            .optional_body(&[("application/json", at("Rotation"))])
            .json("The credential with its new secret, which is told this once.", at("CredentialWithSecret"))
            .refuses(&["not-found", "no-space", "precondition-failed"])
            .described(),
    })
}
