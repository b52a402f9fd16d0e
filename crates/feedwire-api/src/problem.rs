//! Problem documents (RFC 9457): every error of the native API.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the `type` of every problem of ours starts with; its kind follows.
pub const KIND_PREFIX: &str = "urn:feedwire:problem:";

/// Why a request was not answered as asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// [`KIND_PREFIX`] and the kind, such as `conflict` or `cursor-expired`.
    #[serde(rename = "type")]
    pub ty: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong this time, and what to do.
    #[serde(default)]
    pub detail: String,
    /// Further members, which depend on the kind.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl Problem {
    /// The kind, without [`KIND_PREFIX`]; the whole type where it is not one of ours.
    pub fn kind(&self) -> &str {
        self.ty.strip_prefix(KIND_PREFIX).unwrap_or(&self.ty)
    }

    /// The further member `name` as a whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.members.get(name).and_then(Value::as_u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_kind_are_kept_beside_the_common_ones() {
        let text = r#"{"type":"urn:feedwire:problem:conflict","title":"Conflict","status":409,"detail":"it is at 3","version":3}"#;
        let problem: Problem = serde_json::from_str(text).expect("a problem");
        assert_eq!(
            (problem.kind(), problem.number("version")),
            ("conflict", Some(3))
        );
        assert_eq!(serde_json::to_string(&problem).expect("JSON"), text);
    }
}
