//! Whom a publish wakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use super::world::{EVERYTHING, World, filter, next};
use crate::{Reader, Start};

#[derive(Debug, Default)]
pub(super) struct Wakes(pub(super) AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Lets every reader wait once, with one count of how often any of them is woken.
pub(super) fn wait(readers: &mut [Reader], wakes: &Arc<Wakes>) {
    let counted = Waker::from(wakes.clone());
    for reader in readers {
        let mut next = std::pin::pin!(reader.next(EVERYTHING));
        assert!(
            next.as_mut()
                .poll(&mut Context::from_waker(&counted))
                .is_pending()
        );
    }
}

#[tokio::test]
async fn of_ten_thousand_readers_only_those_that_an_event_concerns_are_woken() {
    let world = World::new().await;
    let mut readers = Vec::new();
    for number in 0..10_000 {
        let filter = filter(&format!(";;s{number}"));
        readers.push(world.follow(Start::Now, filter).await.expect("a reader"));
    }
    let wakes = Arc::default();
    wait(&mut readers, &wakes);

    let mut witness = world
        .follow(Start::Now, filter(""))
        .await
        .expect("a reader");
    world
        .publish(&["a/x/s7", "a/x/s7", "a/x/s9", "a/x/other", "a/x"])
        .await;
    assert_eq!(next(&mut witness, EVERYTHING).await, [1, 2, 3, 4, 5]);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 2);
    assert_eq!(next(&mut readers[7], EVERYTHING).await, [1, 2]);
    assert_eq!(next(&mut readers[9], EVERYTHING).await, [3]);
    assert_eq!(
        readers[8].cursor().0.get(),
        5,
        "a reader that nothing concerns moves on too"
    );
}

#[tokio::test]
async fn a_reader_is_woken_once_however_much_comes_before_it_reads() {
    let world = World::new().await;
    let mut readers = [world
        .follow(Start::Now, filter("a"))
        .await
        .expect("a reader")];
    let wakes = Arc::default();
    wait(&mut readers, &wakes);
    let mut witness = world
        .follow(Start::Now, filter(""))
        .await
        .expect("a reader");
    for position in 1..=10 {
        world.publish(&["a/x"]).await;
        assert_eq!(next(&mut witness, EVERYTHING).await, [position]);
    }
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert_eq!(
        next(&mut readers[0], EVERYTHING).await,
        (1..=10).collect::<Vec<_>>()
    );
}
