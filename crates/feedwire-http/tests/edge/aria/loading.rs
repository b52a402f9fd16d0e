//! What load jobs write, on the load feed.

use std::time::Duration;

use feedwire_core::Grant;
use feedwire_core::entities::Wanted;
use feedwire_core::loads::Settings;
use feedwire_event::{ProjectName, State};
use feedwire_testkit::TestServer;
use serde_json::json;

use super::{CHANGE, Told, change, open, put, write};

const LOAD: &str = "/aria/feeds/load";

/// Starts a load of everything in the default project.
async fn load(server: &TestServer) {
    let grant = Grant::whole(ProjectName::new("default").expect("a name"));
    let started = server.core.start_load(&grant, Settings::default()).await;
    started.expect("it is started");
}

async fn contract(server: &TestServer) -> u64 {
    let state = State::parse(r#"{"plan":"a"}"#).expect("a state");
    change(
        server,
        &[write(
            "fin.Contract",
            "c 1",
            Wanted::Put { state, ids: None },
        )],
    )
    .await
}

#[tokio::test]
async fn a_load_tells_each_state_with_its_own_time_and_place() {
    let server = TestServer::start().await;
    put(&server, "a", r#"{"n":0}"#).await;
    put(&server, "gone", "{}").await;
    let account = put(&server, "a", r#"{"n":1,"note":null}"#).await;
    let contract = contract(&server).await;
    change(&server, &[write("Account", "gone", Wanted::Deleted)]).await;
    server.clock.advance(Duration::from_hours(1));
    let mut feed = open(&server, &format!("{LOAD}?last_id=L0"), &[]).await;
    load(&server).await;
    let told = [feed.next().await, feed.next().await];
    let expected = |id: &str, of: serde_json::Value, tick: u64, payload: serde_json::Value| Told {
        id: id.to_owned(),
        name: "load".to_owned(),
        header: json!({ "ref": of, "tstamp": "2026-11-21T08:00:00Z", "tick": tick }),
        payload: Some(payload),
    };
    let ids = json!({ "account_no": 7, "userid": "a" });
    let first = json!({ "type": "Account", "ids": ids });
    let second = json!({ "type": "fin.Contract", "ids": { "id": "c 1" } });
    assert_eq!(
        told,
        [
            expected("L6", first, account, json!({ "n": 1, "note": null })),
            expected("L7", second, contract, json!({ "plan": "a" })),
        ]
    );
    // Whoever comes back goes on behind the first, and whoever follows the changes is told nothing of it.
    let mut feed = open(&server, LOAD, &["last-event-id: L6"]).await;
    assert_eq!(feed.next().await, told[1]);
    let mut changes = open(&server, &format!("{CHANGE}?last_id=C5"), &[]).await;
    let later = put(&server, "later", "{}").await;
    assert_eq!(changes.next().await.id, format!("C{later}"));
}

#[tokio::test]
async fn whoever_may_read_the_entities_of_a_feed_may_read_their_loads_and_no_others() {
    let server = TestServer::guarded().await;
    put(&server, "a", "{}").await;
    contract(&server).await;
    for (feeds, expected) in [
        ("Account", "Account"),
        ("fin.*", "fin.Contract"),
        ("fin.Contract,x", "fin.Contract"),
    ] {
        let made = server
            .credential("default", &[("default", "read", feeds)])
            .await;
        let proof = format!("authorization: Bearer {}", *made.secret.token());
        let mut feed = open(&server, LOAD, &[&proof]).await;
        load(&server).await;
        let told = feed.next().await;
        assert_eq!(
            (told.name.as_str(), &told.header["ref"]["type"]),
            ("load", &json!(expected)),
            "{feeds}"
        );
        // A second one has come when nothing of the first is left to come.
        load(&server).await;
        assert_eq!(feed.next().await.header["ref"]["type"], expected, "{feeds}");
    }
}
