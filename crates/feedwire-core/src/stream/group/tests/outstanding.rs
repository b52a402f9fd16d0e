//! What was sent and is not acknowledged, by itself.

use std::collections::HashSet;
use std::time::Duration;

use feedwire_event::{Position, Timestamp};
use tokio::time::Instant;

use crate::stream::OnFailure;
use crate::stream::group::Identity;
use crate::stream::group::outstanding::{Admission, Arrival, Outstanding};

const NEVER: Option<u32> = None;

fn at(position: u64) -> Position {
    Position::new(position).expect("it is one")
}

fn event(position: u64, subject: u64) -> Arrival {
    Arrival {
        position: at(position),
        subject,
        identity: Identity(subject),
        recorded_at: Timestamp::from_micros(0),
    }
}

/// All that was sent before the event at `position` up to there is done.
fn through(line: &mut Outstanding, position: Position) -> Option<usize> {
    let sending = line.sending_of(position)?;
    Some(line.acknowledge_through(position, sending))
}

/// An event that waits for one that failed was settled by a member that had said all is done up to a later one, and had never
/// been sent it.
#[tokio::test]
async fn what_is_done_through_an_event_is_what_was_sent_before_it() {
    let now = Instant::now();
    let mut line = Outstanding::new(OnFailure::Wait);
    for (position, subject) in [(1, 7), (2, 8)] {
        let admitted = line.admit(event(position, subject), false, now, NEVER);
        assert_eq!(admitted, Admission::Send(1));
    }
    line.fail(at(1), now, NEVER).expect("it was sent");
    assert_eq!(line.admit(event(3, 7), false, now, NEVER), Admission::Pass);
    assert_eq!(
        line.admit(event(4, 9), false, now, NEVER),
        Admission::Send(1)
    );
    assert_eq!(line.send_again(at(1), now), Some(2));
    assert_eq!(line.send_again(at(3), now), Some(1));
    assert_eq!(through(&mut line, at(4)), Some(2));
    assert_eq!(line.at_member(), [at(1), at(3)]);
    assert_eq!(through(&mut line, at(3)), Some(2));
    assert_eq!(through(&mut line, at(5)), None);
}

/// One that had failed was sent again, though the one before it of its subject had failed since it was found to be due.
#[tokio::test]
async fn what_was_due_is_not_sent_before_one_that_it_waits_for_now() {
    let now = Instant::now();
    let mut line = Outstanding::new(OnFailure::Wait);
    for position in [1, 2] {
        let admitted = line.admit(event(position, 7), false, now, NEVER);
        assert_eq!(admitted, Admission::Send(1));
    }
    line.fail(at(2), now, NEVER).expect("it was sent");
    assert_eq!(line.due(at(2), now, 10, HashSet::new()), [at(2)]);
    line.fail(at(1), now + Duration::from_secs(1), NEVER)
        .expect("it was sent");
    assert_eq!(line.send_again(at(2), now), None);
    line.acknowledge(at(1));
    assert_eq!(line.send_again(at(2), now), Some(2));
}
