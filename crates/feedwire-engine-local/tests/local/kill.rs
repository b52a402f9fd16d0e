//! A process that is killed while it appends: what it was told is there, and versions go on from there.
//!
//! The process is this test program itself, asked for [`a_process_that_appends_until_it_is_killed`].

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::{
    AppendError, Appended, Batch, Engine, Expectation, Expected, Limit, Log, NewRecord, Scope,
};
use feedwire_engine_local::Local;
use feedwire_event::{FeedName, Position, ProjectName, Subject, Timestamp, TypeName, Version};
use tokio::task::JoinSet;

use crate::folder;

const ROUNDS: usize = 4;
const WRITERS: usize = 4;
const SUBJECTS: usize = 6;
/// Appends that are acknowledged before the process is killed.
const ACKNOWLEDGED: usize = 150;

pub(crate) fn project() -> ProjectName {
    ProjectName::new("p").expect("a name")
}

pub(crate) fn feed() -> FeedName {
    FeedName::new("f").expect("a name")
}

fn batch(subject: &Subject, expected: Version) -> Batch {
    let record = NewRecord {
        feed: feed(),
        ty: TypeName::new("t").expect("a name"),
        subject: Some(subject.clone()),
        time: None,
        payload: Bytes::from_static(&[b'x'; 100]),
    };
    let expectation = Expectation {
        feed: feed(),
        subject: subject.clone(),
        expected: Expected::Version(expected),
    };
    Batch::new(vec![record; 3], vec![expectation]).expect("a batch")
}

/// Appends to `subject` as one that read its head before; `None` when another was faster.
pub(crate) async fn raise(log: &dyn Log, subject: &Subject) -> Option<Appended> {
    let head = log.subject(&feed(), subject).await;
    let head = head.expect("it is looked up");
    let version = head.map_or(Version::NONE, |head| head.version);
    match log
        .append(batch(subject, version), Timestamp::from_micros(0))
        .await
    {
        Ok(appended) => {
            assert_eq!(appended.versions, [version.next(); 3]);
            Some(appended)
        }
        Err(AppendError::Conflict { .. }) => None,
        Err(other) => panic!("{other:?}"),
    }
}

async fn write(log: Arc<dyn Log>, writer: usize) {
    for number in writer.. {
        let name = format!("s{}", number % SUBJECTS);
        let subject = Subject::new(&name).expect("a subject");
        if let Some(appended) = raise(&*log, &subject).await {
            let (version, last) = (appended.versions[0].0, appended.last);
            println!("\nacknowledged {name} {version} {last}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other test of this file runs it, and kills it"]
async fn a_process_that_appends_until_it_is_killed() {
    let mut folder = String::new();
    std::io::stdin()
        .read_line(&mut folder)
        .expect("it is told where");
    if folder.is_empty() {
        return;
    }
    let engine = Local::open(Path::new(folder.trim_end()), folder::options());
    let engine = engine.expect("it opens");
    let log = engine.log(&project()).await.expect("it opens");
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(Arc::clone(&log), writer));
    }
    writers.join_all().await;
}

/// Runs the test `name` of this program as a process of its own, which is told `folder`.
pub(crate) fn start(name: &str, folder: &Path) -> Child {
    let program = std::env::current_exe().expect("this program is somewhere");
    let mut command = Command::new(program);
    command.args([name, "--exact", "--ignored", "--nocapture", "--quiet"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    writeln!(stdin, "{}", folder.display()).expect("it listens");
    child
}

/// What a process that runs the test `name` said that it was acknowledged, until it was killed after so many lines of it.
pub(crate) fn kill_one(name: &str, folder: &Path, enough: usize) -> Vec<String> {
    let mut child = start(name, folder);
    let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let lines = stdout.lines().map(|line| line.expect("it is text"));
    let acknowledged =
        lines.filter_map(|line| Some(line.strip_prefix("acknowledged ")?.to_owned()));
    let acknowledged: Vec<String> = acknowledged.take(enough).collect();
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
    assert_eq!(acknowledged.len(), enough, "it ended before it was killed");
    acknowledged
}

/// The words of a line.
pub(crate) fn words<const COUNT: usize>(line: &str) -> [&str; COUNT] {
    let words: Vec<&str> = line.split(' ').collect();
    words.try_into().expect("so many words")
}

pub(crate) fn number(word: &str) -> u64 {
    word.parse().expect("a number")
}

/// The last position of each batch, by subject and version.
async fn batches(log: &dyn Log) -> BTreeMap<(String, u64), u64> {
    let limit = Limit {
        records: usize::MAX,
        bytes: usize::MAX,
    };
    let mut found = BTreeMap::new();
    let mut after = Position::ZERO;
    while after < log.bounds().last {
        let chunk = log
            .read(&Scope::all(), after, limit)
            .await
            .expect("it is read");
        for record in chunk.records.iter().filter(|r| r.stamp().place.is_last()) {
            let name = record.subject().expect("all have one").to_owned();
            let version = record.stamp().version.0;
            let before = found.insert((name, version), record.position().get());
            assert_eq!(before, None, "a version is given out once");
        }
        after = chunk.through;
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_neither_skip_nor_repeat_when_the_process_is_killed() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = Local::open(place.path(), folder::options()).expect("it opens");
    engine.create(&project()).await.expect("it is created");
    engine.close().await;
    drop(engine);
    for _ in 0..ROUNDS {
        let name = "kill::a_process_that_appends_until_it_is_killed";
        let acknowledged = kill_one(name, place.path(), ACKNOWLEDGED);
        let engine = Local::open(place.path(), folder::options()).expect("it opens");
        let log = engine.log(&project()).await.expect("it opens");
        let found = batches(&*log).await;
        for line in acknowledged {
            let [name, version, last] = words(&line);
            let key = (name.to_owned(), number(version));
            let last = number(last);
            assert_eq!(found.get(&key), Some(&last), "{key:?} was acknowledged");
        }
        for number in 0..SUBJECTS {
            let name = format!("s{number}");
            let of_it = found.keys().filter(|(of, _)| *of == name);
            let versions: Vec<u64> = of_it.map(|(_, version)| *version).collect();
            let count = versions.len() as u64;
            assert_eq!(versions, (1..=count).collect::<Vec<_>>(), "{name}");
            let subject = Subject::new(&name).expect("a subject");
            let raised = raise(&*log, &subject).await.expect("nobody else appends");
            assert_eq!(raised.versions[0], Version(count + 1));
        }
        drop(log);
        engine.close().await;
    }
}
