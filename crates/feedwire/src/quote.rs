//! Words of a command line that is shown, to be copied into a shell.

use std::borrow::Cow;

/// `text` as one word for a POSIX shell.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_take_apart_is_quoted() {
        let check = |text: &str, quoted: &str| assert_eq!(word(text), quoted);
        check("./data/2013-01.ndjson.zst", "./data/2013-01.ndjson.zst");
        check("", "''");
        check("my events.ndjson", "'my events.ndjson'");
        check("it's", r"'it'\''s'");
        check("~$(id)", "'~$(id)'");
    }
}
