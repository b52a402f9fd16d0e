//! Turns: one at a time for each name, whatever happens to other names.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// What there are turns at.
pub(crate) trait Name: Clone + Debug + Eq + Hash {}

impl<K: Clone + Debug + Eq + Hash> Name for K {}

type Waiting = Arc<tokio::sync::Mutex<()>>;

/// Who has the turn at a name, and who waits for it. Names at which nobody is take no memory.
#[derive(Debug)]
pub(crate) struct Turns<K>(Arc<Mutex<HashMap<K, Waiting>>>);

/// A turn at a name, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<K: Name> {
    turns: Turns<K>,
    name: K,
    /// Gone only while this is dropped.
    held: Option<OwnedMutexGuard<()>>,
}

impl<K> Clone for Turns<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Name> Turns<K> {
    /// Waits for the turn at `name`, in the order of asking.
    pub(crate) async fn take(&self, name: &K) -> Turn<K> {
        let place = self.place(name);
        let held = Arc::clone(&place.waiting).lock_owned().await;
        self.turn(name, held)
    }

    /// The turn at `name`, if nobody has it.
    pub(crate) fn try_take(&self, name: &K) -> Option<Turn<K>> {
        let place = self.place(name);
        let held = Arc::clone(&place.waiting).try_lock_owned().ok()?;
        Some(self.turn(name, held))
    }

    fn turn(&self, name: &K, held: OwnedMutexGuard<()>) -> Turn<K> {
        Turn {
            turns: self.clone(),
            name: name.clone(),
            held: Some(held),
        }
    }

    fn place<'a>(&'a self, name: &'a K) -> Place<'a, K> {
        Place {
            turns: self,
            name,
            waiting: Arc::clone(self.0.lock().entry(name.clone()).or_default()),
        }
    }

    /// Removes `name` if nobody is there.
    fn leave(&self, name: &K) {
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
struct Place<'a, K: Name> {
    turns: &'a Turns<K>,
    name: &'a K,
    waiting: Waiting,
}

impl<K: Name> Drop for Place<'_, K> {
    fn drop(&mut self) {
        self.waiting = Waiting::default();
        self.turns.leave(self.name);
    }
}

impl<K: Name> Drop for Turn<K> {
    fn drop(&mut self) {
        drop(self.held.take());
        self.turns.leave(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use feedwire_event::ProjectName;

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
