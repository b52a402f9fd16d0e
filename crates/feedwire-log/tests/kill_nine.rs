//! A process that is killed while it appends, many times over: what it was told is there is there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write, stdin};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use feedwire_log::{Batch, Keep, Limit, Log, NewRecord, Options, Record, Scope};

const ROUNDS: usize = 24;
const WRITERS: usize = 4;

/// Small segments, so that some kills come while one is begun or sealed.
const OPTIONS: Options = Options {
    segment_bytes: 128 << 10,
    queue_bytes: 8 << 20,
    min_free_bytes: 0,
};

/// What the child says of a batch: writer, number, first and last position.
type Told = (usize, u64, u64, u64);

#[test]
fn what_a_killed_process_was_told_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Log::create(folder.path(), 1, OPTIONS).expect("a new log"));
    let mut told: Vec<Told> = Vec::new();
    let mut before = Vec::new();
    for round in 0..ROUNDS {
        told.extend(append_until_killed(folder.path(), 40 + round * 37 % 400));
        let log = Log::open(folder.path(), OPTIONS).expect("a killed process is no damage");
        let first = log.bounds().first;
        let records = read_all(&log);
        let kept = before
            .iter()
            .filter(|record: &&Record| record.position >= first);
        assert!(
            records.iter().zip(kept).all(|(now, before)| now == before),
            "nothing changes"
        );
        assert_whole(&records, &told, first);
        // A trim in between, so that kills meet logs that begin somewhere.
        log.trim(
            Keep {
                older_than: None,
                bytes: Some(1 << 20),
            },
            log.bounds().last,
        )
        .expect("trimmed");
        before = read_all(&log);
    }
    assert!(told.len() > ROUNDS * 40);
}

/// Lets a child append until it has told of `count` batches, then kills it.
fn append_until_killed(folder: &Path, count: usize) -> Vec<Told> {
    let this = std::env::current_exe().expect("this program");
    let arguments = ["--exact", "child_that_appends", "--ignored", "--nocapture"];
    let mut command = Command::new(this);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("a child");
    let mut input = child.stdin.take().expect("it is piped");
    writeln!(input, "{}", folder.display()).expect("the child listens");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut told = Vec::new();
    for line in output.lines() {
        // What was in the pipe when it was killed counts too: it was told.
        told.extend(parse(&line.expect("text")));
        if told.len() == count {
            kill(&mut child);
        }
    }
    kill(&mut child);
    assert!(
        told.len() >= count,
        "the child appended until it was killed"
    );
    told
}

fn kill(child: &mut Child) {
    child.kill().expect("it is ours");
    child.wait().expect("it is ours");
}

/// `None` if the line is not whole, or the test harness's.
fn parse(line: &str) -> Option<Told> {
    let mut words = line.strip_prefix("told ")?.strip_suffix(" .")?.split(' ');
    let mut number = || words.next()?.parse().ok();
    Some((
        usize::try_from(number()?).ok()?,
        number()?,
        number()?,
        number()?,
    ))
}

#[test]
#[ignore = "it is the child of the other test, and is told where to append"]
fn child_that_appends() {
    let mut folder = String::new();
    stdin().read_line(&mut folder).expect("text");
    let Some(folder) = folder.strip_suffix('\n') else {
        return;
    };
    let log = Log::open(Path::new(folder), OPTIONS).expect("a log");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let log = &log;
            scope.spawn(move || append_for_ever(log, writer));
        }
    });
}

fn append_for_ever(log: &Log, writer: usize) {
    for number in 0_u64.. {
        let count = usize::try_from(number % 13).expect("small") + 1;
        let payload = payload(writer, number);
        let batch = Batch::new((0..count).map(|_| {
            NewRecord {
                feed: b"feed",
                ty: b"type",
                subject: payload
                    .split(|byte| *byte == b' ')
                    .next()
                    .unwrap_or_default(),
                time: None,
                payload: &payload,
            }
        }));
        let batch = batch.expect("a batch within bounds");
        let submitted = log
            .append(batch, &vec![1; count], 0)
            .expect("it is killed, not stopped");
        let line = format!(
            "told {writer} {number} {} {} .\n",
            submitted.first, submitted.last
        );
        std::io::stdout()
            .lock()
            .write_all(line.as_bytes())
            .expect("the parent listens");
    }
}

fn payload(writer: usize, number: u64) -> Vec<u8> {
    let mut payload = format!("{writer} {number} ").into_bytes();
    let len = usize::try_from(number * 7919 % 700).expect("small");
    payload.resize(payload.len() + len, b'x');
    payload
}

fn read_all(log: &Log) -> Vec<Record> {
    let limit = Limit {
        records: 1000,
        bytes: 1 << 20,
    };
    let (mut after, mut records) = (log.bounds().first - 1, Vec::new());
    loop {
        let chunk = log
            .read(&Scope::all(), after, limit)
            .expect("what is retained reads");
        records.extend(chunk.records);
        if chunk.through >= chunk.head {
            return records;
        }
        after = chunk.through;
    }
}

/// Batches are whole, and everything is there that was told of and is retained.
fn assert_whole(records: &[Record], told: &[Told], first: u64) {
    let by_position: BTreeMap<u64, &Record> = records
        .iter()
        .map(|record| (record.position, record))
        .collect();
    assert_eq!(by_position.len(), records.len(), "a position is given once");
    for record in records {
        let last = record.position - u64::from(record.index) + u64::from(record.count) - 1;
        assert_eq!(
            by_position[&last].payload(),
            record.payload(),
            "batches are whole"
        );
    }
    for (writer, number, batch_first, batch_last) in told {
        for position in (*batch_first).max(first)..=*batch_last {
            let record = by_position
                .get(&position)
                .expect("what was told of is there");
            assert_eq!(record.payload(), payload(*writer, *number));
        }
    }
}
