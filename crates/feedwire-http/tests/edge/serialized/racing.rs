//! Writers that race, and pollers that go on where each answer says: what would be lost if a page and what is said of the feed's end
//! were not of one moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use feedwire_testkit::{Socket, TestServer};
use tokio::task::JoinSet;

const WRITERS: usize = 8;
const BATCHES: usize = 10_000;
const TYPES: [&str; 3] = ["order", "stock", "visit"];
const AGGREGATES: usize = 40;

/// What a poller asks for: the feed, its filter and its partition.
#[derive(Clone, Debug)]
struct Wanted {
    feed: &'static str,
    types: &'static [&'static str],
    partition: Option<(u32, u32)>,
    wait: bool,
}

impl Wanted {
    fn query(&self, since: u64) -> String {
        let types = self.types.iter().map(|ty| format!("&filterType={ty}"));
        let partition = self
            .partition
            .map(|(number, count)| format!("&partitionNumber={number}&partitionCount={count}"));
        let parts = types.chain(partition);
        let parts: String = parts
            .chain(self.wait.then(|| "&waitTime=50".into()))
            .collect();
        format!(
            "/serialized/feeds/{}?since={since}&limit=37{parts}",
            self.feed
        )
    }

    fn has(&self, feed: &str) -> bool {
        (self.feed == "_all" || self.feed == feed)
            && (self.types.is_empty() || self.types.contains(&feed))
    }
}

/// Every combination of feed, filter and partition; every other one waits.
fn combinations() -> Vec<Wanted> {
    let feeds: [(&str, &[&str]); 5] = [
        ("_all", &[]),
        ("_all", &["order"]),
        ("_all", &["stock", "visit"]),
        ("order", &[]),
        ("visit", &[]),
    ];
    let partitions = [None, Some((0, 1)), Some((0, 3)), Some((1, 3)), Some((2, 3))];
    let all = feeds.iter().flat_map(|(feed, types)| {
        partitions.map(|partition| Wanted {
            feed,
            types,
            partition,
            wait: false,
        })
    });
    let each = all.enumerate().map(|(index, wanted)| Wanted {
        wait: index % 2 == 1,
        ..wanted
    });
    each.collect()
}

/// A batch as its writer numbered it.
type Batch = (String, String, u64);

/// Saves batches of one to three events, each with its number.
async fn write(mut socket: Socket, writer: usize) -> Vec<Batch> {
    let mut written = Vec::new();
    for number in (writer..BATCHES).step_by(WRITERS) {
        let ty = TYPES[number % 7 % TYPES.len()];
        let id = format!("723ecfce-14e9-4889-98d5-{:012}", number * 13 % AGGREGATES);
        let event = format!(r#"{{"eventType":"Numbered","data":{number}}}"#);
        let events = vec![event; 1 + number % 3].join(",");
        let path = format!("/serialized/aggregates/{ty}/{id}/events");
        let body = format!(r#"{{"events":[{events}]}}"#);
        let json = ["content-type: application/json"];
        socket.request("POST", &path, &json, body.as_bytes()).await;
        assert_eq!(socket.answer("POST").await.status, 200);
        written.push((ty.to_owned(), id, number as u64));
    }
    written
}

/// Polls as the vendor's client does, which goes on at `currentSequenceNumber` where it is told nothing, until the writers are done and
/// there is no more.
async fn poll(mut socket: Socket, wanted: Wanted, writing: Arc<AtomicUsize>) -> Vec<Batch> {
    let (mut since, mut seen) = (0, Vec::new());
    loop {
        let is_last = writing.load(Ordering::SeqCst) == 0;
        socket.request("GET", &wanted.query(since), &[], b"").await;
        let answer = socket.answer("GET").await;
        if answer.status == 404 {
            // It has had nothing yet.
            assert!(!is_last, "{}", answer.text());
            tokio::task::yield_now().await;
            continue;
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        let entries = page["entries"].as_array().expect("entries");
        assert!(entries.len() <= 37);
        let current = page["currentSequenceNumber"].as_u64().expect("a number");
        for entry in entries {
            let number = entry["sequenceNumber"].as_u64().expect("a number");
            assert!(
                number > since && number <= current,
                "{since} {number} {current}"
            );
            since = number;
            let text = |name: &str| entry[name].as_str().expect("a text").to_owned();
            let events = entry["events"].as_array().expect("events");
            let of = events[0]["data"].as_u64().expect("a number");
            assert_eq!(events.len() as u64, 1 + of % 3, "a batch is whole");
            seen.push((text("feedName"), text("aggregateId"), of));
        }
        if entries.is_empty() {
            assert!(current >= since, "{current} is before {since}");
            assert_eq!(page["hasMore"], false);
            since = current;
            if is_last {
                return seen;
            }
        }
    }
}

/// The numbers of `batches` by what their order is kept of.
fn by_aggregate(batches: &[Batch]) -> BTreeMap<(&str, &str), Vec<u64>> {
    let mut sorted: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
    for (feed, id, number) in batches {
        sorted.entry((feed, id)).or_default().push(*number);
    }
    sorted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pollers_see_each_matching_batch_once_and_in_order_while_writers_race() {
    let server = TestServer::start().await;
    let writing = Arc::new(AtomicUsize::new(1));
    let mut pollers = JoinSet::new();
    let combinations = combinations();
    for (index, wanted) in combinations.iter().cloned().enumerate() {
        let polled = poll(server.connect().await, wanted, writing.clone());
        pollers.spawn(async move { (index, polled.await) });
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(server.connect().await, writer));
    }
    let written: Vec<Batch> = writers.join_all().await.into_iter().flatten().collect();
    assert_eq!(written.len(), BATCHES);
    writing.store(0, Ordering::SeqCst);
    let mut seen = vec![Vec::new(); combinations.len()];
    for (index, batches) in pollers.join_all().await {
        seen[index] = batches;
    }
    let all = &seen[0];
    let mut numbers: Vec<u64> = all.iter().map(|(_, _, number)| *number).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..BATCHES as u64), "each once");
    for (wanted, batches) in combinations.iter().zip(&seen) {
        let matching = all.iter().filter(|(feed, _, _)| wanted.has(feed));
        if wanted.partition.is_none_or(|(_, count)| count == 1) {
            assert!(matching.eq(batches), "{wanted:?}");
        }
    }
    // The partitions of a feed are all of it, each aggregate in one of them.
    for parts in (0..combinations.len()).collect::<Vec<_>>().chunks(5) {
        let whole = by_aggregate(&seen[parts[0]]);
        let mut found = BTreeMap::new();
        for part in &parts[2..] {
            let before = found.len();
            let own = by_aggregate(&seen[*part]);
            let count = own.len();
            assert!(count > 0, "{:?}", combinations[*part]);
            found.extend(own);
            assert_eq!(found.len(), before + count, "in two partitions");
        }
        assert_eq!(found, whole);
    }
}
