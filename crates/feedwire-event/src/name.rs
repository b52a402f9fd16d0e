//! Names of projects, feeds, types and streams.

use std::fmt;
use std::sync::Arc;

use crate::limits::NAME_BYTES_MAX;
use crate::text;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has no characters.
    #[error("a name has 1 to {NAME_BYTES_MAX} characters, this one none")]
    Empty,
    /// It is longer than [`NAME_BYTES_MAX`].
    #[error("a name has at most {NAME_BYTES_MAX} characters, this one {0}")]
    TooLong(usize),
    /// A character that names do not have.
    #[error("a name is made of A-Z a-z 0-9 . _ -, not {0:?}")]
    Character(char),
    /// It starts with `_` or `.`, which are kept for the server's own.
    #[error("a name does not start with {0:?}: names that do are the server's own")]
    Reserved(char),
}

/// What the load feed of a feed is named, before the name of that feed.
const LOAD_FEED: &str = "_load.";

/// `own` are the names that the server has for itself.
fn check(text: &str, own: &[&str]) -> Result<(), NameError> {
    let first = text.chars().next().ok_or(NameError::Empty)?;
    if text.len() > NAME_BYTES_MAX {
        return Err(NameError::TooLong(text.len()));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !text::is_of(text, is_plain) {
        let odd = |c: &char| u8::try_from(*c).map_or(true, |byte| !is_plain(byte));
        return Err(NameError::Character(
            text.chars().find(odd).unwrap_or(first),
        ));
    }
    if matches!(first, '_' | '.') && !own.contains(&text) {
        return Err(NameError::Reserved(first));
    }
    Ok(())
}

/// Checks the name of a feed, which may be the load feed of another.
fn check_feed(text: &str, own: &[&str]) -> Result<(), NameError> {
    check(text.strip_prefix(LOAD_FEED).unwrap_or(text), own)
}

macro_rules! name {
    ($name:ident, $what:literal, $check:ident, $($own:literal)?) => {
        #[doc = concat!("The name of a ", $what, ": 1 to 128 of `A-Z a-z 0-9 . _ -`, not starting with `_` or `.`.")]
        $(#[doc = concat!("\n\nThere is one more, the server's own: `", $own, "`.")])?
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and takes it as a name.
            pub fn new(text: &str) -> Result<Self, NameError> {
                $check(text, &[$($own)?]).map(|()| Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}

name!(ProjectName, "project", check, "_system");
name!(FeedName, "feed", check_feed, "_audit");
name!(TypeName, "type of event", check,);
name!(StreamName, "stream", check,);
name!(ConnectorName, "connector", check,);

impl ProjectName {
    /// The project of the server itself.
    pub fn system() -> Self {
        Self("_system".into())
    }

    /// Whether it is the project of the server itself.
    pub fn is_system(&self) -> bool {
        self.as_str().starts_with('_')
    }

    /// The project that this one is a child of: what stands before the last dot of its name.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.as_str().rsplit_once('.')?;
        Self::new(parent).ok()
    }
}

impl FeedName {
    /// The feed of the server itself, in its own project: who changed what.
    pub fn audit() -> Self {
        Self("_audit".into())
    }

    /// The feed to which the states of this one's entities are written when they are loaded: `_load.` and this name.
    #[must_use]
    pub fn load_feed(&self) -> Self {
        Self(format!("{LOAD_FEED}{self}").into())
    }

    /// The feed whose entities are loaded to the feed `name`, where it is a load feed.
    pub fn loaded(name: &str) -> Option<&str> {
        name.strip_prefix(LOAD_FEED)
    }

    /// Whether only the server itself publishes to it.
    pub fn is_own(&self) -> bool {
        self.as_str().starts_with('_')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_documented_characters_are_taken() {
        for text in ["orders", "a", "A.b_c-9", &"x".repeat(NAME_BYTES_MAX)] {
            assert_eq!(
                FeedName::new(text).map(|n| n.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn a_feed_has_a_load_feed() {
        let longest = "x".repeat(NAME_BYTES_MAX);
        for name in ["orders", &longest] {
            let load = FeedName::new(name).expect("a name").load_feed();
            assert_eq!(FeedName::new(load.as_str()).as_ref(), Ok(&load));
            assert_eq!(FeedName::loaded(load.as_str()), Some(name));
            assert!(load.is_own());
        }
        assert_eq!(FeedName::loaded("orders"), None);
        assert_eq!(FeedName::new("_load."), Err(NameError::Empty));
        assert_eq!(
            FeedName::new("_load._load.a"),
            Err(NameError::Reserved('_'))
        );
        assert_eq!(TypeName::new("_load.a"), Err(NameError::Reserved('_')));
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let check = |text: &str, error: NameError| assert_eq!(FeedName::new(text), Err(error));
        check("", NameError::Empty);
        check(&"x".repeat(129), NameError::TooLong(129));
        check("a/b", NameError::Character('/'));
        check("a\n", NameError::Character('\n'));
        check("é", NameError::Character('é'));
        check("_all", NameError::Reserved('_'));
        check("_system", NameError::Reserved('_'));
        check("..", NameError::Reserved('.'));
    }

    #[test]
    fn the_servers_own_names_are_one_project_and_one_feed() {
        assert!(ProjectName::system().is_system());
        assert_eq!(ProjectName::new("_system"), Ok(ProjectName::system()));
        assert!(FeedName::audit().is_own());
        assert_eq!(FeedName::new("_audit"), Ok(FeedName::audit()));
        assert!(ProjectName::new("_audit").is_err() && TypeName::new("_audit").is_err());
    }

    #[test]
    fn a_child_is_named_after_its_parent() {
        let parent = |text: &str| {
            let name = ProjectName::new(text).expect("a name");
            name.parent().map(|parent| parent.to_string())
        };
        assert_eq!(parent("acme"), None);
        assert_eq!(parent("acme.eu").as_deref(), Some("acme"));
        assert_eq!(parent("acme.eu.1").as_deref(), Some("acme.eu"));
    }
}
