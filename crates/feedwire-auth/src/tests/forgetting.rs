//! What goes with a project.

use feedwire_core::Right;

use super::world::{World, Writing, project};
use crate::Forgotten;

fn grants(world: &World, home: &str, key_id: crate::KeyId) -> Vec<String> {
    let credential = world.auth.show(&project(home), key_id);
    let credential = credential.expect("it stays");
    let grants = credential.grants.iter();
    grants.map(|grant| grant.projects.to_string()).collect()
}

#[tokio::test]
async fn a_project_of_the_same_name_is_open_to_nobody_of_before() {
    let read: &[Right] = &[Right::Read];
    let world = World::new().await;
    let own = world.credential("acme.eu", &[("acme.eu", read)]).await;
    let parent: &[(&str, &[Right])] = &[
        ("acme", read),
        ("acme.*", read),
        ("acme.eu", read),
        ("acme.eu.*", read),
        ("acme.us", read),
    ];
    let parent = world.credential("acme", parent).await;
    let server: &[(&str, &[Right])] = &[("*", read), ("acme.eu", read), ("acme.eu.*", read)];
    let server = world.credential("_system", server).await;
    let untouched = world.credential("other", &[("other", read)]).await;
    let running =
        [&own, &parent, &server, &untouched].map(|made| world.basic(made).expect("valid"));

    let forgotten = world.auth.forget_project(&project("acme.eu")).await;
    let (parent_id, server_id) = (parent.credential.key_id, server.credential.key_id);
    let wanted = Forgotten {
        revoked: vec![own.credential.key_id],
        narrowed: vec![server_id, parent_id],
    };
    assert_eq!(forgotten.expect("the store works"), wanted);
    let world = world.restarted().await;
    assert!(world.basic(&own).is_err());
    assert_eq!(
        grants(&world, "acme", parent_id),
        ["acme", "acme.*", "acme.us"]
    );
    assert_eq!(grants(&world, "_system", server_id), ["*", "acme.eu.*"]);
    let ended = running.map(|who| who.ended().is_cancelled());
    assert_eq!(ended, [true, true, true, false]);
}

#[tokio::test]
async fn a_credential_without_a_grant_left_stays_and_may_do_nothing() {
    let world = World::new().await;
    let made = world
        .credential("acme", &[("acme.eu", &[Right::Read])])
        .await;
    let forgotten = world.auth.forget_project(&project("acme.eu")).await;
    forgotten.expect("the store works");
    let world = world.restarted().await;
    let who = world.basic(&made).expect("it stays");
    assert!(!who.sees(&project("acme.eu")) && !who.sees(&project("acme")));
}

#[tokio::test]
async fn what_was_not_forgotten_whole_is_forgotten_when_asked_again() {
    let world = World::new().await;
    let made = world.credential("acme", &[("acme", &[Right::Read])]).await;
    let home = project("acme");
    world.store.writing(Writing::Fails);
    assert!(world.auth.forget_project(&home).await.is_err());
    world.store.writing(Writing::Works);
    let forgotten = world.auth.forget_project(&home).await.expect("it works");
    assert_eq!(forgotten.revoked, [made.credential.key_id]);
    let again = world.auth.forget_project(&home).await.expect("it works");
    assert_eq!(again, Forgotten::default());
}
