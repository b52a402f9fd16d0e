//! A partition that moves in mode `delivered` is settled first, by heartbeats that come a little early and a little late.
//!
//! With a deadline of four heartbeats, which is what settling takes at most, a joining member was given partitions whose events came
//! again though nothing had failed: a timer is a millisecond late now, and less so then, and a mark then waits for one heartbeat more.

use std::time::Duration;

use feedwire_event::{Position, StreamName, Timestamp};
use tokio::time::Instant;

use crate::stream::group::{Group, Identity, MemberId, Offered, Portion};
use crate::stream::{Mode, Settings};

const HEARTBEAT: Duration = Duration::from_secs(5);

/// How late each heartbeat is, in turn.
const LATE: [Duration; 3] = [
    Duration::from_millis(3),
    Duration::from_millis(1),
    Duration::ZERO,
];

fn event(position: Position) -> Offered {
    Offered {
        partition: u16::try_from(position.get() % 4).expect("it is small"),
        position,
        subject: position.get() % 4,
        recorded_at: Timestamp::from_micros(1),
        bytes: 1,
        is_live_only: false,
    }
}

/// A stream of four partitions, of which one member was sent eight events.
fn sent(now: Instant) -> (Group, MemberId) {
    let mut settings = Settings::new(StreamName::new("s").expect("a name"));
    settings.mode = Mode::Delivered;
    settings.partitions = 4;
    settings.heartbeat = HEARTBEAT;
    let mut group = Group::new(settings, &[Position::ZERO; 4], 1);
    let member = group.join(Position::ZERO, now).expect("there is room");
    let events: Vec<Offered> = (1..=8)
        .map(|plus| event(Position::ZERO.plus(plus)))
        .collect();
    let counted = events
        .iter()
        .map(|event| (event.partition, event.position, event.recorded_at));
    group.count(counted, Position::ZERO.plus(8));
    let portion = Portion {
        events: 8,
        bytes: 8,
    };
    let through = (Position::ZERO, Position::ZERO.plus(8));
    let handed = group.offer(
        member,
        through,
        events.iter(),
        |_| Some(Identity(0)),
        portion,
        now,
    );
    assert_eq!(handed.len(), 8);
    (group, member)
}

#[test]
fn a_partition_that_moves_to_a_member_that_joins_has_nothing_sent_again() {
    let start = Instant::now();
    for until_beat in [1, 100, 2_500, 4_900, 4_999] {
        for first_late in 0..LATE.len() {
            let (mut group, old) = sent(start);
            group
                .join(Position::ZERO.plus(8), start)
                .expect("there is room");
            let ticks = (1..=400).map(|tick| (start + Duration::from_millis(tick * 100), false));
            let beats = (0..8_u8).map(|beat| {
                let due = Duration::from_millis(until_beat) + HEARTBEAT * u32::from(beat);
                let late = LATE[(first_late + usize::from(beat)) % LATE.len()];
                (start + due + late, true)
            });
            let mut moments: Vec<(Instant, bool)> = ticks.chain(beats).collect();
            moments.sort();
            for (now, is_beat) in moments {
                if is_beat {
                    group.beat(old, now);
                } else {
                    group.tick(now);
                }
                // What goes on behind the last event has nothing to be sent again.
                let goes_back = group
                    .partitions
                    .iter()
                    .any(|partition| partition.cursor() < Position::ZERO.plus(8));
                assert!(
                    !goes_back,
                    "{until_beat} ms, {first_late}, {:?}",
                    now - start
                );
            }
            let moved = group.partitions.iter();
            let moved = moved.filter(|partition| partition.lease.open_to(old).is_none());
            assert_eq!(moved.count(), 2);
            assert_eq!(group.take_overdue(), None);
        }
    }
}

#[test]
fn a_partition_whose_member_takes_no_heartbeats_moves_when_its_time_is_over_and_that_is_told() {
    let start = Instant::now();
    let (mut group, _) = sent(start);
    group
        .join(Position::ZERO.plus(8), start)
        .expect("there is room");
    group.tick(start + HEARTBEAT * 5 - Duration::from_millis(1));
    assert_eq!(group.take_overdue(), None);
    group.tick(start + HEARTBEAT * 5);
    let overdue = group.take_overdue().expect("two of four are to move");
    assert_eq!(
        (overdue.partitions, overdue.after, overdue.through),
        (2, Position::ZERO, Position::ZERO.plus(8))
    );
    assert_eq!(group.take_overdue(), None);
}
