//! The words of an expression.

use super::ExpressionError;

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    /// Its sign is an operator in front of it.
    Int(u64),
    Double(f64),
    Text(String),
    Sign(&'static str),
    End,
}

/// The longer of those that begin alike come first.
const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

/// Reads words off the front of a text.
#[derive(Debug)]
pub(super) struct Words<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Words<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next word, and where it begins.
    pub(super) fn next(&mut self) -> Result<(Token, usize), ExpressionError> {
        self.pass_space();
        let at = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok((Token::End, at));
        };
        if let Some((prefix, quote)) = quote(rest) {
            return Ok((self.quoted(prefix, quote)?, at));
        }
        let is_fraction = rest.starts_with('.') && rest[1..].starts_with(is_digit);
        let token = if is_digit(first) || is_fraction {
            self.number()?
        } else if is_name(first) {
            Token::Name(self.run(|c| is_name(c) || is_digit(c)).to_owned())
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            Token::Sign(sign)
        } else {
            return Err(self.error(at, format!("{first:?} is not expected here")));
        };
        Ok((token, at))
    }

    pub(super) fn error(&self, at: usize, reason: impl Into<String>) -> ExpressionError {
        ExpressionError::at(self.text, at, reason)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Passes over what `is_in` says; what that was.
    fn run(&mut self, is_in: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c| !is_in(c)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// Passes over white space, and over what is between two slashes and the end of their line.
    fn pass_space(&mut self) {
        loop {
            self.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.run(|c| c != '\n');
        }
    }

    fn number(&mut self) -> Result<Token, ExpressionError> {
        let at = self.at;
        let token = if self.rest().starts_with("0x") {
            self.at += 2;
            let digits = self.run(|c| c.is_ascii_hexdigit());
            u64::from_str_radix(digits, 16).ok().map(Token::Int)
        } else {
            self.run(is_digit);
            let mut is_whole = true;
            if self.rest().starts_with('.') && self.rest()[1..].starts_with(is_digit) {
                is_whole = false;
                self.at += 1;
                self.run(is_digit);
            }
            if self.rest().starts_with(['e', 'E']) {
                is_whole = false;
                self.at += 1;
                if self.rest().starts_with(['+', '-']) {
                    self.at += 1;
                }
                self.run(is_digit);
            }
            let number = &self.text[at..self.at];
            if is_whole {
                number.parse().ok().map(Token::Int)
            } else {
                let double = number
                    .parse()
                    .ok()
                    .filter(|double: &f64| double.is_finite());
                double.map(Token::Double)
            }
        };
        if self.rest().starts_with(['u', 'U']) {
            return Err(self.error(
                self.at,
                "numbers have no suffix `u` here: whole ones are int",
            ));
        }
        let is_run_on = self.rest().starts_with(is_name);
        let token = token.filter(|_| !is_run_on);
        token.ok_or_else(|| self.error(at, "this is not a number, or is too large for one"))
    }

    /// A text in quotes, behind the letters of `prefix`.
    fn quoted(&mut self, prefix: &str, quote: &str) -> Result<Token, ExpressionError> {
        let start = self.at;
        if prefix.contains(['b', 'B']) {
            return Err(self.error(start, "there are no bytes here; base64 data is a string"));
        }
        self.at += prefix.len() + quote.len();
        let is_raw = !prefix.is_empty();
        let mut text = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(quote) {
                self.at += quote.len();
                return Ok(Token::Text(text));
            }
            let next = rest.chars().next();
            let unclosed = |c: &char| quote.len() == 1 && matches!(c, '\n' | '\r');
            let Some(c) = next.filter(|c| !unclosed(c)) else {
                return Err(self.error(start, "this text has no closing quote"));
            };
            if c == '\\' && !is_raw {
                text.push(self.escaped()?);
            } else {
                self.at += c.len_utf8();
                text.push(c);
            }
        }
    }

    /// The character that the escape here stands for.
    fn escaped(&mut self) -> Result<char, ExpressionError> {
        let at = self.at;
        let code = self.rest()[1..].chars().next();
        self.at += 1 + code.map_or(0, char::len_utf8);
        let found = match code {
            Some(c @ ('\\' | '"' | '\'' | '`' | '?')) => Some(c),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\u{b}'),
            Some('x' | 'X') => self.coded(2, 16),
            Some('u') => self.coded(4, 16),
            Some('U') => self.coded(8, 16),
            Some('0'..='3') => {
                self.at -= 1;
                self.coded(3, 8)
            }
            _ => None,
        };
        found.ok_or_else(|| self.error(at, "this escape stands for no character"))
    }

    fn coded(&mut self, digits: usize, radix: u32) -> Option<char> {
        let code = self.rest().get(..digits)?;
        let is_coded = code.chars().all(|c| c.is_digit(radix));
        self.at += digits;
        let code = u32::from_str_radix(code, radix).ok()?;
        char::from_u32(code).filter(|_| is_coded)
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// The letters and the quote with which a text in quotes begins, if `rest` begins with one.
fn quote(rest: &str) -> Option<(&str, &'static str)> {
    let letters = rest.find(|c| !matches!(c, 'r' | 'R' | 'b' | 'B'))?;
    let (prefix, rest) = rest.split_at(letters);
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let quote = quotes.into_iter().find(|quote| rest.starts_with(quote))?;
    (letters <= 2).then_some((prefix, quote))
}
