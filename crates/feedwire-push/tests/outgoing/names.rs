//! Names, and where they lead when it counts.

use std::net::IpAddr;

use feedwire_push::{Failure, Guard};

use crate::receiver::{Receiver, Reply, Then};
use crate::sender::{NAME, Sender, guard};

/// An answer after which the next request has to connect again.
fn closing() -> Reply {
    Reply::new(
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        Then::Close,
    )
}

fn refused(sent: Result<feedwire_push::Answer, Failure>) -> IpAddr {
    match sent {
        Err(Failure::Refused(inside)) => inside.address,
        Err(failure @ Failure::Inward { .. }) => {
            let told = failure.to_string();
            let Failure::Inward { inside, .. } = failure else {
                unreachable!("it was one")
            };
            let address = inside.address.to_string();
            assert!(
                !told.contains(&address),
                "where a name leads is not told: {told}"
            );
            inside.address
        }
        other => panic!("{other:?}"),
    }
}

/// DNS rebinding: the name was good when the connector was made, and when it was last sent to.
#[tokio::test]
async fn a_name_that_moves_to_the_inside_is_not_followed_there() {
    let sender = Sender::new();
    let receiver = Receiver::start(vec![closing(), closing()]).await;
    assert!(sender.send(receiver.port).await.is_ok());
    for inside in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
    ] {
        sender.names.set(&[inside]);
        let refused = refused(sender.send(receiver.port).await);
        assert_eq!(refused.to_string(), inside);
    }
    assert_eq!(receiver.connections(), 1);
    sender.names.set(&["127.0.0.2"]);
    assert!(sender.send(receiver.port).await.is_ok());
}

#[tokio::test]
async fn of_the_addresses_of_a_name_only_those_are_tried_that_are_let_through() {
    let sender = Sender::new();
    let receiver = Receiver::start(vec![closing()]).await;
    sender
        .names
        .set(&["127.0.0.1", "::1", "127.0.0.2", "10.0.0.1"]);
    assert!(sender.send(receiver.port).await.is_ok());
    let seen = receiver.seen();
    assert_eq!(seen[0].at.ip().to_string(), "127.0.0.2");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn where_the_first_address_does_not_answer_the_next_one_is_tried() {
    let sender = Sender::with_guard(guard(&["127.0.0.0/8", "::/128"]));
    let receiver = Receiver::start(vec![closing()]).await;
    // The receiver is at addresses of IPv4 alone.
    sender.names.set(&["::", "127.0.0.3"]);
    assert!(sender.send(receiver.port).await.is_ok());
    assert_eq!(receiver.seen()[0].at.ip().to_string(), "127.0.0.3");
}

/// Systems take the address of no host for this machine: what was asked for is not what is there.
#[tokio::test]
async fn a_connection_that_leads_elsewhere_than_its_address_says_is_not_used() {
    let sender = Sender::with_guard(guard(&["0.0.0.0/32"]));
    let mut receiver = Receiver::start(vec![closing()]).await;
    sender.names.set(&["0.0.0.0"]);
    let refused = refused(sender.send(receiver.port).await);
    assert_eq!(refused.to_string(), "127.0.0.1");
    receiver.ended().await;
    assert_eq!(receiver.seen().len(), 0);
}

#[tokio::test]
async fn an_address_in_the_url_is_held_against_the_guard_too() {
    let receiver = Receiver::start(vec![closing()]).await;
    let open = guard(&["127.0.0.0/8"]);
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let target = open.check_url(&url).expect("it is let in");
    // As of a server that lets in less than when the connector was made.
    let sender = Sender::with_guard(Guard {
        allowed: Vec::new(),
        http: true,
    });
    let mut delivery = sender.delivery("https://feeds.example.com/");
    delivery.target = target.clone();
    let address = refused(sender.outgoing.send(delivery).await);
    assert_eq!(address.to_string(), "127.0.0.1");
    assert_eq!(receiver.connections(), 0);
    let sender = Sender::with_guard(open);
    assert!(sender.outgoing.send(sender.delivery(&url)).await.is_ok());
}

#[tokio::test]
async fn a_name_without_an_address_is_told_from_one_that_does_not_answer() {
    let sender = Sender::new();
    sender.names.set(&[]);
    match sender.send(80).await {
        Err(Failure::Unresolved { name, .. }) => assert_eq!(name, NAME),
        other => panic!("{other:?}"),
    }
    let elsewhere = sender.delivery("http://nobody.example/");
    match sender.outgoing.send(elsewhere).await {
        Err(Failure::Unresolved { name, reason }) => {
            assert_eq!(
                (name.as_str(), reason.as_str()),
                ("nobody.example", "no such name")
            );
        }
        other => panic!("{other:?}"),
    }
}
