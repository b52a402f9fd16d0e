//! Authorisation as a value.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use feedwire_event::{FeedName, Labels, NameError, ProjectName, Subject};

use crate::LabelFilter;

/// One kind of thing that may be done in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// Publish events, and set the labels of subjects.
    Publish,
    /// Read events, counts and labels.
    Read,
    /// Read as a member of streams, and make them.
    Streams,
    /// Make connectors.
    Connectors,
    /// All of that, and settle what the project keeps, who may do what in it, and what is erased.
    Admin,
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u8);

/// The feeds whose names fit: `orders` is that one, `orders.*` those whose names begin with `orders.`, `*` all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Pattern {
    Name(FeedName),
    Prefix(Box<str>),
    All,
}

/// Whom the events are about that may be read or published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// These subjects, at least one.
    Subjects(Vec<Subject>),
    /// Subjects that have all of these labels now, at least one label.
    Labels(Vec<LabelFilter>),
}

/// What may be done in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What may be done. With [`Right::Admin`] the rest leaves nothing out.
    pub rights: Rights,
    /// In which feeds; empty is every one.
    pub feeds: Vec<FeedPattern>,
    /// About whom; `None` is everybody.
    pub confinement: Option<Confinement>,
}

/// What somebody may do, and where: every call of the core takes one. It is made where credentials are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    project: ProjectName,
    allowance: Arc<Allowance>,
    /// Those of the allowance, or fewer.
    rights: Rights,
}

/// Something is not granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Nothing of the kind.
    #[error("the right to {0} is needed in this project")]
    Right(Right),
    /// Not in this feed.
    #[error("feed {0} is not granted")]
    Feed(FeedName),
    /// Not about this subject, or not about none.
    #[error("events about {} are not granted", subject(.0.as_ref()))]
    Subject(Option<Subject>),
    /// Only for those who may see all of the project.
    #[error("this takes a grant of every feed and every subject of the project")]
    Confined,
}

