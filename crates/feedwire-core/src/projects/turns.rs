//! Turns: one at a time for each name, whatever happens to other names.

use std::collections::HashMap;
use std::sync::Arc;

use feedwire_event::ProjectName;
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

type Waiting = Arc<tokio::sync::Mutex<()>>;

/// Who has the turn at a name, and who waits for it. Names at which nobody is take no memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<ProjectName, Waiting>>>);

/// A turn at a name, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    name: ProjectName,
    /// Gone only while this is dropped.
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn at `name`, in the order of asking.
    pub(super) async fn take(&self, name: &ProjectName) -> Turn {
        let place = self.place(name);
        let held = Arc::clone(&place.waiting).lock_owned().await;
        self.turn(name, held)
    }

    /// The turn at `name`, if nobody has it.
    pub(super) fn try_take(&self, name: &ProjectName) -> Option<Turn> {
        let place = self.place(name);
        let held = Arc::clone(&place.waiting).try_lock_owned().ok()?;
        Some(self.turn(name, held))
    }

    fn turn(&self, name: &ProjectName, held: OwnedMutexGuard<()>) -> Turn {
        Turn {
            turns: self.clone(),
            name: name.clone(),
            held: Some(held),
        }
    }

    fn place<'a>(&'a self, name: &'a ProjectName) -> Place<'a> {
        Place {
            turns: self,
            name,
            waiting: Arc::clone(self.0.lock().entry(name.clone()).or_default()),
        }
    }

    /// Removes `name` if nobody is there.
    fn leave(&self, name: &ProjectName) {
        let mut names = self.0.lock();
        if names
            .get(name)
            .is_some_and(|waiting| Arc::strong_count(waiting) == 1)
        {
            names.remove(name);
        }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

/// Somebody who waits, and may go away before it is their turn.
struct Place<'a> {
    turns: &'a Turns,
    name: &'a ProjectName,
    waiting: Waiting,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting = Waiting::default();
        self.turns.leave(self.name);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.held.take());
        self.turns.leave(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn name(text: &str) -> ProjectName {
        ProjectName::new(text).expect("a name")
    }

    #[tokio::test]
    async fn one_has_the_turn_at_a_name_and_others_wait_for_it() {
        let turns = Turns::default();
        let (a, b) = (name("a"), name("b"));
        let first = turns.take(&a).await;
        assert!(turns.try_take(&a).is_none());
        drop(turns.try_take(&b).expect("nobody is there"));
        let (second, ()) = tokio::join!(turns.take(&a), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert!(turns.try_take(&a).is_none());
        drop(second);
        assert!(turns.is_empty());
    }

    #[tokio::test]
    async fn who_goes_away_while_waiting_leaves_nothing() {
        let turns = Turns::default();
        let a = name("a");
        let first = turns.take(&a).await;
        {
            let mut gone = pin!(turns.take(&a));
            let waits = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(gone.as_mut().poll(cx).is_pending())
            });
            assert!(waits.await);
        }
        drop(first);
        assert!(turns.is_empty());
        drop(turns.take(&a).await);
    }
}
