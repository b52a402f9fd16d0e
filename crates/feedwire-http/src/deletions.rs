//! Deletions that were asked for and are to be confirmed.

use std::collections::HashMap;
use std::time::Duration;

use feedwire_event::{Attribute, EventId, FeedName, ProjectName, Subject, Timestamp};
use parking_lot::Mutex;

/// How long a deletion can be confirmed after it was asked for.
const TIME_TO_CONFIRM: Duration = Duration::from_mins(10);

/// Most deletions of a project that wait, or of what is in it. Beyond them the one that waits longest is forgotten.
const WAITING_MAX: usize = 1_000;

/// What is to be deleted: a project, or in it a feed, or of that one subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Doomed {
    pub(crate) project: ProjectName,
    pub(crate) feed: Option<FeedName>,
    pub(crate) subject: Option<Subject>,
}

impl Doomed {
    /// All of `project`.
    pub(crate) fn project(project: &ProjectName) -> Self {
        Self {
            project: project.clone(),
            feed: None,
            subject: None,
        }
    }
}

/// The tokens of what is to be deleted, one each, by project.
#[derive(Debug, Default)]
pub(crate) struct Deletions(Mutex<HashMap<ProjectName, HashMap<Doomed, Waiting>>>);

#[derive(Debug)]
struct Waiting {
    token: EventId,
    until: Timestamp,
}

impl Deletions {
    /// Has the deletion of `doomed` confirmed by `token`, until the time that is returned.
    pub(crate) fn ask(&self, doomed: Doomed, token: EventId, now: Timestamp) -> Timestamp {
        let mut projects = self.0.lock();
        projects.retain(|_, waiting| waiting.values().any(|one| now < one.until));
        let waiting = projects.entry(doomed.project.clone()).or_default();
        waiting.retain(|_, one| now < one.until);
        let until = now.after(TIME_TO_CONFIRM);
        if waiting.len() >= WAITING_MAX {
            let first = waiting.iter().min_by_key(|(_, one)| one.until);
            let first = first.map(|(doomed, _)| doomed.clone());
            first.and_then(|doomed| waiting.remove(&doomed));
        }
        waiting.insert(doomed, Waiting { token, until });
        until
    }

    /// Whether `token` confirms the deletion of `doomed`; it does so once.
    pub(crate) fn take(&self, token: &str, doomed: &Doomed, now: Timestamp) -> bool {
        let mut projects = self.0.lock();
        let Some(waiting) = projects.get_mut(&doomed.project) else {
            return false;
        };
        let confirms = |one: &Waiting| one.token.as_str() == token && now < one.until;
        if !waiting.get(doomed).is_some_and(confirms) {
            return false;
        }
        waiting.remove(doomed);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn project(text: &str) -> Doomed {
        Doomed::project(&ProjectName::new(text).expect("a name"))
    }

    fn token(text: &str) -> EventId {
        EventId::new(text).expect("an id")
    }

    #[test]
    fn a_token_confirms_its_own_deletion_in_time_and_once() {
        let deletions = Deletions::default();
        let until = deletions.ask(project("a"), token("t"), at(0));
        assert_eq!(until, at(600));
        assert!(!deletions.take("t", &project("b"), at(1)));
        let feed = Doomed {
            feed: FeedName::new("f").ok(),
            ..project("a")
        };
        assert!(!deletions.take("t", &feed, at(1)));
        assert!(!deletions.take("x", &project("a"), at(1)));
        assert!(!deletions.take("t", &project("a"), until));
        assert!(deletions.take("t", &project("a"), at(599)));
        assert!(!deletions.take("t", &project("a"), at(599)));
    }

    #[test]
    fn a_second_question_takes_the_place_of_the_first() {
        let deletions = Deletions::default();
        deletions.ask(project("a"), token("first"), at(0));
        deletions.ask(project("a"), token("second"), at(1));
        assert!(!deletions.take("first", &project("a"), at(2)));
        assert!(deletions.take("second", &project("a"), at(2)));
    }

    #[test]
    fn of_too_many_in_a_project_the_oldest_is_forgotten() {
        let deletions = Deletions::default();
        deletions.ask(project("b"), token("t"), at(0));
        let feed = |number: usize| Doomed {
            feed: FeedName::new(&format!("f{number}")).ok(),
            ..project("a")
        };
        for number in 0..=WAITING_MAX {
            let seconds = i64::try_from(number).expect("it is small") / 10;
            deletions.ask(feed(number), token("t"), at(seconds));
        }
        assert_eq!(deletions.0.lock()[&feed(0).project].len(), WAITING_MAX);
        assert!(deletions.take("t", &feed(WAITING_MAX), at(100)));
        assert!(deletions.take("t", &project("b"), at(100)));
    }
}
