//! Lists that come in parts: what of them is asked for, and where the next part begins.

use std::fmt::Display;
use std::str::FromStr;

use feedwire_dialects::native::request::{self, LIST_MAX};

/// What the query asks for: entries after one, and how many at most.
pub(super) fn asked<T: FromStr<Err: Display>>(
    query: &str,
) -> Result<(Option<T>, usize), request::Error> {
    let (after, limit) = request::part(query)?;
    Ok((after, limit.unwrap_or(LIST_MAX)))
}

/// Leaves the first `limit` of what was found; the last of them, where there are more.
pub(super) fn cut<T>(found: &mut Vec<T>, limit: usize) -> Option<&T> {
    if found.len() <= limit {
        return None;
    }
    found.truncate(limit);
    found.last()
}
