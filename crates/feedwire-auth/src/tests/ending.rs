//! Who is told that it is over.

use std::time::Duration;

use feedwire_core::{Clock, RateLimits, Right};
use tokio_util::sync::CancellationToken;

use super::world::{World, grant, new, project};
use crate::limits::{SWEEP_INTERVAL, TOKEN_LIFETIME};
use crate::{CredentialChange, Expiry};

const READ: &[(&str, &[Right])] = &[("acme", &[Right::Read])];

#[tokio::test]
async fn what_changes_nothing_of_the_right_to_read_ends_nothing() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let token = world.token(&made, None).await;
    let running = [
        world.basic(&made).expect("it is valid"),
        world.bearer(&token.token).expect("it is valid"),
    ];
    let change = CredentialChange {
        display_name: Some("door".to_owned()),
        email: Some("door@acme.example".to_owned()),
        grants: Some(vec![grant("acme", &[Right::Read])]),
        expires_at: Some(Expiry::At(world.clock.now().after(TOKEN_LIFETIME * 10))),
        enabled: Some(true),
        limits: Some(RateLimits {
            requests_per_second: Some(1),
            ..RateLimits::default()
        }),
    };
    let changed = world.auth.change(&home, key_id, change, None).await;
    changed.expect("it is valid");
    let day = Duration::from_hours(24);
    let rotated = world.auth.rotate(&home, key_id, day, None).await;
    rotated.expect("it is there");
    world.clock.advance(TOKEN_LIFETIME * 2);
    world.auth.end_due();
    for who in running {
        assert!(!who.ended().is_cancelled(), "{who:?}");
    }
}

#[tokio::test]
async fn what_takes_the_right_away_ends_what_runs() {
    let changes = [
        CredentialChange {
            enabled: Some(false),
            ..CredentialChange::default()
        },
        CredentialChange {
            grants: Some(vec![grant("acme", &[Right::Publish])]),
            ..CredentialChange::default()
        },
    ];
    for change in changes {
        let world = World::new().await;
        let made = world.credential("acme", READ).await;
        let other = world.credential("acme", READ).await;
        let (who, other) = (world.basic(&made), world.basic(&other));
        let (who, other) = (who.expect("valid"), other.expect("valid"));
        let key_id = made.credential.key_id;
        let home = project("acme");
        let done = world.auth.change(&home, key_id, change, None).await;
        done.expect("it is there");
        assert!(who.ended().is_cancelled() && !other.ended().is_cancelled());
    }
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let who = world.basic(&made).expect("it is valid");
    let clone = who.clone();
    let home = project("acme");
    let revoked = world.auth.revoke(&home, made.credential.key_id, None).await;
    revoked.expect("it is there");
    assert!(who.ended().is_cancelled() && clone.ended().is_cancelled());
}

#[tokio::test]
async fn whoever_comes_after_an_end_runs_again() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    for enabled in [false, true] {
        let change = CredentialChange {
            enabled: Some(enabled),
            ..CredentialChange::default()
        };
        let changed = world.auth.change(&home, key_id, change, None).await;
        changed.expect("it is there");
    }
    let who = world.basic(&made).expect("it is valid");
    assert!(!who.ended().is_cancelled());
}

#[tokio::test]
async fn a_rotation_without_an_overlap_ends_what_the_secret_proved() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let token = world.token(&made, None).await;
    let running = [
        world.basic(&made).expect("it is valid"),
        world.bearer(&token.token).expect("it is valid"),
    ];
    let rotated = world.auth.rotate(&home, key_id, Duration::ZERO, None).await;
    let after = world.basic(&rotated.expect("it is there"));
    assert!(!after.expect("it is valid").ended().is_cancelled());
    for who in running {
        assert!(who.ended().is_cancelled(), "{who:?}");
    }
}

/// Advances both clocks until `ended` is cancelled; tells whether it is within a second.
async fn ends_within_a_second(world: &World, ended: &CancellationToken) -> bool {
    let step = Duration::from_millis(100);
    for _ in 0..10 {
        world.clock.advance(step);
        tokio::time::sleep(step).await;
        if ended.is_cancelled() {
            return true;
        }
    }
    false
}

#[tokio::test(start_paused = true)]
async fn what_ends_by_itself_is_told_within_a_second() {
    let world = World::new().await;
    let mut wanted = new("acme", READ);
    let hour = Duration::from_hours(1);
    wanted.expires_at = Some(world.clock.now().after(hour * 2));
    let made = world.auth.create(wanted).await.expect("it is valid");
    let older = world.basic(&made).expect("it is valid");
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let rotated = world.auth.rotate(&home, key_id, hour, None).await;
    let newer = world.basic(&rotated.expect("it is there"));
    let newer = newer.expect("it is valid");

    let stop = CancellationToken::new();
    let keeping = tokio::join!(world.auth.keep(stop.clone()), async {
        let almost = hour.saturating_sub(Duration::from_millis(50));
        world.clock.advance(almost);
        tokio::time::sleep(SWEEP_INTERVAL).await;
        assert!(!older.ended().is_cancelled());
        assert!(ends_within_a_second(&world, older.ended()).await);
        assert!(!newer.ended().is_cancelled());
        world
            .clock
            .advance(hour.saturating_sub(Duration::from_secs(1)));
        assert!(ends_within_a_second(&world, newer.ended()).await);
        stop.cancel();
    });
    assert_eq!(keeping, ((), ()));
}

#[tokio::test]
async fn a_credential_that_is_made_to_end_later_goes_on() {
    let world = World::new().await;
    let mut wanted = new("acme", READ);
    let hour = Duration::from_hours(1);
    wanted.expires_at = Some(world.clock.now().after(hour));
    let made = world.auth.create(wanted).await.expect("it is valid");
    let who = world.basic(&made).expect("it is valid");
    let change = CredentialChange {
        expires_at: Some(Expiry::At(world.clock.now().after(hour * 3))),
        ..CredentialChange::default()
    };
    let home = project("acme");
    let changed = world
        .auth
        .change(&home, made.credential.key_id, change, None);
    changed.await.expect("it is valid");
    world.clock.advance(hour * 2);
    world.auth.end_due();
    assert!(!who.ended().is_cancelled());
    world.clock.advance(hour);
    world.auth.end_due();
    assert!(who.ended().is_cancelled());
}

#[tokio::test]
async fn a_credential_that_had_ended_and_is_made_to_end_later_runs_again() {
    let world = World::new().await;
    let mut wanted = new("acme", READ);
    let hour = Duration::from_hours(1);
    wanted.expires_at = Some(world.clock.now().after(hour));
    let made = world.auth.create(wanted).await.expect("it is valid");
    let before = world.basic(&made).expect("it is valid");
    world.clock.advance(hour);
    world.auth.end_due();
    let change = CredentialChange {
        expires_at: Some(Expiry::Never),
        ..CredentialChange::default()
    };
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let changed = world.auth.change(&home, key_id, change, None).await;
    changed.expect("it is valid");
    let after = world.basic(&made).expect("it is valid");
    assert!(before.ended().is_cancelled() && !after.ended().is_cancelled());
}
