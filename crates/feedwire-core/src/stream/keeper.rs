//! What is done for a stream as long as its project is open, whether it has members or not: the log is counted for it, time passes, and
//! what is to be kept is written.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use feedwire_engine::{Limit, Precondition, PutError, ReadError, Unavailable};
use feedwire_event::Position;
use feedwire_tally::Outage;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::group::{Burial, Group, Overdue};
use super::live::Live;
use super::stored::{StoredLetter, letter_key, letter_position, letters_of, unreadable};
use super::window::Chunk;
use crate::delivery::Delivered;
use crate::limits::{DEAD_LETTERS_MAX, STORE_SCAN, STREAM_TICK, TAIL_READ_BYTES, TAIL_RETRY};
use crate::tail::{Seat, Taken};

/// How much of the log is counted in one go.
const COUNTED: Limit = Limit {
    records: usize::MAX,
    bytes: TAIL_READ_BYTES,
};

/// Keeps `live` until `stop`, or until it is changed or deleted, or the project closes.
pub(super) async fn keep(live: Arc<Live>, stop: CancellationToken) {
    let mut upkeep = Upkeep {
        live: live.clone(),
        outage: Outage::default(),
    };
    tokio::select! {
        () = Counter::new(live.clone()).count_all() => {}
        () = upkeep.keep_up() => {}
        () = stop.cancelled() => {}
        () = live.stop.cancelled() => {}
    }
    live.close();
    // Whoever acknowledges something from here on writes that down.
    live.leave_alone();
    upkeep.run_errands().await;
    upkeep.save().await;
}

/// Counts the log for a stream.
#[derive(Debug)]
struct Counter {
    live: Arc<Live>,
    /// Everything up to here is counted.
    cursor: Position,
    seat: Option<Seat>,
    outage: Outage,
}

impl Counter {
    fn new(live: Arc<Live>) -> Self {
        let cursor = live.look(Group::counted);
        Self {
            live,
            cursor,
            seat: None,
            outage: Outage::default(),
        }
    }

    /// Counts until the project closes.
    async fn count_all(mut self) {
        loop {
            let counted = self.live.look(Group::counted);
            if counted != self.cursor {
                // It was sent elsewhere.
                self.cursor = counted;
                self.seat = None;
            }
            if self.live.look(Group::is_counted_out) {
                self.live.sought.notified().await;
                continue;
            }
            match self.take().await {
                Ok(Taken::Closing) => return,
                Ok(Taken::Behind(_)) => self.seat = None,
                Ok(Taken::Events {
                    events, through, ..
                }) => {
                    if self.outage.ends() {
                        tracing::info!("a stream's events are counted again");
                    }
                    let (events, sifted_through) = self.live.sift(events, through).await;
                    self.counted(events, sifted_through);
                    if sifted_through < through {
                        // The place at the tail is past what is left.
                        self.seat = None;
                    }
                }
                Err(ReadError::Expired(expired)) => {
                    let (first, lost) = (expired.first, expired.lost_at_most);
                    let after = self.cursor;
                    self.live.with(|group, _| group.trimmed(after, first, lost));
                }
                Err(error) => {
                    if self.outage.begins(&error) {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            stream = %self.live.kept.settings.name,
                            "a stream's events cannot be counted"
                        );
                    }
                    sleep(TAIL_RETRY).await;
                }
            }
        }
    }

    /// What comes next behind the cursor.
    async fn take(&mut self) -> Result<Taken, ReadError> {
        let (live, cursor) = (&self.live, self.cursor);
        let ground = &live.ground;
        if self.seat.is_none() {
            self.seat = ground.tail.seat(cursor, &live.matcher);
        }
        if let Some(seat) = &self.seat {
            let nothing = || Taken::Events {
                events: Vec::new(),
                through: seat.cursor(cursor),
                more: false,
                head: cursor,
            };
            return Ok(tokio::select! {
                biased;
                taken = poll_fn(|cx| seat.poll_take(cursor, COUNTED, cx)) => taken,
                () = live.sought.notified() => Taken::Behind(cursor),
                // What did not concern the stream is behind it, too.
                () = sleep(live.interval()) => nothing(),
            });
        }
        let scope = live.matcher.filter().scope();
        let chunk = ground.log.read(&scope, cursor, COUNTED).await?;
        let now = ground.subjects.now();
        let records = chunk.records.into_iter();
        let passing = records.filter(|record| live.matcher.shows(record, &now));
        Ok(Taken::Events {
            events: passing.map(Delivered::Logged).collect(),
            through: chunk.through,
            more: chunk.through < chunk.head,
            head: chunk.head,
        })
    }

    fn counted(&mut self, events: Vec<Delivered>, through: Position) {
        let (live, after) = (&self.live, self.cursor);
        let is_at_tail = self.seat.is_some() && !events.is_empty();
        let chunk = Arc::new(Chunk::new(after, through, events, &live.kept.settings));
        if is_at_tail && live.look(Group::has_members) {
            live.window.push(chunk.clone());
        }
        let counted = chunk.events.iter();
        let counted =
            counted.map(|(event, _)| (event.partition, event.position, event.recorded_at));
        live.with(|group, _| {
            // Unless it was sent elsewhere meanwhile.
            if group.counted() == after {
                group.count(counted, through);
            }
        });
        self.cursor = through;
    }
}