fn subject(subject: Option<&Subject>) -> String {
    subject.map_or_else(
        || "no subject".to_owned(),
        |subject| format!("subject {subject:?}"),
    )
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Publish,
        Self::Read,
        Self::Streams,
        Self::Connectors,
        Self::Admin,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Read => "read",
            Self::Streams => "streams",
            Self::Connectors => "connectors",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Publish => 1,
            Self::Read => 2,
            Self::Streams => 4,
            Self::Connectors => 8,
            Self::Admin => 16,
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Right {
    type Err = RightError;

    fn from_str(text: &str) -> Result<Self, RightError> {
        let found = Self::ALL.into_iter().find(|right| right.as_str() == text);
        found.ok_or(RightError)
    }
}

/// A text that names no right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a right is publish, read, streams, connectors or admin")]
pub struct RightError;

impl Rights {
    /// Every right there is.
    pub const ALL: Self = Self(31);

    /// Whether `right` is among them; [`Right::Admin`] brings every other.
    pub const fn has(self, right: Right) -> bool {
        self.0 & (right.bit() | Right::Admin.bit()) != 0
    }

    /// Those that are in `other` too.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        if other.has(Right::Admin) {
            self
        } else if self.has(Right::Admin) {
            other
        } else {
            Self(self.0 & other.0)
        }
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that were named, in the order of [`Right::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL
            .into_iter()
            .filter(move |right| self.0 & right.bit() != 0)
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |bits, right| bits | right.bit()))
    }
}

impl FeedPattern {
    /// Whether `feed` fits, or the feed that it is the load feed of.
    pub fn fits(&self, feed: &str) -> bool {
        let feed = FeedName::loaded(feed).unwrap_or(feed);
        match &self.0 {
            Pattern::Name(name) => name.as_str() == feed,
            Pattern::Prefix(prefix) => feed.starts_with(&**prefix),
            Pattern::All => !feed.starts_with('_'),
        }
    }

    /// The feed, where it is one.
    pub fn name(&self) -> Option<&FeedName> {
        match &self.0 {
            Pattern::Name(name) => Some(name),
            Pattern::Prefix(_) | Pattern::All => None,
        }
    }
}

impl FromStr for FeedPattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == "*" {
            return Ok(Self(Pattern::All));
        }
        let pattern = match text.strip_suffix(".*") {
            Some(stem) => {
                FeedName::new(stem)?;
                Pattern::Prefix(format!("{stem}.").into())
            }
            None => Pattern::Name(FeedName::new(text)?),
        };
        Ok(Self(pattern))
    }
}

impl fmt::Display for FeedPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Name(name) => name.fmt(f),
            Pattern::Prefix(prefix) => write!(f, "{prefix}*"),
            Pattern::All => f.write_str("*"),
        }
    }
}

impl Confinement {
    /// Whether `subject`, which has `labels`, is in it.
    pub(crate) fn has<L: Deref<Target = Labels>>(
        &self,
        subject: &Subject,
        labels: impl FnOnce(&str) -> Option<L>,
    ) -> bool {
        match self {
            Self::Subjects(own) => own.contains(subject),
            Self::Labels(wanted) => labels(subject.as_str())
                .is_some_and(|labels| wanted.iter().all(|label| label.holds(&labels))),
        }
    }
}

impl Allowance {
    /// Everything.
    pub fn whole() -> Self {
        Self {
            rights: Rights::ALL,
            feeds: Vec::new(),
            confinement: None,
        }
    }

    /// Whether `feed` is among its feeds.
    pub(crate) fn fits(&self, feed: &FeedName) -> bool {
        let patterns = &self.feeds;
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.fits(feed.as_str()))
    }

    /// Whether what `subject` is, and has as `labels`, may be read.
    pub(crate) fn shows<L: Deref<Target = Labels>>(
        &self,
        subject: &Subject,
        labels: impl FnOnce(&str) -> Option<L>,
    ) -> bool {
        let confinement = self.confinement.as_ref();
        self.is_unconfined() || confinement.is_none_or(|own| own.has(subject, labels))
    }

    /// Whether no feed and no subject is left out.
    pub fn is_unconfined(&self) -> bool {
        self.rights.has(Right::Admin) || (self.feeds.is_empty() && self.confinement.is_none())
    }
}

impl Grant {
    /// Everything in `project`.
    pub fn whole(project: ProjectName) -> Self {
        Self::new(project, Arc::new(Allowance::whole()))
    }

    /// What `allowance` says, in `project`.
    pub fn new(project: ProjectName, allowance: Arc<Allowance>) -> Self {
        let rights = allowance.rights;
        Self {
            project,
            allowance,
            rights,
        }
    }

    /// The same with those of its rights that are in `rights` too.
    #[must_use]
    pub fn narrowed(self, rights: Rights) -> Self {
        let rights = self.rights.and(rights);
        Self { rights, ..self }
    }

    /// The project it is for.
    pub fn project(&self) -> &ProjectName {
        &self.project
    }

    /// What may be done there.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// In which feeds and about whom, and with which rights at most.
    pub fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// Whether `right` is granted, maybe not everywhere in the project.
    pub fn require(&self, right: Right) -> Result<(), Forbidden> {
        let granted = self.rights.has(right);
        granted.then_some(()).ok_or(Forbidden::Right(right))
    }

    /// Whether an event about `subject`, which has `labels`, may be published to `feed`.
    pub(crate) fn require_publish<L: Deref<Target = Labels>>(
        &self,
        feed: &FeedName,
        subject: Option<&Subject>,
        labels: impl FnOnce(&str) -> Option<L>,
    ) -> Result<(), Forbidden> {
        // The server's own feeds and its own project are written by nobody else.
        if self.project.is_system() || feed.is_own() {
            return Err(Forbidden::Feed(feed.clone()));
        }
        let allowance = self.allowance();
        if allowance.is_unconfined() {
            return Ok(());
        }
        if !allowance.fits(feed) {
            return Err(Forbidden::Feed(feed.clone()));
        }
        let Some(confinement) = &allowance.confinement else {
            return Ok(());
        };
        let is_own = subject.is_some_and(|subject| confinement.has(subject, labels));
        is_own
            .then_some(())
            .ok_or_else(|| Forbidden::Subject(subject.cloned()))
    }

    /// Whether `right` is granted in every feed and about every subject.
    pub fn require_whole(&self, right: Right) -> Result<(), Forbidden> {
        self.require(right)?;
        let whole = self.allowance.is_unconfined();
        whole.then_some(()).ok_or(Forbidden::Confined)
    }
}
