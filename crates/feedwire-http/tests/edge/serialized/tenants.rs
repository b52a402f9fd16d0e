//! Tenants, and the header that names one.

use feedwire_testkit::{Answer, TestServer};
use insta::assert_snapshot;
use serde_json::json;

use super::{ORDER, ask, get, refusal, save, told, waiting};

const A: &str = "5d3a2c4e-0000-4000-8000-000000000001";
const B: &str = "5d3a2c4e-0000-4000-8000-000000000002";

async fn add(server: &TestServer, id: &str, more: &str) -> Answer {
    let body = format!(r#"{{"tenantId":"{id}"{more}}}"#);
    ask(server, "POST", "/tenants", &body).await
}

/// As [`ask`], as the tenant `id`.
async fn of(server: &TestServer, id: &str, method: &str, path: &str, body: &str) -> Answer {
    let (path, header) = (
        format!("/serialized{path}"),
        format!("Serialized-Tenant-Id: {id}"),
    );
    let headers = [header.as_str(), "content-type: application/json"];
    server.ask(method, &path, &headers, body.as_bytes()).await
}

#[tokio::test]
async fn tenants_are_added_changed_put_away_and_taken_up_again() {
    let server = TestServer::start().await;
    assert_eq!(get(&server, "/tenants").await, json!({ "tenants": [] }));
    assert_eq!(
        add(
            &server,
            A,
            r#","reference":"Ada","addedAt":0,"deleted":false"#
        )
        .await
        .status,
        200
    );
    assert_eq!(add(&server, A, "").await.status, 204);
    assert_eq!(add(&server, B, "").await.status, 200);
    let path = format!("/tenants/{A}");
    let body = format!(r#"{{"tenantId":"{A}","reference":"Bea"}}"#);
    assert_eq!(ask(&server, "PUT", &path, &body).await.status, 200);
    let other = ask(&server, "PUT", &format!("/tenants/{B}"), &body).await;
    assert_eq!(refusal(&other).0, 422);
    let unknown = body.replace(A, ORDER);
    assert_eq!(
        ask(&server, "PUT", &format!("/tenants/{ORDER}"), &unknown)
            .await
            .status,
        404
    );
    assert_eq!(ask(&server, "DELETE", &path, "").await.status, 200);
    assert_eq!(refusal(&ask(&server, "DELETE", &path, "").await).0, 404);
    assert_snapshot!(ask(&server, "GET", "/tenants", "").await.text(), @r#"{"tenants":[{"tenantId":"5d3a2c4e-0000-4000-8000-000000000001","tenantNumber":"1","addedAt":1795248000000,"reference":"Bea","deleted":true,"deletedAt":1795248000000},{"tenantId":"5d3a2c4e-0000-4000-8000-000000000002","tenantNumber":"2","addedAt":1795248000000,"deleted":false}]}"#);
    let undelete = format!("{path}/undelete");
    assert_eq!(ask(&server, "POST", &undelete, "").await.status, 200);
    assert_eq!(ask(&server, "POST", &undelete, "").await.status, 204);
    assert_eq!(
        ask(&server, "POST", &format!("/tenants/{ORDER}/undelete"), "")
            .await
            .status,
        404
    );
    for body in ["", "{}", r#"{"tenantId":"x"}"#, r#"{"tenantId":1}"#] {
        assert_eq!(
            refusal(&ask(&server, "POST", "/tenants", body).await).0,
            422,
            "{body}"
        );
    }
    assert_eq!(
        refusal(&ask(&server, "DELETE", "/tenants/x", "").await).0,
        400
    );
}

#[tokio::test]
async fn a_tenant_has_feeds_aggregates_and_numbers_of_its_own() {
    let server = TestServer::start().await;
    add(&server, A, "").await;
    add(&server, B, "").await;
    save(&server, &format!("order/{ORDER}"), &["Placed"]).await;
    let event = r#"{"events":[{"eventType":"Placed"},{"eventType":"Paid"}],"expectedVersion":0}"#;
    let path = format!("/aggregates/order/{ORDER}/events");
    assert_eq!(of(&server, A, "POST", &path, event).await.status, 200);
    let feed = of(&server, A, "GET", "/feeds/order", "").await;
    assert_eq!(told(&feed.json()), (vec![2], false, 2));
    assert_eq!(
        told(&get(&server, "/feeds/order").await),
        (vec![1], false, 1)
    );
    // As a client of the vendor's names it, in one of its calls.
    let named = get(&server, &format!("/feeds/_all?tenantId={A}")).await;
    assert_eq!(told(&named), (vec![2], false, 2));
    assert_eq!(of(&server, B, "GET", "/feeds/order", "").await.status, 404);
    let head = of(&server, A, "HEAD", "/feeds/_all", "").await;
    assert_eq!(head.header("serialized-sequencenumber-current"), Some("2"));
    let native = format!("/v1/projects/default.{A}/feeds/order");
    let native = server.ask("GET", &native, &[], b"").await;
    assert_eq!(native.positions(), [1, 2]);
}

#[tokio::test]
async fn what_is_put_away_is_out_of_reach_and_what_is_not_there_is_not_found() {
    let server = TestServer::start().await;
    add(&server, A, "").await;
    let path = format!("/aggregates/order/{ORDER}");
    let event = r#"{"events":[{"eventType":"Placed"}]}"#;
    let bulk = format!(r#"{{"aggregateId":"{ORDER}",{}"#, &event[1..]);
    of(&server, A, "POST", &format!("{path}/events"), event).await;
    ask(&server, "DELETE", &format!("/tenants/{A}"), "").await;
    for id in [A, B] {
        for (method, path) in [
            ("GET", "/feeds".to_owned()),
            ("GET", "/feeds/_all".to_owned()),
            ("HEAD", "/feeds/_all".to_owned()),
            ("GET", "/feeds/count".to_owned()),
            ("GET", "/aggregates/order".to_owned()),
            ("GET", path.clone()),
            ("HEAD", path.clone()),
            ("DELETE", path.clone()),
            ("DELETE", "/aggregates/order".to_owned()),
            ("POST", format!("{path}/events")),
            ("POST", "/aggregates/order/events".to_owned()),
        ] {
            let body = match path.as_str() {
                "/aggregates/order/events" => bulk.as_str(),
                _ if method == "POST" => event,
                _ => "",
            };
            let refused = of(&server, id, method, &path, body).await;
            assert_eq!(refused.status, 404, "{id} {method} {path}");
        }
    }
    ask(&server, "POST", &format!("/tenants/{A}/undelete"), "").await;
    assert_eq!(of(&server, A, "HEAD", &path, "").await.status, 200);
    assert_eq!(refusal(&of(&server, "x", "GET", "/feeds", "").await).0, 400);
}

#[tokio::test]
async fn what_is_put_away_is_out_of_reach_of_every_api_and_so_is_what_is_below_it() {
    let server = TestServer::start().await;
    add(&server, A, "").await;
    let (tenant, below) = (format!("default.{A}"), format!("default.{A}.eu"));
    let body = format!(r#"{{"name":"{below}"}}"#);
    let json = ["content-type: application/json"];
    let made = server
        .ask("POST", "/v1/projects", &json, body.as_bytes())
        .await;
    assert_eq!(made.status, 201);
    let event = br#"{"type":"Placed","subject":"a"}"#;
    let publish = async |project: &str| {
        let path = format!("/v1/projects/{project}/feeds/order/events");
        server.ask("POST", &path, &json, event).await.status
    };
    assert_eq!((publish(&tenant).await, publish(&below).await), (200, 200));
    let path = format!("/serialized/feeds/order?since=1&waitTime=50000&tenantId={A}");
    let mut poll = server.connect().await;
    poll.request("GET", &path, &[], b"").await;
    let path = format!("/v1/projects/{below}/feeds/order?from=start");
    let mut stream = server.connect().await;
    let sse = ["accept: text/event-stream"];
    stream.request("GET", &path, &sse, b"").await;
    assert_eq!(stream.head().await.status, 200);
    waiting::readers(&server, 2).await;
    let gone = ask(&server, "DELETE", &format!("/tenants/{A}"), "").await;
    assert_eq!(gone.status, 200);
    stream.rest().await;
    let page = poll.answer("GET").await.json();
    assert_eq!(told(&page), (vec![], false, 1));
    assert_eq!((publish(&tenant).await, publish(&below).await), (404, 404));
    let feeds = format!("/v1/projects/{below}/feeds");
    assert_eq!(server.ask("GET", &feeds, &[], b"").await.status, 404);
    let undelete = format!("/tenants/{A}/undelete");
    assert_eq!(ask(&server, "POST", &undelete, "").await.status, 200);
    for project in [tenant, below] {
        assert_eq!(publish(&project).await, 200);
        let path = format!("/v1/projects/{project}/feeds/order");
        assert_eq!(server.ask("GET", &path, &[], b"").await.positions(), [1, 2]);
    }
}

#[tokio::test]
async fn which_tenant_is_meant_is_told_by_what_says_it() {
    let server = TestServer::start().await;
    add(&server, A, "").await;
    let told = async |header: &str, query: &str| {
        let path = format!("/feeds/_all?{query}");
        let answer = match header {
            "" => ask(&server, "GET", &path, "").await,
            id => of(&server, id, "GET", &path, "").await,
        };
        refusal(&answer)
    };
    for (header, query, name) in [
        ("x", String::new(), "Serialized-Tenant-Id: "),
        ("", "tenantId=x".into(), "tenantId: "),
        ("", format!("tenantId={A}&tenantId={A}"), "tenantId: "),
        (A, format!("tenantId={B}"), "tenantId: "),
    ] {
        let (status, message) = told(header, &query).await;
        assert_eq!(status, 400, "{header} {query}");
        assert!(message.starts_with(name), "{header} {query}: {message}");
    }
    // What cannot be read names no tenant.
    assert_eq!(ask(&server, "GET", "/feeds?%ff=1", "").await.status, 200);
}

#[tokio::test]
async fn a_reference_is_given_without_naming_the_tenant_again() {
    let server = TestServer::start().await;
    add(&server, A, r#","reference":"Ada""#).await;
    let path = format!("/tenants/{A}");
    let reference = async |body: &str| {
        let changed = ask(&server, "PUT", &path, body).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
        get(&server, "/tenants").await["tenants"][0]["reference"].clone()
    };
    assert_eq!(reference("{}").await, "Ada");
    assert_eq!(reference(r#"{"reference":"Bea"}"#).await, "Bea");
}
