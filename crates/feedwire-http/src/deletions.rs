//! Deletions that were asked for and are to be confirmed.

use std::collections::HashMap;
use std::time::Duration;

use feedwire_event::{Attribute, EventId, ProjectName, Timestamp};
use parking_lot::Mutex;

/// How long a deletion can be confirmed after it was asked for.
const TIME_TO_CONFIRM: Duration = Duration::from_mins(10);

/// Most projects whose deletion waits. Beyond them the one that waits longest is forgotten.
const WAITING_MAX: usize = 1_000;

/// The tokens of what is to be deleted, one a project.
#[derive(Debug, Default)]
pub(crate) struct Deletions(Mutex<HashMap<ProjectName, Waiting>>);

#[derive(Debug)]
struct Waiting {
    token: EventId,
    until: Timestamp,
}

impl Deletions {
    /// Has the deletion of `project` confirmed by `token`, until the time that is returned.
    pub(crate) fn ask(&self, project: &ProjectName, token: EventId, now: Timestamp) -> Timestamp {
        let mut waiting = self.0.lock();
        waiting.retain(|_, one| now < one.until);
        let until = now.after(TIME_TO_CONFIRM);
        if waiting.len() >= WAITING_MAX {
            let first = waiting.iter().min_by_key(|(_, one)| one.until);
            let first = first.map(|(project, _)| project.clone());
            first.and_then(|project| waiting.remove(&project));
        }
        waiting.insert(project.clone(), Waiting { token, until });
        until
    }

    /// Whether `token` confirms the deletion of `project`; it does so once.
    pub(crate) fn take(&self, token: &str, project: &ProjectName, now: Timestamp) -> bool {
        let mut waiting = self.0.lock();
        let confirms = |one: &Waiting| one.token.as_str() == token && now < one.until;
        if !waiting.get(project).is_some_and(confirms) {
            return false;
        }
        waiting.remove(project);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn project(text: &str) -> ProjectName {
        ProjectName::new(text).expect("a name")
    }

    fn token(text: &str) -> EventId {
        EventId::new(text).expect("an id")
    }

    #[test]
    fn a_token_confirms_its_own_project_in_time_and_once() {
        let deletions = Deletions::default();
        let until = deletions.ask(&project("a"), token("t"), at(0));
        assert_eq!(until, at(600));
        assert!(!deletions.take("t", &project("b"), at(1)));
        assert!(!deletions.take("x", &project("a"), at(1)));
        assert!(!deletions.take("t", &project("a"), until));
        assert!(deletions.take("t", &project("a"), at(599)));
        assert!(!deletions.take("t", &project("a"), at(599)));
    }

    #[test]
    fn a_second_question_takes_the_place_of_the_first() {
        let deletions = Deletions::default();
        deletions.ask(&project("a"), token("first"), at(0));
        deletions.ask(&project("a"), token("second"), at(1));
        assert!(!deletions.take("first", &project("a"), at(2)));
        assert!(deletions.take("second", &project("a"), at(2)));
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten() {
        let deletions = Deletions::default();
        for number in 0..=WAITING_MAX {
            let seconds = i64::try_from(number).expect("it is small") / 10;
            deletions.ask(&project(&format!("p{number}")), token("t"), at(seconds));
        }
        assert_eq!(deletions.0.lock().len(), WAITING_MAX);
        assert!(deletions.take("t", &project(&format!("p{WAITING_MAX}")), at(100)));
    }
}
