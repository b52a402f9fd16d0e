//! A small reader of Rust source: it tells comments, strings and words apart, and knows no grammar.
//!
//! Comments are what the rules are about and what a parser throws away, hence no parser. A file that rustc takes is cut
//! right; of one that it refuses, anything may come out, but never a panic.

/// A piece of source and the line it starts on, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) line: usize,
    pub(super) kind: Kind,
    /// A string's text is what stands between its quotes, escapes untouched.
    pub(super) text: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    Str,
    /// An identifier, keyword or number.
    Word,
    /// Any other single character.
    Mark,
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut cursor = Cursor {
        text,
        at: 0,
        line: 1,
    };
    std::iter::from_fn(|| cursor.next_token()).collect()
}

#[derive(Debug)]
struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Cursor<'a> {
    fn next_token(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            let first = rest.chars().next()?;
            if first.is_whitespace() {
                self.take(first.len_utf8());
            } else if first == '\'' {
                let length = quoted_char_length(rest);
                self.take(length);
            } else {
                return Some(self.token_at(first));
            }
        }
    }

    fn token_at(&mut self, first: char) -> Token<'a> {
        let rest = self.rest();
        let line = self.line;
        let (kind, text) = if rest.starts_with("//") {
            (
                Kind::Comment,
                self.take(rest.find('\n').unwrap_or(rest.len())),
            )
        } else if rest.starts_with("/*") {
            (Kind::Comment, self.take(block_comment_length(rest)))
        } else if let Some(hashes) = raw_string_hashes(rest) {
            (Kind::Str, self.raw_string(hashes))
        } else if first == '"' {
            (Kind::Str, self.string())
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (Kind::Word, self.take(length))
        } else {
            (Kind::Mark, self.take(first.len_utf8()))
        };
        Token { line, kind, text }
    }

    fn string(&mut self) -> &'a str {
        self.take(1);
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        let inner = self.take(end.unwrap_or(rest.len()));
        self.take(1);
        inner
    }

    fn raw_string(&mut self, hashes: usize) -> &'a str {
        let opening = self.rest().find('"').map_or(0, |quote| quote + 1);
        self.take(opening);
        let closing = format!("\"{}", "#".repeat(hashes));
        let rest = self.rest();
        let inner = self.take(rest.find(&closing).unwrap_or(rest.len()));
        self.take(closing.len());
        inner
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let taken = &self.rest()[..bytes.min(self.rest().len())];
        self.at += taken.len();
        self.line += taken.matches('\n').count();
        taken
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// How many `#` open the raw string that `rest` starts with, if it does.
fn raw_string_hashes(rest: &str) -> Option<usize> {
    let after = ["br", "cr", "r"]
        .iter()
        .find_map(|prefix| rest.strip_prefix(prefix))?;
    let quoted = after.trim_start_matches('#');
    quoted.starts_with('"').then(|| after.len() - quoted.len())
}

/// Block comments nest.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(ahead) = rest.as_bytes().get(at..) {
        if ahead.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if ahead.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else if ahead.is_empty() {
            break;
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a character literal, or 1 when the quote opens a lifetime or a label.
fn quoted_char_length(rest: &str) -> usize {
    let mut inner = rest.char_indices().skip(1);
    match (inner.next(), inner.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            rest[from..].find('\'').map_or(1, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &[(usize, Kind, &str)]) {
        let seen: Vec<_> = tokens(text)
            .iter()
            .map(|t| (t.line, t.kind, t.text))
            .collect();
        assert_eq!(seen, wanted);
    }

    #[test]
    fn a_comment_inside_a_string_is_no_comment() {
        check(
            "a(\"// no \\\" /* no\"); // yes",
            &[
                (1, Kind::Word, "a"),
                (1, Kind::Mark, "("),
                (1, Kind::Str, "// no \\\" /* no"),
                (1, Kind::Mark, ")"),
                (1, Kind::Mark, ";"),
                (1, Kind::Comment, "// yes"),
            ],
        );
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        check(
            "r#\"a \"b\" \n// c\"# d",
            &[(1, Kind::Str, "a \"b\" \n// c"), (2, Kind::Word, "d")],
        );
        check("br\"\\\" x", &[(1, Kind::Str, "\\"), (1, Kind::Word, "x")]);
    }

    #[test]
    fn block_comments_nest() {
        check(
            "/* a /* b */\n c */ d",
            &[
                (1, Kind::Comment, "/* a /* b */\n c */"),
                (2, Kind::Word, "d"),
            ],
        );
    }

    #[test]
    fn quotes_of_characters_and_lifetimes_open_no_string() {
        check(
            "'\"' 'a '\\'' b'x' c",
            &[
                (1, Kind::Word, "a"),
                (1, Kind::Word, "b"),
                (1, Kind::Word, "c"),
            ],
        );
    }

    #[test]
    fn broken_source_does_not_panic() {
        for text in ["\"", "r#\"", "/*", "'", "'\\", "/*/", "é'é", "r\"é"] {
            tokens(text);
        }
    }
}
