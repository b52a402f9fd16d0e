//! Making, changing and listing credentials.

use std::sync::Arc;
use std::time::Duration;

use feedwire_core::{Allowance, Clock, Confinement, LabelFilter, RateLimits, Right};

use super::world::{World, Writing, grant, new, project};
use crate::limits::{DISPLAY_NAME_BYTES_MAX, GRANTS_MAX, LIST_MAX, OVERLAP_MAX};
use crate::{
    ChangeError, CreateError, Credential, CredentialChange, CredentialGrant, Expiry, Invalid,
    KeyId, NewCredential, RevokeError, RotateError,
};

const READ: &[(&str, &[Right])] = &[("acme", &[Right::Read])];

async fn refused(world: &World, wanted: NewCredential) -> Invalid {
    match world.auth.create(wanted).await {
        Err(CreateError::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_credential_says_what_it_was_made_with() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await.credential;
    let key_id = made.key_id;
    assert_eq!(made.email, format!("{key_id}@acme.feedwire"));
    assert_eq!(
        (made.created_at, made.rotated_at),
        (world.clock.now(), world.clock.now())
    );
    assert_eq!(world.auth.show(&project("acme"), key_id), Some(made));
    assert_eq!(world.auth.show(&project("other"), key_id), None);
    assert_eq!(world.auth.show(&project("acme"), KeyId::random()), None);
}

#[tokio::test]
async fn what_a_credential_cannot_be_is_told() {
    let world = World::new().await;
    let base = || new("acme", READ);
    let with = |change: fn(&mut NewCredential)| {
        let mut wanted = base();
        change(&mut wanted);
        wanted
    };
    let long = |wanted: &mut NewCredential| {
        wanted.display_name = "x".repeat(DISPLAY_NAME_BYTES_MAX + 1);
    };
    assert_eq!(refused(&world, with(long)).await, Invalid::DisplayName);
    let control = with(|wanted| wanted.display_name = "a\nb".to_owned());
    assert_eq!(refused(&world, control).await, Invalid::DisplayName);
    for email in ["", "a", "@b", "a@", "a b@c", "a@b\n", &"a@b".repeat(100)] {
        let mut wanted = base();
        wanted.email = Some(email.to_owned());
        assert_eq!(refused(&world, wanted).await, Invalid::Email, "{email:?}");
    }
    let mut wanted = base();
    wanted.expires_at = Some(world.clock.now());
    assert_eq!(refused(&world, wanted).await, Invalid::Expiry);
    let limit = with(|wanted| wanted.limits.readers = Some(0));
    assert_eq!(refused(&world, limit).await, Invalid::Limit);
    let none = with(|wanted| wanted.grants.clear());
    assert_eq!(refused(&world, none).await, Invalid::Grants(0));
    let mut many = base();
    let grants = (0..=GRANTS_MAX).map(|n| grant(&format!("acme.{n}"), &[Right::Read]));
    many.grants = grants.collect();
    assert_eq!(refused(&world, many).await, Invalid::Grants(GRANTS_MAX + 1));
    let twice = with(|wanted| wanted.grants.push(grant("acme", &[Right::Publish])));
    assert!(matches!(refused(&world, twice).await, Invalid::Twice(_)));
    let nothing = with(|wanted| wanted.grants = vec![grant("acme", &[])]);
    assert!(matches!(
        refused(&world, nothing).await,
        Invalid::NoRights(_)
    ));
    assert_eq!(world.auth.count(), 0);
}

#[tokio::test]
async fn a_key_id_is_taken_once() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let mut wanted = new("acme", READ);
    wanted.key_id = made.credential.key_id;
    let again = world.auth.create(wanted).await;
    assert!(matches!(again, Err(CreateError::Taken(_))), "{again:?}");
    assert!(world.basic(&made).is_ok());
}

#[tokio::test]
async fn what_a_change_cannot_be_is_told_and_nothing_is_changed() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let none = CredentialChange {
        enabled: Some(false),
        ..CredentialChange::default()
    };
    let changes = [
        CredentialChange {
            display_name: Some("a\u{7f}".to_owned()),
            ..none.clone()
        },
        CredentialChange {
            email: Some("a".to_owned()),
            ..none.clone()
        },
        CredentialChange {
            grants: Some(vec![grant("other", &[Right::Read])]),
            ..none.clone()
        },
        CredentialChange {
            expires_at: Some(Expiry::At(world.clock.now())),
            ..none.clone()
        },
        CredentialChange {
            limits: Some(RateLimits {
                publish_bytes_per_second: Some(0),
                ..RateLimits::default()
            }),
            ..none
        },
    ];
    for change in changes {
        let refused = world.auth.change(&home, key_id, change, None).await;
        assert!(
            matches!(refused, Err(ChangeError::Invalid(_))),
            "{refused:?}"
        );
    }
    assert_eq!(world.auth.show(&home, key_id), Some(made.credential));
}

