//! Secrets that are changed while events are pushed.

use std::time::Duration;

use feedwire_push::{SigningSecret, TOLERANCE, verify};
use tokio::time::sleep;

use crate::receiver::{Receiver, Seen};
use crate::world::{World, name, to};

fn is_signed(world: &World, seen: &Seen, secret: &SigningSecret) -> bool {
    let now = world.clock.now().as_micros() / 1_000_000;
    verify(&seen.headers, &seen.body, &[secret], now, TOLERANCE).is_ok()
}

#[tokio::test(start_paused = true)]
async fn two_secrets_sign_for_a_while_and_then_the_new_one_alone() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    let made = world.connect(to(&receiver)).await;
    let parse = |text: &str| text.parse::<SigningSecret>().expect("a secret");
    let old = parse(made.secret.expect("it was made").reveal());
    world.publish(&[("a", 0)]).await;
    let state = receiver.taken(1).await;
    assert!(is_signed(&world, &state.seen[0], &old));
    let overlap = Duration::from_hours(1) / 20;
    let rotated = world
        .push
        .rotate(&world.grant, &name(), None, overlap)
        .await
        .expect("rotated");
    let new = parse(rotated.secret.expect("it was made").reveal());
    assert_eq!(
        rotated.previous_until,
        Some(world.clock.now().after(overlap))
    );
    world.publish(&[("a", 1)]).await;
    let state = receiver.taken(2).await;
    for secret in [&old, &new] {
        assert!(is_signed(&world, &state.seen[1], secret));
    }
    let signatures = state.seen[1].headers["webhook-signature"].to_str();
    assert_eq!(signatures.expect("ASCII").split(' ').count(), 2);
    sleep(overlap).await;
    world.publish(&[("a", 2)]).await;
    let state = receiver.taken(3).await;
    assert!(is_signed(&world, &state.seen[2], &new));
    assert!(!is_signed(&world, &state.seen[2], &old));
    assert_eq!(world.shown().await.previous_until, None);
    // At once, where nobody is to have the old one any more.
    let rotated = world
        .push
        .rotate(&world.grant, &name(), None, Duration::ZERO)
        .await
        .expect("rotated");
    let newest = parse(rotated.secret.expect("it was made").reveal());
    world.publish(&[("a", 3)]).await;
    let state = receiver.taken(4).await;
    assert!(is_signed(&world, &state.seen[3], &newest));
    assert!(!is_signed(&world, &state.seen[3], &new));
    world.close().await;
}
