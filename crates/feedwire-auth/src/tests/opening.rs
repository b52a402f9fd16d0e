//! A store and its master key.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feedwire_core::{Allowance, Confinement, LabelFilter, RateLimits, Right};
use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Precondition, Primary, Space};
use feedwire_event::{ProjectName, Subject};

use super::world::{World, new, project};
use crate::{
    Auth, CredentialGrant, Denied, InitError, MasterKey, OpenError, Options, Proof, ReplaceError,
};

async fn open(world: &World, master: &MasterKey) -> Result<Auth, OpenError> {
    let primary = Arc::clone(&world.store) as Arc<dyn Primary>;
    let clock = Arc::clone(&world.clock) as Arc<_>;
    Auth::open(primary, master, clock, Options::default()).await
}

#[tokio::test]
async fn a_store_takes_one_master_key_once() {
    let world = World::new().await;
    assert!(open(&world, &world.master).await.is_ok());
    let other = MasterKey::generate();
    let opened = open(&world, &other).await;
    assert!(matches!(opened, Err(OpenError::OtherMasterKey)));
    for master in [&world.master, &other] {
        let again = Auth::init(&*world.store, master).await;
        assert!(matches!(again, Err(InitError::Initialised)));
    }
}

#[tokio::test]
async fn a_master_key_that_leaked_is_replaced_and_no_secret_of_before_is_valid() {
    let world = World::new().await;
    let made = world.credential("acme", &[("acme", &[Right::Read])]).await;
    let token = world.token(&made, None).await;
    let new = MasterKey::generate();
    let nothing = Auth::replace_master_key(&*Memory::new().primary(), &new).await;
    assert!(matches!(nothing, Err(ReplaceError::NotInitialised)));
    let replaced = Auth::replace_master_key(&*world.store, &new).await;
    replaced.expect("it has one");
    let opened = open(&world, &world.master).await;
    assert!(matches!(opened, Err(OpenError::OtherMasterKey)));

    let auth = open(&world, &new).await.expect("it is the present one");
    for token in [&*token.token, &*made.secret.token()] {
        assert_eq!(
            auth.prove(Proof::Bearer(token)).err(),
            Some(Denied::Invalid)
        );
    }
    let (home, key_id) = (project("acme"), made.credential.key_id);
    assert_eq!(auth.show(&home, key_id), Some(made.credential));
    let rotated = auth.rotate(&home, key_id, Duration::ZERO, None).await;
    let token = rotated.expect("it is there").secret.token();
    assert!(auth.prove(Proof::Bearer(&token)).is_ok());
}

#[tokio::test]
async fn a_store_that_never_had_a_master_key_says_what_to_do() {
    let world = World::new().await;
    let primary = Memory::new().primary();
    let clock = Arc::clone(&world.clock) as Arc<_>;
    let opened = Auth::open(primary, &world.master, clock, Options::default()).await;
    let error = opened.expect_err("it was never initialised");
    assert!(matches!(error, OpenError::NotInitialised));
    assert!(error.to_string().contains("feedwire init"), "{error}");
}

#[tokio::test]
async fn after_a_restart_credentials_and_secrets_are_what_they_were() {
    let world = World::new().await;
    let mut wanted = new("acme", &[("acme", &[Right::Read, Right::Streams])]);
    let subject = Subject::new("N14228").expect("a subject");
    let label = LabelFilter {
        key: "room".to_owned(),
        value: Some("lobby".to_owned()),
    };
    for (projects, confinement) in [
        ("acme.eu", Confinement::Subjects(vec![subject])),
        ("acme.*", Confinement::Labels(vec![label])),
    ] {
        let allowance = Allowance {
            rights: [Right::Read].into_iter().collect(),
            feeds: vec!["orders.*".parse().expect("a pattern")],
            confinement: Some(confinement),
        };
        wanted.grants.push(CredentialGrant {
            projects: projects.parse().expect("a pattern"),
            allowance: Arc::new(allowance),
        });
    }
    wanted.expires_at = "2027-01-01T00:00:00Z".parse().ok();
    wanted.limits = RateLimits {
        requests_per_second: Some(10),
        publish_bytes_per_second: None,
        readers: Some(3),
    };
    let made = world.auth.create(wanted).await.expect("it is valid");
    let home = project("acme");
    let key_id = made.credential.key_id;
    let overlap = Duration::from_mins(10);
    let rotated = world.auth.rotate(&home, key_id, overlap, None).await;
    let rotated = rotated.expect("it is there");
    let token = world.token(&rotated, None).await;

    let world = world.restarted().await;
    assert_eq!(
        world.auth.show(&home, key_id),
        Some(rotated.credential.clone())
    );
    for created in [&made, &rotated] {
        assert!(world.basic(created).is_ok());
    }
    assert!(world.bearer(&token.token).is_ok());
    world.clock.advance(overlap);
    assert!(world.basic(&made).is_err() && world.basic(&rotated).is_ok());
}

#[tokio::test]
async fn tokens_are_those_of_the_issuer_that_the_server_is() {
    let world = World::new().await;
    let made = world.credential("acme", &[("acme", &[Right::Read])]).await;
    let token = world.token(&made, None).await;
    let options = Options {
        issuer: "https://feeds.example".to_owned(),
        token_lifetime: Duration::ZERO,
    };
    let primary = Arc::clone(&world.store) as Arc<dyn Primary>;
    let clock = Arc::clone(&world.clock) as Arc<_>;
    let auth = Auth::open(primary, &world.master, clock, options).await;
    let auth = auth.expect("it is the same master key");
    assert_eq!(auth.issuer(), "https://feeds.example");
    assert_eq!(auth.token_lifetime(), Duration::from_secs(1));
    let refused = auth.prove(Proof::Bearer(&token.token));
    assert_eq!(refused.err(), Some(Denied::Invalid));
    assert!(auth.prove(Proof::Bearer(&made.secret.token())).is_ok());
}

#[tokio::test]
async fn no_secret_is_at_rest() {
    let world = World::new().await;
    let made = world.credential("acme", &[("acme", &[Right::Read])]).await;
    for name in ["auth", "credentials", "assertions"] {
        let space = Space {
            project: ProjectName::system(),
            name,
        };
        let entries = world.store.scan(&space, b"", None, 100).await;
        for (_, entry) in entries.expect("the store works") {
            let text = String::from_utf8_lossy(&entry.value).into_owned();
            assert!(!text.contains(made.secret.as_str()), "{text}");
        }
    }
    let shown = format!("{made:?} {:?} {:?}", world.auth, world.basic(&made));
    assert!(!shown.contains(made.secret.as_str()), "{shown}");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_named() {
    let world = World::new().await;
    let made = world.credential("acme", &[("acme", &[Right::Read])]).await;
    let space = Space {
        project: ProjectName::system(),
        name: "credentials",
    };
    let key = made.credential.key_id.to_string();
    for value in ["", "{}", r#"{"format":2}"#, r#"{"format":1}"#] {
        let value = Bytes::from_static(value.as_bytes());
        let put = world
            .store
            .put(&space, key.as_bytes(), value, Precondition::Any);
        put.await.expect("the store works");
        let error = open(&world, &world.master).await.expect_err("damaged");
        assert!(error.to_string().contains(&key), "{error}");
    }
}
