//! Publishing to a server that is away, busy, broken or of another opinion.

use std::sync::Arc;
use std::time::Duration;

use feedwire_client::{Client, CursorFile, Error, Expect, NewEvent, PublishError, Stop};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A server that reads a request and answers it with the next text of a script, and what it was sent.
struct Server {
    client: Client,
    bodies: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Server {
    async fn start(script: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&bodies);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            for answer in script {
                let (mut socket, _) = listener.accept().await.expect("a connection");
                let mut request = Vec::new();
                while body(&request).is_none() {
                    let read = socket.read_buf(&mut request).await.expect("a request");
                    assert!(read > 0, "the request ends before its end");
                }
                seen.lock().push(body(&request).expect("it is whole"));
                socket.write_all(answer.as_bytes()).await.expect("sent");
            }
        });
        Self {
            client: Client::new(&format!("http://{address}")).expect("an address"),
            bodies,
            _serving: serving,
        }
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().clone()
    }
}

/// The body of a request, once it is whole.
fn body(request: &[u8]) -> Option<String> {
    let (head, body) = std::str::from_utf8(request).ok()?.split_once("\r\n\r\n")?;
    let length = head.split_once("content-length: ");
    let length = length.map_or("0", |(_, length)| length.lines().next().unwrap_or_default());
    let length: usize = length.parse().ok()?;
    (body.len() == length).then(|| body.to_owned())
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

fn published() -> String {
    answer(
        "200 OK",
        "",
        r#"{"first":7,"last":7,"count":1,"recorded_at":""}"#,
    )
}

fn uploaded(first: u64, last: u64) -> String {
    let count = last - first + 1;
    let body = format!(
        r#"{{"first":{first},"last":{last},"count":{count},"batches":1,"recorded_at":"r{last}"}}"#
    );
    answer("200 OK", "", &body)
}

fn refusal(status: &str, kind: &str, members: &str) -> String {
    let number = &status[..3];
    let body = format!(
        r#"{{"type":"urn:feedwire:problem:{kind}","title":"{kind}","status":{number}{members}}}"#
    );
    answer(status, "retry-after: 7\r\n", &body)
}

/// No answer at all.
fn lost() -> String {
    String::new()
}

#[tokio::test(start_paused = true)]
async fn every_wait_is_told_and_the_same_bytes_are_sent_again() {
    let busy = || refusal("503 Service Unavailable", "unavailable", "");
    let full = || refusal("507 Insufficient Storage", "no-space", "");
    let server = Server::start(vec![full(), busy(), lost(), published()]).await;
    let told = Mutex::new(Vec::new());
    let event = NewEvent::new("t");
    let answer = server
        .client
        .publish("f")
        .on_retry(|retry| {
            let passing = retry.error.is_passing();
            told.lock()
                .push((retry.failed, retry.wait, retry.in_doubt, passing));
        })
        .event(&event)
        .await;
    assert_eq!(answer.expect("published").first, 7);
    let asked = Duration::from_secs(7);
    let told = told.into_inner();
    assert_eq!(told[..2], [(1, asked, false, true), (2, asked, true, true)]);
    assert!(
        (told[2].0, told[2].2) == (3, true) && told[2].1 < asked,
        "{told:?}"
    );
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 4);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    let event: serde_json::Value = serde_json::from_str(&bodies[0]).expect("JSON");
    assert!(
        event["id"].as_str().is_some_and(|id| id.len() == 36),
        "{event}"
    );
}