/// Tells a stream the time, and writes down what is to be kept of it.
#[derive(Debug)]
struct Upkeep {
    live: Arc<Live>,
    outage: Outage,
}

impl Upkeep {
    async fn keep_up(&mut self) {
        self.post_letters().await;
        let mut ticks = interval(STREAM_TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let live = self.live.clone();
        let mut saved_at = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = sleep_until(saved_at + live.interval()) => {
                    self.save().await;
                    saved_at = Instant::now();
                }
                _ = ticks.tick(), if live.look(Group::has_members) => live.with(Group::tick),
                () = live.kick.notified() => {}
            }
            self.run_errands().await;
        }
    }

    async fn save(&mut self) {
        match self.live.save().await {
            Ok(()) if self.outage.ends() => tracing::info!("checkpoints are written again"),
            Ok(()) => {}
            // Written with the next interval.
            Err(error) => self.not_saved(&error),
        }
    }

    fn not_saved(&mut self, error: &PutError) {
        if self.outage.begins(error) {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                stream = %self.live.kept.settings.name,
                "what is to be kept of a stream is not written"
            );
        }
    }

    /// Puts aside what failed too often, lets go of letters that were delivered after all, and tells what was not drained in time.
    async fn run_errands(&mut self) {
        let (burials, delivered, overdue) = self.live.with(|group, _| {
            let burials = group.take_burials();
            let delivered = group.take_delivered_letters();
            (burials, delivered, group.take_overdue())
        });
        if let Some(overdue) = overdue {
            self.tell(overdue);
        }
        for burial in burials {
            self.bury(burial).await;
        }
        for position in delivered {
            if let Err(error) = self.live.forget_letter(position).await {
                self.not_saved(&error);
            }
        }
    }

    /// Tells whoever runs the server that a member is too slow for what it is sent.
    fn tell(&self, overdue: Overdue) {
        let live = &self.live;
        let Overdue {
            partitions,
            after,
            through,
        } = overdue;
        live.counts.overdue.add(partitions);
        tracing::warn!(
            stream = %live.kept.settings.name,
            partitions,
            %after,
            %through,
            "partitions go to another member before what was sent of them is settled: it comes again"
        );
    }

    async fn bury(&mut self, burial: Burial) {
        let live = self.live.clone();
        let written = live.write_letter(&burial).await;
        if let Err(error) = &written {
            self.not_saved(error);
        }
        if written.is_ok_and(|written| written) {
            live.counts.buried.one();
            live.with(|group, now| group.buried(&burial, now));
        } else {
            // It is sent again instead.
            live.with(|group, now| group.unburied(&burial, now));
        }
    }

    /// Counts the dead letters, and has those sent that were to be sent once more.
    async fn post_letters(&mut self) {
        let live = self.live.clone();
        while let Err(error) = live.post_letters().await {
            self.not_saved(&PutError::Unavailable(error));
            sleep(TAIL_RETRY).await;
        }
    }
}

