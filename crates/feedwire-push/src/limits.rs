//! What pushing may take.

use std::time::Duration;

/// How many events a connector has in hand for each that may be on its way: the others wait for those before them of their subjects, and
/// stand ready.
pub(crate) const HAND_FACTOR: usize = 4;

/// Bytes of events beyond which a connector takes no more in hand.
pub(crate) const HAND_BYTES: usize = 1024 * 1024;

/// Bytes of events beyond which none is added to a request: as much as the largest batch has.
pub(crate) const BODY_BYTES: usize = 8 * 1024 * 1024;

/// So many subjects fail one after the other, with no success in between, before it is taken for the receiver's fault: from then on one
/// request at a time tries it.
pub(crate) const SUSPECTS: usize = 5;

/// How long all that a connector has waits at most where a receiver answers that it cannot: it does answer, and may do so otherwise to
/// what is about others.
pub(crate) const HOLD_MAX: Duration = Duration::from_secs(30);

/// The longest that a receiver may have itself left alone for by `Retry-After`.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// How often it is written down how a connector fails, where that has changed.
pub(crate) const CONDITION_INTERVAL: Duration = Duration::from_secs(30);

/// How often it is told at most that a connector fails.
pub(crate) const TOLD_INTERVAL: Duration = Duration::from_mins(1);

/// Most events of which it is known since when they fail. The others are given up later than they should be.
pub(crate) const TRYING_MAX: usize = 4_000;

/// How many subjects are known of which something has succeeded: while a receiver fails, these are tried first.
pub(crate) const GOOD_MAX: usize = 64;

/// How long a connector waits before it tries again to be a member of its stream, at first and at most.
pub(crate) const JOIN_WAIT: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(30));

/// How often what is latest is tried to be sent, where somebody asks for that.
pub(crate) const SYNC_TRIES: u32 = 3;

/// How many devices are looked at in one go for what is latest of them.
pub(crate) const SYNC_PAGE: usize = 100;

/// How many connectors push what is latest at once. The others wait.
pub(crate) const SYNCS_MAX: usize = 8;

/// How many requests the connectors of one project have on their way at once, whatever each of them may have.
pub(crate) const PROJECT_REQUESTS_MAX: usize = 256;

/// How many samples connectors push at once.
pub(crate) const TESTS_MAX: usize = 8;

/// Bytes of the words that say why something failed: some of them come from the receiver.
pub(crate) const WHY_BYTES: usize = 512;
