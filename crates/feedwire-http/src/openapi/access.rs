//! What bodies about projects, credentials and tokens are made of, and what proves who asks.

use feedwire_auth::limits::{DISPLAY_NAME_BYTES_MAX, EMAIL_BYTES_MAX, GRANTS_MAX};
use feedwire_auth::{CLIENT_CREDENTIALS, JWT_BEARER, KeyId};
use feedwire_core::Right;
use feedwire_dialects::credential::LIMIT_MAX;
use serde_json::{Map, Value, json};

use super::schemas::{at, bounded, name, or_null, text, time};
use super::{parameters, problems};
use crate::access::Rule;
use crate::routes::Served;

/// The kinds of problem of a request that does not prove who asks, or asks for what is not granted.
const REFUSALS: &[&str] = &[
    "unauthorized",
    "invalid-credential",
    "token-expired",
    "forbidden",
];

/// The ways in which a request proves who asks.
pub(super) fn security_schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "An access token, or the token of a credential." },
        "basic": { "type": "http", "scheme": "basic", "description": "Key id and secret." },
        "token": { "type": "apiKey", "in": "query", "name": "token", "description": "The same as with bearer, for browsers' `EventSource`." },
    })
}

/// Adds to a path what the rules of its methods ask for.
pub(super) fn ruled(mut path: Value, methods: &[Served]) -> Value {
    for served in methods {
        let name = served.method.as_str().to_ascii_lowercase();
        let Some(operation) = path.get_mut(&name) else {
            continue;
        };
        if served.rule == Rule::Open {
            continue;
        }
        let mut security = vec![json!({ "bearer": [] }), json!({ "basic": [] })];
        if served.rule.takes_token(&served.method) {
            security.push(json!({ "token": [] }));
        }
        operation["security"] = security.into();
        for (status, response) in problems::responses(REFUSALS, None) {
            operation["responses"][status.to_string()] = response;
        }
    }
    path
}

/// The schemas that operations refer to, by name.
pub(super) fn schemas() -> impl Iterator<Item = (String, Value)> {
    [
        ("ProjectName", name()),
        (
            "KeyId",
            json!({ "type": "string", "pattern": format!("^[a-z0-9]{{{}}}$", KeyId::LENGTH) }),
        ),
        ("NewProject", new_project()),
        ("Project", project()),
        ("Projects", list("projects", "Project")),
        ("Deletion", deletion()),
        ("NewRateLimits", limits(false)),
        ("RateLimits", limits(true)),
        ("Grant", grant()),
        ("NewCredential", new_credential(true)),
        ("CredentialChange", new_credential(false)),
        ("Credential", credential()),
        ("CredentialWithSecret", with_secret()),
        ("Credentials", list("credentials", "Credential")),
        ("Rotation", rotation()),
        ("TokenRequest", token_request()),
        ("Token", token()),
        ("TokenError", token_error()),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
}

fn object(required: &[&str], properties: Value, is_asked: bool) -> Value {
    let mut object = json!({ "type": "object" });
    object["required"] = required.into();
    object["properties"] = properties;
    if is_asked {
        object["additionalProperties"] = false.into();
    }
    object
}

fn new_project() -> Value {
    let words = "What stands before the last dot is the project that it is a child of, which has to be there.";
    let mut name = name();
    name["description"] = words.into();
    object(&["name"], json!({ "name": name }), true)
}

fn project() -> Value {
    object(
        &["name", "parent", "created_at"],
        json!({
            "name": text("Its name."),
            "parent": or_null(text("The project that it is a child of.")),
            "created_at": or_null(time("When it was made; null of one that an earlier version made.")),
        }),
        false,
    )
}

fn list(of: &str, item: &str) -> Value {
    let mut properties = Map::new();
    properties.insert(of.to_owned(), json!({ "type": "array", "items": at(item) }));
    let next = text("What to ask for as `after` for more; null where there are none.");
    properties.insert("next".to_owned(), or_null(next));
    object(&[of, "next"], properties.into(), false)
}

fn deletion() -> Value {
    object(
        &["delete_token", "expires_at"],
        json!({
            "delete_token": text("To be given back as `delete_token`."),
            "expires_at": time("Until when it is taken."),
        }),
        false,
    )
}

fn limits(is_told: bool) -> Value {
    let limit = |description: &str| json!({ "type": ["integer", "null"], "minimum": 1, "maximum": LIMIT_MAX, "description": description });
    let required: &[&str] = if is_told {
        &["requests_per_second", "publish_bytes_per_second", "readers"]
    } else {
        &[]
    };
    object(
        required,
        json!({
            "requests_per_second": limit("Requests a second."),
            "publish_bytes_per_second": limit("Bytes of bodies to publish, a second."),
            "readers": limit("Streams and waiting polls at the same time."),
        }),
        !is_told,
    )
}

fn grant() -> Value {
    let name = "[A-Za-z0-9-][A-Za-z0-9._-]*";
    let rights = Right::ALL.map(Right::as_str);
    let texts = |description: &str| json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "description": description });
    object(
        &["project", "rights"],
        json!({
            "project": {
                "type": "string",
                "pattern": format!("^({name}(\\.\\*)?|_system|\\*)$"),
                "description": "The project; `acme.*` is every descendant of `acme`, `*` every project.",
            },
            "rights": { "type": "array", "items": { "enum": rights }, "minItems": 1 },
            "feeds": texts("The feeds, such as `orders` or `orders.*`; without it, every one."),
            "subjects": texts("Only these subjects."),
            "labels": texts("Only subjects that have all of these labels now: `key`, or `key=value`."),
        }),
        false,
    )
}

