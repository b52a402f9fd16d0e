//! Following a server that is cut off, stops, refuses and lies, each in the bytes that it sends.

use std::time::Duration;

use feedwire_client::{Client, FollowError, Interruption, Step};
use futures_util::stream::FusedStream as _;
use futures_util::{FutureExt as _, StreamExt};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n";

/// Reads a request; returns its first line.
async fn first_line(socket: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(socket.read_u8().await.expect("a request"));
    }
    let text = String::from_utf8(request).expect("ASCII");
    text.lines().next().unwrap_or_default().to_owned()
}

/// Answers one connection after the other with the texts of `script`, and returns the first lines that it was sent.
async fn serve(script: Vec<String>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    #[expect(
        clippy::disallowed_methods,
        reason = "the test takes the handle and waits for it"
    )]
    let asked = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in script {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            asked.push(first_line(&mut socket).await);
            socket.write_all(answer.as_bytes()).await.expect("sent");
        }
        asked
    });
    let client = Client::new(&format!("http://{address}")).expect("an address");
    (client, asked)
}

fn event(position: u64) -> String {
    format!(
        "id: {position}\ndata: {{\"id\":\"e{position}\",\"source\":\"/s\",\"type\":\"t\",\"time\":\"\",\"feed\":\"f\",\"position\":{position},\"recordedat\":\"\"}}\n\n"
    )
}

/// A stream whose server asks for tries in quick succession.
fn stream(frames: &[&str]) -> String {
    format!("{STREAM}retry: 1\nid: 0\n\n{}", frames.concat())
}

