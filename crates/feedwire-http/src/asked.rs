//! A request that has a route, as its handler is given it; the body comes beside it.

use std::borrow::Cow;

use feedwire_dialects::escape;
use http::HeaderMap;
use http::request::Parts;

use crate::edge::Edge;

/// What is asked: by whom it is answered, and the head of the request.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) edge: Edge,
    head: Parts,
    /// The path of its route.
    route: &'static str,
}

impl Asked {
    pub(crate) fn new(edge: Edge, head: Parts, route: &'static str) -> Self {
        Self { edge, head, route }
    }

    /// The segment of the path where the route has `{name}`; `None` where it is not percent-encoded UTF-8.
    ///
    /// # Panics
    /// If the route has no such variable.
    pub(crate) fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        let is_it = |pattern: &str| {
            let inner = pattern.strip_prefix('{').and_then(|p| p.strip_suffix('}'));
            inner == Some(name)
        };
        let mut segments = self.route.split('/').zip(self.head.uri.path().split('/'));
        let segment = segments.find(|(pattern, _)| is_it(pattern));
        let (_, segment) = segment.expect("a handler asks for the variables of its route");
        escape::percent(segment)
    }

    /// Behind the question mark.
    pub(crate) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }
}
