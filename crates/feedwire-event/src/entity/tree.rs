//! Canonical JSON taken apart once: where each value of it stands in the text, however deep.

use std::borrow::Cow;

use crate::limits::JSON_DEPTH_MAX;

/// The values of a text in the order in which they begin, so that what is in a value stands right behind it.
#[derive(Debug)]
pub(super) struct Tree<'t> {
    text: &'t str,
    nodes: Vec<Node>,
}

/// Where a value is.
#[derive(Debug)]
struct Node {
    /// The quote before its name; of an element, and of the whole, its start.
    name: u32,
    start: u32,
    end: u32,
    /// The first node that is not in it.
    next: u32,
}

/// A value of a [`Tree`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    tree: &'a Tree<'a>,
    node: &'a Node,
    at: usize,
}

impl<'t> Tree<'t> {
    /// The values of the canonical JSON `text`; `None` where it is something else.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let mut scan = Scan {
            bytes: text.as_bytes(),
            at: 0,
            nodes: Vec::new(),
            open: Vec::new(),
        };
        while scan.next()? {}
        let nodes = scan.nodes;
        Some(Self { text, nodes })
    }

    /// All of it.
    pub(super) fn root(&self) -> Value<'_> {
        self.value(0)
    }

    /// Every value, each before what is in it.
    pub(super) fn values(&self) -> impl Iterator<Item = Value<'_>> {
        (0..self.nodes.len()).map(|at| self.value(at))
    }

    fn value(&self, at: usize) -> Value<'_> {
        Value {
            tree: self,
            node: &self.nodes[at],
            at,
        }
    }

    fn text(&self, from: u32, to: u32) -> &str {
        &self.text[index(from)..index(to)]
    }
}

impl<'a> Value<'a> {
    /// Its text.
    pub(super) fn text(self) -> &'a str {
        self.tree.text(self.node.start, self.node.end)
    }

    /// The first byte of its text, which tells of what kind it is.
    pub(super) fn kind(self) -> u8 {
        self.text().as_bytes()[0]
    }

    /// Whether it has members, or could have.
    pub(super) fn is_object(self) -> bool {
        self.kind() == b'{'
    }

    /// Its name, where it is a member.
    pub(super) fn name(self) -> Cow<'a, str> {
        if self.node.name == self.node.start {
            return Cow::Borrowed("");
        }
        unescaped(self.tree.text(self.node.name, self.node.start - 1))
    }

    /// Its members or elements, in their order.
    pub(super) fn values(self) -> impl Iterator<Item = Self> {
        let mut at = self.at + 1;
        let end = index(self.node.next);
        std::iter::from_fn(move || {
            let value = (at < end).then(|| self.tree.value(at))?;
            at = index(value.node.next);
            Some(value)
        })
    }

    /// Whether `other`, of the same text, is this or in it.
    pub(super) fn holds(self, other: Self) -> bool {
        (self.at..index(self.node.next)).contains(&other.at)
    }

    /// Whether `other` is at the same place of the same text.
    pub(super) fn is(self, other: Self) -> bool {
        self.at == other.at
    }
}

/// What the quoted string `text` says, borrowed unless it holds escapes.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    let inner = text.get(1..text.len() - 1).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    // What is no JSON is what it looks like: it was not written here.
    serde_json::from_str(text).map_or(Cow::Borrowed(inner), Cow::Owned)
}

fn index(at: u32) -> usize {
    usize::try_from(at).expect("a text in memory has an index")
}

/// What was seen of a text.
struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    /// The objects and arrays that the next value is in.
    open: Vec<usize>,
}

