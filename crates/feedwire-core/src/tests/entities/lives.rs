//! Random lives of entities: whoever writes, whatever crashes, the states are what the events say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use feedwire_engine::memory::Memory;
use proptest::prelude::*;
use tokio::task::JoinSet;

use super::super::ailing::Ailing;
use super::super::erasing::erase;
use super::*;
use crate::projects::Bounds;

const SUBJECTS: u8 = 4;

/// What happens.
#[derive(Clone, Debug)]
enum Deed {
    /// Writers change entities at the same time, each one entity after the other.
    Change(Vec<Writer>),
    /// The views take nothing from now on, or take everything again.
    Views(bool),
    /// A feed or a subject is erased.
    Erase(Option<u8>),
    /// Everything in memory is lost while writers are at it, so many steps of theirs later.
    Crash(Vec<Writer>, u8),
}

/// What one writer makes of entities, one after the other.
type Writer = Vec<(u8, String)>;

fn deed() -> impl Strategy<Value = Deed> {
    let state = prop_oneof![
        3 => (0..3_u8, 0..3_u8).prop_map(|(x, y)| format!("{{\"x\":{x},\"y\":{{\"z\":{y}}}}}")),
        2 => (0..3_u8).prop_map(|x| format!("~{{\"x\":{x},\"w\":null}}")),
        1 => (0..3_u8).prop_map(|w| format!("~{{\"x\":null,\"w\":{w}}}")),
        2 => Just(String::new()),
    ];
    let writer = prop::collection::vec((0..SUBJECTS, state), 1..6);
    let writers = prop::collection::vec(writer, 1..4);
    prop_oneof![
        6 => writers.clone().prop_map(Deed::Change),
        1 => any::<bool>().prop_map(Deed::Views),
        1 => prop::option::of(0..SUBJECTS).prop_map(Deed::Erase),
        2 => (writers, 0..30_u8).prop_map(|(writers, steps)| Deed::Crash(writers, steps)),
    ]
}

/// What the events of the log make of the entities, one after the other.
async fn folded(world: &World) -> Vec<String> {
    let mut states = BTreeMap::new();
    let mut reader = world
        .follow_until(Start::Beginning, filter(""), Until::Now)
        .await;
    while let Step::Events(delivery) = reader.next(EVERYTHING).await.expect("events") {
        for event in delivery.events {
            let record = event.record();
            let key = record.subject().expect("a subject").to_owned();
            let before = states.get(&key);
            match (record.ty(), text(record)) {
                ("create", state) => {
                    assert_eq!(before, None, "one that is there is made");
                    states.insert(key, state);
                }
                ("update", state) => {
                    assert!(
                        before.is_some_and(|before| *before != state),
                        "nothing changed"
                    );
                    states.insert(key, state);
                }
                ("delete", state) => {
                    assert!(
                        before.is_some() && state.is_empty(),
                        "what is not there is deleted"
                    );
                    states.remove(&key);
                }
                (ty, _) => panic!("nobody published {ty}"),
            }
        }
    }
    states
        .iter()
        .map(|(subject, state)| format!("a/{subject} {state}"))
        .collect()
}

fn write_all(world: &Arc<World>, writers: Vec<Writer>) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for writer in writers {
        let world = Arc::clone(world);
        all.spawn(async move {
            for (subject, text) in writer {
                let write = write(&format!("a/{subject}"), &text);
                try_change(&world, write).await.expect("changed");
            }
        });
    }
    all
}

/// Lives through `deeds` up to the next crash, or to the end.
async fn live(engine: Arc<Ailing>, deeds: &mut impl Iterator<Item = Deed>) {
    let world = Arc::new(World::within(engine.clone(), Bounds::default()).await);
    assert_eq!(listed(&world, "a", 2).await, folded(&world).await);
    for deed in deeds {
        match deed {
            Deed::Change(writers) => {
                let mut all = write_all(&world, writers);
                while let Some(done) = all.join_next().await {
                    done.expect("a writer");
                }
            }
            Deed::Views(keeps) => {
                engine.ailments.keeps_views.store(keeps, Ordering::SeqCst);
            }
            Deed::Erase(subject) => {
                let subject = subject.map(|subject| subject.to_string());
                erase(&world, Some("a"), subject.as_deref()).await;
            }
            Deed::Crash(writers, steps) => {
                let _writing = write_all(&world, writers);
                for _ in 0..steps {
                    tokio::task::yield_now().await;
                }
                engine.ailments.keeps_views.store(false, Ordering::SeqCst);
                return;
            }
        }
        assert_eq!(listed(&world, "a", 2).await, folded(&world).await);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_states_are_the_fold_of_the_events(deeds in prop::collection::vec(deed(), 1..12)) {
        let engine = Ailing::over(Memory::new());
        let mut deeds = deeds.into_iter().peekable();
        while deeds.peek().is_some() {
            // What runs in one goes with it.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .expect("a runtime");
            runtime.block_on(live(Arc::clone(&engine), &mut deeds));
        }
    }
}
