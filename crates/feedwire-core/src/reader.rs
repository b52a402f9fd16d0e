//! A reader: catches up from the log, then follows its tail.
//!
//! The hand-over misses and doubles nothing because the reader's cursor alone says what it has: it takes a seat at the tail
//! only when the tail still has everything above the cursor, and goes back to the log when the tail has gone past it.
//!
//! It is there from its start on: an event for those alone who are there reaches it if it stands behind the position that the log had come
//! to by then, however long the reader takes to come to it, and from the log as from the tail.

use std::future::poll_fn;
use std::sync::Arc;

use feedwire_engine::{Bounds, Chunk, Limit, ReadError, Scope, Unavailable};
use feedwire_event::{Cursor, FeedName, Position, Timestamp};
use feedwire_tally::Entered;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::delivery::{Delivered, Delivery, Step};
use crate::filter::Matcher;
use crate::limits::{COUNT_GRACE, UNTIL_GRACE, UNTIL_RECHECK};
use crate::project::Project;
use crate::tail::{Seat, Taken};
use crate::{Clock, Core, Grant, Reading, Right, Start, Until, read};

/// A reading on its way.
#[derive(Debug)]
pub struct Reader {
    project: Arc<Project>,
    clock: Arc<dyn Clock>,
    matcher: Arc<Matcher>,
    scope: Scope,
    /// Everything up to here was handed out, or did not pass the filter.
    cursor: Position,
    /// Nothing was read yet, and the start was no cursor: what is trimmed meanwhile was not asked for.
    is_unbound: bool,
    /// The place at the tail, once caught up.
    seat: Option<Seat>,
    end: Option<End>,
    _counted: Entered,
}

/// Where a reader is.
#[derive(Clone, Copy, Debug)]
struct Place {
    cursor: Position,
    is_unbound: bool,
}

/// Where a reader ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Position(Position),
    Time(Timestamp),
    /// It has been there.
    Reached,
}

impl Core {
    /// Starts `reading`. What it asks for and is no longer retained is told now, before anything is handed out.
    pub async fn follow(&self, grant: &Grant, reading: Reading) -> Result<Reader, read::Error> {
        grant.require(Right::Read)?;
        // Before anything is looked at: what is refused tells nothing of what there is.
        let matcher = Matcher::new(reading.filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        let clock = self.seams().clock.clone();
        Reader::start(project, clock, matcher, reading.start, reading.until).await
    }
}

async fn check_cursor(
    project: &Project,
    scope: &Scope,
    cursor: Cursor,
    bounds: Bounds,
) -> Result<Position, read::Error> {
    let Cursor(position) = cursor;
    if position > bounds.last {
        return Err(read::Error::CursorAhead {
            cursor,
            head: bounds.last,
        });
    }
    if position < bounds.first.previous() {
        project
            .log()
            .read(
                scope,
                position,
                Limit {
                    records: 1,
                    bytes: 1,
                },
            )
            .await?;
    }
    Ok(position)
}

impl Reader {
    pub(crate) async fn start(
        project: Arc<Project>,
        clock: Arc<dyn Clock>,
        matcher: Matcher,
        start: Start,
        until: Option<Until>,
    ) -> Result<Self, read::Error> {
        let scope = matcher.filter().scope();
        let bounds = project.log().bounds();
        let cursor = match start {
            Start::Beginning => bounds.first.previous(),
            Start::Now => bounds.last,
            Start::At(time) => project.log().seek(time).await?,
            Start::After(cursor) => check_cursor(&project, &scope, cursor, bounds).await?,
            Start::Past(position, time) => {
                let position = match time {
                    Some(time) => position.max(project.log().seek(time).await?),
                    None => position,
                };
                let there = Cursor(position.min(bounds.last));
                check_cursor(&project, &scope, there, bounds).await?;
                position
            }
        };
        let end = until.map(|until| match until {
            Until::Now => End::Position(bounds.last),
            Until::At(time) => End::Time(time),
        });
        let matcher = Arc::new(matcher.there_since(bounds.last));
        let counted = project.meter().readers.enter();
        Ok(Self {
            project,
            clock,
            matcher,
            scope,
            cursor,
            is_unbound: !matches!(start, Start::After(_) | Start::Past(..)),
            seat: None,
            end,
            _counted: counted,
        })
    }

