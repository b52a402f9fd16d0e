//! Whom the subscription index finds, against a model that holds every event against every filter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use feedwire_event::{Labels, Subject};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::waking::{Wakes, wait};
use super::world::{EVERYTHING, World, filter, next};
use crate::Start;

const SUBJECTS: [&str; 4] = ["1", "2", "3", "4"];
const KEYS: [&str; 3] = ["floor", "room", "zone"];
const VALUES: [&str; 2] = ["a", "b"];

/// The labels of each subject, in their order.
type Labelled = Vec<BTreeMap<&'static str, &'static str>>;

/// A label by its key, with a value or any.
type Asked = (&'static str, Option<&'static str>);

/// The types of events that let those through that have no label of a key.
type Told = Option<(&'static str, Vec<&'static str>)>;

/// What a reader of the model asks for.
#[derive(Clone, Debug)]
struct Wanted {
    feeds: Vec<&'static str>,
    types: Vec<&'static str>,
    subjects: Vec<&'static str>,
    groups: Vec<(Vec<Asked>, Told)>,
    /// Whether it goes away before anything is published.
    leaves: bool,
}

/// An event of the model.
#[derive(Clone, Copy, Debug)]
struct Published {
    feed: &'static str,
    ty: &'static str,
    subject: Option<usize>,
}

fn few<const N: usize>(of: [&'static str; N]) -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![3 => Just(Vec::new()), 1 => subsequence(of.to_vec(), 1..=N)]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let label = (
        select(KEYS.to_vec()),
        prop::option::of(select(VALUES.to_vec())),
    );
    let types = subsequence(vec!["x", "y", "z"], 1..=3);
    let told = prop::option::weighted(0.3, (select(KEYS.to_vec()), types));
    let groups = vec((vec(label, 1..4), told), 0..3);
    let filter = (few(["a", "b"]), few(["x", "y"]), few(SUBJECTS), groups);
    (filter, any::<bool>()).prop_map(|((feeds, types, subjects, groups), leaves)| Wanted {
        feeds,
        types,
        subjects,
        groups,
        leaves,
    })
}

fn labelled() -> impl Strategy<Value = Labelled> {
    let labels = btree_map(
        select(KEYS.to_vec()),
        select(VALUES.to_vec()),
        0..=KEYS.len(),
    );
    vec(labels, SUBJECTS.len())
}

fn published() -> impl Strategy<Value = Published> {
    let subject = prop::option::weighted(0.9, 0..SUBJECTS.len());
    (
        select(vec!["a", "b", "c"]),
        select(vec!["x", "y", "z"]),
        subject,
    )
        .prop_map(|(feed, ty, subject)| Published { feed, ty, subject })
}

impl Wanted {
    fn text(&self) -> String {
        let label = |(key, value): &Asked| match value {
            Some(value) => format!("{key}={value}"),
            None => (*key).to_owned(),
        };
        let group = |(labels, told): &(Vec<Asked>, Told)| {
            let types = told
                .iter()
                .flat_map(|(key, types)| types.iter().map(move |ty| (key, ty)));
            let told = types.map(|(key, ty)| format!("{ty}@{key}"));
            let parts: Vec<_> = labels.iter().map(label).chain(told).collect();
            parts.join("|")
        };
        let lists = [&self.feeds, &self.types, &self.subjects].map(|list| list.join(","));
        let groups: Vec<_> = self.groups.iter().map(group).collect();
        format!("{};{}", lists.join(";"), groups.join(","))
    }

    fn passes(&self, event: Published, labelled: &Labelled) -> bool {
        let of = |list: &[&str], name: &str| list.is_empty() || list.contains(&name);
        let subject = event.subject.map(|index| SUBJECTS[index]);
        let labels = event.subject.map(|index| &labelled[index]);
        let has = |(key, value): &Asked| {
            let there = labels.and_then(|labels| labels.get(key));
            there.is_some_and(|there| value.is_none_or(|value| value == *there))
        };
        of(&self.feeds, event.feed)
            && of(&self.types, event.ty)
            && (self.subjects.is_empty() || subject.is_some_and(|s| self.subjects.contains(&s)))
            && self.groups.iter().all(|(labels_of, told)| {
                let is_told = told.as_ref().is_some_and(|(key, types)| {
                    types.contains(&event.ty)
                        && labels.is_some_and(|labels| !labels.contains_key(key))
                });
                labels_of.iter().any(has) || is_told
            })
    }
}

async fn set(world: &World, labelled: &Labelled) {
    for (subject, labels) in SUBJECTS.iter().zip(labelled) {
        let subject = Subject::new(subject).expect("a subject");
        let pairs = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let labels = Labels::new(pairs.collect()).expect("labels");
        let set = world.core.set_labels(&world.grant, subject, labels, None);
        set.await.expect("set");
    }
}

async fn run(readers: Vec<Wanted>, labelled: [Labelled; 2], events: Vec<Published>) {
    let world = World::new().await;
    let [before, labelled] = labelled;
    set(&world, &before).await;
    let mut waiting = Vec::new();
    for wanted in readers {
        let reader = world.follow(Start::Now, filter(&wanted.text())).await;
        let mut reader = [reader.expect("a reader")];
        let wakes: Arc<Wakes> = Arc::default();
        wait(&mut reader, &wakes);
        waiting.push((wanted, reader, wakes));
    }
    waiting.retain(|(wanted, ..)| !wanted.leaves);
    set(&world, &labelled).await;
    let witness = world.follow(Start::Now, filter("")).await;
    let text = |event: &Published| {
        let subject = event.subject.map_or("", |index| SUBJECTS[index]);
        format!("{}/{}/{subject}", event.feed, event.ty)
    };
    let texts: Vec<_> = events.iter().map(text).collect();
    world
        .publish(&texts.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    let all = next(&mut witness.expect("a reader"), EVERYTHING).await;
    assert_eq!(all.len(), events.len());
    for (wanted, [mut reader], wakes) in waiting {
        let passing = (1..)
            .zip(&events)
            .filter(|(_, event)| wanted.passes(**event, &labelled));
        let passing: Vec<u64> = passing.map(|(position, _)| position).collect();
        let woken = usize::from(!passing.is_empty());
        assert_eq!(wakes.0.load(Ordering::SeqCst), woken, "{wanted:?}");
        if woken == 1 {
            assert_eq!(next(&mut reader, EVERYTHING).await, passing, "{wanted:?}");
        }
    }
}

proptest! {
    #[test]
    fn exactly_those_are_woken_whose_filter_lets_an_event_through(
        readers in vec(wanted(), 1..20),
        labelled in [labelled(), labelled()],
        events in vec(published(), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(run(readers, labelled, events));
    }
}
