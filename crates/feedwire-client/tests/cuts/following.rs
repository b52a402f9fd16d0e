//! Following a feed over connections that are cut.

use feedwire_client::Follow;
use proptest::prelude::*;

use crate::feed::{self, Cut, Fault};
use crate::wire::{Then, paused};

/// More than there are faults.
const TRIES: u32 = 100;

/// Every event once and in order, however the server fails.
async fn check(count: u64, faults: Vec<Fault>) {
    let words = format!("{faults:?}");
    let (client, _serving) = feed::serve(count, faults).await;
    let mut follow = client.read("f").from("start").follow().tries(TRIES);
    let positions = all(&mut follow).await;
    assert!(
        positions.iter().copied().eq(1..=count),
        "{positions:?} after {words}"
    );
    assert_eq!(follow.cursor(), Some(count.to_string().as_str()), "{words}");
}

async fn all(follow: &mut Follow) -> Vec<u64> {
    let mut positions = Vec::new();
    while let Some(event) = follow.next().await.expect("it goes on") {
        positions.push(event.attributes().position);
        // It never points behind what was handed out, nor in front of it.
        assert_eq!(
            follow.cursor(),
            Some(event.attributes().position.to_string().as_str())
        );
    }
    positions
}

fn fault(bytes: usize, cut: Cut) -> Fault {
    Fault {
        bytes,
        cut,
        piece_bytes: usize::MAX,
        again: 0,
    }
}

fn cut_at_every_byte(cut: Cut) {
    const COUNT: u64 = 2;
    paused(async {
        for bytes in 0..feed::len(COUNT) {
            check(COUNT, vec![fault(bytes, cut)]).await;
        }
    });
}

#[test]
fn a_stream_that_is_cut_off_at_any_byte_is_gone_on_with() {
    cut_at_every_byte(Cut::Wire(Then::Close));
}

#[test]
fn a_stream_that_is_reset_at_any_byte_is_gone_on_with() {
    cut_at_every_byte(Cut::Wire(Then::Reset));
}

#[test]
fn a_stream_that_is_garbage_from_any_byte_on_is_gone_on_with() {
    cut_at_every_byte(Cut::Wire(Then::Garbage));
}

#[test]
fn a_stream_that_falls_silent_at_any_byte_is_gone_on_with() {
    cut_at_every_byte(Cut::Wire(Then::Silence));
}

#[test]
fn a_stream_that_ends_in_good_order_within_a_frame_is_gone_on_with_in_front_of_it() {
    cut_at_every_byte(Cut::Text);
}

prop_compose! {
    fn any_fault(count: u64)(
        bytes in 0..feed::len(count),
        cut in prop_oneof![3 => Then::any().prop_map(Cut::Wire), 1 => Just(Cut::Text)],
        piece_bytes in prop_oneof![Just(1), Just(7), Just(usize::MAX)],
        again in 0..4u64,
    ) -> Fault {
        Fault { bytes, cut, piece_bytes, again }
    }
}

proptest! {
    // A case is some ten connections.
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn one_fault_after_the_other_loses_no_event_and_doubles_none(
        faults in prop::collection::vec(any_fault(8), 0..8),
    ) {
        paused(check(8, faults));
    }
}