#[tokio::test]
async fn grants_are_for_the_home_and_what_is_below_it() {
    let world = World::new().await;
    for projects in ["*", "other", "_system", "acmex", "acmex.*"] {
        let wanted = new("acme", &[(projects, &[Right::Read])]);
        let invalid = refused(&world, wanted).await;
        assert!(matches!(invalid, Invalid::OutsideHome { .. }), "{projects}");
    }
    for (home, projects) in [
        ("acme", "acme.*"),
        ("acme", "acme.eu"),
        ("acme.eu", "acme.eu.*"),
        ("_system", "*"),
        ("_system", "acme"),
        ("_system", "_system"),
    ] {
        world.credential(home, &[(projects, &[Right::Read])]).await;
    }
}

#[tokio::test]
async fn who_administers_is_confined_to_nothing() {
    let world = World::new().await;
    let label = |key: &str| LabelFilter {
        key: key.to_owned(),
        value: None,
    };
    let invalid = async |rights: &[Right], feeds: &[&str], confinement| {
        let allowance = Allowance {
            rights: rights.iter().copied().collect(),
            feeds: feeds
                .iter()
                .map(|feed| feed.parse().expect("a pattern"))
                .collect(),
            confinement,
        };
        let mut wanted = new("acme", READ);
        wanted.grants = vec![CredentialGrant {
            projects: project("acme").into(),
            allowance: Arc::new(allowance),
        }];
        refused(&world, wanted).await
    };
    let labels = Some(Confinement::Labels(vec![label("room")]));
    for (feeds, confinement) in [(&["f"][..], None), (&[], labels)] {
        let refused = invalid(&[Right::Admin, Right::Read], feeds, confinement).await;
        assert!(matches!(refused, Invalid::AdminConfined(_)));
    }
    for confinement in [
        Confinement::Subjects(Vec::new()),
        Confinement::Labels(Vec::new()),
        Confinement::Labels(vec![label("room"); 33]),
    ] {
        let refused = invalid(&[Right::Read], &[], Some(confinement)).await;
        assert!(matches!(refused, Invalid::Confinement { .. }));
    }
    for key in ["", "a=b", "a\n", &"x".repeat(257)] {
        let confinement = Some(Confinement::Labels(vec![label(key)]));
        let refused = invalid(&[Right::Read], &[], confinement).await;
        assert!(matches!(refused, Invalid::Label { .. }), "{key:?}");
    }
    let refused = invalid(&[Right::Read], &["f"; 1_001], None).await;
    assert!(matches!(refused, Invalid::Feeds { .. }));
}

