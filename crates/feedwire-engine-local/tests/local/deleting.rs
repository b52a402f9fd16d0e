//! A deletion that a crash cuts short, at every step of it and at moments of chance: nothing of the project shows up again.
//!
//! The process that is killed is this test program itself, asked for [`a_process_that_makes_and_deletes_until_it_is_killed`].

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use bytes::Bytes;
use feedwire_engine::{
    Batch, CreateError, Engine, Limit, NewRecord, Precondition, Primary, Scope, Space,
};
use feedwire_engine_local::{Local, Options};
use feedwire_event::{FeedName, Position, ProjectName, Subject, Timestamp, TypeName};

use crate::{folder, kill};

const ROUNDS: usize = 6;
const LABELS: usize = 200;

fn project(name: &str) -> ProjectName {
    ProjectName::new(name).expect("a name")
}

fn labels(of: &str) -> Space {
    Space {
        project: project(of),
        name: "labels",
    }
}

fn batch() -> Batch {
    let record = NewRecord {
        feed: FeedName::new("f").expect("a name"),
        ty: TypeName::new("t").expect("a name"),
        subject: Some(Subject::new("s").expect("a subject")),
        time: None,
        payload: Bytes::from_static(&[b'x'; 100]),
    };
    Batch::new(vec![record; 100], Vec::new()).expect("a batch")
}

fn open(folder: &Path) -> Local {
    Local::open(folder, folder::options()).expect("it opens")
}

async fn put(primary: &dyn Primary, of: &str, count: usize) {
    for number in 0..count {
        let key = number.to_string();
        let value = Bytes::from_static(b"v");
        let labels = labels(of);
        let put = primary.put(&labels, key.as_bytes(), value, Precondition::Any);
        put.await.expect("it is put");
    }
}

async fn fill(engine: &Local, of: &str, count: usize) {
    engine.create(&project(of)).await.expect("it is created");
    let log = engine.log(&project(of)).await.expect("it opens");
    for _ in 0..3 {
        let appended = log.append(batch(), Timestamp::from_micros(0)).await;
        appended.expect("it is appended");
    }
    put(&*engine.primary(), of, count).await;
}

async fn stored(engine: &Local, of: &str) -> usize {
    let found = engine.primary().scan(&labels(of), b"", None, 1_000).await;
    found.expect("it is scanned").len()
}

/// How many records the log of the project has, and how many entries of it are stored.
async fn found(engine: &Local, of: &str) -> (usize, usize) {
    let log = engine.log(&project(of)).await.expect("it opens");
    let all = Limit {
        records: usize::MAX,
        bytes: usize::MAX,
    };
    let chunk = log.read(&Scope::all(), Position::ZERO, all).await;
    (
        chunk.expect("it is read").records.len(),
        stored(engine, of).await,
    )
}

fn is_empty(folder: &Path, of: &str) -> bool {
    let projects = folder.join("projects");
    !projects.join(of).exists() && !projects.join(format!("{of}~gone")).exists()
}

/// What `cut` makes of a folder in which `p` is set aside and nothing of it is removed yet is finished at the next opening.
async fn check_finished(cut: impl FnOnce(&Path)) {
    let place = tempfile::tempdir().expect("a folder");
    let engine = open(place.path());
    fill(&engine, "p", LABELS).await;
    fill(&engine, "p.child", 2).await;
    engine.close().await;
    drop(engine);
    let projects = place.path().join("projects");
    let gone = projects.join("p~gone");
    fs::rename(projects.join("p"), &gone).expect("it is renamed");
    cut(&gone);

    let engine = open(place.path());
    assert!(is_empty(place.path(), "p"));
    let names = engine.projects().await.expect("they are listed");
    assert_eq!(names, [project("p.child")]);
    assert_eq!(stored(&engine, "p").await, 0);
    assert_eq!(found(&engine, "p.child").await, (300, 2));
    engine.create(&project("p")).await.expect("it is created");
    assert_eq!(found(&engine, "p").await, (0, 0));
    let log = engine.log(&project("p")).await.expect("it opens");
    let appended = log.append(batch(), Timestamp::from_micros(0)).await;
    assert_eq!(appended.expect("it is appended").versions[0].0, 1);
}

#[tokio::test]
async fn a_project_of_which_nothing_is_removed_yet_is_removed_at_the_next_opening() {
    check_finished(|_| {}).await;
}