    /// The next events; waits for them where there are none yet. Cancel safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self, limit: Limit) -> Result<Step, read::Error> {
        loop {
            let before = self.place();
            if self.is_over() {
                return Ok(Step::End);
            }
            if self.project.tail().is_closing() {
                return Ok(Step::Closing);
            }
            let delivery = if self.take_seat() {
                match self.wait(limit).await {
                    Some(Taken::Closing) => return Ok(Step::Closing),
                    Some(Taken::Behind(cursor)) => {
                        self.cursor = cursor;
                        self.seat = None;
                        continue;
                    }
                    Some(Taken::Events {
                        events,
                        through,
                        more,
                        head,
                    }) => {
                        self.cursor = through;
                        Delivery {
                            events,
                            cursor: Cursor(through),
                            more,
                            head,
                        }
                    }
                    None => continue,
                }
            } else {
                match self.read_log(limit).await {
                    // The project is being deleted: its log went away while it was read.
                    Err(read::Error::Unavailable(_)) if self.project.tail().is_closing() => {
                        return Ok(Step::Closing);
                    }
                    read => read?,
                }
            };
            let delivery = self.sift(before, delivery).await;
            let delivery = self.cut(delivery);
            if !delivery.events.is_empty() {
                self.count(&delivery);
                return Ok(Step::Events(delivery));
            }
        }
    }

    /// Whether the tail has everything that is still to come. What ends at a position is in the log already, and is read there.
    fn take_seat(&mut self) -> bool {
        if self.seat.is_none() && !matches!(self.end, Some(End::Position(_))) {
            self.seat = self.project.tail().seat(self.cursor, &self.matcher);
        }
        self.seat.is_some()
    }

    /// Waits at the tail; `None` when it is time to see whether the reading is over.
    async fn wait(&self, limit: Limit) -> Option<Taken> {
        let seat = self.seat.as_ref()?;
        let taken = poll_fn(|cx| seat.poll_take(self.cursor, limit, cx));
        match self.end {
            Some(End::Time(time)) => {
                let left = self.clock.now().until(time) + UNTIL_GRACE;
                tokio::time::timeout(left.max(UNTIL_RECHECK), taken)
                    .await
                    .ok()
            }
            _ => Some(taken.await),
        }
    }

    /// What there is now, without waiting: maybe nothing, with how far the reading has come.
    ///
    /// The events and the head are from one moment: an empty delivery says that nothing up to its cursor passes.
    pub async fn present(&mut self, limit: Limit) -> Result<Delivery, read::Error> {
        loop {
            let before = self.place();
            let head = self.project.log().bounds().last;
            if self.is_quiet(head) {
                self.cursor = self.cursor.max(head);
            }
            if self.is_over() || self.cursor >= head {
                let cursor = Cursor(self.cursor);
                return Ok(Delivery {
                    events: Vec::new(),
                    cursor,
                    more: false,
                    head,
                });
            }
            let delivery = match self.glance(head, limit) {
                Some(delivery) => delivery,
                None => self.read_log(limit).await?,
            };
            let delivery = self.sift(before, delivery).await;
            let delivery = self.cut(delivery);
            if !delivery.events.is_empty() || !delivery.more {
                self.count(&delivery);
                return Ok(delivery);
            }
        }
    }

    /// What there is up to `head` or behind, if the tail has it at hand and retention has left it there.
    fn glance(&mut self, head: Position, limit: Limit) -> Option<Delivery> {
        let first = self.project.log().bounds().first;
        if self.cursor < first.previous() {
            return None;
        }
        let tail = self.project.tail();
        let delivery = tail.present(self.cursor, head, &self.matcher, limit)?;
        let Cursor(through) = delivery.cursor;
        self.cursor = through;
        self.is_unbound = false;
        Some(delivery)
    }

    /// Whether the counts know that none of the feeds that are asked for has anything more, up to `head`: the log need not be asked.
    fn is_quiet(&self, head: Position) -> bool {
        let feeds = &self.scope.feeds;
        let is_bounded = matches!(self.end, Some(End::Position(_)));
        let counts = self.project.counts();
        !feeds.is_empty() && !is_bounded && counts.are_quiet(feeds, self.cursor, head)
    }

    /// The position of the last event that `feed` has had; `None` where it has had none. It may be past what is shown of the feed.
    ///
    /// Whoever may read some subjects alone is told the last position of the log: what the feed has is others' too.
    pub async fn last_of(&self, feed: &FeedName) -> Result<Option<Position>, read::Error> {
        let head = self.head();
        if self.matcher.is_of_some_subjects() {
            return Ok(Some(head));
        }
        let counts = self.project.counts();
        let counted = timeout(COUNT_GRACE, counts.come_to(head)).await;
        counted.map_err(Unavailable::new)?;
        Ok(counts.last(feed))
    }

    /// The last position of the log.
    pub fn head(&self) -> Position {
        self.project.log().bounds().last
    }