impl Live {
    /// Writes down that an event is put aside; whether there was room for it.
    async fn write_letter(&self, burial: &Burial) -> Result<bool, PutError> {
        let key = letter_key(&self.kept.settings.name, burial.position);
        let place = &self.spaces.letters;
        let primary = &self.ground.primary;
        let _one_at_a_time = self.lettering.lock().await;
        let is_new = primary.get(place, &key).await?.is_none();
        if is_new && self.letters.load(Ordering::Relaxed) >= DEAD_LETTERS_MAX as u64 {
            return Ok(false);
        }
        let letter = StoredLetter {
            partition: burial.partition,
            subject: burial.subject,
            deliveries: burial.deliveries,
            buried_at: self.ground.clock.now(),
            is_posted: false,
            reason: burial.reason.clone(),
        };
        primary
            .put(place, &key, letter.encode(), Precondition::Any)
            .await?;
        self.letters.fetch_add(u64::from(is_new), Ordering::Relaxed);
        Ok(true)
    }

    /// Writes down that a letter is none any more; whether it was one.
    pub(super) async fn forget_letter(&self, position: Position) -> Result<bool, PutError> {
        let key = letter_key(&self.kept.settings.name, position);
        let place = &self.spaces.letters;
        let primary = &self.ground.primary;
        let _one_at_a_time = self.lettering.lock().await;
        if primary.get(place, &key).await?.is_none() {
            return Ok(false);
        }
        primary.delete(place, &key, Precondition::Any).await?;
        self.letters.fetch_sub(1, Ordering::Relaxed);
        Ok(true)
    }

    /// Writes down that the letter at `position` is to be sent once more; the letter, if it is there and was not to be already.
    pub(super) async fn post_letter(
        &self,
        position: Position,
    ) -> Result<Option<StoredLetter>, PutError> {
        let key = letter_key(&self.kept.settings.name, position);
        let (place, primary) = (&self.spaces.letters, &self.ground.primary);
        let _one_at_a_time = self.lettering.lock().await;
        let Some(entry) = primary.get(place, &key).await? else {
            return Ok(None);
        };
        let letter = StoredLetter::decode(entry.value);
        let letter = letter.ok_or_else(|| unreadable(&self.kept.settings.name))?;
        if letter.is_posted {
            return Ok(None);
        }
        let posted = StoredLetter {
            is_posted: true,
            ..letter.clone()
        };
        let value = posted.encode();
        primary.put(place, &key, value, Precondition::Any).await?;
        Ok(Some(letter))
    }

    async fn post_letters(&self) -> Result<(), Unavailable> {
        let name = &self.kept.settings.name;
        let prefix = letters_of(name);
        let _one_at_a_time = self.lettering.lock().await;
        let (mut after, mut count) = (None::<bytes::Bytes>, 0);
        loop {
            let primary = &self.ground.primary;
            let entries = primary
                .scan(&self.spaces.letters, &prefix, after.as_deref(), STORE_SCAN)
                .await?;
            let Some((last, _)) = entries.last() else {
                break;
            };
            after = Some(last.clone());
            for (key, entry) in entries {
                let position = letter_position(&key).ok_or_else(|| unreadable(name))?;
                let letter = StoredLetter::decode(entry.value).ok_or_else(|| unreadable(name))?;
                count += 1;
                if letter.is_posted {
                    let StoredLetter {
                        partition, subject, ..
                    } = letter;
                    let at = letter.buried_at;
                    self.with(|group, now| group.post((partition, position, subject), at, now));
                }
            }
        }
        self.letters.store(count, Ordering::Relaxed);
        self.with(|group, _| group.letters_posted());
        Ok(())
    }
}
