//! The header `Idempotency-Key`: a key bare, or as the quoted string that the header's draft standard makes of it.

use std::borrow::Cow;

use feedwire_event::{IdempotencyKey, KeyError};

/// Why a header has no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// It begins as a quoted string, and is none.
    #[error("its quotes do not match")]
    Quotes,
    /// See [`KeyError`].
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The key in `header`.
pub(crate) fn parse(header: &str) -> Result<IdempotencyKey, Error> {
    let text = header.trim_ascii();
    let text = if text.starts_with('"') {
        unquoted(text).ok_or(Error::Quotes)?
    } else {
        Cow::Borrowed(text)
    };
    Ok(IdempotencyKey::new(&text)?)
}

/// The text of a string as RFC 8941 (section 3.3.3) writes it.
fn unquoted(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains(['"', '\\']) {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => out.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            c => out.push(c),
        }
    }
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bare_or_quoted() {
        let check = |header: &str, key: &str| {
            let found = parse(header);
            assert_eq!(found.as_ref().map(IdempotencyKey::as_str), Ok(key));
        };
        check("8e03978e-40d5", "8e03978e-40d5");
        check(r#" "8e03978e-40d5" "#, "8e03978e-40d5");
        check(r#""a \"b\" \\ c""#, r#"a "b" \ c"#);
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_reason() {
        for odd in ["\"", "\"a", "\"a\"b\"", r#""a\n""#, r#""a\""#] {
            assert_eq!(parse(odd), Err(Error::Quotes), "{odd}");
        }
        for empty in ["", " ", "\"\""] {
            assert_eq!(parse(empty), Err(Error::Key(KeyError::Length(0))));
        }
        let odd = Error::Key(KeyError::Character('\u{fffd}'));
        assert_eq!(parse("\u{fffd}"), Err(odd));
    }
}
