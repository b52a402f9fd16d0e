//! The document: put together out of the routes, once for each server.

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};

use super::{access, paths, problems, schemas};
use crate::access::Rule;
use crate::answer::{self, at_once};
use crate::native;
use crate::routes::{Route, Served};

/// Where it is told.
pub(crate) const ROUTE: Route = Route {
    path: "/openapi.json",
    dialect: &native::DIALECT,
    methods: || {
        vec![Served {
            method: Method::GET,
            rule: Rule::Open,
            handle: |asked, _| at_once(answer::document(asked.edge.document().clone())),
        }]
    },
    description: Some(paths::description::path),
};

/// The document of a server with these routes, which asks who calls, or does not.
pub(crate) fn document(
    routes: impl IntoIterator<Item = &'static Route>,
    is_guarded: bool,
) -> Bytes {
    let paths = routes.into_iter().filter_map(|route| {
        let mut described = (route.description?)();
        if is_guarded {
            described = access::ruled(described, &(route.methods)());
        }
        let described = with_heads(described);
        Some((route.path.to_owned(), described))
    });
    let paths: Map<String, Value> = paths.collect();
    let components = schemas::all().chain(access::schemas());
    let components = components.chain(problems::schemas());
    let components: Map<String, Value> = components.collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Feedwire",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An event feed server: publish events, read and follow them over plain HTTP.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": paths::tags(),
        "paths": paths,
        "components": { "schemas": components },
    });
    if is_guarded {
        document["components"]["securitySchemes"] = access::security_schemes();
    }
    serde_json::to_vec(&document)
        .expect("values have texts for keys")
        .into()
}

/// `path` with a `head` for its `get`, where it has none of its own: the same without bodies.
fn with_heads(mut path: Value) -> Value {
    if path.get("head").is_some() {
        return path;
    }
    let Some(mut head) = path.get("get").cloned() else {
        return path;
    };
    let id = head["operationId"].as_str().unwrap_or_default();
    head["operationId"] = format!("{id}Head").into();
    let responses = head["responses"].as_object_mut();
    for response in responses.into_iter().flat_map(Map::values_mut) {
        response
            .as_object_mut()
            .and_then(|one| one.remove("content"));
    }
    path["head"] = head;
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes;

    fn everything() -> Value {
        let document = document(routes::all(), true);
        serde_json::from_slice(&document).expect("JSON")
    }

    /// Every object in `value`.
    fn objects<'v>(value: &'v Value, found: &mut Vec<&'v Map<String, Value>>) {
        match value {
            Value::Object(object) => {
                found.push(object);
                object.values().for_each(|inner| objects(inner, found));
            }
            Value::Array(array) => array.iter().for_each(|inner| objects(inner, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn what_is_referred_to_is_there_and_all_of_it_is_referred_to() {
        let document = everything();
        let mut all = Vec::new();
        objects(&document, &mut all);
        let references: std::collections::BTreeSet<&str> = all
            .iter()
            .filter_map(|object| object.get("$ref")?.as_str())
            .collect();
        for reference in &references {
            let pointer = reference.strip_prefix('#').expect("a place in here");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let schemas = document["components"]["schemas"].as_object();
        for name in schemas.expect("schemas").keys() {
            let reference = format!("#/components/schemas/{name}");
            assert!(references.contains(reference.as_str()), "{reference}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
        let document = everything();
        let mut names = std::collections::BTreeSet::new();
        let paths = document["paths"].as_object().expect("paths");
        for path in paths.values().filter_map(Value::as_object) {
            for (method, operation) in path {
                if method == "parameters" {
                    continue;
                }
                let name = operation["operationId"].as_str().expect("a name");
                assert!(names.insert(name.to_owned()), "{name} is there twice");
                assert!(operation["summary"].is_string(), "{name}");
                assert!(operation["responses"].is_object(), "{name}");
            }
        }
    }

    #[test]
    fn every_variable_of_a_path_is_described() {
        let document = everything();
        for (path, described) in document["paths"].as_object().expect("paths") {
            let variables = path.split('/').filter_map(|part| part.strip_prefix('{'));
            let variables: Vec<&str> = variables.map(|part| part.trim_end_matches('}')).collect();
            let parameters = described["parameters"].as_array();
            let names: Vec<&str> = parameters
                .into_iter()
                .flatten()
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            assert_eq!(names, variables, "{path}");
        }
    }
}
