//! Following with the place kept in a file: what the file holds is never ahead of what is dealt with.

use std::fs;
use std::path::Path;
use std::time::Duration;

use feedwire_client::{Client, CursorFile, FollowError, Kept, KeptError};
use futures_util::StreamExt as _;
use futures_util::stream::FusedStream as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A server that streams `frames`, stays silent if it is to `stay`, and is asked once behind each of `cursors`.
async fn serve(frames: Vec<String>, stay: bool, cursors: &'static [&str]) -> (Client, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        for cursor in cursors {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(socket.read_u8().await.expect("a request"));
            }
            let request = String::from_utf8(request).expect("ASCII");
            assert!(request.contains(&format!("?{cursor}&")), "{request}");
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            let text = format!("{head}retry: 1\nid: 0\n\n{}", frames.concat());
            socket.write_all(text.as_bytes()).await.expect("sent");
            if stay {
                std::future::pending::<()>().await;
            }
        }
    });
    let client = Client::new(&format!("http://{address}")).expect("an address");
    (client, serving)
}

fn event(position: u64) -> String {
    format!(
        "id: {position}\ndata: {{\"id\":\"e{position}\",\"source\":\"/s\",\"type\":\"t\",\"time\":\"\",\"feed\":\"f\",\"position\":{position},\"recordedat\":\"\"}}\n\n"
    )
}

fn end(cursor: u64) -> String {
    format!("event: end\ndata: {{\"cursor\":\"{cursor}\"}}\n\n")
}

fn keep(client: &Client, path: &Path) -> Kept {
    let follow = client.read("f").from("start").follow().tries(1);
    follow
        .kept_in(CursorFile::new(path))
        .expect("a folder to write to")
}

fn held(path: &Path) -> Option<String> {
    CursorFile::new(path).load().expect("a cursor, or no file")
}

async fn position(kept: &mut Kept) -> Option<u64> {
    let event = kept.next().await.expect("it goes on")?;
    Some(event.attributes().position)
}

#[tokio::test(start_paused = true)]
async fn an_event_is_dealt_with_when_the_next_one_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cursor");
    let frames = vec![event(1), event(2), end(9)];
    let (client, _serving) = serve(frames, false, &["from=start", "after=9"]).await;
    let mut kept = keep(&client, &path).every(Duration::ZERO);
    assert_eq!(position(&mut kept).await, Some(1));
    // However long it is dealt with: at most what lies in front of it is saved.
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_ne!(held(&path).as_deref(), Some("1"));
    assert_eq!(position(&mut kept).await, Some(2));
    assert_eq!(held(&path).as_deref(), Some("1"));
    assert!(!kept.is_terminated());
    assert_eq!(position(&mut kept).await, None);
    assert_eq!(
        (held(&path).as_deref(), kept.cursor()),
        (Some("9"), Some("9"))
    );
    assert!(kept.is_terminated());
    assert_eq!(position(&mut kept).await, None);

    // It goes on there.
    let mut again = keep(&client, &path);
    assert_eq!(again.cursor(), Some("9"));
    assert_eq!(position(&mut again).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn the_file_is_replaced_now_and_then_and_when_nothing_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cursor");
    let frames = (1..=100).map(event).collect();
    let (client, _serving) = serve(frames, true, &["from=start"]).await;
    let mut kept = keep(&client, &path);
    for number in 1..=50 {
        assert_eq!(position(&mut kept).await, Some(number));
    }
    assert_eq!(held(&path), None, "half a second is not over");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(position(&mut kept).await, Some(51));
    assert_eq!(held(&path).as_deref(), Some("50"));
    for number in 52..=100 {
        assert_eq!(position(&mut kept).await, Some(number));
    }
    assert_eq!(held(&path).as_deref(), Some("50"));
    let wait = Duration::from_secs(10);
    let nothing = tokio::time::timeout(wait, kept.next()).await;
    nothing.expect_err("nothing more comes");
    assert_eq!(held(&path).as_deref(), Some("100"));
}

#[tokio::test(start_paused = true)]
async fn who_stops_asking_saves_what_is_dealt_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cursor");
    let (client, _serving) = serve(vec![event(1), event(2)], true, &["from=start"]).await;
    let mut kept = keep(&client, &path);
    kept.save().await.expect("there is nothing to save");
    assert_eq!(held(&path), None);
    assert_eq!(position(&mut kept).await, Some(1));
    kept.save().await.expect("saved");
    assert_eq!(held(&path).as_deref(), Some("1"));
    assert_eq!(position(&mut kept).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn the_place_is_saved_before_an_error_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cursor");
    let (client, _serving) = serve(vec![event(1), event(2)], false, &["from=start"]).await;
    let events: Vec<_> = keep(&client, &path).collect().await;
    assert_eq!(events.len(), 3);
    let error = events.into_iter().next_back().expect("it is there");
    assert!(
        matches!(error, Err(KeptError::Follow(FollowError::GaveUp { .. }))),
        "{error:?}"
    );
    assert_eq!(held(&path).as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_replaced_is_named_and_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("inner");
    let path = inner.join("cursor");
    fs::create_dir(&inner).expect("a folder");
    let frames = vec![event(1), event(2), end(2)];
    let (client, _serving) = serve(frames, false, &["from=start"]).await;
    let mut kept = keep(&client, &path).every(Duration::ZERO);
    assert_eq!(position(&mut kept).await, Some(1));
    fs::remove_dir_all(&inner).expect("it was there");
    let error = kept.next().await.expect_err("the folder is gone");
    assert!(matches!(error, KeptError::Save { .. }), "{error:?}");
    assert!(error.to_string().contains("inner/cursor"), "{error}");
    fs::create_dir(&inner).expect("a folder");
    // No event is lost with it.
    assert_eq!(position(&mut kept).await, Some(2));
    assert_eq!(position(&mut kept).await, None);
    assert_eq!(held(&path).as_deref(), Some("2"));

    let missing = CursorFile::new(folder.path().join("missing").join("cursor"));
    client
        .read("f")
        .follow()
        .kept_in(missing)
        .expect_err("no folder");
    fs::write(&path, "two words").expect("written");
    let follow = client.read("f").follow();
    follow
        .kept_in(CursorFile::new(&path))
        .expect_err("no cursor");
}
