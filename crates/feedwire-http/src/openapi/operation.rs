//! An operation: a method of a path, with what every one of them has.

use feedwire_api::PROBLEM_JSON;
use serde_json::{Map, Value, json};

use super::{parameters, problems, schemas};

/// What the edge refuses whatever is asked for.
const ALWAYS: &[&str] = &[
    "invalid-parameter",
    "request-timeout",
    "uri-too-long",
    "misdirected-request",
    "too-many-requests",
    "headers-too-large",
    "not-implemented",
    "unavailable",
];

/// What is refused besides where a body is taken.
const WITH_BODY: &[&str] = &[
    "invalid-json",
    "body-broken",
    "body-too-large",
    "unsupported-media-type",
];

/// An operation on its way into the document.
#[derive(Debug)]
pub(super) struct Operation {
    described: Value,
    refusals: Vec<&'static str>,
    /// Whether a status that is described already has an answer of its own beside the problems that it is of.
    has_own_refusals: bool,
    /// The members that every problem may have besides.
    progress: Option<Value>,
}

impl Operation {
    /// The operation `id` of the chapter `tag`.
    pub(super) fn new(id: &str, tag: &str, summary: &str) -> Self {
        Self {
            described: json!({
                "operationId": id,
                "tags": [tag],
                "summary": summary,
                "parameters": [],
                "responses": {},
            }),
            refusals: ALWAYS.to_vec(),
            has_own_refusals: false,
            progress: None,
        }
    }

    /// More than the summary has room for.
    pub(super) fn description(mut self, text: &str) -> Self {
        self.described["description"] = text.into();
        self
    }

    /// A parameter in the query or a header.
    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        let parameters = self.described["parameters"].as_array_mut();
        parameters.expect("it began as a list").push(parameter);
        self
    }

    /// Several of them.
    pub(super) fn parameters(self, parameters: impl IntoIterator<Item = Value>) -> Self {
        parameters.into_iter().fold(self, Self::parameter)
    }

    /// The body that it takes, by media type.
    pub(super) fn body(mut self, content: &[(&str, Value)]) -> Self {
        self.described["requestBody"] = json!({ "required": true, "content": media(content) });
        self.refusals.extend(WITH_BODY);
        self
    }

    /// The body that it may have, by media type.
    pub(super) fn optional_body(self, content: &[(&str, Value)]) -> Self {
        let mut optional = self.body(content);
        optional.described["requestBody"]["required"] = false.into();
        optional
    }

    /// What it answers, by media type; headers by their names.
    pub(super) fn answer(
        mut self,
        status: u16,
        description: &str,
        headers: Value,
        content: &[(&str, Value)],
    ) -> Self {
        let mut answer = json!({ "description": description });
        if headers != json!({}) {
            answer["headers"] = headers;
        }
        if !content.is_empty() {
            answer["content"] = media(content);
        }
        self.described["responses"][status.to_string()] = answer;
        self
    }

    /// `schema` as JSON, for what is asked.
    pub(super) fn json(self, description: &str, schema: Value) -> Self {
        self.answer(200, description, json!({}), &[("application/json", schema)])
    }

    /// That it is not answered again with what the client has; it is to be asked for one answer by then, which gets its tag.
    pub(super) fn if_none_match(self) -> Self {
        let words = "Answers that the client has, by their tags: with one of them it is told 304.";
        let tag = parameters::header("If-None-Match", words, schemas::tags());
        let not_modified = "The client has it.";
        self.parameter(tag).with_header(200, "ETag", etag()).answer(
            304,
            not_modified,
            json!({ "ETag": etag() }),
            &[],
        )
    }

    /// That it is done only if what there is has one of the tags that the client names.
    pub(super) fn if_match(self) -> Self {
        self.if_match_alone().with_header(200, "ETag", etag())
    }

    /// The same, of what leaves nothing that has a tag.
    pub(super) fn if_match_alone(self) -> Self {
        let words = "Only if what there is has one of these tags, else 412.";
        let tag = parameters::header("If-Match", words, schemas::some_tags());
        self.parameter(tag).refuses(&["precondition-failed"])
    }

    /// A header of the answer that has this status already.
    pub(super) fn with_header(mut self, status: u16, name: &str, header: Value) -> Self {
        self.described["responses"][status.to_string()]["headers"][name] = header;
        self
    }

    /// Kinds of problem that it is refused with besides.
    pub(super) fn refuses(mut self, kinds: &[&'static str]) -> Self {
        self.refusals.extend(kinds);
        self
    }

    /// That statuses which it answers in its own way have problems too.
    pub(super) fn with_own_refusals(mut self) -> Self {
        self.has_own_refusals = true;
        self
    }

    /// Members that any of its problems may have besides those of the kind.
    pub(super) fn problems_with(mut self, members: Value) -> Self {
        self.progress = Some(members);
        self
    }

    /// As the document has it.
    pub(super) fn described(self) -> Value {
        let mut described = self.described;
        for (status, response) in problems::responses(&self.refusals, self.progress.as_ref()) {
            let present = &mut described["responses"][status.to_string()];
            if self.has_own_refusals && present.is_object() {
                present["content"][PROBLEM_JSON] = response["content"][PROBLEM_JSON].clone();
            } else {
                *present = response;
            }
        }
        described
    }

    /// As the document has a `head`: nothing has a body.
    pub(super) fn described_as_head(self) -> Value {
        let mut described = self.described();
        let responses = described["responses"].as_object_mut();
        for response in responses.into_iter().flat_map(Map::values_mut) {
            response
                .as_object_mut()
                .and_then(|one| one.remove("content"));
        }
        described
    }
}

/// The header that bears the tag of an answer.
fn etag() -> Value {
    let schema = json!({ "type": "string", "pattern": "^(W/)?\"[0-9a-f]{32}\"$" });
    json!({ "description": "A hash of what the answer says.", "schema": schema })
}

fn media(content: &[(&str, Value)]) -> Value {
    let types = content
        .iter()
        .map(|(ty, schema)| ((*ty).to_owned(), json!({ "schema": schema })));
    types.collect::<Map<_, _>>().into()
}