impl Scan<'_> {
    /// Takes one value, or the opening of one, and what is closed behind it; whether there is more.
    fn next(&mut self) -> Option<bool> {
        let name = self.offset()?;
        if self
            .open
            .last()
            .is_some_and(|open| self.first(*open) == b'{')
        {
            self.pass_string()?;
            self.pass(b':')?;
        }
        let start = self.offset()?;
        let at = self.nodes.len();
        self.nodes.push(Node {
            name,
            start,
            end: start,
            next: 0,
        });
        match self.bytes.get(self.at)? {
            b'"' => self.pass_string()?,
            opening @ (b'{' | b'[') => {
                self.at += 1;
                if self.bytes.get(self.at) != Some(&closing(*opening)) {
                    self.open.push(at);
                    return (self.open.len() <= JSON_DEPTH_MAX).then_some(true);
                }
                self.at += 1;
            }
            _ => self.pass_scalar()?,
        }
        self.end(at)?;
        self.close()
    }

    /// Ends what ends here; whether there is another value behind it.
    fn close(&mut self) -> Option<bool> {
        while let Some(open) = self.open.last().copied() {
            if self.bytes.get(self.at) == Some(&b',') {
                self.at += 1;
                return Some(true);
            }
            self.pass(closing(self.first(open)))?;
            self.end(open)?;
            self.open.pop();
        }
        (self.at == self.bytes.len()).then_some(false)
    }

    fn end(&mut self, at: usize) -> Option<()> {
        let (end, next) = (self.offset()?, u32::try_from(self.nodes.len()).ok()?);
        let node = &mut self.nodes[at];
        (node.end, node.next) = (end, next);
        Some(())
    }

    fn offset(&self) -> Option<u32> {
        u32::try_from(self.at).ok()
    }

    fn first(&self, at: usize) -> u8 {
        self.bytes[index(self.nodes[at].start)]
    }

    fn pass(&mut self, byte: u8) -> Option<()> {
        (self.bytes.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    fn pass_string(&mut self) -> Option<()> {
        self.pass(b'"')?;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let len = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            self.at += len + 1;
            if rest[len] == b'"' {
                return Some(());
            }
            self.at += 1;
        }
    }

    /// Passes over a number, or `true`, `false` or `null`.
    fn pass_scalar(&mut self) -> Option<()> {
        let rest = &self.bytes[self.at..];
        let is_part =
            |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'+' | b'E');
        let end = rest.iter().position(|byte| !is_part(byte));
        let len = end.unwrap_or(rest.len());
        self.at += len;
        (len > 0).then_some(())
    }
}

fn closing(opening: u8) -> u8 {
    if opening == b'{' { b'}' } else { b']' }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every value of `text` as its name and its text.
    fn taken_apart(text: &str) -> Option<Vec<(String, String)>> {
        let tree = Tree::of(text)?;
        let told = |value: Value<'_>| (value.name().into_owned(), value.text().to_owned());
        Some(tree.values().map(told).collect())
    }

    #[test]
    fn a_value_is_followed_by_what_is_in_it() {
        let text = r#"{"a":[1.50,"}\"",{}],"\u00e9\\":{"":null},"b":-1E+5}"#;
        let values = [
            ("", text),
            ("a", r#"[1.50,"}\"",{}]"#),
            ("", "1.50"),
            ("", r#""}\"""#),
            ("", "{}"),
            ("\u{e9}\\", r#"{"":null}"#),
            ("", "null"),
            ("b", "-1E+5"),
        ];
        let values = values.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(taken_apart(text), Some(values.to_vec()));
        let tree = Tree::of(text).expect("JSON");
        let names: Vec<_> = tree.root().values().map(Value::name).collect();
        assert_eq!(names, ["a", "\u{e9}\\", "b"]);
    }

    #[test]
    fn what_is_cut_or_closed_otherwise_is_none() {
        let text = r#"{"a":[1,"b"],"c":{}}"#;
        for len in 0..text.len() {
            assert!(Tree::of(&text[..len]).is_none(), "{}", &text[..len]);
        }
        for text in [
            "{]", "[1}", "{\"a\"}", "{1:2}", "1,2", "[1]]", "[1,]", "\"\\", "",
        ] {
            assert!(Tree::of(text).is_none(), "{text}");
        }
        let nested = |depth| "[".repeat(depth) + "1" + &"]".repeat(depth);
        assert!(Tree::of(&nested(JSON_DEPTH_MAX)).is_some());
        assert!(Tree::of(&nested(JSON_DEPTH_MAX + 1)).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_or_none(text in r#"[\[\]{}",:\\a1é]{0,16}"#) {
            let Some(tree) = Tree::of(&text) else { return Ok(()) };
            for value in tree.values() {
                prop_assert!(!value.text().is_empty());
                let inner = value.values().map(|inner| inner.text().len() + inner.name().len());
                prop_assert!(inner.sum::<usize>() < value.text().len());
            }
        }
    }
}
