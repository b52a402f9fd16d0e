//! Publishing over connections that are cut.

use std::collections::BTreeSet;

use feedwire_client::{NewEvent, Publish, PublishError};
use proptest::prelude::*;

use crate::intake::{self, ANSWER_BYTES, Fault};
use crate::wire::{Then, paused};

/// More than a request has.
const REQUEST_BYTES: usize = 400;
/// More than there are faults.
const TRIES: u32 = 100;

/// What is published.
#[derive(Clone, Copy, Debug)]
enum What {
    Event,
    Batch,
    Json,
    Lines,
    Upload,
}

impl What {
    const ALL: [Self; 5] = [
        Self::Event,
        Self::Batch,
        Self::Json,
        Self::Lines,
        Self::Upload,
    ];

    /// How many events.
    fn count(self) -> usize {
        match self {
            Self::Event => 1,
            Self::Batch | Self::Json | Self::Lines | Self::Upload => 3,
        }
    }

    async fn publish(self, publish: Publish<'_>) -> Result<(), PublishError> {
        let event = NewEvent::new("t");
        let lines = "{\"type\":\"a\"}\n{\"type\":\"b\"}\n{\"type\":\"c\"}\n";
        match self {
            Self::Event => publish.event(&event).await.map(drop),
            Self::Batch => publish
                .batch(&[event.clone(), event.clone(), event])
                .await
                .map(drop),
            Self::Json => publish
                .json(r#"[{"type":"t"},{"type":"t"},{}]"#)
                .await
                .map(drop),
            Self::Lines => publish.lines(lines).await.map(drop),
            Self::Upload => match publish.upload(lines.as_bytes(), |_| {}).await {
                Ok(_) => Ok(()),
                Err(error) => match error.reason {
                    feedwire_client::Stop::Publish(error) => Err(error),
                    feedwire_client::Stop::Read(error) => panic!("{error}"),
                },
            },
        }
    }
}

/// Publishes with `tries` against a server with `faults`: no event is there twice, and the caller is told the truth.
async fn check(what: What, tries: u32, faults: Vec<Fault>) {
    let words = format!("{what:?} after {faults:?}");
    let (client, intake, _serving) = intake::serve(faults).await;
    let told = what.publish(client.publish("f").tries(tries)).await;
    let intake = intake.lock();
    let different: BTreeSet<_> = intake.ids.iter().collect();
    assert_eq!(different.len(), intake.ids.len(), "twice: {words}");
    assert!(
        intake.bodies.windows(2).all(|two| two[0] == two[1]),
        "{words}"
    );
    match told {
        Ok(()) => {
            assert!(intake.answers > 0, "without an answer: {words}");
            assert_eq!(intake.ids.len(), what.count(), "{words}");
        }
        Err(PublishError::GaveUp { tries: failed, .. }) => {
            assert_eq!((intake.ids.len(), failed), (0, tries), "{words}");
        }
        Err(PublishError::InDoubt {
            tries: failed,
            last,
        }) => {
            // An answer that is whole but means nothing is not asked for again.
            assert!(failed == tries || !last.is_passing(), "{last:?}: {words}");
        }
        Err(PublishError::Refused(error)) => panic!("{error:?}: {words}"),
    }
    if tries == TRIES {
        assert_eq!(intake.ids.len(), what.count(), "lost: {words}");
    }
}

fn requests_cut_at_every_byte(then: Then) {
    paused(async {
        for bytes in 0..REQUEST_BYTES {
            check(What::Batch, TRIES, vec![Fault::Request(bytes, then)]).await;
        }
    });
}

#[test]
fn a_request_that_is_cut_off_at_any_byte_is_sent_again() {
    requests_cut_at_every_byte(Then::Close);
}

#[test]
fn a_request_that_is_reset_at_any_byte_is_sent_again() {
    requests_cut_at_every_byte(Then::Reset);
}

fn answers_cut_at_every_byte(then: Then) {
    paused(async {
        for bytes in 0..ANSWER_BYTES {
            check(What::Batch, TRIES, vec![Fault::Answer(bytes, then)]).await;
        }
    });
}

#[test]
fn an_answer_that_is_cut_off_at_any_byte_publishes_nothing_twice() {
    answers_cut_at_every_byte(Then::Close);
}

#[test]
fn an_answer_that_is_reset_at_any_byte_publishes_nothing_twice() {
    answers_cut_at_every_byte(Then::Reset);
}

#[test]
fn an_answer_that_is_garbage_from_any_byte_on_publishes_nothing_twice() {
    answers_cut_at_every_byte(Then::Garbage);
}

#[test]
fn an_answer_that_stops_at_any_byte_publishes_nothing_twice() {
    answers_cut_at_every_byte(Then::Silence);
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (0..REQUEST_BYTES, Then::any()).prop_map(|(bytes, then)| Fault::Request(bytes, then)),
        (0..ANSWER_BYTES, Then::any()).prop_map(|(bytes, then)| Fault::Answer(bytes, then)),
        (0..4usize, Then::any()).prop_map(|(lines, then)| Fault::Lines(lines, then)),
        Just(Fault::Busy),
    ]
}

proptest! {
    // A case is some five connections.
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_fails_every_event_is_there_once_or_the_caller_is_told(
        what in prop::sample::select(&What::ALL[..]),
        tries in prop_oneof![Just(1), Just(2), Just(3), Just(TRIES)],
        faults in prop::collection::vec(any_fault(), 0..6),
    ) {
        paused(check(what, tries, faults));
    }
}
