//! Writing paths and queries.

use std::fmt::Write as _;

/// Appends `text` with everything but RFC 3986's unreserved characters percent-encoded.
pub(crate) fn push_encoded(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes everything");
        }
    }
}

/// A query in the making: `?a=b&c=d`, or nothing.
#[derive(Debug, Default)]
pub(crate) struct Query(String);

impl Query {
    /// What a list is asked for that comes in parts: what is behind `after`, or the first part.
    pub(crate) fn after(after: Option<&str>) -> Self {
        let mut query = Self::default();
        if let Some(after) = after {
            query.push("after", after);
        }
        query
    }

    /// Adds the parameter `name`.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.start(name);
        push_encoded(value, &mut self.0);
    }

    /// Adds the list `name`, unless it is empty. The commas between values stay raw, those within are encoded.
    pub(crate) fn push_list(&mut self, name: &str, values: &[String]) {
        for (index, value) in values.iter().enumerate() {
            if index == 0 {
                self.start(name);
            } else {
                self.0.push(',');
            }
            push_encoded(value, &mut self.0);
        }
    }

    fn start(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_within_a_value_is_told_from_one_between_values() {
        let mut query = Query::default();
        query.push_list("types", &[]);
        query.push_list("subjects", &["a,b".into(), "é".into()]);
        query.push("after", "12");
        assert_eq!(query.as_str(), "?subjects=a%2Cb,%C3%A9&after=12");
    }
}