#[tokio::test(start_paused = true)]
async fn two_calls_publish_two_events() {
    let server = Server::start(vec![published(), published()]).await;
    let event = NewEvent::new("t");
    for _ in 0..2 {
        let answer = server.client.publish("f").event(&event).await;
        answer.expect("published");
    }
    let bodies = server.bodies();
    assert_ne!(bodies[0], bodies[1]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_open_and_what_is_not_is_told_apart() {
    let busy = || refusal("429 Too Many Requests", "busy", "");
    let check = async |script: Vec<String>, words: &str| {
        let server = Server::start(script).await;
        let publish = server
            .client
            .publish("f")
            .expect(Expect::Version(1))
            .tries(3);
        let error = publish.event(&NewEvent::new("t").subject("s")).await;
        let error = error.expect_err("it is not published");
        assert_eq!(error.to_string(), words);
        error
    };
    check(vec![busy(), busy(), busy()], "given up after 3 tries").await;
    let words = "whether it was published is not known after 3 tries";
    check(vec![lost(), busy(), busy()], words).await;

    // The server looks for what it has before it looks at what is expected.
    let conflict = || refusal("409 Conflict", "conflict", "");
    let error = check(vec![lost(), conflict()], "conflict").await;
    assert!(matches!(error, PublishError::Refused(_)), "{error:?}");

    // That somebody else answers now says nothing of the first try.
    let stranger = || answer("404 Not Found", "", "<html>");
    let words = "whether it was published is not known after 2 tries";
    let error = check(vec![lost(), stranger()], words).await;
    assert!(matches!(
        error.request(),
        Error::Strange { status: 404, .. }
    ));
    check(
        vec![stranger()],
        "the answer, with status 404, is not one of Feedwire: <html>",
    )
    .await;
}

#[tokio::test]
async fn an_event_that_cannot_be_written_is_not_sent() {
    let client = Client::new("http://127.0.0.1:1").expect("an address");
    let nobody = client.publish("f").tries(1).json("{").await;
    let error = nobody.expect_err("nobody is there");
    assert!(matches!(error, PublishError::GaveUp { tries: 1, .. }));
    let long = "x".repeat(100_000);
    let error = client.publish(&long).json("{}").await;
    let error = error.expect_err("no URL is as long");
    assert!(
        matches!(error, PublishError::Refused(Error::Unwritable(_))),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_sent_in_portions_each_until_it_is_answered() {
    let script = vec![uploaded(1, 1_000), lost(), uploaded(1_001, 1_500)];
    let server = Server::start(script).await;
    let text = format!("{}\n \n", "{\"type\":\"t\"}\n".repeat(1_500).trim_end());
    let mut sent = Vec::new();
    let upload = server.client.publish("f");
    let uploaded = upload.upload(text.as_bytes(), |bytes| sent.push(bytes));
    let uploaded = uploaded.await.expect("published");
    assert_eq!((uploaded.first, uploaded.last), (1, 1_500));
    assert_eq!((uploaded.count, uploaded.batches), (1_500, 2));
    assert_eq!(uploaded.recorded_at, "r1500");
    assert_eq!(sent, [13_000, text.len() as u64]);
    let bodies = server.bodies();
    assert_eq!(bodies[1], bodies[2]);
    let lines = bodies[0].lines().chain(bodies[1].lines());
    assert_eq!(lines.filter(|line| line.contains("\"id\":")).count(), 1_500);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_refused_is_counted_from_the_start() {
    let members = r#","detail":"line 5 column 2: no value","line":5,"appended":0,"last":null"#;
    let script = vec![
        uploaded(1, 1_000),
        refusal("400 Bad Request", "invalid-json", members),
    ];
    let server = Server::start(script).await;
    let text = "{\"type\":\"t\"}\n".repeat(1_500);
    let upload = server.client.publish("f").upload(text.as_bytes(), |_| {});
    let error = upload.await.expect_err("a refusal");
    let words = "up to line 1000 everything is published, up to position 1000; it stopped at lines 1001 to 1500";
    assert_eq!(error.to_string(), words);
    assert_eq!((error.lines, error.sent), (1_000, 1_500));
    assert_eq!(
        error.published.map(|published| published.count),
        Some(1_000)
    );
    match error.reason {
        Stop::Publish(PublishError::Refused(refusal)) => {
            assert_eq!(refusal.to_string(), "line 1005 column 2: no value");
            let problem = refusal.problem().expect("it is the server's");
            assert_eq!(problem.number("line"), Some(1_005));
        }
        reason => panic!("{reason:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_expects_something_is_one_request() {
    let server = Server::start(vec![uploaded(1, 2)]).await;
    let (mut sender, receiver) = tokio::io::duplex(1_024);
    let slow = async {
        for line in ["{\"type\":\"t\"}\n", "{\"type\":\"u\"}"] {
            sender.write_all(line.as_bytes()).await.expect("room");
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        drop(sender);
    };
    let publish = server.client.publish("f").expect(Expect::Nothing);
    let (uploaded, ()) = tokio::join!(publish.upload(receiver, |_| {}), slow);
    assert_eq!(uploaded.expect("published").count, 2);
    assert_eq!(server.bodies().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_upload_of_nothing_is_for_the_server_to_judge() {
    let words = r#","detail":"there is no event in it""#;
    let empty = || refusal("400 Bad Request", "invalid-event", words);
    for text in ["", "\n \r\n"] {
        let server = Server::start(vec![empty()]).await;
        let error = server.client.publish("f").upload(text.as_bytes(), |_| {});
        let error = error.await.expect_err("a refusal");
        assert_eq!(error.to_string(), "nothing was acknowledged");
        assert_eq!(error.reason.to_string(), "there is no event in it");
    }
}

#[tokio::test]
async fn what_is_asked_can_be_asked_in_a_task_of_its_own() {
    fn is_send<T: Send>(_: &T) {}
    let client = Client::new("http://127.0.0.1:1").expect("an address");
    let event = NewEvent::new("t");
    is_send(&client.publish("f").on_retry(|_| {}).event(&event));
    is_send(&client.publish("f").upload(&b""[..], |_| {}));
    let mut follow = client.read("f").follow();
    is_send(&follow.step());
    let folder = tempfile::tempdir().expect("a folder");
    let file = CursorFile::new(folder.path().join("cursor"));
    let mut kept = follow.kept_in(file).expect("a folder to write to");
    is_send(&kept.next());
}
