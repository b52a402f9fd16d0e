//! A receiver whose name leads elsewhere in the middle.

use std::time::Duration;

use feedwire_core::connectors::Answered;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::receiver::{ADDRESS, Receiver};
use crate::world::{INSIDE, World, borrowed, name, rounds, subjects, to};

/// DNS rebinding: the name was good when the connector was made, and while it was sent to.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_a_name_must_not_lead_and_all_of_it_when_it_leads_back() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    // Who listens inside, at the same port.
    let inside = TcpListener::bind((INSIDE, receiver.port)).await;
    let inside = inside.expect("nobody listens there");
    let names = subjects("s", 10);
    world.connect(to(&receiver)).await;
    world.publish(&rounds(&borrowed(&names), 0..5)).await;
    receiver.taken(50).await;
    world.settled().await;
    world.names.lead_to(INSIDE);
    receiver.hang_up();
    world.publish(&rounds(&borrowed(&names), 5..10)).await;
    sleep(Duration::from_mins(5)).await;
    assert_eq!(receiver.state().count(), 50);
    let connected = timeout(Duration::from_secs(1), inside.accept()).await;
    assert!(connected.is_err(), "somebody connected");
    let attempts = world.push.deliveries(&world.grant, &name()).await;
    match &attempts.expect("attempts")[0].answered {
        Answered::Nothing(why) => {
            assert!(why.contains("not let in") && !why.contains(INSIDE), "{why}");
        }
        answered @ Answered::Status(..) => panic!("{answered:?}"),
    }
    world.names.lead_to(ADDRESS);
    let state = receiver.taken(100).await;
    assert_eq!(state.faults, [""; 0]);
    world.close().await;
}
