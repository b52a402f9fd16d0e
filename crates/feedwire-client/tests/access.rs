//! Projects and credentials, of a server that asks who calls.

use std::time::Duration;

use feedwire_client::{
    Client, Credential, CredentialChange, CredentialGrant, Error, Expiry, FollowError,
    NewCredential, NewEvent, RateLimits, Rotation,
};
use feedwire_testkit::TestServer;

/// A server, and a client that administers it.
async fn server() -> (TestServer, Client) {
    let server = TestServer::guarded().await;
    let admin = server
        .credential("_system", &[("*", "admin", "")])
        .await
        .secret;
    let client = with(&server, &admin.token());
    (server, client)
}

fn with(server: &TestServer, token: &str) -> Client {
    let client = Client::new(&format!("http://{}", server.address)).expect("an address");
    client.token(token).expect("a token")
}

fn kind<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    let error = answer.expect_err("it is refused");
    let problem = error.problem().unwrap_or_else(|| panic!("{error:?}"));
    problem.kind().to_owned()
}

fn reader(project: &str) -> NewCredential {
    NewCredential {
        display_name: "a reader".to_owned(),
        grants: vec![CredentialGrant {
            project: project.to_owned(),
            rights: vec!["read".to_owned()],
            ..CredentialGrant::default()
        }],
        ..NewCredential::default()
    }
}

#[tokio::test]
async fn a_project_is_made_shown_listed_limited_and_deleted_in_two_steps() {
    let (_server, client) = server().await;
    let made = client.create_project("acme").await.expect("made");
    assert_eq!((made.name.as_str(), made.parent), ("acme", None));
    let child = client.create_project("acme.eu").await.expect("made");
    assert_eq!(child.parent.as_deref(), Some("acme"));
    assert_eq!(client.show_project("acme.eu").await.expect("there"), child);
    assert_eq!(
        kind(client.create_project("other.eu").await),
        "invalid-parameter"
    );

    let after = client.projects(Some("acme")).await.expect("a list");
    let names = after.projects.iter().map(|project| project.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["acme.eu", "default"]);
    assert_eq!(after.next, None);

    let limits = RateLimits {
        requests_per_second: Some(7),
        ..RateLimits::default()
    };
    let set = client.set_project_limits("acme", &limits).await;
    assert_eq!(set.expect("set"), limits);
    assert_eq!(client.project_limits("acme").await.expect("set"), limits);

    let asked = client.delete_project("acme.eu").await.expect("asked");
    client.show_project("acme.eu").await.expect("still there");
    let wrong = client.confirm_deletion("acme.eu", "another").await;
    assert!(wrong.is_err(), "{wrong:?}");
    let deleted = client.confirm_deletion("acme.eu", &asked.delete_token);
    deleted.await.expect("deleted");
    assert_eq!(kind(client.show_project("acme.eu").await), "not-found");
}

#[tokio::test]
async fn a_credential_is_made_shown_changed_and_revoked() {
    let (server, client) = server().await;
    let made = client.create_credential(&reader("default")).await;
    let made = made.expect("made");
    assert!(!format!("{made:?}").contains(&made.secret));
    let theirs = with(&server, &made.token);
    theirs.feeds().await.expect("it may read");
    assert_eq!(kind(theirs.credentials(None).await), "forbidden");

    let key_id = made.credential.key_id.as_str();
    let shown = client.credential(key_id).await.expect("there");
    assert_eq!(shown, made.credential);
    let listed = client.credentials(None).await.expect("a list");
    assert_eq!((listed.credentials, listed.next), (vec![shown], None));
    let behind = client.credentials(Some(key_id)).await.expect("a list");
    assert!(behind.credentials.is_empty());

    let change = |change: CredentialChange| {
        let client = client.clone();
        async move { client.change_credential(key_id, &change).await }
    };
    let changed: Credential = change(CredentialChange {
        display_name: Some("another name".to_owned()),
        expires_at: Some(Expiry::At("2027-01-01T00:00:00Z".to_owned())),
        ..CredentialChange::default()
    })
    .await
    .expect("changed");
    assert_eq!(changed.display_name, "another name");
    assert_eq!(changed.grants, made.credential.grants);
    assert!(changed.expires_at.is_some());
    let never = CredentialChange {
        expires_at: Some(Expiry::Never),
        ..CredentialChange::default()
    };
    assert_eq!(change(never).await.expect("changed").expires_at, None);

    client.revoke_credential(key_id).await.expect("revoked");
    assert_eq!(kind(theirs.feeds().await), "invalid-credential");
    assert_eq!(kind(client.credential(key_id).await), "not-found");
    assert_eq!(kind(client.revoke_credential(key_id).await), "not-found");
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_taken_as_long_as_was_asked() {
    let (server, client) = server().await;
    let made = client.create_credential(&reader("default")).await;
    let made = made.expect("made");
    let key_id = made.credential.key_id.as_str();
    let overlap = Some("1h".to_owned());
    let rotated = client
        .rotate_credential(key_id, &Rotation { overlap })
        .await;
    let rotated = rotated.expect("rotated");
    assert!(rotated.credential.old_secret_until.is_some());
    for token in [&made.token, &rotated.token] {
        with(&server, token).feeds().await.expect("taken");
    }
    server.clock.advance(Duration::from_hours(1));
    assert_eq!(
        kind(with(&server, &made.token).feeds().await),
        "invalid-credential"
    );
    let again = client.rotate_credential(key_id, &Rotation::default()).await;
    assert_eq!(again.expect("rotated").credential.old_secret_until, None);
    assert_eq!(
        kind(with(&server, &rotated.token).feeds().await),
        "invalid-credential"
    );
}

#[tokio::test]
async fn a_reader_whose_credential_is_revoked_comes_to_its_end() {
    let (server, client) = server().await;
    let made = client.create_credential(&reader("default")).await;
    let made = made.expect("made");
    let publish = client.publish("f");
    publish.event(&NewEvent::new("t")).await.expect("published");
    let mut follow = with(&server, &made.token).read("f").from("start").follow();
    follow.next().await.expect("it reads").expect("an event");
    let key_id = made.credential.key_id.as_str();
    client.revoke_credential(key_id).await.expect("revoked");
    let end = follow.next().await.expect_err("nobody is there to read");
    match end {
        FollowError::Refused(error) => assert_eq!(kind::<()>(Err(error)), "invalid-credential"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_list_that_is_longer_than_a_part_goes_on_behind_it() {
    let (server, client) = server().await;
    for _ in 0..1_001 {
        server
            .credential("default", &[("default", "read", "")])
            .await;
    }
    let first = client.credentials(None).await.expect("a list");
    assert_eq!(first.credentials.len(), 1_000);
    let rest = client.credentials(first.next.as_deref()).await;
    let rest = rest.expect("a list");
    assert_eq!((rest.credentials.len(), rest.next), (1, None));
    let last = first.credentials.last().expect("there are some");
    assert!(rest.credentials[0].key_id > last.key_id);
}
