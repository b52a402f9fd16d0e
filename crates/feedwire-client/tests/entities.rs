//! Entities of a real server: put, patched, listed, loaded, and told before the events that follow them.

use feedwire_client::{Client, EntityList, Error, NewLoad, PutEntity, PutStop, Step};
use feedwire_testkit::TestServer;
use serde_json::value::RawValue;

async fn server() -> (TestServer, Client) {
    let server = TestServer::start().await;
    let client = Client::new(&format!("http://{}", server.address)).expect("an address");
    (server, client)
}

fn state(json: &str) -> PutEntity {
    PutEntity {
        subject: None,
        data: Some(RawValue::from_string(json.to_owned()).expect("JSON")),
        ids: None,
        time: None,
        source: None,
    }
}

/// `count` planes, a line each.
fn lines(count: u32) -> String {
    let line = |n| format!("{{\"subject\":\"N{n:04}\",\"data\":{{\"n\":{n}}}}}\n");
    (0..count).map(line).collect()
}

async fn put(client: &Client, subject: &str, json: &str) -> u64 {
    let put = client.entity("planes", subject).put(&state(json)).await;
    put.expect("put").position.expect("it is there")
}

/// The kind of the problem that the server answered.
fn kind<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    let error = answer.expect_err("refused");
    error.problem().expect("a problem").kind().to_owned()
}

#[tokio::test]
async fn an_entity_is_changed_where_it_is_as_expected() {
    let (_server, client) = server().await;
    let plane = || client.entity("planes", "N 1/2");
    assert!(plane().get().await.expect("answered").is_none());
    let made = plane().if_absent().put(&state(r#"{"a":1,"b":2}"#)).await;
    assert_eq!(made.expect("made").change, "create");
    let refused = plane().if_absent().put(&state("{}")).await;
    assert_eq!(kind(refused), "precondition-failed");
    let patched = plane().if_at(1).patch(&state(r#"{"b":null}"#)).await;
    assert_eq!(patched.expect("patched").position, Some(2));
    assert_eq!(kind(plane().if_at(1).delete().await), "precondition-failed");
    let found = plane().get().await.expect("answered").expect("there");
    assert_eq!((found.data.get(), found.version), (r#"{"a":1}"#, 2));
    let deleted = plane().if_there().delete().await.expect("deleted");
    assert_eq!(
        (deleted.change.as_str(), deleted.version),
        ("delete", Some(3))
    );
    assert!(plane().get().await.expect("answered").is_none());
}

#[tokio::test]
async fn many_are_put_from_lines_and_listed_in_parts() {
    let (_server, client) = server().await;
    let lines = lines(2_500);
    let mut told = 0;
    let put = client.put_entities("planes");
    let put = put.upload(lines.as_bytes(), |bytes| told = bytes).await;
    let put = put.expect("put");
    assert_eq!(
        (put.count, put.created, told),
        (2_500, 2_500, lines.len() as u64)
    );
    let mut list = EntityList {
        limit: Some(1_000),
        filter: Some("data.n >= 1000".to_owned()),
        ..EntityList::default()
    };
    let mut count = 0;
    loop {
        let part = client.entities("planes", &list).await.expect("a part");
        count += part.entities.len();
        list.after = part.next;
        if list.after.is_none() {
            break;
        }
    }
    assert_eq!(count, 1_500);
}

#[tokio::test]
async fn lines_that_are_refused_say_which_and_how_far_it_came() {
    let (_server, client) = server().await;
    let lines = lines(1_500) + "{\"subject\":\"x\"}\n";
    let put = client
        .put_entities("planes")
        .upload(lines.as_bytes(), |_| {});
    let error = put.await.expect_err("the last line has no state");
    assert_eq!((error.lines, error.put.created), (1_500, 1_500));
    let PutStop::Refused(refused) = error.reason else {
        panic!("the server refuses it, and not: {error}");
    };
    let problem = refused.problem().expect("a problem");
    assert_eq!(problem.number("line"), Some(1_501));
    assert!(problem.detail.starts_with("line 1501: "), "{problem:?}");
}

#[tokio::test]
async fn a_reader_is_told_every_state_a_mark_and_what_follows() {
    let (_server, client) = server().await;
    put(&client, "N1", "{\"a\":1}").await;
    put(&client, "N2", "{\"a\":2}").await;
    let at = put(&client, "N1", "{\"a\":3}").await;
    let mut follow = client.read("planes").from("state").follow();
    let mut told = Vec::new();
    loop {
        match follow.step().await.expect("it goes on") {
            Step::Event(event) => told.push(event.attributes().position),
            Step::Mark { position } => {
                assert_eq!(position, at);
                break;
            }
            Step::Idle => {}
            other => panic!("states come, and not {other:?}"),
        }
    }
    // The states come in the order of names, whatever their positions.
    assert_eq!(told, [3, 2]);
    put(&client, "N2", "{\"a\":4}").await;
    let event = follow.next().await.expect("it goes on").expect("a change");
    assert_eq!(
        (event.attributes().position, event.attributes().ty.as_str()),
        (4, "update")
    );
    assert_eq!(follow.cursor(), Some("4"));
    let mut states = client.read("planes").from("state").limit(1);
    let mut seen = Vec::new();
    let mark = loop {
        let page = states.page().await.expect("a page");
        seen.extend(page.events.iter().map(|event| event.attributes().position));
        if let Some(mark) = page.mark {
            break mark;
        }
        states = states.after(page.cursor);
    };
    assert_eq!((seen, mark), (vec![3, 4], 4));
}

#[tokio::test]
async fn a_load_is_started_watched_and_found_again() {
    let (_server, client) = server().await;
    put(&client, "N1", "{\"a\":1}").await;
    put(&client, "N2", "{\"a\":2}").await;
    let new = NewLoad {
        filter: Some("data.a > 1".to_owned()),
        ..NewLoad::default()
    };
    let mut load = client.start_load("planes", &new).await.expect("started");
    while !load.is_over() {
        load = client.load(&load.id).await.expect("it is there");
    }
    assert_eq!(
        (load.phase.as_str(), load.written, load.done),
        ("done", 1, 2)
    );
    let cancelled = client.cancel_load(&load.id).await.expect("it is over");
    assert_eq!(cancelled.phase, "done");
    let all = client.loads().await.expect("all").loads;
    assert_eq!(
        all.iter().map(|one| &one.id).collect::<Vec<_>>(),
        [&load.id]
    );
    let read = client.read("_load.planes").page().await.expect("a page");
    assert_eq!(read.events.len(), 1);
    assert_eq!(kind(client.load("none").await), "not-found");
}
