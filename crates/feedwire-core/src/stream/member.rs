//! A member of a stream: a connection's side of it.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::{Incarnation, Limit, ReadError, Scope};
use feedwire_event::{Position, Subject};
use feedwire_tally::Entered;
use tokio::sync::Notify;

use super::group::{AsideRead, Group, Handed, MemberId, Next, Offered, Portion};
use super::live::Live;
use super::window::{Chunk, offered};
use super::{Error, Lost, Receipt, Refused, Settings, Standing, Verdict};
use crate::delivery::Delivered;
use crate::limits::STREAM_READ_BYTES;
use crate::project::Project;
use crate::read;

/// Most events that are read one by one to be sent again, in one go.
const AGAIN_MAX: usize = 64;

/// A member of a stream, as long as it is not dropped.
#[derive(Debug)]
pub struct Member {
    live: Arc<Live>,
    project: Arc<Project>,
    id: MemberId,
    door: Arc<Notify>,
    _counted: Entered,
}

/// Settles what a member is sent.
#[derive(Clone, Debug)]
pub struct Settler(Arc<Live>);

/// An event that a member is sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The event.
    pub event: Delivered,
    /// What it is acknowledged by, and the how-manieth time it is sent; `None` where nothing is acknowledged.
    pub receipt: Option<(Receipt, u32)>,
}

/// What comes next for a member.
#[derive(Debug)]
pub enum Turn {
    /// Events, at least one, which count as sent.
    Events(Vec<Sent>),
    /// What it holds has changed: see [`Member::standing`].
    Changed,
    /// Events were lost to the stream.
    Lost(Lost),
    /// The server stops, or the stream was changed or deleted: the client should come back, and goes on or is told.
    Closing,
    /// The stream has an end, and everything up to there is settled: see [`Member::is_done`].
    Done,
}

impl Member {
    pub(super) fn new(live: Arc<Live>, project: Arc<Project>, id: MemberId) -> Self {
        let door = live.door(id);
        let counted = project.meter().readers.enter();
        Self {
            live,
            project,
            id,
            door,
            _counted: counted,
        }
    }

