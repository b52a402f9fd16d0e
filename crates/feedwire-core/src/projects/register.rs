//! The register: every project by its name, in memory, with what is kept of it.

use std::collections::BTreeMap;
use std::ops::Bound;

use feedwire_engine::{Engine, Unavailable};
use feedwire_event::ProjectName;
use parking_lot::RwLock;

use super::record::{self, Record};
use super::{create, delete};
use crate::limits::PROJECTS_BELOW_MAX;
use crate::store;

/// Every project there is, and those that are being made or deleted.
#[derive(Debug)]
pub(super) struct Register(RwLock<BTreeMap<ProjectName, Listing>>);

#[derive(Debug)]
struct Listing {
    stage: Stage,
    record: Record,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is being made: its name is taken and it keeps its parent, and nobody can use it yet.
    Making,
    There,
    /// It is being deleted: its name is still taken, and nobody can use it any more.
    Leaving,
}

/// The project that `name` is below, and that is below none.
fn top(name: &ProjectName) -> ProjectName {
    let (first, _) = name.as_str().split_once('.').unwrap_or((name.as_str(), ""));
    ProjectName::new(first).expect("what begins a name is one")
}

/// The projects below `name`.
fn below<'l>(
    listings: &'l BTreeMap<ProjectName, Listing>,
    name: &ProjectName,
) -> impl Iterator<Item = &'l ProjectName> + use<'l> {
    let prefix = format!("{name}.");
    let from = (Bound::Included(&*prefix), Bound::Unbounded);
    let behind = listings.range::<str, _>(from).map(|(other, _)| other);
    behind.take_while(move |other| other.as_str().starts_with(&prefix))
}

impl Register {
    /// Reads what `engine` has.
    pub(super) async fn load(engine: &dyn Engine) -> Result<Self, Unavailable> {
        let there = |name| {
            let (stage, record) = (Stage::There, Record::default());
            (name, Listing { stage, record })
        };
        let names = engine.projects().await?.into_iter();
        let mut listings: BTreeMap<_, _> = names.map(there).collect();
        store::each(&*engine.primary(), &record::space(), |key, value| {
            let name = std::str::from_utf8(&key).ok();
            if let Some(listing) = name.and_then(|name| listings.get_mut(name)) {
                listing.record = Record::decode(&key, value)?;
            }
            Ok(())
        })
        .await?;
        Ok(Self(RwLock::new(listings)))
    }

    pub(super) fn names(&self) -> Vec<ProjectName> {
        let listings = self.0.read();
        let there = listings
            .iter()
            .filter(|(_, listing)| listing.stage == Stage::There);
        there.map(|(name, _)| name.clone()).collect()
    }

    /// What is kept of the project `name`, if it is there.
    pub(super) fn record(&self, name: &ProjectName) -> Option<Record> {
        let listings = self.0.read();
        let listing = listings
            .get(name)
            .filter(|listing| listing.stage == Stage::There);
        listing.map(|listing| listing.record)
    }

    /// Whether the project `name`, or one that it is below, is put away.
    pub(super) fn is_away(&self, name: &ProjectName) -> bool {
        let listings = self.0.read();
        let name = name.as_str();
        let parents = name.match_indices('.').map(|(dot, _)| &name[..dot]);
        let mut each = parents.chain([name]);
        each.any(|name| {
            let listing = listings.get(name);
            listing.is_some_and(|listing| listing.record.away_since.is_some())
        })
    }

    /// The project `name` and those below it.
    pub(super) fn with_below(&self, name: &ProjectName) -> Vec<ProjectName> {
        let listings = self.0.read();
        let below = below(&listings, name).cloned();
        [name.clone()].into_iter().chain(below).collect()
    }

    /// Says what is kept of a project that is there.
    pub(super) fn set(&self, name: &ProjectName, record: Record) {
        if let Some(listing) = self.0.write().get_mut(name) {
            listing.record = record;
        }
    }

    /// Takes the name of a project that is being made. Its parent stays until it is [settled](Register::settle).
    pub(super) fn begin(&self, name: &ProjectName, record: Record) -> Result<(), create::Error> {
        let mut listings = self.0.write();
        if listings.contains_key(name) {
            return Err(create::Error::Exists(name.clone()));
        }
        if name.as_str().contains('.') {
            let parent = name.parent();
            let listing = parent.as_ref().and_then(|parent| listings.get(parent));
            if listing.is_none_or(|listing| listing.stage != Stage::There) {
                return Err(create::Error::NoParent(name.clone()));
            }
            let top = top(name);
            if below(&listings, &top).count() >= PROJECTS_BELOW_MAX {
                return Err(create::Error::TooMany(top));
            }
        }
        let stage = Stage::Making;
        listings.insert(name.clone(), Listing { stage, record });
        Ok(())
    }

    /// Takes away a project that is being deleted; its name stays taken until it is [settled](Register::settle).
    pub(super) fn leave(&self, name: &ProjectName) -> Result<(), delete::Error> {
        let mut listings = self.0.write();
        let below = format!("{name}.");
        if listings
            .keys()
            .any(|other| other.as_str().starts_with(&below))
        {
            return Err(delete::Error::HasChildren(name.clone()));
        }
        match listings.get_mut(name) {
            Some(listing) if listing.stage == Stage::There => {
                listing.stage = Stage::Leaving;
                Ok(())
            }
            Some(_) | None => Err(delete::Error::Unknown(name.clone())),
        }
    }

    /// What was begun has ended, and the project `is_there` or not.
    pub(super) fn settle(&self, name: &ProjectName, is_there: bool) {
        let mut listings = self.0.write();
        if !is_there {
            listings.remove(name);
        } else if let Some(listing) = listings.get_mut(name) {
            listing.stage = Stage::There;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ProjectName {
        ProjectName::new(text).expect("a name")
    }

    #[test]
    fn there_are_so_many_below_one_at_the_top_and_as_many_below_another() {
        let there = |text: String| {
            let (stage, record) = (Stage::There, Record::default());
            (name(&text), Listing { stage, record })
        };
        // At whatever depth.
        let below = (1..PROJECTS_BELOW_MAX).map(|number| match number % 2 {
            0 => format!("a.{number}"),
            _ => format!("a.0.{number}"),
        });
        let tops = ["a", "ab", "a-b", "a.0"].map(str::to_owned);
        let listings = tops.into_iter().chain(below).map(there);
        let register = Register(RwLock::new(listings.collect()));
        let make = |text: &str| register.begin(&name(text), Record::default());

        let full = make("a.0.one-more");
        assert!(matches!(full, Err(create::Error::TooMany(top)) if top == name("a")));
        make("ab.1").expect("that is below another");
        make("b").expect("it is below none");
        register.settle(&name("a.2"), false);
        make("a.0.one-more").expect("there is room again");
    }
}
