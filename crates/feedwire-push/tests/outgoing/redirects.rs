//! Redirects: none, unless they are asked for, and then none that leads astray.

use feedwire_push::{Answer, BadUrl, Failure, RedirectFault};

use crate::receiver::{Receiver, Reply, Then};
use crate::sender::{NAME, Sender, guard};

fn redirect(status: &str, location: &str) -> Reply {
    Reply::with(status, &format!("location: {location}\r\n"))
}

/// Sends to the receiver, following up to `redirects`.
async fn send(sender: &Sender, receiver: &Receiver, redirects: u8) -> Result<Answer, Failure> {
    let url = format!("http://{NAME}:{}/events?key=grouper", receiver.port);
    let mut delivery = sender.delivery(&url);
    delivery.redirects = redirects;
    sender.outgoing.send(delivery).await
}

fn fault(sent: Result<Answer, Failure>) -> RedirectFault {
    match sent {
        Err(failure @ Failure::Redirected { .. }) => {
            let words = failure.to_string();
            assert!(!words.contains("grouper"), "{words}");
            let Failure::Redirected { fault, .. } = failure else {
                unreachable!()
            };
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn redirects_are_not_followed_unless_asked_for() {
    let sender = Sender::new();
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        let receiver = Receiver::start(vec![redirect(status, "/elsewhere")]).await;
        assert_eq!(fault(send(&sender, &receiver, 0).await), RedirectFault::Off);
        assert_eq!(receiver.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_sent_the_same_again() {
    let sender = Sender::new();
    let replies = vec![
        redirect("307 Temporary Redirect", "/elsewhere?a=b#part"),
        redirect("308 Permanent Redirect", "there"),
        Reply::status("200 OK"),
    ];
    let receiver = Receiver::start(replies).await;
    let answer = send(&sender, &receiver, 2).await.expect("an answer");
    assert_eq!(answer.status, 200);
    let seen = receiver.seen();
    let paths: Vec<_> = seen
        .iter()
        .filter_map(|seen| seen.head.lines().next())
        .collect();
    assert_eq!(
        paths,
        [
            "POST /events?key=grouper HTTP/1.1",
            "POST /elsewhere?a=b HTTP/1.1",
            "POST /there HTTP/1.1"
        ]
    );
    for request in &seen {
        assert_eq!(request.body, b"{\"n\":1}");
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("x-password"), Some("swordfish"));
    }
}

#[tokio::test]
async fn headers_of_the_user_are_for_the_origin_that_they_were_written_for() {
    let sender = Sender::with_guard(guard(&["127.0.0.0/8"]));
    let (first, second) = (
        Receiver::start(Vec::new()).await,
        Receiver::start(Vec::new()).await,
    );
    let to = |receiver: &Receiver| {
        redirect(
            "307 Temporary Redirect",
            &format!("http://{NAME}:{}/", receiver.port),
        )
    };
    first.reply(to(&first));
    first.reply(to(&second));
    second.reply(to(&first));
    first.reply(Reply::status("200 OK"));
    assert!(send(&sender, &first, 3).await.is_ok());
    let passwords = |receiver: &Receiver| {
        let seen = receiver.seen();
        let passwords = seen.iter().map(|seen| seen.header("x-password").is_some());
        passwords.collect::<Vec<_>>()
    };
    // Not even when it comes back: whoever it was at may have chosen where to.
    assert_eq!(passwords(&first), [true, true, false]);
    assert_eq!(passwords(&second), [false]);
    let elsewhere = &second.seen()[0];
    assert_eq!(elsewhere.body, b"{\"n\":1}");
    assert_eq!(elsewhere.header("content-type"), Some("application/json"));
    let agent = elsewhere.header("user-agent").expect("an agent");
    assert!(agent.starts_with("Feedwire/"), "{agent}");
}

#[tokio::test]
async fn another_host_is_another_origin_and_the_same_in_capitals_is_not() {
    let sender = Sender::with_guard(guard(&["127.0.0.0/8"]));
    for (host, is_same) in [("127.0.0.3", false), ("RECEIVER.example", true)] {
        let receiver = Receiver::start(Vec::new()).await;
        let location = format!("http://{host}:{}/", receiver.port);
        receiver.reply(redirect("308 Permanent Redirect", &location));
        receiver.reply(Reply::status("200 OK"));
        assert!(send(&sender, &receiver, 1).await.is_ok());
        let second = &receiver.seen()[1];
        assert_eq!(second.header("x-password").is_some(), is_same, "{host}");
    }
}

#[tokio::test]
async fn others_than_307_and_308_are_not_followed() {
    let sender = Sender::new();
    for status in [300, 301, 302, 303, 304, 305, 399] {
        let receiver = Receiver::start(vec![redirect(&format!("{status} X"), "/elsewhere")]).await;
        let sent = send(&sender, &receiver, 3).await;
        assert_eq!(fault(sent), RedirectFault::Status, "{status}");
        assert_eq!(receiver.seen().len(), 1);
    }
}

#[tokio::test]
async fn there_are_no_more_redirects_than_asked_for() {
    let sender = Sender::new();
    let again = redirect("307 Temporary Redirect", "/events?key=grouper");
    let receiver = Receiver::start(vec![again; 10]).await;
    assert_eq!(
        fault(send(&sender, &receiver, 3).await),
        RedirectFault::TooMany
    );
    assert_eq!(receiver.seen().len(), 4);
}

#[tokio::test]
async fn a_redirect_leads_to_no_address_of_the_inside() {
    let sender = Sender::new();
    for location in [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "//[::1]/",
        "http://localhost:8080/",
    ] {
        let receiver = Receiver::start(vec![redirect("307 X", location)]).await;
        match fault(send(&sender, &receiver, 3).await) {
            RedirectFault::Target(BadUrl::Inside(_)) => {}
            other => panic!("{location}: {other:?}"),
        }
        assert_eq!(receiver.seen().len(), 1);
    }
}

/// The name itself is not of the inside, the address is that it has by then.
#[tokio::test]
async fn a_redirect_to_a_name_has_its_address_checked() {
    let sender = Sender::new();
    let text =
        "HTTP/1.1 307 X\r\nlocation: /again\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let receiver = Receiver::start(vec![Reply::new(text, Then::Close)]).await;
    sender.names.then(&["127.0.0.1"]);
    let sent = send(&sender, &receiver, 1).await;
    assert!(matches!(sent, Err(Failure::Inward { .. })), "{sent:?}");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_is_told() {
    let sender = Sender::new();
    for (headers, expected) in [
        ("", RedirectFault::Location),
        ("location: \u{e9}\r\n", RedirectFault::Location),
        (
            "location: ftp://feeds.example.com/\r\n",
            RedirectFault::Target(BadUrl::Scheme),
        ),
        (
            "location: http://user@feeds.example.com/\r\n",
            RedirectFault::Target(BadUrl::UserInfo),
        ),
        (
            "location: http://a b/\r\n",
            RedirectFault::Target(BadUrl::Characters),
        ),
        (
            "location: javascript:alert(1)\r\n",
            RedirectFault::Target(BadUrl::Relative),
        ),
    ] {
        let receiver = Receiver::start(vec![Reply::with("308 X", headers)]).await;
        assert_eq!(
            fault(send(&sender, &receiver, 3).await),
            expected,
            "{headers}"
        );
    }
}