    /// What a client that has everything handed out so far should go on from. It moves on when nothing passes the filter, too.
    pub fn cursor(&self) -> Cursor {
        let at = self
            .seat
            .as_ref()
            .map_or(self.cursor, |seat| seat.cursor(self.cursor));
        match self.end {
            None | Some(End::Time(_)) => Cursor(at),
            Some(End::Position(end)) => Cursor(at.min(end)),
            Some(End::Reached) => Cursor(self.cursor),
        }
    }

    /// Whether nothing more will come.
    pub fn is_over(&mut self) -> bool {
        let Cursor(at) = self.cursor();
        let over = match self.end {
            None => false,
            Some(End::Reached) => true,
            Some(End::Position(end)) => at >= end,
            Some(End::Time(time)) => {
                let settled = self.clock.now().before(UNTIL_GRACE) >= time;
                settled && at >= self.project.log().bounds().last
            }
        };
        if over {
            self.cursor = at;
            self.end = Some(End::Reached);
        }
        over
    }

    async fn read_log(&mut self, limit: Limit) -> Result<Delivery, read::Error> {
        let log = self.project.log();
        let chunk = match log.read(&self.scope, self.cursor, limit).await {
            Err(ReadError::Expired(expired)) if self.is_unbound => {
                log.read(&self.scope, expired.first.previous(), limit).await
            }
            chunk => chunk,
        };
        let Chunk {
            records,
            through,
            head,
        } = chunk?;
        self.is_unbound = false;
        self.cursor = self.cursor.max(through);
        let now = self.project.subjects().now();
        let passing = records
            .into_iter()
            .filter(|record| self.matcher.shows(record, &now));
        let events = passing.map(Delivered::Logged).collect();
        Ok(Delivery {
            events,
            cursor: Cursor(through),
            more: through < head,
            head,
        })
    }

    /// Where the reading is.
    fn place(&self) -> Place {
        Place {
            cursor: self.cursor,
            is_unbound: self.is_unbound,
        }
    }

    /// Leaves out of `delivery`, which was taken behind `before`, what the expression is not true of. Where that takes long, the delivery ends
    /// early.
    ///
    /// A reading that is dropped meanwhile goes on from `before`, for the place at the tail does not have what was taken any more.
    async fn sift(&mut self, before: Place, mut delivery: Delivery) -> Delivery {
        let matcher = self.matcher.clone();
        let Some(expression) = matcher.expression() else {
            return delivery;
        };
        let after = self.place();
        let seat = self.seat.take();
        self.go_to(before);
        let labels = self.project.subjects().labels.clone();
        let sifted = expression.sift(delivery.events, &labels).await;
        delivery.events = sifted.events;
        self.go_to(after);
        match sifted.through {
            None => self.seat = seat,
            Some(through) => {
                self.cursor = through;
                delivery.cursor = Cursor(through);
                delivery.more = true;
            }
        }
        if delivery.events.is_empty() {
            // Nothing is handed out: who asked is not back at the runtime before the next ones are looked at.
            yield_now().await;
        }
        delivery
    }

    fn go_to(&mut self, place: Place) {
        self.cursor = place.cursor;
        self.is_unbound = place.is_unbound;
    }

    /// Counts what is handed out: one delivery is of the log or of the tail, never of both.
    fn count(&self, delivery: &Delivery) {
        let meter = self.project.meter();
        let count = match delivery.events.first() {
            None => return,
            Some(Delivered::Logged(_)) => &meter.logged_events,
            Some(Delivered::Tailed(_)) => &meter.tailed_events,
        };
        count.add(delivery.events.len() as u64);
    }

    /// Leaves out what is at or past the end.
    fn cut(&mut self, mut delivery: Delivery) -> Delivery {
        let is_past = |event: &Delivered| {
            let stamp = event.record().stamp();
            match self.end {
                None => false,
                Some(End::Reached) => true,
                Some(End::Position(end)) => stamp.position > end,
                Some(End::Time(time)) => stamp.recorded_at >= time,
            }
        };
        let kept = delivery.events.iter().position(is_past);
        let passed = match self.end {
            Some(End::Position(end)) => self.cursor >= end,
            _ => kept.is_some(),
        };
        if let Some(kept) = kept {
            // The cursor stays before what was left out: a later reading without this end goes on there.
            self.cursor = delivery.events[kept].record().position().previous();
            delivery.events.truncate(kept);
        }
        if passed {
            if let Some(End::Position(end)) = self.end {
                self.cursor = self.cursor.min(end);
            }
            self.end = Some(End::Reached);
            delivery.more = false;
            delivery.cursor = Cursor(self.cursor);
        }
        delivery
    }
}
