//! Which projects a grant is for.

use std::fmt;
use std::str::FromStr;

use feedwire_event::{NameError, ProjectName};

/// The projects whose names fit: `acme` is that one, `acme.*` its descendants, `*` every project, also the server's own.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProjectPattern(Pattern);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Pattern {
    Name(ProjectName),
    /// What its descendants' names begin with, the dot included.
    Descendants(Box<str>),
    All,
}

/// Why a text is no pattern of projects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Its name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The server's own project, and a name that ends in a dot, have no descendants.
    #[error("there are no projects below {0}")]
    Childless(String),
}

/// How narrow a pattern is; more is narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Narrowness {
    All,
    Descendants(usize),
    Name,
}

impl ProjectPattern {
    /// Every project.
    pub fn all() -> Self {
        Self(Pattern::All)
    }

    /// The project, where it is one.
    pub fn name(&self) -> Option<&ProjectName> {
        match &self.0 {
            Pattern::Name(name) => Some(name),
            Pattern::Descendants(_) | Pattern::All => None,
        }
    }

    /// Whether `project` fits.
    pub fn fits(&self, project: &ProjectName) -> bool {
        match &self.0 {
            Pattern::Name(name) => name == project,
            Pattern::Descendants(prefix) => project.as_str().starts_with(&**prefix),
            Pattern::All => true,
        }
    }

    /// Whether every project that fits `other` fits this too.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (_, Pattern::Name(name)) => self.fits(name),
            (Pattern::All, _) => true,
            (Pattern::Descendants(wide), Pattern::Descendants(narrow)) => {
                narrow.starts_with(&**wide)
            }
            (Pattern::Name(_), _) | (Pattern::Descendants(_), Pattern::All) => false,
        }
    }

    /// Whether it names nothing but `home` and its descendants.
    pub fn is_within(&self, home: &ProjectName) -> bool {
        let below = |name: &str| {
            let rest = name.strip_prefix(home.as_str());
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        match &self.0 {
            Pattern::Name(name) => name == home || below(name.as_str()),
            Pattern::Descendants(prefix) => below(prefix),
            Pattern::All => false,
        }
    }

    /// Whether it is the pattern of `project`'s descendants, and of no others.
    pub(crate) fn is_below(&self, project: &ProjectName) -> bool {
        match &self.0 {
            Pattern::Descendants(prefix) => prefix.strip_suffix('.') == Some(project.as_str()),
            Pattern::Name(_) | Pattern::All => false,
        }
    }

    pub(crate) fn narrowness(&self) -> Narrowness {
        match &self.0 {
            Pattern::Name(_) => Narrowness::Name,
            Pattern::Descendants(prefix) => Narrowness::Descendants(prefix.len()),
            Pattern::All => Narrowness::All,
        }
    }
}

impl From<ProjectName> for ProjectPattern {
    fn from(name: ProjectName) -> Self {
        Self(Pattern::Name(name))
    }
}

impl FromStr for ProjectPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self::all());
        }
        let Some(stem) = text.strip_suffix(".*") else {
            return Ok(ProjectName::new(text)?.into());
        };
        let name = ProjectName::new(stem)?;
        if name.is_system() || stem.ends_with('.') {
            return Err(PatternError::Childless(stem.to_owned()));
        }
        Ok(Self(Pattern::Descendants(format!("{stem}.").into())))
    }
}

impl fmt::Display for ProjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Name(name) => name.fmt(f),
            Pattern::Descendants(prefix) => write!(f, "{prefix}*"),
            Pattern::All => f.write_str("*"),
        }
    }
}

impl fmt::Debug for ProjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ProjectPattern {
        text.parse().expect("a pattern")
    }

    fn project(text: &str) -> ProjectName {
        text.parse().expect("a name")
    }

    #[test]
    fn a_pattern_is_written_as_it_was_read() {
        for text in ["acme", "acme.*", "acme.eu", "acme.eu.*", "*", "_system"] {
            assert_eq!(pattern(text).to_string(), text);
        }
    }

    #[test]
    fn what_names_no_projects_is_refused() {
        for text in [
            "",
            ".*",
            "**",
            "a*",
            "acme.*.x",
            "_system.*",
            "acme..*",
            "*.*",
        ] {
            assert!(text.parse::<ProjectPattern>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn descendants_are_those_below_a_dot() {
        let fits = |text: &str, name: &str| pattern(text).fits(&project(name));
        assert!(fits("acme.*", "acme.eu") && fits("acme.*", "acme.eu.1"));
        assert!(!fits("acme.*", "acme") && !fits("acme.*", "acmeeu") && !fits("acme", "acme.eu"));
        assert!(fits("*", "acme") && fits("*", "_system"));
    }

    #[test]
    fn a_pattern_covers_those_that_are_equal_or_narrower() {
        let covers = |wide: &str, narrow: &str| pattern(wide).covers(&pattern(narrow));
        for (wide, narrow) in [
            ("*", "*"),
            ("*", "acme.*"),
            ("*", "_system"),
            ("acme.*", "acme.*"),
            ("acme.*", "acme.eu"),
            ("acme.*", "acme.eu.*"),
            ("acme", "acme"),
        ] {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [
            ("acme.*", "*"),
            ("acme", "acme.*"),
            ("acme.*", "acme"),
            ("acme.eu.*", "acme.*"),
            ("acme.*", "acmex.*"),
        ] {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn within_a_home_are_it_and_its_descendants() {
        let within = |text: &str| pattern(text).is_within(&project("acme"));
        for text in ["acme", "acme.*", "acme.eu", "acme.eu.*"] {
            assert!(within(text), "{text}");
        }
        for text in ["*", "acmex", "acmex.*", "other", "_system"] {
            assert!(!within(text), "{text}");
        }
        assert!(pattern("acme.eu.*").is_below(&project("acme.eu")));
        assert!(!pattern("acme.*").is_below(&project("acme.eu")));
    }
}