#[tokio::test]
async fn a_change_leaves_the_rest_as_it_is() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let change = async |change| world.auth.change(&home, key_id, change, None).await;
    let end = world.clock.now().after(Duration::from_hours(1));
    let all = CredentialChange {
        display_name: Some("door".to_owned()),
        expires_at: Some(Expiry::At(end)),
        limits: Some(RateLimits {
            requests_per_second: Some(1),
            ..RateLimits::default()
        }),
        ..CredentialChange::default()
    };
    let changed = change(all).await.expect("it is valid");
    let mut wanted = Credential::clone(&made.credential);
    wanted.display_name = "door".to_owned();
    wanted.expires_at = Some(end);
    wanted.limits.requests_per_second = Some(1);
    assert_eq!(*changed, wanted);
    let never = CredentialChange {
        expires_at: Some(Expiry::Never),
        ..CredentialChange::default()
    };
    let changed = change(never).await.expect("it is valid");
    wanted.expires_at = None;
    assert_eq!(*changed, wanted);
    assert_eq!(world.auth.show(&home, key_id), Some(changed));
    let world = world.restarted().await;
    assert_eq!(world.auth.show(&home, key_id).as_deref(), Some(&wanted));
}

#[tokio::test]
async fn a_change_is_made_only_to_what_was_looked_at() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let rename = |from: &'static str, to: &str| {
        let change = CredentialChange {
            display_name: Some(to.to_owned()),
            ..CredentialChange::default()
        };
        let check = Box::new(move |credential: &Credential| credential.display_name == from);
        world.auth.change(&home, key_id, change, Some(check))
    };
    assert!(rename("a test", "door").await.is_ok());
    let again = rename("a test", "gate").await;
    assert!(matches!(again, Err(ChangeError::Changed)));
    let shown = world.auth.show(&home, key_id).expect("it is there");
    assert_eq!(shown.display_name, "door");
}

#[tokio::test]
async fn nobody_reaches_a_credential_through_another_project() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let key_id = made.credential.key_id;
    for home in ["other", "acme.eu", "_system"] {
        let (auth, home) = (&world.auth, project(home));
        let change = auth.change(&home, key_id, CredentialChange::default(), None);
        assert!(matches!(change.await, Err(ChangeError::Unknown(_))));
        let rotate = auth.rotate(&home, key_id, Duration::ZERO, None).await;
        assert!(matches!(rotate, Err(RotateError::Unknown(_))));
        let revoke = auth.revoke(&home, key_id, None).await;
        assert!(matches!(revoke, Err(RevokeError::Unknown(_))));
        assert!(auth.list(&home, None, 10).is_empty());
    }
    assert!(world.basic(&made).is_ok());
}

#[tokio::test]
async fn a_list_goes_on_after_the_last_one() {
    let world = World::new().await;
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(world.credential("acme", READ).await.credential.key_id);
    }
    world
        .credential("other", &[("other", &[Right::Read])])
        .await;
    keys.sort();
    let home = project("acme");
    let mut listed = Vec::new();
    loop {
        let page = world.auth.list(&home, listed.last().copied(), 2);
        if page.is_empty() {
            break;
        }
        listed.extend(page.iter().map(|credential| credential.key_id));
    }
    assert_eq!(listed, keys);
    assert_eq!(world.auth.list(&home, None, LIST_MAX + 1).len(), 5);
}

#[tokio::test]
async fn a_second_rotation_ends_the_older_secret_at_once() {
    let world = World::new().await;
    let first = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), first.credential.key_id);
    let rotate = async |overlap| world.auth.rotate(&home, key_id, overlap, None).await;
    let day = Duration::from_hours(24);
    let second = rotate(day).await.expect("it is there");
    assert_eq!(
        second.credential.older_secret_until,
        Some(world.clock.now().after(day))
    );
    let third = rotate(day).await.expect("it is there");
    let valid = |created: &_| world.basic(created).is_ok();
    assert!(!valid(&first) && valid(&second) && valid(&third));
    let fourth = rotate(Duration::ZERO).await.expect("it is there");
    assert!(!valid(&second) && !valid(&third) && valid(&fourth));
    assert_eq!(fourth.credential.older_secret_until, None);
    let long = rotate(OVERLAP_MAX + Duration::from_secs(1)).await;
    assert!(matches!(long, Err(RotateError::Overlap)));
}

