//! Tenants: children that are numbered, put away and taken up again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_engine::{Engine, Scope};
use feedwire_event::{Position, ProjectName, Subject, Timestamp};

use super::ailing::Ailing;
use super::world::{EVERYTHING, World, filter};
use crate::limits::{PATROL_INTERVAL, TAIL_BYTES_MAX};
use crate::projects::Bounds;
use crate::tenants::{Change, Tenant};
use crate::{Allowance, Right, Start, Step};

fn name(text: &str) -> ProjectName {
    ProjectName::new(text).expect("a name")
}

async fn add(world: &World, text: &str, reference: &str) -> bool {
    let name = name(text);
    let added = world.core.add_tenant(&world.grant, &name, reference);
    added.await.expect("added")
}

async fn change(world: &World, text: &str, change: Change) -> Option<bool> {
    let name = name(text);
    let changed = world.core.change_tenant(&world.grant, &name, change);
    changed.await.expect("changed")
}

async fn tenants(world: &World) -> Vec<Tenant> {
    world.core.tenants(&world.grant).await.expect("tenants")
}

#[tokio::test]
async fn a_tenant_is_a_child_with_a_number_and_a_reference() {
    let world = World::new().await;
    assert_eq!(tenants(&world).await, []);
    world.clock.set(10);
    assert!(add(&world, "default.b", "Bea").await);
    world.clock.set(20);
    assert!(add(&world, "default.a", "").await);
    assert!(!add(&world, "default.b", "another").await, "it is there");
    let tenant = |text: &str, number, seconds: i64, reference: &str| Tenant {
        name: name(text),
        number,
        added_at: Timestamp::from_micros(seconds * 1_000_000),
        reference: reference.to_owned(),
        away_since: None,
    };
    let expected = [
        tenant("default.b", 1, 10, "Bea"),
        tenant("default.a", 2, 20, ""),
    ];
    assert_eq!(tenants(&world).await, expected);
    world.of("default.b").publish(&["a/x/1"]).await;
    let reference = Change::Reference("Ada".to_owned());
    assert_eq!(
        change(&world, "default.a", reference.clone()).await,
        Some(true)
    );
    assert_eq!(
        change(&world, "default.a", reference.clone()).await,
        Some(false)
    );
    assert_eq!(change(&world, "default.c", reference).await, None);
    let told = world.core.tenant(&name("default.a")).await;
    let told = told.expect("the store").expect("a tenant");
    assert_eq!(told.reference, "Ada");
}

#[tokio::test]
async fn a_tenant_that_is_put_away_keeps_what_it_has() {
    let world = World::new().await;
    add(&world, "default.a", "Ada").await;
    world.of("default.a").publish(&["a/x/1"]).await;
    world.clock.set(30);
    assert_eq!(
        change(&world, "default.a", Change::PutAway).await,
        Some(true)
    );
    world.clock.set(40);
    assert_eq!(
        change(&world, "default.a", Change::PutAway).await,
        Some(false)
    );
    let away = tenants(&world).await.remove(0).away_since;
    assert_eq!(away, Some(Timestamp::from_micros(30_000_000)));
    assert!(!add(&world, "default.a", "Ada").await);
    assert_eq!(
        change(&world, "default.a", Change::TakeUp).await,
        Some(true)
    );
    assert_eq!(
        change(&world, "default.a", Change::TakeUp).await,
        Some(false)
    );
    let there = tenants(&world).await.remove(0);
    assert_eq!((there.away_since, &*there.reference), (None, "Ada"));
    let next = world.of("default.a").publish(&["a/x/1"]).await;
    assert_eq!(next.versions[0].0, 2);
}

#[tokio::test]
async fn a_child_that_was_made_or_deleted_in_another_way_is_no_tenant() {
    let world = World::new().await;
    let made = name("default.made");
    world.core.create_project(&made).await.expect("made");
    assert_eq!(tenants(&world).await, []);
    assert_eq!(change(&world, "default.made", Change::PutAway).await, None);
    assert!(add(&world, "default.made", "").await, "it becomes one");
    world.core.delete_project(&made).await.expect("deleted");
    assert_eq!(tenants(&world).await, []);
    // Another one of its name is not the tenant that the first one was.
    world.clock.set(50);
    world.core.create_project(&made).await.expect("made");
    assert_eq!(tenants(&world).await, []);
    assert!(add(&world, "default.made", "").await);
    assert_eq!(tenants(&world).await[0].number, 2);
}

