//! The hand-over from log to tail under random schedules.

use std::sync::Arc;

use feedwire_engine::memory::Memory;
use feedwire_engine::{Batch, Engine, Limit, NewRecord};
use feedwire_event::{FeedName, ProjectName, Timestamp, TypeName};
use shuttle::future::{block_on, spawn};
use tokio_util::sync::CancellationToken;

use super::world::{Hands, filter, next};
use crate::filter::Matcher;
use crate::project::Project;
use crate::{Allowance, Reader, Start};

const SCHEDULES: usize = 3_000;
const BATCHES: u64 = 4;
/// Two events of a batch.
const TAIL_BYTES_MAX: usize = 8;

/// Two events: one that the filter of the readers passes, one that it does not.
fn batch() -> Batch {
    let record = |feed: &str| NewRecord {
        feed: FeedName::new(feed).expect("a name"),
        ty: TypeName::new("t").expect("a name"),
        subject: None,
        time: None,
        payload: "pp".into(),
    };
    Batch::new(vec![record("a"), record("b")], Vec::new()).expect("a batch")
}

async fn project() -> (Memory, Arc<Project>) {
    let engine = Memory::new();
    let name = ProjectName::new("default").expect("a name");
    engine.create(&name).await.expect("created");
    let project = Project::open(&engine, &name, Arc::new(Hands::default()), TAIL_BYTES_MAX)
        .await
        .expect("opened");
    (engine, Arc::new(project))
}

async fn read_all(project: Arc<Project>, feeds: &str, records: usize) -> Vec<u64> {
    let matcher = Matcher::new(filter(feeds), &Allowance::whole()).expect("all is granted");
    let clock = Arc::new(Hands::default());
    let mut reader = Reader::start(project, clock, matcher, Start::Beginning, None)
        .await
        .expect("a reader");
    let limit = Limit {
        records,
        bytes: usize::MAX,
    };
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| *last < 2 * BATCHES - 1) {
        seen.extend(next(&mut reader, limit).await);
    }
    seen
}

async fn race() {
    let (_engine, project) = project().await;
    let stop = CancellationToken::new();
    let (follower, token) = (project.clone(), stop.clone());
    let follower = spawn(async move { follower.follow_log(token).await });
    let readers: Vec<_> = [("a", 1), ("a", 100), ("", 3)]
        .map(|(feeds, records)| spawn(read_all(project.clone(), feeds, records)))
        .into();
    for _ in 0..BATCHES {
        project
            .log()
            .append(batch(), Timestamp::default())
            .await
            .expect("appended");
        shuttle::future::yield_now().await;
    }
    let mut seen = Vec::new();
    for reader in readers {
        seen.push(reader.await.expect("a reader that ends"));
    }
    let of_a: Vec<_> = (0..BATCHES).map(|batch| 2 * batch + 1).collect();
    assert_eq!(seen[..2], [of_a.clone(), of_a]);
    assert_eq!(seen[2][..7], [1, 2, 3, 4, 5, 6, 7]);
    stop.cancel();
    follower.await.expect("the follower ends");
}

#[test]
fn nothing_is_missed_or_doubled_however_the_tasks_are_scheduled() {
    shuttle::check_random(|| block_on(race()), SCHEDULES);
}
