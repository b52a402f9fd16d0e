//! Subjects that begin anew, when the process is killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use feedwire_engine::{Engine, Erasure, Limit, Log, Scope};
use feedwire_engine_local::{Local, Options};
use feedwire_event::{FeedName, Position, Subject};
use tokio::task::JoinSet;

use crate::folder;
use crate::kill::{feed, kill_one, number, project, raise, words};

const ROUNDS: usize = 3;
const SUBJECTS: usize = 4;
/// Appends and erasures that are acknowledged before the process is killed.
const ACKNOWLEDGED: usize = 150;

fn subject(name: &str) -> Subject {
    Subject::new(name).expect("a subject")
}

fn numbered(number: usize) -> Subject {
    subject(&format!("s{number:04}"))
}

fn of(feed: Option<FeedName>, subject: Option<Subject>, through: Position) -> Erasure {
    Erasure {
        feed,
        subject,
        through,
    }
}

async fn open(folder: &Path, options: Options) -> (Local, Arc<dyn Log>) {
    let engine = Local::open(folder, options).expect("it opens");
    let log = engine.log(&project()).await.expect("it opens");
    (engine, log)
}

async fn create(folder: &Path) {
    let engine = Local::open(folder, folder::options()).expect("it opens");
    engine.create(&project()).await.expect("it is created");
    engine.close().await;
}

async fn close(engine: Local, log: Arc<dyn Log>) {
    drop(log);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other test of this file runs it, and kills it"]
async fn a_process_that_appends_and_erases_until_it_is_killed() {
    let mut folder = String::new();
    std::io::stdin()
        .read_line(&mut folder)
        .expect("it is told where");
    if folder.is_empty() {
        return;
    }
    let (_engine, log) = open(Path::new(folder.trim_end()), folder::options()).await;
    let mut workers = JoinSet::new();
    for worker in 0..3 {
        workers.spawn(append_and_erase(Arc::clone(&log), worker));
    }
    workers.join_all().await;
}

/// Appends to all subjects and erases one of them, again and again.
async fn append_and_erase(log: Arc<dyn Log>, worker: usize) {
    for round in worker.. {
        for number in 0..SUBJECTS {
            let subject = numbered(number);
            // Another worker may be faster.
            if let Some(appended) = raise(&*log, &subject).await {
                println!("\nacknowledged append {subject} {}", appended.last);
            }
        }
        let subject = numbered(round % SUBJECTS);
        let through = log.given();
        // In its feed, or in every one, which comes to the same here.
        let feed = round.is_multiple_of(2).then(feed);
        let erasure = of(feed, Some(subject.clone()), through);
        log.erase(&erasure).await.expect("it is erased");
        println!("\nacknowledged erasure {subject} {through}");
    }
}

/// The batches of each subject that are in the log: positions of their last events, and versions.
async fn batches(log: &dyn Log) -> BTreeMap<String, Vec<(u64, u64)>> {
    let limit = Limit {
        records: usize::MAX,
        bytes: usize::MAX,
    };
    let mut found: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    let mut after = Position::ZERO;
    while after < log.bounds().last {
        let chunk = log.read(&Scope::all(), after, limit).await;
        let chunk = chunk.expect("it is read");
        let last = chunk.records.iter().filter(|r| r.stamp().place.is_last());
        for record in last {
            let name = record.subject().expect("all have one").to_owned();
            let batch = (record.position().get(), record.stamp().version.0);
            found.entry(name).or_default().push(batch);
        }
        after = chunk.through;
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_does_not_come_back_when_the_process_is_killed() {
    let place = tempfile::tempdir().expect("a folder");
    create(place.path()).await;
    for _ in 0..ROUNDS {
        let name = "erasing::a_process_that_appends_and_erases_until_it_is_killed";
        let acknowledged = kill_one(name, place.path(), ACKNOWLEDGED);
        let (engine, log) = open(place.path(), folder::options()).await;
        let found = batches(&*log).await;
        for which in 0..SUBJECTS {
            let subject = numbered(which);
            let left = found.get(subject.as_str()).map_or(&[][..], Vec::as_slice);
            // An erasure in the middle may have begun it anew, and left what was before.
            let follows = |pair: &[(u64, u64)]| [1, pair[0].1 + 1].contains(&pair[1].1);
            assert!(left.windows(2).all(follows), "{subject}: {left:?}");
            let head = log.subject(&feed(), &subject).await.expect("looked up");
            let stands = head.map(|head| (head.position.get(), head.version.0));
            let last_of = |what: &str| {
                let said = acknowledged.iter().map(|line| words(line));
                let of_it = said.filter(|[did, name, _]| *did == what && *name == subject.as_str());
                of_it.map(|[_, _, position]| number(position)).max()
            };
            let through = last_of("erasure").expect("each was erased");
            let is_behind = |(position, _): &(u64, u64)| *position > through;
            assert!(left.iter().chain(&stands).all(is_behind), "{subject}");
            // It has begun anew, or it is where it was, with its last events or without them.
            let appended = last_of("append").expect("each was appended");
            let is_there = stands.is_none_or(|(position, _)| position >= appended);
            assert!(is_there, "{subject} is at {stands:?} and was at {appended}");
            if let Some(last) = left.last() {
                assert_eq!(stands, Some(*last), "{subject}");
            }
            let raised = raise(&*log, &subject).await.expect("nobody else appends");
            assert_eq!(raised.versions[0].0, stands.map_or(0, |(_, v)| v) + 1);
        }
        close(engine, log).await;
    }
}
