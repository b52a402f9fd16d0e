//! A JSON document as it came, and where it stops being one.

/// Where a document is not JSON, or not of the shape that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} column {column}: {reason}")]
pub struct Malformed {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1; 0 where a line end is what is wrong.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        let place = format!(" at line {line} column {column}");
        let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
        Self {
            line,
            column,
            reason,
        }
    }
}

/// The document as text, checked once for all that is taken out of it.
pub(crate) fn text(document: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(document).map_err(|error| {
        let before = &document[..error.valid_up_to()];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        Malformed {
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.len() - line_start + 1,
            reason: "this is not UTF-8".to_owned(),
        }
    })
}