fn new_credential(is_new: bool) -> Value {
    let required: &[&str] = if is_new { &["grants"] } else { &[] };
    let grants =
        json!({ "type": "array", "items": at("Grant"), "minItems": 1, "maxItems": GRANTS_MAX });
    let mut properties = json!({
        "display_name": or_null(bounded(0, DISPLAY_NAME_BYTES_MAX)),
        "email": or_null(json!({
            "type": "string",
            "maxLength": EMAIL_BYTES_MAX,
            "pattern": r"^[!-?A-~]+@[!-?A-~]+$",
            "description": "The issuer of the assertions that are signed with its secret.",
        })),
        "grants": grants,
        "expires_at": or_null(time("When it ends; null is never.")),
        "limits": or_null(at("NewRateLimits")),
    });
    if !is_new {
        properties["grants"] = or_null(properties["grants"].take());
        properties["enabled"] =
            json!({ "type": ["boolean", "null"], "description": "Whether it is taken at all." });
    }
    object(required, properties, true)
}

fn credential() -> Value {
    object(
        &[
            "key_id",
            "project",
            "display_name",
            "email",
            "grants",
            "enabled",
            "created_at",
            "expires_at",
            "limits",
        ],
        json!({
            "key_id": at("KeyId"),
            "project": text("The project that it is managed in."),
            "display_name": text("What people call it."),
            "email": text("The issuer of the assertions that are signed with its secret."),
            "grants": { "type": "array", "items": at("Grant") },
            "enabled": { "type": "boolean" },
            "created_at": time("When it was made."),
            "expires_at": or_null(time("When it ends; null is never.")),
            "old_secret_until": or_null(time("Until when the secret before the present one is taken.")),
            "limits": at("RateLimits"),
        }),
        false,
    )
}

fn with_secret() -> Value {
    let told = object(
        &["secret", "token"],
        json!({
            "secret": text("Its secret."),
            "token": text("Key id and secret as a token, for `Authorization: Bearer`."),
        }),
        false,
    );
    json!({ "allOf": [at("Credential"), told] })
}

fn rotation() -> Value {
    let words = "How long the secret before is still taken, such as `1d`, at most 90 days; without it, not at all.";
    let mut overlap = super::schemas::span();
    overlap["description"] = words.into();
    overlap["pattern"] = "^([1-9][0-9]{0,3}(s|m)|[1-9][0-9]{0,2}h|[1-8]?[0-9]d)$".into();
    object(&[], json!({ "overlap": or_null(overlap) }), true)
}

fn token_request() -> Value {
    object(
        &["grant_type"],
        json!({
            "grant_type": { "enum": [CLIENT_CREDENTIALS, JWT_BEARER] },
            "client_id": {
                "type": ["string", "integer", "null"],
                "description": "The key id, where it is not told by Basic. In JSON it may be a whole number.",
            },
            "client_secret": or_null(text("The secret, where it is not told by Basic.")),
            "assertion": or_null(text("A JWT signed with the secret (HS256): `kid` the key id, `iss` the e-mail, `aud` the token endpoint, `exp`.")),
            "scope": or_null(text("Of the rights, those that the token is to have, parted by spaces; without it, all.")),
        }),
        false,
    )
}

fn token() -> Value {
    object(
        &["access_token", "token_type", "expires_in"],
        json!({
            "access_token": text("The token."),
            "token_type": { "const": "Bearer" },
            "expires_in": { "type": "integer", "description": "Seconds." },
            "scope": text("The rights that it has."),
        }),
        false,
    )
}

fn token_error() -> Value {
    object(
        &["error"],
        json!({
            "error": text("A code of RFC 6749, 5.2."),
            "error_description": text("What was wrong."),
        }),
        false,
    )
}

/// What a credential is named by in an address.
pub(super) fn key_id() -> Value {
    parameters::in_path("key_id", "The key id of the credential.", at("KeyId"))
}
