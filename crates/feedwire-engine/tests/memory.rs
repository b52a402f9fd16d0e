//! The in-memory engine keeps the contract, and its own bounds.

use std::sync::Arc;

use async_trait::async_trait;
use feedwire_engine::contract::Place;
use feedwire_engine::memory::{self, Memory};
use feedwire_engine::{AppendError, Batch, Engine, Limit, Log, NewRecord, Retention, Scope};
use feedwire_event::{FeedName, Position, ProjectName, Timestamp, TypeName};

struct Kept(memory::Place);

#[async_trait]
impl Place for Kept {
    async fn open(&self) -> Arc<dyn Engine> {
        Arc::new(Memory::open(&self.0).expect("nobody else has it open"))
    }

    async fn crash(&self, engine: Arc<dyn Engine>) {
        drop(engine);
    }
}

feedwire_engine::contract!(Kept(memory::Place::default()));

fn batch(bytes: usize) -> Batch {
    let record = NewRecord {
        feed: FeedName::new("f").expect("a name"),
        ty: TypeName::new("t").expect("a name"),
        subject: None,
        time: None,
        payload: vec![b'x'; bytes - 2].into(),
    };
    Batch::new(vec![record], Vec::new()).expect("a batch")
}

async fn log(engine: &Memory) -> Arc<dyn Log> {
    let project = ProjectName::new("p").expect("a name");
    engine.create(&project).await.expect("it is created");
    engine.log(&project).await.expect("it opens")
}

#[tokio::test]
async fn a_place_is_open_once() {
    let place = memory::Place::default();
    let engine = Memory::open(&place).expect("it is free");
    assert_eq!(Memory::open(&place).err(), Some(memory::Occupied));
    engine.close().await;
    Memory::open(&place).expect("it is free again");
}

#[tokio::test]
async fn a_full_log_has_no_space_until_it_is_trimmed() {
    let place = memory::Place::new(memory::Options {
        log_bytes_max: Some(100),
    });
    let engine = Memory::open(&place).expect("it is free");
    let log = log(&engine).await;
    let now = Timestamp::from_micros(0);
    log.append(batch(60), now).await.expect("there is room");
    log.append(batch(40), now).await.expect("there is room");
    let full = log.append(batch(2), now).await;
    assert!(matches!(full, Err(AppendError::NoSpace(_))), "{full:?}");
    let limit = Limit {
        records: 10,
        bytes: 1000,
    };
    let chunk = log.read(&Scope::all(), Position::ZERO, limit).await;
    assert_eq!(chunk.expect("it is read").records.len(), 2);
    let keep = Retention {
        age: None,
        bytes: Some(40),
    };
    let trimmed = log.trim(keep, now, Position::MAX).await;
    assert_eq!(trimmed.expect("it is trimmed").get(), 2);
    log.append(batch(60), now)
        .await
        .expect("there is room again");
}