    /// What comes next; waits for it. Cancel safe: what was not returned was not sent.
    pub async fn next(&mut self, limit: Limit) -> Result<Turn, read::Error> {
        loop {
            let (id, live) = (self.id, &self.live);
            let events = match live.with(|group, now| group.next(id, now)) {
                Next::Gone => return Ok(Turn::Closing),
                Next::Lost(lost) => return Ok(Turn::Lost(lost)),
                Next::Changed => return Ok(Turn::Changed),
                Next::Done => return Ok(Turn::Done),
                Next::Wait => {
                    self.door.notified().await;
                    continue;
                }
                Next::SetAside(receipt) => self.set_aside(receipt).await,
                Next::Again(receipts) => self.again(&receipts, limit).await,
                Next::Read { after } => self.go_on(after, limit).await,
                Next::ReadAside(read) => self.go_on_aside(&read, limit).await,
            };
            match events {
                Ok(events) if events.is_empty() => {}
                Ok(events) => return Ok(Turn::Events(events)),
                // The project is being deleted: its log went away while it was read.
                Err(ReadError::Unavailable(_)) if live.ground.tail.is_closing() => {
                    return Ok(Turn::Closing);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What is for this member behind `after`.
    async fn go_on(&self, after: Position, limit: Limit) -> Result<Vec<Sent>, ReadError> {
        let live = &self.live;
        match self.read(after).await {
            Ok(chunk) => Ok(self.take(&chunk, limit)),
            Err(ReadError::Expired(expired)) => {
                live.with(|group, _| group.trimmed(after, expired.first, expired.lost_at_most));
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// The same of a subject that is aside.
    async fn go_on_aside(&self, read: &AsideRead, limit: Limit) -> Result<Vec<Sent>, ReadError> {
        let live = &self.live;
        let chunk = match live.read_aside(read).await {
            Ok(chunk) => chunk,
            Err(ReadError::Expired(expired)) => {
                let (first, lost) = (expired.first, expired.lost_at_most);
                live.with(|group, _| group.trimmed_aside(read, first, lost));
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let now = live.ground.subjects.now();
        let shows = |index: usize| live.matcher.shows(chunk.events[index].1.record(), &now);
        let offers = chunk.events.iter().map(|(offered, _)| offered);
        let read = (read, chunk.through);
        let handed = live.with(|group, moment| {
            group.offer_aside(self.id, read, offers, shows, Portion::of(limit), moment)
        });
        Ok(self.sent(&chunk, handed))
    }

    /// Sets aside the subject of the event of `receipt`. Nothing is sent by that.
    async fn set_aside(&self, receipt: Receipt) -> Result<Vec<Sent>, ReadError> {
        let event = self.event(receipt.position).await?;
        self.live.with(|group, _| match event {
            None => group.gone(receipt),
            Some((_, event)) => {
                let subject = event.record().subject();
                let subject = subject.and_then(|subject| Subject::new(subject).ok());
                group.set_aside(self.id, receipt, subject);
            }
        });
        Ok(Vec::new())
    }

    /// What is behind `after`, read once for all members that are there.
    async fn read(&self, after: Position) -> Result<Arc<Chunk>, ReadError> {
        let live = &self.live;
        if let Some(chunk) = live.window.find(after) {
            return Ok(chunk);
        }
        let _one_at_a_time = live.reading.lock().await;
        if let Some(chunk) = live.window.find(after) {
            return Ok(chunk);
        }
        let scope = live.matcher.filter().scope();
        let limit = Limit {
            records: usize::MAX,
            bytes: STREAM_READ_BYTES,
        };
        let chunk = live.ground.log.read(&scope, after, limit).await?;
        let events = chunk.records.into_iter().map(Delivered::Logged).collect();
        let (events, through) = live.sift(events, chunk.through).await;
        let chunk = Chunk::new(after, through, events, &live.kept.settings);
        let chunk = Arc::new(chunk);
        live.window.push(chunk.clone());
        Ok(chunk)
    }

    /// Takes what is for this member of `chunk`, of what may be shown now.
    fn take(&self, chunk: &Chunk, limit: Limit) -> Vec<Sent> {
        let live = &self.live;
        let now = live.ground.subjects.now();
        let portion = Portion::of(limit);
        let offers = chunk.events.iter().map(|(offered, _)| offered);
        let shows = |index: usize| {
            let record = chunk.events[index].1.record();
            let is_shown = live.matcher.shows(record, &now);
            is_shown.then(|| live.identity(record.subject()))
        };
        let read = (chunk.after, chunk.through);
        let handed =
            live.with(|group, moment| group.offer(self.id, read, offers, shows, portion, moment));
        self.sent(chunk, handed)
    }

    /// Those of `chunk` that were `handed` to it.
    fn sent(&self, chunk: &Chunk, handed: Vec<Handed>) -> Vec<Sent> {
        self.live.counts.sent.add(handed.len() as u64);
        let sent = handed.into_iter().map(|handed| {
            let Handed {
                index,
                receipt,
                attempt,
            } = handed;
            Sent {
                event: chunk.events[index].1.clone(),
                receipt: attempt.map(|attempt| (receipt, attempt)),
            }
        });
        sent.collect()
    }

    /// The events of `receipts` once more, of those that are still there and still due.
    async fn again(&self, receipts: &[Receipt], limit: Limit) -> Result<Vec<Sent>, ReadError> {
        let live = &self.live;
        let (mut found, mut bytes) = (Vec::new(), 0);
        for receipt in receipts.iter().take(limit.records.min(AGAIN_MAX)) {
            if bytes >= limit.bytes {
                break;
            }
            let event = self.event(receipt.position).await?;
            let event = event.filter(|(_, event)| live.expects(event.record()));
            bytes += event.as_ref().map_or(0, |(offered, _)| offered.bytes);
            found.push((*receipt, event));
        }
        // All at once: what is sent is returned, whatever the caller waits for beside.
        let now = live.ground.subjects.now();
        let mut sent = Vec::new();
        live.with(|group, moment| {
            for (receipt, event) in found {
                let shown = event.filter(|(_, event)| live.matcher.passes(event.record(), &now));
                let Some((offered, event)) = shown else {
                    group.gone(receipt);
                    continue;
                };
                let is_live_only = offered.is_live_only;
                let deliveries = group.send_again(self.id, receipt, is_live_only, moment);
                sent.extend(deliveries.map(|deliveries| Sent {
                    event,
                    receipt: Some((receipt, deliveries)),
                }));
            }
        });
        drop(now);
        live.counts.sent.add(sent.len() as u64);
        live.counts.again.add(sent.len() as u64);
        Ok(sent)
    }

    async fn event(&self, position: Position) -> Result<Option<(Offered, Delivered)>, ReadError> {
        let live = &self.live;
        if let Some(event) = live.window.event(position) {
            return Ok(Some(event));
        }
        let record = self.project.record_at(&Scope::all(), position).await?;
        Ok(record.map(|record| {
            let offered = offered(&record, &live.kept.settings);
            (offered, Delivered::Logged(record))
        }))
    }

    /// What settles what this member is sent, also while it waits for more.
    pub fn settler(&self) -> Settler {
        Settler(self.live.clone())
    }

    /// Whether the stream has an end, everything up to there is settled, and no dead letter is being sent once more.
    pub fn is_done(&self) -> bool {
        self.live.look(Group::is_done)
    }

    /// Which life of the project's log the events are of.
    pub fn incarnation(&self) -> Incarnation {
        self.live.ground.log.bounds().incarnation
    }

    /// What its stream was made with, as it is now.
    pub fn settings(&self) -> &Settings {
        &self.live.kept.settings
    }

    /// These were not sent after all, and the member goes: they do not count.
    pub fn not_sent(&self, events: &[Sent]) {
        let receipts = events.iter().filter_map(|sent| sent.receipt);
        self.live.with(|group, _| {
            for (receipt, _) in receipts {
                group.not_sent(receipt);
            }
        });
    }

    /// It takes nothing for two heartbeats and goes, which whoever runs the server is told.
    pub fn given_up(&self) {
        let live = &self.live;
        live.counts.given_up.one();
        let sent = live.look(|group| group.sent_to(self.id));
        let (after, through) = sent.unzip();
        tracing::warn!(
            stream = %live.kept.settings.name,
            after = after.map(Position::get),
            through = through.map(Position::get),
            "a member takes nothing and is given up: what was sent to it and is not settled comes again"
        );
    }

    /// A heartbeat goes out to the member, and everything before it went: how the stream is.
    pub fn beat(&self) -> Standing {
        self.live.with(|group, now| group.beat(self.id, now));
        self.standing()
    }

    /// How the stream is.
    pub fn standing(&self) -> Standing {
        let now = self.live.ground.clock.now();
        self.live.look(|group| group.standing(self.id, now))
    }

    /// How often it is to have a heartbeat.
    pub fn heartbeat(&self) -> Duration {
        self.live.kept.settings.heartbeat
    }
}

impl Settler {
    /// Takes these receipts of the stream as `verdict` says; tells how many events it was about, and which receipts were refused. An event
    /// that is put among the dead letters for it is so for `reason`, of which the first 512 bytes are kept.
    pub async fn settle(
        &self,
        receipts: &[Receipt],
        verdict: Verdict,
        reason: Option<&str>,
    ) -> Result<(usize, Vec<(Receipt, Refused)>), Error> {
        self.0.settle(receipts, verdict, reason).await
    }

    /// These of what the member has were not sent after all: they come again, this much later, and this time does not count.
    pub fn put_off(&self, events: &[Sent], wait: Duration) -> Result<(), Error> {
        let there = events.iter().filter(|sent| self.has(sent));
        let receipts = there.filter_map(|sent| sent.receipt);
        let receipts: Vec<Receipt> = receipts.map(|(receipt, _)| receipt).collect();
        let put_off = self.0.with_unless_over(|group, now| {
            for receipt in receipts {
                // Of a subject, the first alone is taken: the others wait for it.
                let _taken = group.put_off(receipt, wait, now);
            }
        });
        put_off.ok_or(Error::Closing)
    }

    /// These of what the member had were not sent, and wait now for what is before them of their subjects: that time does not count.
    pub fn not_sent(&self, events: &[Sent]) {
        let receipts = events.iter().filter_map(|sent| sent.receipt);
        self.0.with(|group, _| {
            for (receipt, _) in receipts {
                group.not_sent(receipt);
            }
        });
    }

    /// Whether `sent` is still with the member, and may be shown: another event of its subject may have failed since, its time may be over, and
    /// it may be erased. What may not be shown any more is settled.
    pub fn has(&self, sent: &Sent) -> bool {
        let Some((receipt, attempt)) = sent.receipt else {
            return false;
        };
        let live = &self.0;
        if !live.look(|group| group.is_sent(receipt, attempt)) {
            return false;
        }
        let now = live.ground.subjects.now();
        let is_shown = live.matcher.shows(sent.event.record(), &now);
        drop(now);
        if !is_shown {
            live.with(|group, _| group.gone(receipt));
        }
        is_shown
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.live.leave(self.id);
    }
}