fn refusal(status: &str, kind: &str) -> String {
    let number: u16 = status[..3].parse().expect("a status");
    let body = format!(
        "{{\"type\":\"urn:feedwire:problem:{kind}\",\"title\":\"{kind}\",\"status\":{number},\"detail\":\"because\",\"first_position\":9}}"
    );
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_reader_that_is_cut_off_goes_on_behind_the_last_event_it_was_given() {
    let (one, two, three) = (event(1), event(2), event(3));
    let end = "event: end\ndata: {\"cursor\":\"7\"}\n\n";
    let torn = &two[..20];
    let first = stream(&[&one, torn]);
    let second = stream(&[&two, "id: 5\n\n"]);
    let third = stream(&[&three, end]);
    let (client, asked) = serve(vec![first, second, third]).await;
    let mut follow = client.read("f").from("start").types(["t", "a,b"]).follow();
    let mut positions = Vec::new();
    while let Some(event) = follow.next().await.expect("it goes on") {
        positions.push(event.attributes().position);
    }
    assert_eq!(positions, [1, 2, 3]);
    assert_eq!(follow.cursor(), Some("7"));
    assert!(matches!(follow.step().await, Ok(Step::End)));
    let path = "GET /v1/projects/default/feeds/f";
    let rest = "types=t,a%2Cb&heartbeat=15s HTTP/1.1";
    assert_eq!(
        asked.await.expect("a server"),
        [
            format!("{path}?from=start&{rest}"),
            format!("{path}?after=1&{rest}"),
            format!("{path}?after=5&{rest}"),
        ]
    );
}

#[tokio::test]
async fn a_limit_counts_what_came_before_the_cut() {
    let first = stream(&[&event(1), &event(2)]);
    let second = stream(&[&event(3)]);
    let (client, asked) = serve(vec![first, second]).await;
    let mut follow = client.read("f").after("0").limit(3).follow();
    let mut count = 0;
    while follow.next().await.expect("it goes on").is_some() {
        count += 1;
    }
    assert_eq!(count, 3);
    let asked = asked.await.expect("a server");
    assert!(
        asked[0].contains("limit=3") && asked[1].contains("limit=1"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_server_that_has_no_more_to_come_ends_it() {
    let (client, _) = serve(vec![
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".into(),
    ])
    .await;
    let mut follow = client.read("f").until("now").follow();
    assert!(follow.next().await.expect("an end").is_none());
}

#[tokio::test]
async fn a_loss_to_retention_is_said_before_and_within_a_stream() {
    let expired = "event: expired\ndata: {\"type\":\"urn:feedwire:problem:cursor-expired\",\"title\":\"x\",\"status\":410,\"first_position\":9}\n\n";
    for answer in [refusal("410 Gone", "cursor-expired"), stream(&[expired])] {
        let (client, _) = serve(vec![answer]).await;
        match client.read("f").after("1").follow().next().await {
            Err(FollowError::Expired(problem)) => {
                assert_eq!(problem.number("first_position"), Some(9));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_event_with_a_number_that_no_float_holds_is_handed_out() {
    let large = event(1).replace("\"recordedat\"", "\"x\":1e400,\"recordedat\"");
    let (client, _) = serve(vec![stream(&[&large])]).await;
    let mut follow = client.read("f").from("start").follow();
    let event = follow.next().await.expect("an event").expect("one");
    assert_eq!(event.attributes().extensions["x"].get(), "1e400");
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_is_named_by_its_place() {
    let odd = "id: 2\ndata: {\"position\":2,\"id\":7}\n\n";
    let end = "event: end\ndata: {}\n\n";
    for (frame, words) in [
        (odd, "the event at position 2 cannot be read"),
        (end, "the frame behind cursor 1 cannot be read"),
    ] {
        let (client, _) = serve(vec![stream(&[&event(1), frame])]).await;
        let mut follow = client.read("f").from("start").follow();
        follow.next().await.expect("an event");
        let error = follow.next().await.expect_err("it is no frame of ours");
        assert_eq!(error.to_string(), words);
        assert_eq!(follow.cursor(), Some("1"));
    }
}

#[tokio::test]
async fn what_the_server_would_refuse_again_is_not_asked_again() {
    let strange =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n".to_owned();
    for answer in [refusal("400 Bad Request", "invalid-parameter"), strange] {
        let (client, _) = serve(vec![answer]).await;
        let error = client
            .read("f")
            .follow()
            .next()
            .await
            .expect_err("a refusal");
        assert!(matches!(error, FollowError::Refused(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_asked_again_and_given_up_in_the_end() {
    let busy = || refusal("503 Service Unavailable", "unavailable");
    let (client, asked) = serve(vec![stream(&[]), busy(), busy()]).await;
    let mut follow = client.read("f").from("start").follow().tries(3);
    assert!(matches!(follow.step().await, Ok(Step::Idle)));
    let lost = follow.step().await.expect("a lost connection");
    assert!(
        matches!(
            lost,
            Step::Lost {
                reason: Interruption::Closed,
                ..
            }
        ),
        "{lost:?}"
    );
    match follow.next().await {
        Err(FollowError::GaveUp {
            tries: 3,
            last: Interruption::Request(error),
        }) => {
            assert_eq!(error.to_string(), "because");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(asked.await.expect("a server").len(), 3);
}

#[tokio::test]
async fn a_server_that_says_in_a_stream_that_it_has_no_room_is_asked_again_when_it_says() {
    let overloaded = format!(
        "{STREAM}retry: 700\nevent: overloaded\ndata: {{\"type\":\"urn:feedwire:problem:too-many-requests\",\"title\":\"busy\",\"status\":429}}\n\n"
    );
    let (client, _) = serve(vec![overloaded, stream(&[&event(1)])]).await;
    let mut follow = client.read("f").from("start").follow();
    match follow.step().await {
        Ok(Step::Lost {
            reason: Interruption::Request(error),
            wait,
        }) => {
            let kind = error.problem().map(feedwire_client::Problem::kind);
            assert_eq!(kind, Some("too-many-requests"));
            assert!(wait >= Duration::from_millis(700), "{wait:?}");
        }
        other => panic!("{other:?}"),
    }
    let event = follow.next().await.expect("an event").expect("one");
    assert_eq!(event.attributes().position, 1);
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_taken_for_dead() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let client = Client::new(&format!("http://{address}")).expect("an address");
    let read = client.read("f").from("start");
    let mut follow = read.follow().heartbeat(Duration::from_millis(20));
    let silent = async {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        first_line(&mut socket).await;
        socket
            .write_all(stream(&[]).as_bytes())
            .await
            .expect("sent");
        std::future::pending::<()>().await;
        drop(socket);
    };
    let followed = async {
        // On a slow machine the patience may end before the first frame was read.
        let lost = loop {
            match follow.step().await.expect("a lost connection") {
                Step::Idle => {}
                step => break step,
            }
        };
        let broken = matches!(
            lost,
            Step::Lost {
                reason: Interruption::Broken(_),
                ..
            }
        );
        assert!(broken, "{lost:?}");
    };
    tokio::select! {
        () = silent => unreachable!("it is silent for ever"),
        () = followed => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_asks_in_short_calls_finds_out_a_dead_connection_too() {
    // A call that is dropped must begin neither the patience anew nor, where it was connecting, the connecting.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let client = Client::new(&format!("http://{address}")).expect("an address");
    let mut follow = client.read("f").from("start").follow();
    let silent = async {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        tokio::time::sleep(Duration::from_secs(10)).await;
        first_line(&mut socket).await;
        let sent = socket.write_all(stream(&[&event(1)]).as_bytes()).await;
        sent.expect("sent");
        std::future::pending::<()>().await;
        drop(socket);
    };
    let followed = async {
        let mut steps = Vec::new();
        while steps.len() < 3 {
            let wait = Duration::from_secs(1);
            if let Ok(step) = tokio::time::timeout(wait, follow.step()).await {
                steps.push(step.expect("it goes on"));
            }
        }
        assert!(
            matches!(&steps[..], [Step::Idle, Step::Event(_), Step::Lost { .. }]),
            "{steps:?}"
        );
    };
    let started = tokio::time::Instant::now();
    tokio::select! {
        () = silent => unreachable!("it is silent for ever"),
        () = followed => {}
    }
    // Ten seconds until the answer, then three heartbeats.
    let took = started.elapsed().as_secs();
    assert!((55..60).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_trickles_in_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let client = Client::new(&format!("http://{address}")).expect("an address");
    let mut follow = client.read("f").from("start").follow().tries(1);
    let trickle = async {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        socket.set_nodelay(true).expect("a TCP socket");
        first_line(&mut socket).await;
        socket.write_all(STREAM.as_bytes()).await.expect("sent");
        for byte in stream(&[&event(1)])[STREAM.len()..].bytes() {
            socket.write_all(&[byte]).await.expect("sent");
            // Two hundred bytes take half an hour.
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = trickle => unreachable!("it stays open for ever"),
        event = follow.next() => {
            let event = event.expect("it goes on").expect("an event");
            assert_eq!(event.attributes().position, 1);
        }
    }
}

#[tokio::test]
async fn it_is_a_stream_that_ends_behind_its_end_and_behind_its_error() {
    let end = "event: end\ndata: {\"cursor\":\"7\"}\n\n";
    let (client, _) = serve(vec![stream(&[&event(1), "id: 5\n\n", &event(6), end])]).await;
    let follow = client.read("f").from("start").follow();
    let positions = follow.map(|event| event.expect("an event").attributes().position);
    assert_eq!(positions.collect::<Vec<_>>().await, [1, 6]);

    let torn = "id: 2\ndata: {}\n\n";
    let (client, _) = serve(vec![stream(&[&event(1), torn, &event(3)])]).await;
    let mut follow = client.read("f").from("start").follow();
    assert!(matches!(StreamExt::next(&mut follow).await, Some(Ok(_))));
    assert!(!follow.is_terminated());
    assert!(matches!(StreamExt::next(&mut follow).await, Some(Err(_))));
    assert!(follow.is_terminated());
    // The event behind the one that cannot be read is not handed out, as if that one had never been.
    assert!(StreamExt::next(&mut follow).await.is_none());
    assert!(follow.next().await.expect("the end").is_none());
    assert_eq!(follow.cursor(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_server_is_asked_again_no_sooner_than_it_wants() {
    let busy = |headers: &str| {
        refusal("503 Service Unavailable", "unavailable").replace(
            "connection: close\r\n",
            &format!("connection: close\r\n{headers}"),
        )
    };
    let by_date =
        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:51:37 GMT\r\n";
    let torn = busy("retry-after: 90\r\n");
    let script = vec![
        busy("retry-after: 40\r\n"),
        busy(by_date),
        torn[..torn.len() - 10].to_owned(),
        busy("retry-after: soon\r\n"),
        busy("retry-after: 86400\r\n"),
    ];
    let (client, _) = serve(script).await;
    let mut follow = client.read("f").from("start").follow();
    for (least, most) in [(40, 40), (120, 120), (90, 90), (2, 4), (300, 300)] {
        let step = follow.step().await.expect("it goes on");
        let Step::Lost { wait, .. } = step else {
            panic!("{step:?}");
        };
        let asked = Duration::from_secs(least)..=Duration::from_secs(most);
        assert!(asked.contains(&wait), "{wait:?}");
        assert!(follow.step().now_or_never().is_none(), "it waits");
    }
}

#[tokio::test]
async fn a_reader_that_is_cut_off_among_states_goes_on_behind_the_last_it_was_given() {
    let state = |key: &str, position| event(position).replacen(&position.to_string(), key, 1);
    let first = stream(&[&state("state:9:YQ", 7), &state("state:9:Yg", 3)]);
    // What has changed since is behind the mark once more, where its state was told after it.
    let mark = "id: 9\nevent: mark\ndata: {\"cursor\":\"9\"}\n\n";
    let end = "event: end\ndata: {\"cursor\":\"11\"}\n\n";
    let second = stream(&[&state("state:9:Yw", 10), mark, &event(10)]);
    let third = stream(&[&event(10), &event(11), end]);
    let second = second.replacen("id: 0\n\n", "", 1);
    let third = third.replacen("id: 0\n\n", "", 1);
    let (client, asked) = serve(vec![first, second, third]).await;
    let mut follow = client.read("f").from("state").follow();
    let mut told = Vec::new();
    loop {
        match follow.step().await.expect("it goes on") {
            Step::Event(event) => told.push(event.attributes().position),
            Step::Mark { position } => told.push(100 * position),
            Step::Idle | Step::Lost { .. } => {}
            Step::End => break,
        }
    }
    assert_eq!(told, [7, 3, 10, 900, 10, 11]);
    let asked = asked.await.expect("three requests");
    let asked: Vec<&str> = asked
        .iter()
        .map(|line| line.split(['?', '&']).nth(1).unwrap_or_default())
        .collect();
    assert_eq!(asked, ["from=state", "after=state%3A9%3AYg", "after=10"]);
}