/// A store that goes back to an older backup has the secret of then. One that is made after that must not be the one that was made,
/// and maybe leaked, in the time that is gone.
#[tokio::test]
async fn a_secret_does_not_come_again_when_the_store_goes_back() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let (backup, _) = world.auth.stored(&home, key_id).await.expect("it is there");
    world.clock.advance(Duration::from_secs(1));
    let lost = world.auth.rotate(&home, key_id, Duration::ZERO, None).await;
    let (_, present) = world.auth.stored(&home, key_id).await.expect("it is there");
    world
        .auth
        .write(backup, present)
        .await
        .expect("the store works");
    assert!(world.basic(&made).is_ok());
    world.clock.advance(Duration::from_secs(1));
    let rotated = world.auth.rotate(&home, key_id, Duration::ZERO, None).await;
    let (lost, rotated) = (lost.expect("there"), rotated.expect("there"));
    assert_ne!(lost.secret.as_str(), rotated.secret.as_str());
    assert!(world.basic(&lost).is_err() && world.basic(&rotated).is_ok());
}

#[tokio::test]
async fn a_store_that_fails_leaves_everything_as_it_was() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let running = world.basic(&made).expect("it is valid");
    for writing in [Writing::Fails, Writing::HasNoSpace] {
        world.store.writing(writing);
        let change = CredentialChange {
            enabled: Some(false),
            ..CredentialChange::default()
        };
        assert!(world.auth.create(new("acme", READ)).await.is_err());
        let changed = world.auth.change(&home, key_id, change, None).await;
        assert!(changed.is_err());
        let rotated = world.auth.rotate(&home, key_id, Duration::ZERO, None).await;
        assert!(rotated.is_err());
        assert!(world.auth.revoke(&home, key_id, None).await.is_err());
        assert!(world.auth.forget_project(&home).await.is_err());
    }
    world.store.writing(Writing::Works);
    assert!(world.basic(&made).is_ok() && !running.ended().is_cancelled());
    assert_eq!(
        world.auth.show(&home, key_id),
        Some(made.credential.clone())
    );
    let world = world.restarted().await;
    assert_eq!(
        world.auth.list(&home, None, 10),
        [Arc::clone(&made.credential)]
    );
    assert!(world.basic(&made).is_ok());
}

#[tokio::test]
async fn what_the_store_wrote_although_it_says_not_is_seen_at_once() {
    let world = World::new().await;
    let (home, made) = (project("acme"), world.credential("acme", READ).await);
    let key_id = made.credential.key_id;
    world.store.writing(Writing::FailsAfterwards);
    let rotated = world.auth.rotate(&home, key_id, Duration::ZERO, None).await;
    assert!(matches!(rotated, Err(RotateError::Unavailable(_))));
    assert!(world.basic(&made).is_err());
    let revoked = world.auth.revoke(&home, key_id, None).await;
    assert!(matches!(revoked, Err(RevokeError::Unavailable(_))));
    assert_eq!(world.auth.show(&home, key_id), None);
    world.store.writing(Writing::Works);
    let again = world.auth.revoke(&home, key_id, None).await;
    assert!(matches!(again, Err(RevokeError::Unknown(_))));
}

#[tokio::test]
async fn a_change_is_carried_through_when_nobody_waits_for_it() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let mut revoking = Box::pin(world.auth.revoke(&home, key_id, None));
    let polled = std::future::poll_fn(|context| {
        std::task::Poll::Ready(revoking.as_mut().poll(context).is_pending())
    });
    assert!(polled.await);
    drop(revoking);
    world.auth.close().await;
    assert_eq!(world.auth.show(&home, key_id), None);
    let world = world.restarted().await;
    assert_eq!(world.auth.count(), 0);
}
