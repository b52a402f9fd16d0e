//! An answer as it came over the wire.

use serde_json::Value;

/// An answer: its status, its headers and what came of its body.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body, its framing taken off.
    pub body: Vec<u8>,
}

impl Answer {
    /// The status and headers of `head`, the text before the empty line.
    pub(crate) fn parse(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let first = lines.next().expect("a first line");
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let headers = lines.map(|line| {
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("a header: {line}"));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        let status = status.unwrap_or_else(|| panic!("a status: {first}"));
        Self {
            status,
            headers: headers.collect(),
            body: Vec::new(),
        }
    }

    /// The header `name`, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The kind of the problem that the body tells, with its status; checked to be a problem document in ASCII.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        assert!(self.body.is_ascii(), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        let ty = problem["type"].as_str().expect("a type");
        let kind = ty
            .strip_prefix("urn:feedwire:problem:")
            .expect("a problem of ours");
        (self.status, kind.to_owned())
    }

    /// The positions of the events of a page.
    pub fn positions(&self) -> Vec<u64> {
        let page = self.json();
        let events = page["events"].as_array().expect("a page");
        events
            .iter()
            .map(|event| event["position"].as_u64().expect("a position"))
            .collect()
    }
}