#[tokio::test]
async fn who_does_not_administer_the_parent_has_nothing_to_do_with_its_tenants() {
    let world = World::new().await;
    let reader = world.granting(Allowance {
        rights: [Right::Read, Right::Publish].into_iter().collect(),
        ..Allowance::whole()
    });
    let core = &reader.core;
    core.tenants(&reader.grant).await.expect_err("not granted");
    let name = name("default.a");
    let added = core.add_tenant(&reader.grant, &name, "");
    added.await.expect_err("not granted");
    let changed = core.change_tenant(&reader.grant, &name, Change::PutAway);
    changed.await.expect_err("not granted");
    assert!(!core.project_exists(&name));
}

#[tokio::test]
async fn nobody_uses_what_is_put_away_nor_what_is_below_it_after_a_restart_too() {
    let place = Place::new(Options::default());
    let world = World::over(
        Arc::new(Memory::open(&place).expect("nobody else")),
        TAIL_BYTES_MAX,
    )
    .await;
    let (tenant, below) = ("default.a", "default.a.eu");
    add(&world, tenant, "").await;
    world.core.create_project(&name(below)).await.expect("made");
    for project in [tenant, below] {
        world.of(project).publish(&["a/x/1"]).await;
    }
    let reader = world.of(below).follow(Start::Now, filter("")).await;
    let mut reader = reader.expect("a reader");
    let (step, _) = tokio::join!(
        reader.next(EVERYTHING),
        change(&world, tenant, Change::PutAway)
    );
    assert!(matches!(step, Ok(Step::Closing)), "{step:?}");
    let refused = async |world: &World| {
        for project in [tenant, below] {
            let world = world.of(project);
            let reader = world.follow(Start::Beginning, filter("")).await;
            reader.expect_err("put away");
            world
                .core
                .tenants(&world.grant)
                .await
                .expect_err("put away");
        }
    };
    refused(&world).await;
    world.core.close().await;
    drop((reader, world));
    let world = World::over(
        Arc::new(Memory::open(&place).expect("nobody else")),
        TAIL_BYTES_MAX,
    )
    .await;
    refused(&world).await;
    assert_eq!(change(&world, tenant, Change::TakeUp).await, Some(true));
    for project in [tenant, below] {
        let next = world.of(project).publish(&["a/x/1"]).await;
        assert_eq!(next.versions[0].0, 2);
    }
}

#[tokio::test]
async fn what_is_put_away_can_be_deleted() {
    let world = World::new().await;
    add(&world, "default.a", "").await;
    world.of("default.a").publish(&["a/x/1"]).await;
    change(&world, "default.a", Change::PutAway).await;
    let tenant = name("default.a");
    let deleted = world.core.delete_project(&tenant);
    deleted.await.expect("deleted");
    assert!(add(&world, "default.a", "").await, "another");
    let first = world.of("default.a").publish(&["a/x/1"]).await;
    assert_eq!(first.versions[0].0, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_being_erased_goes_from_disk_although_it_is_put_away() {
    let engine = Ailing::over(Memory::new());
    let world = World::within(engine.clone(), Bounds::default()).await;
    add(&world, "default.a", "").await;
    let tenant = world.of("default.a");
    tenant.publish(&["a/x/1"]).await;
    engine.ailments.keeps_events.store(true, Ordering::SeqCst);
    let subject = Subject::new("1").ok();
    let asked = world.core.erase(&tenant.grant, None, subject).await;
    asked.expect("hidden");
    change(&world, "default.a", Change::PutAway).await;
    engine.ailments.keeps_events.store(false, Ordering::SeqCst);
    loop {
        // By a clock that goes while nothing else is to be done.
        tokio::time::sleep(PATROL_INTERVAL).await;
        let Ok(log) = engine.inner.log(&name("default.a")).await else {
            continue;
        };
        let left = log.read(&Scope::all(), Position::ZERO, EVERYTHING).await;
        if left.is_ok_and(|left| left.records.is_empty()) {
            break;
        }
    }
    let reader = tenant.follow(Start::Beginning, filter("")).await;
    reader.expect_err("put away all the while");
}