#[tokio::test]
async fn a_project_of_which_some_files_are_removed_is_removed_at_the_next_opening() {
    check_finished(|gone| {
        let file = fs::read_dir(gone).expect("a folder").next();
        let file = file.expect("it has files").expect("an entry");
        fs::remove_file(file.path()).expect("it is removed");
    })
    .await;
}

#[tokio::test]
async fn a_project_that_is_only_in_the_store_is_removed_at_the_next_opening() {
    check_finished(|gone| {
        fs::remove_dir_all(gone).expect("it is removed");
        fs::create_dir(gone).expect("it is made");
    })
    .await;
}

#[tokio::test]
async fn a_name_is_taken_again_only_when_nothing_remains_of_it() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = open(place.path());
    // As where a removal has failed, for want of room, while the engine goes on.
    put(&*engine.primary(), "p", 2).await;
    let gone = place.path().join("projects").join("p~gone");
    fs::create_dir(gone).expect("it is made");
    engine.create(&project("p")).await.expect("it is created");
    assert_eq!(found(&engine, "p").await, (0, 0));
    assert!(!is_empty(place.path(), "p"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other test of this file runs it, and kills it"]
async fn a_process_that_makes_and_deletes_until_it_is_killed() {
    let mut folder = String::new();
    std::io::stdin()
        .read_line(&mut folder)
        .expect("it is told where");
    if folder.is_empty() {
        return;
    }
    let engine = open(Path::new(folder.trim_end()));
    loop {
        // Killed earlier, the last one may have left it.
        drop(engine.delete(&project("p")).await);
        println!("\ndeleted");
        fill(&engine, "p", LABELS).await;
        println!("\nfilled");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_is_there_or_gone_when_the_process_that_deletes_it_is_killed() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = open(place.path());
    fill(&engine, "p.child", 2).await;
    engine.close().await;
    drop(engine);
    for round in 0..ROUNDS {
        let name = "deleting::a_process_that_makes_and_deletes_until_it_is_killed";
        let mut child = kill::start(name, place.path());
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut filled = stdout.lines().map(|line| line.expect("it is text"));
        // What comes after the line is the deletion of what was filled.
        let wanted = 1 + round % 3;
        let count = filled.by_ref().filter(|line| line == "filled").take(wanted);
        assert_eq!(count.count(), wanted, "it ended before it was killed");
        child.kill().expect("it runs");
        child.wait().expect("it has ended");

        let engine = open(place.path());
        assert_eq!(found(&engine, "p.child").await, (300, 2));
        if engine.log(&project("p")).await.is_ok() {
            // Whole, or not filled yet: never part of what was whole.
            let (records, labels) = found(&engine, "p").await;
            assert!(records.is_multiple_of(100) && (records == 300 || labels == 0));
            engine.delete(&project("p")).await.expect("it is deleted");
        }
        assert!(is_empty(place.path(), "p"));
        assert_eq!(stored(&engine, "p").await, 0);
        engine.create(&project("p")).await.expect("it is created");
        assert_eq!(found(&engine, "p").await, (0, 0));
        engine.close().await;
    }
}

#[tokio::test]
async fn a_full_disk_keeps_no_engine_from_opening_over_what_remains_of_a_project() {
    let place = tempfile::tempdir().expect("a folder");
    let engine = open(place.path());
    fill(&engine, "p", 10).await;
    fill(&engine, "q", 10).await;
    engine.close().await;
    drop(engine);
    let projects = place.path().join("projects");
    fs::rename(projects.join("p"), projects.join("p~gone")).expect("it is there");

    let full = Options {
        store_reserve_bytes: u64::MAX,
        ..folder::options()
    };
    let engine = Local::open(place.path(), full).expect("it opens all the same");
    assert_eq!(engine.projects().await.expect("listed"), [project("q")]);
    assert_eq!(found(&engine, "q").await, (300, 10));
    // Not before all of the one before is gone.
    let made = engine.create(&project("p")).await;
    assert!(matches!(made, Err(CreateError::NoSpace(_))), "{made:?}");
    engine.close().await;
    drop(engine);

    let engine = open(place.path());
    assert_eq!(stored(&engine, "p").await, 0);
    let made = engine.create(&project("p")).await;
    made.expect("there is room again");
    assert_eq!(found(&engine, "p").await, (0, 0));
    engine.close().await;
}
