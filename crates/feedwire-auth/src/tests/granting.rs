//! What a principal may do, and give.

use feedwire_core::Right;

use super::world::{World, grant, project};
use crate::Principal;

type Grants<'a> = &'a [(&'a str, &'a [Right])];

async fn principal(world: &World, home: &str, grants: Grants<'_>) -> Principal {
    let made = world.credential(home, grants).await;
    world.basic(&made).expect("it is valid")
}

fn rights(who: &Principal, at: &str) -> Option<Vec<Right>> {
    let grant = who.grant(&project(at));
    assert_eq!(grant.is_some(), who.sees(&project(at)), "{at}");
    grant.map(|grant| {
        assert_eq!(grant.project(), &project(at));
        grant.rights().iter().collect()
    })
}

#[tokio::test]
async fn the_narrowest_grant_counts() {
    use Right::{Admin, Publish, Read, Streams};
    let world = World::new().await;
    let grants: Grants<'_> = &[
        ("*", &[Read]),
        ("acme.*", &[Publish]),
        ("acme.eu.*", &[Streams]),
        ("acme.eu", &[Admin]),
    ];
    let who = principal(&world, "_system", grants).await;
    for (at, right) in [
        ("other", Read),
        ("_system", Read),
        ("acme", Read),
        ("acme.us", Publish),
        ("acme.eux", Publish),
        ("acme.eu", Admin),
        ("acme.eu.1", Streams),
        ("acme.eu.1.2", Streams),
    ] {
        assert_eq!(rights(&who, at), Some(vec![right]), "{at}");
    }
}

#[tokio::test]
async fn where_nothing_is_granted_a_project_is_not_seen() {
    let world = World::new().await;
    let who = principal(&world, "acme", &[("acme", &[Right::Read])]).await;
    assert_eq!(rights(&who, "acme"), Some(vec![Right::Read]));
    for at in ["acme.eu", "other", "_system"] {
        assert_eq!(rights(&who, at), None, "{at}");
    }
}

#[tokio::test]
async fn a_server_admin_administers_the_servers_own_project() {
    use Right::{Admin, Read};
    let world = World::new().await;
    let cases: &[(&str, Grants<'_>, bool)] = &[
        ("_system", &[("*", &[Admin])], true),
        ("_system", &[("_system", &[Admin])], true),
        ("_system", &[("*", &[Admin]), ("_system", &[Read])], false),
        ("_system", &[("*", &[Read])], false),
        ("_system", &[("acme", &[Admin])], false),
        ("acme", &[("acme", &[Admin]), ("acme.*", &[Admin])], false),
    ];
    for (home, grants, is_admin) in cases {
        let who = principal(&world, home, grants).await;
        assert_eq!(who.is_server_admin(), *is_admin, "{grants:?}");
    }
}

#[tokio::test]
async fn one_gives_only_where_one_administers() {
    use Right::{Admin, Read};
    let world = World::new().await;
    let wide = principal(&world, "acme", &[("acme", &[Admin]), ("acme.*", &[Admin])]).await;
    let one = principal(&world, "acme", &[("acme", &[Admin])]).await;
    let reader = principal(&world, "acme", &[("acme", &[Read])]).await;
    let server = principal(&world, "_system", &[("*", &[Admin])]).await;
    let split: Grants<'_> = &[("*", &[Admin]), ("acme.*", &[Read])];
    let split = principal(&world, "_system", split).await;
    for (who, at, may) in [
        (&wide, "acme", true),
        (&wide, "acme.*", true),
        (&wide, "acme.eu.*", true),
        (&wide, "*", false),
        (&wide, "other", false),
        (&one, "acme", true),
        (&one, "acme.*", false),
        (&one, "acme.eu", false),
        (&reader, "acme", false),
        (&server, "*", true),
        (&server, "_system", true),
        // A narrower grant counts for whoever gives, too.
        (&split, "other", true),
        (&split, "acme.eu", false),
        (&split, "acme.eu.*", false),
        (&split, "*", false),
    ] {
        let given = who.may_give(&[grant(at, &[Read])]);
        assert_eq!(given.is_ok(), may, "{at} by {:?}", who.credential().grants);
    }
    let refused = wide.may_give(&[grant("acme", &[Read]), grant("other", &[Read])]);
    let refused = refused.expect_err("not both");
    assert_eq!(refused.projects.to_string(), "other");
}
