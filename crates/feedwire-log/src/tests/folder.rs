//! A log in a real folder: who may open it, and what it refuses.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::check::check;
use crate::{Batch, Limit, Log, NewRecord, Options, Scope, batch, open, submit};

fn record(payload: &[u8]) -> NewRecord<'_> {
    NewRecord {
        feed: b"feed",
        ty: b"type",
        subject: b"subject",
        time: None,
        payload,
    }
}

fn one(payload: &[u8]) -> Batch {
    Batch::new([record(payload)]).expect("a batch within bounds")
}

#[test]
fn a_folder_is_open_once_and_made_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let missing = Log::open(&path, Options::default());
    assert!(matches!(missing, Err(open::Error::Missing)));
    let log = Log::create(&path, 42, Options::default()).expect("a new log");
    for again in [
        Log::open(&path, Options::default()),
        Log::create(&path, 43, Options::default()),
    ] {
        assert!(matches!(again, Err(open::Error::InUse)));
    }
    assert!(matches!(check(&path), Err(open::Error::InUse)));
    log.close().expect("an orderly end");
    let again = Log::create(&path, 43, Options::default());
    assert!(matches!(again, Err(open::Error::Exists)));
    assert_eq!(check(&path).expect("nobody has it").findings, []);
    let log = Log::open(&path, Options::default()).expect("it is there");
    assert_eq!(log.incarnation(), 42);
}

#[test]
fn a_folder_of_segments_without_their_log_is_not_an_empty_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::create(folder.path(), 1, Options::default()).expect("a new log");
    log.append(one(b"kept"), &[1], 0).expect("appended");
    drop(log);
    std::fs::remove_file(folder.path().join("log.meta")).expect("removed");
    for refused in [
        Log::open(folder.path(), Options::default()),
        Log::create(folder.path(), 2, Options::default()),
    ] {
        assert!(matches!(refused, Err(open::Error::Damaged(_))));
    }
}

#[test]
fn a_log_without_one_of_its_segments_is_refused() {
    let options = Options {
        segment_bytes: 1000,
        ..Options::default()
    };
    for missing in 0..4 {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log::create(folder.path(), 1, options).expect("a new log");
        for _ in 0..4 {
            log.append(one(&[0; 700]), &[1], 0).expect("appended");
        }
        drop(log);
        let name = format!("{:020}.seg", missing + 1);
        std::fs::remove_file(folder.path().join(&name)).expect("it was there");
        match Log::open(folder.path(), options) {
            Err(open::Error::Damaged(damage)) => assert_eq!(damage.file, name),
            other => panic!("{other:?}"),
        }
        let findings = check(folder.path()).expect("checked").findings;
        assert!(findings.iter().any(|found| found.damage.file == name));
    }
}

#[test]
fn a_batch_larger_than_a_segment_has_one_of_its_own() {
    let options = Options {
        segment_bytes: 4096,
        ..Options::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::create(folder.path(), 1, options).expect("a new log");
    let payload = vec![b'x'; 12 << 20];
    for _ in 0..2 {
        log.append(one(b"small"), &[1], 0).expect("appended");
        log.append(one(&payload), &[1], 0).expect("appended");
    }
    drop(log);
    let log = Log::open(folder.path(), options).expect("an orderly end");
    let limit = Limit {
        records: 10,
        bytes: usize::MAX,
    };
    let chunk = log.read(&Scope::all(), 0, limit).expect("read");
    let lens: Vec<usize> = chunk.records.iter().map(|r| r.payload().len()).collect();
    assert_eq!(lens, [5, 12 << 20, 5, 12 << 20]);
}

#[test]
fn what_is_no_batch_is_told() {
    let check = |records: Vec<NewRecord<'_>>, error| {
        assert_eq!(Batch::new(records).err(), error);
    };
    check(vec![], Some(batch::Error::Empty));
    check(vec![record(b""); 65_535], None);
    check(vec![record(b""); 65_536], Some(batch::Error::TooMany));
    let large = vec![0; 8 << 20];
    let too_large = batch::Error::TooLarge(1);
    check(vec![record(&large), record(&large)], Some(too_large));
    let mut long = record(b"");
    long.feed = &large[..256];
    check(vec![long], Some(batch::Error::TooLarge(0)));
}

#[test]
fn the_head_is_told_before_those_who_wait_and_a_full_queue_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        queue_bytes: 1000,
        ..Options::default()
    };
    let log = Log::create(folder.path(), 1, options).expect("a new log");
    let heads = Arc::new(Mutex::new(Vec::new()));
    // While the listener is held, nothing is written, and the queue fills.
    let (told, held) = (Arc::clone(&heads), Arc::new(Mutex::new(())));
    let (gate, entered) = std::sync::mpsc::sync_channel(8);
    let listener_held = Arc::clone(&held);
    log.on_head(Box::new(move |head| {
        gate.send(()).expect("the test listens");
        drop(listener_held.lock());
        told.lock().push(head);
    }));
    let holding = held.lock();
    log.submit(one(b""), &[1], 0, 0, Box::new(|_| ()))
        .expect("taken");
    entered.recv().expect("the first one is written");
    let seen = Arc::clone(&heads);
    let done = Box::new(move |result: Result<(), _>| {
        result.expect("nothing goes wrong");
        assert!(seen.lock().last() >= Some(&2), "the head is told first");
    });
    log.submit(one(&[0; 600]), &[1], 0, 0, done).expect("taken");
    let busy = log.submit(one(&[0; 600]), &[1], 0, 0, Box::new(|_| ()));
    assert!(matches!(busy, Err(submit::Error::Busy)));
    drop(holding);
    let submitted = log.append(one(b""), &[1], 0).expect("there is room again");
    assert_eq!(submitted.first, 3, "what was refused used no position");
    assert_eq!(log.bounds().last, 3);
    log.close().expect("an orderly end");
    assert_eq!(heads.lock().last(), Some(&3));
}
