//! Pushing of one connector, as it is set, from joining its stream to leaving it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use feedwire_core::connectors::{Answered, Attempt, Connector, Occasion};
use feedwire_core::stream::{self, Member, Sent, Settler, Turn, Verdict};
use feedwire_core::{Clock, Core, read};
use feedwire_engine::{Incarnation, Limit, Record};
use feedwire_event::ProjectName;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::hand::{Bounds, Hand, Item, Next};
use crate::limits::{BODY_BYTES, CONDITION_INTERVAL, HAND_BYTES, HAND_FACTOR};
use crate::trouble::{Blame, Sentence, Trouble};
use crate::wire::{self, Outcome, Wire};

/// What a connector pushes with.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) core: Arc<Core>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) project: ProjectName,
    pub(crate) connector: Arc<Connector>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) trouble: Trouble,
    /// How long what is on its way is waited for at the end.
    pub(crate) grace: Duration,
}

/// Why a session ends.
#[derive(Debug)]
pub(crate) enum End {
    /// It was told to.
    Halted,
    /// The stream was changed, or the server stops.
    Closing,
    /// Everything is pushed that the connector was made for.
    Done,
    /// It is of no use to go on, for this reason.
    Hopeless(String),
    /// The stream cannot be read.
    Broken(read::Error),
}

type Parcel = Vec<Item<Sent>>;
type Flight = Pin<Box<dyn Future<Output = (Parcel, Outcome)> + Send>>;
type Taking = Pin<Box<dyn Future<Output = Taken> + Send>>;

/// A member again, and what it was sent; `None` where it was called back before that.
type Taken = (Member, Option<Result<Turn, read::Error>>);

/// What is under way.
struct Course {
    settler: Settler,
    incarnation: Incarnation,
    /// How often the stream sends an event at most.
    deliveries_max: Option<u32>,
    hand: Hand<Sent>,
    flights: FuturesUnordered<Flight>,
    subjects: RandomState,
    /// How long the stream waits for an acknowledgement, where that is less than a day: what stands in hand for long is put off before.
    ack_timeout: Option<Duration>,
    looked: Instant,
    /// When something is to be looked at again.
    wake: Option<Instant>,
    noted: Instant,
}

impl Session {
    /// Pushes what `member` is sent, until `halt` or for another reason.
    pub(crate) async fn push(&mut self, member: Member, halt: &CancellationToken) -> End {
        let mut course = Course {
            settler: member.settler(),
            incarnation: member.incarnation(),
            deliveries_max: member.settings().max_deliveries,
            hand: Hand::default(),
            flights: FuturesUnordered::new(),
            subjects: RandomState::new(),
            ack_timeout: Some(member.settings().ack_timeout)
                .filter(|timeout| timeout < stream::ACK_TIMEOUT.end()),
            looked: Instant::now(),
            wake: None,
            noted: Instant::now(),
        };
        let call_back = CancellationToken::new();
        let (mut idle, mut taking) = (Some(member), None::<Taking>);
        let end = loop {
            self.put_off(&mut course);
            self.launch(&mut course);
            if let Some(limit) = self.room(&course)
                && let Some(member) = idle.take()
            {
                taking = Some(take(member, limit, call_back.clone()));
            }
            let wake = [course.wake, self.note_at(&course), course.look_at()];
            let wake = wake.into_iter().flatten().min();
            tokio::select! {
                biased;
                () = halt.cancelled() => break End::Halted,
                Some((parcel, outcome)) = course.flights.next() => {
                    if let Some(end) = self.landed(&mut course, parcel, outcome).await {
                        break end;
                    }
                }
                (member, turn) = join(&mut taking) => {
                    taking = None;
                    idle = Some(member);
                    if let Some(end) = self.taken(&mut course, turn) {
                        break end;
                    }
                }
                () = until(wake) => self.note_in_time(&mut course).await,
            }
        };
        call_back.cancel();
        let member = match taking {
            Some(taking) => {
                let (member, turn) = taking.await;
                // What came with the last moment goes back with the rest.
                drop(self.taken(&mut course, turn));
                Some(member)
            }
            None => idle,
        };
        self.wind_down(course, member).await;
        end
    }

    /// Gives back what cannot be sent soon. Where the stream waits for less long, it would take it for sent and not acknowledged.
    fn put_off(&self, course: &mut Course) {
        let now = Instant::now();
        let (waiting, wait) = match self.trouble.held_until(now) {
            Some(until) => {
                // All of it goes: there is nothing to be looked for before another while.
                course.looked = now;
                (course.hand.give_back(), until - now)
            }
            None => (course.overdue(now), Duration::ZERO),
        };
        if !waiting.is_empty() {
            let put_off = course.settler.put_off(&waiting, wait);
            self.noted_as(put_off);
        }
    }

    /// Sends as much as may be on its way.
    fn launch(&mut self, course: &mut Course) {
        let now = Instant::now();
        course.wake = self.trouble.held_until(now);
        if course.wake.is_some() {
            return;
        }
        let settings = &self.connector.settings;
        let (concurrency, events) = if self.trouble.is_general() {
            (1, 1)
        } else {
            (settings.concurrency, settings.batch_events)
        };
        let bounds = Bounds {
            events,
            bytes: BODY_BYTES,
            linger: course.lingers_at_most(settings.linger),
            hand_bytes: HAND_BYTES,
            tries_new: self.trouble.is_general(),
        };
        let settler = course.settler.clone();
        while course.flights.len() < concurrency {
            let is_good = |lane| self.trouble.is_good(lane);
            let next = course
                .hand
                .next(now, bounds, |sent| settler.has(sent), is_good);
            match next {
                Next::Parcel(parcel) => {
                    let flight = flight(self.wire.clone(), course.incarnation, parcel);
                    course.flights.push(flight);
                }
                Next::Wait(until) => {
                    course.wake = Some(until);
                    break;
                }
                Next::Nothing => break,
            }
        }
        let in_flight = course.flights.len();
        self.desk.change(|health| health.in_flight = in_flight);
    }

    /// How much more is to be in hand; `None` where it is nothing. As long as enough is on its way, several are taken at once: that takes less
    /// than one for each that is done.
    fn room(&self, course: &Course) -> Option<Limit> {
        if self.trouble.held_until(Instant::now()).is_some() {
            return None;
        }
        let settings = &self.connector.settings;
        let one_each = settings.concurrency * settings.batch_events;
        let records =
            (HAND_FACTOR * one_each).saturating_sub(course.hand.count(2 * settings.batch_events));
        let bytes = HAND_BYTES.saturating_sub(course.hand.bytes());
        let is_worth_it = records >= one_each || course.flights.len() < settings.concurrency;
        (records > 0 && bytes > 0 && is_worth_it).then_some(Limit { records, bytes })
    }

    fn taken(
        &mut self,
        course: &mut Course,
        turn: Option<Result<Turn, read::Error>>,
    ) -> Option<End> {
        match turn? {
            Ok(Turn::Events(events)) => {
                let since = Instant::now();
                for event in events {
                    let record = event.event.record();
                    let item = Item {
                        lane: course.subjects.hash_one(record.subject()),
                        bytes: record.bytes(),
                        failures: self.trouble.failures_of(record.position()),
                        since,
                        event,
                    };
                    course.hand.add(item);
                }
                None
            }
            Ok(Turn::Changed) => None,
            Ok(Turn::Lost(lost)) => {
                tracing::warn!(
                    project = %self.project,
                    connector = %self.connector.settings.name,
                    lost_at_most = lost.lost_at_most,
                    first = %lost.first,
                    "retention has taken events before a connector had pushed them"
                );
                None
            }
            Ok(Turn::Closing) => Some(End::Closing),
            Ok(Turn::Done) => Some(End::Done),
            Err(error) => Some(End::Broken(error)),
        }
    }

    /// Deals with what came of a request.
    async fn landed(
        &mut self,
        course: &mut Course,
        parcel: Parcel,
        outcome: Outcome,
    ) -> Option<End> {
        let end = match outcome {
            Outcome::Nothing => {
                self.settle(course, &parcel, Verdict::Done, None).await;
                None
            }
            Outcome::Unreadable(why) if parcel.len() == 1 => {
                self.settle(course, &parcel, Verdict::Dead, Some(&why))
                    .await;
                None
            }
            Outcome::Unreadable(_) => {
                // One of them: which, is found when they are tried in parts.
                let at = self.clock.now();
                for item in &parcel {
                    self.trouble.split(item.event.event.record().position(), at);
                }
                let failed = Verdict::Failed(Duration::ZERO);
                self.settle_as(course, &parcel, failed, None).await;
                None
            }
            Outcome::Sent(attempt, _) if attempt.answered.is_success() => {
                self.succeeded(course, &parcel, attempt).await;
                None
            }
            Outcome::Sent(attempt, retry_after) => {
                self.failed(course, &parcel, attempt, retry_after).await
            }
        };
        course.hand.done(&parcel);
        let trouble = &self.trouble;
        let now = Instant::now();
        let held_until = trouble.held_until(now);
        let held_until = held_until.map(|until| self.clock.now().after(until - now));
        self.desk.change(|health| {
            health.failing_since = trouble.failing_since();
            health.failures = trouble.failures();
            health.held_until = held_until;
            health.in_flight = course.flights.len();
        });
        end
    }

    async fn succeeded(&mut self, course: &mut Course, parcel: &Parcel, attempt: Attempt) {
        if self.trouble.tells_recovered() {
            self.tell_recovered();
        }
        self.trouble.succeeded(parcel.iter().map(|item| item.lane));
        self.settle(course, parcel, Verdict::Done, None).await;
        let (at, count) = (attempt.at, parcel.len() as u64);
        self.desk.change(|health| {
            health.succeeded_at = Some(at);
            health.delivered += count;
        });
        self.desk.note(attempt);
    }

    async fn failed(
        &mut self,
        course: &mut Course,
        parcel: &Parcel,
        attempt: Attempt,
        retry_after: Option<Duration>,
    ) -> Option<End> {
        let retry = self.connector.settings.retry;
        let (at, now) = (self.clock.now(), Instant::now());
        let why = told(&attempt.answered);
        let status = match attempt.answered {
            Answered::Status(status, _) => Some(status),
            Answered::Nothing(_) => None,
        };
        if self.trouble.tells_failing(now) {
            self.tell_failing(&why);
        }
        let is_for_all = matches!(status, Some(429 | 503));
        let new = parcel.iter().filter(|item| item.failures == 0);
        let lanes = new.map(|item| item.lane);
        let for_all = retry_after.filter(|_| is_for_all);
        let blame = (Blame::of(status), for_all);
        let settings = &self.connector.settings;
        self.trouble.failed(lanes, settings, (at, now), blame);
        self.desk.note(attempt);
        let mut buried = 0;
        for item in parcel {
            let position = item.event.event.record().position();
            if !course.settler.has(&item.event) {
                // One before it of its subject has failed, and it comes again behind that.
                continue;
            }
            let attempt = item.event.receipt.map_or(0, |(_, attempt)| attempt);
            let of = (position, attempt);
            let sentence = self.trouble.sentence(of, &retry, at, retry_after);
            let (verdict, is_over) = match sentence {
                Sentence::Again(wait) => (Verdict::Failed(wait), course.is_last(&item.event)),
                Sentence::GivenUp => (Verdict::Dead, true),
            };
            let behind = course.hand.waiting(item.lane);
            let behind: Vec<Sent> = behind
                .filter(|sent| course.settler.has(sent))
                .cloned()
                .collect();
            self.settle_one(course, &item.event, verdict, Some(&why))
                .await;
            course.settler.not_sent(&behind);
            if is_over {
                buried += 1;
                self.trouble.forget(position);
            }
        }
        self.desk.change(|health| health.buried += buried);
        if status == Some(410) {
            return Some(End::Hopeless("the receiver answered 410 Gone".to_owned()));
        }
        self.trouble
            .is_hopeless(&self.connector.settings, at)
            .then(|| {
                let since = self.trouble.failing_since().unwrap_or(at);
                End::Hopeless(format!(
                    "nothing has succeeded since {since}; the last time: {why}"
                ))
            })
    }

    async fn settle(
        &mut self,
        course: &mut Course,
        parcel: &Parcel,
        verdict: Verdict,
        reason: Option<&str>,
    ) {
        for item in parcel {
            self.trouble.forget(item.event.event.record().position());
        }
        self.settle_as(course, parcel, verdict, reason).await;
    }

    async fn settle_as(
        &self,
        course: &mut Course,
        parcel: &Parcel,
        verdict: Verdict,
        reason: Option<&str>,
    ) {
        let receipts = parcel.iter().filter_map(|item| item.event.receipt);
        let receipts: Vec<_> = receipts.map(|(receipt, _)| receipt).collect();
        self.noted_as(course.settler.settle(&receipts, verdict, reason).await);
    }

    async fn settle_one(
        &self,
        course: &mut Course,
        sent: &Sent,
        verdict: Verdict,
        reason: Option<&str>,
    ) {
        let receipt = sent.receipt.map(|(receipt, _)| receipt);
        let receipts = receipt.as_slice();
        self.noted_as(course.settler.settle(receipts, verdict, reason).await);
    }

    /// What is not settled comes again.
    fn noted_as<T>(&self, settled: Result<T, stream::Error>) {
        if let Err(error) = settled {
            tracing::debug!(
                project = %self.project,
                connector = %self.connector.settings.name,
                error = &error as &dyn std::error::Error,
                "what was delivered is not settled, and comes again"
            );
        }
    }

    /// When it is to be written down how it fails.
    fn note_at(&self, course: &Course) -> Option<Instant> {
        self.trouble
            .is_changed()
            .then_some(course.noted + CONDITION_INTERVAL)
    }

    async fn note_in_time(&mut self, course: &mut Course) {
        if course.noted.elapsed() >= CONDITION_INTERVAL {
            course.noted = Instant::now();
            self.note().await;
        }
    }

    /// Writes down how it fails.
    async fn note(&mut self) {
        let Some(condition) = self.trouble.take_changed() else {
            return;
        };
        let noted = self
            .core
            .note_condition(&self.project, &self.connector, &condition);
        if let Err(error) = noted.await {
            self.trouble.note_again();
            tracing::debug!(
                project = %self.project,
                connector = %self.connector.settings.name,
                error = &error as &dyn std::error::Error,
                "it is not written down how a connector fails"
            );
        }
    }

    /// Waits for what is on its way, gives back what is not, and leaves the stream.
    async fn wind_down(&mut self, mut course: Course, member: Option<Member>) {
        let waiting = course.hand.give_back();
        if let Some(member) = &member {
            member.not_sent(&waiting);
        }
        let grace = self.grace;
        let landing = async {
            while let Some((parcel, outcome)) = course.flights.next().await {
                // What it says is said by what ends the session already.
                drop(self.landed(&mut course, parcel, outcome).await);
            }
        };
        if timeout(grace, landing).await.is_err() {
            tracing::info!(
                project = %self.project,
                connector = %self.connector.settings.name,
                "requests are not waited for any longer: their events come again"
            );
        }
        // Only now: what was delivered is settled under its lease.
        drop(member);
        self.note().await;
        self.desk.change(|health| health.in_flight = 0);
    }

    fn tell_failing(&self, why: &str) {
        tracing::warn!(
            project = %self.project,
            connector = %self.connector.settings.name,
            why,
            "a connector fails"
        );
    }

    fn tell_recovered(&self) {
        tracing::info!(
            project = %self.project,
            connector = %self.connector.settings.name,
            "a connector delivers again"
        );
    }
}

impl Course {
    /// What has stood in hand for so long that its stream would soon take it for lost.
    fn overdue(&mut self, now: Instant) -> Vec<Sent> {
        let Some(timeout) = self.ack_timeout else {
            return Vec::new();
        };
        if now - self.looked < timeout / 8 {
            return Vec::new();
        }
        self.looked = now;
        let since = now.checked_sub(timeout / 2);
        since.map_or_else(Vec::new, |since| self.hand.give_back_from(since))
    }

    /// When that is looked for again.
    fn look_at(&self) -> Option<Instant> {
        let timeout = self.ack_timeout.filter(|_| self.hand.bytes() > 0)?;
        Some(self.looked + timeout / 8)
    }

    fn lingers_at_most(&self, linger: Duration) -> Duration {
        linger.min(self.ack_timeout.map_or(linger, |timeout| timeout / 4))
    }

    /// Whether the stream puts `sent` aside when it fails once more.
    fn is_last(&self, sent: &Sent) -> bool {
        let attempt = sent.receipt.map_or(0, |(_, attempt)| attempt);
        self.deliveries_max.is_some_and(|max| attempt >= max)
    }
}

/// What is told of a request that failed. Of what the receiver said it has nothing: that may be what it was sent.
fn told(answered: &Answered) -> String {
    match answered {
        Answered::Status(status, _) => format!("the receiver answered {status}"),
        Answered::Nothing(why) => why.to_string(),
    }
}

fn take(mut member: Member, limit: Limit, call_back: CancellationToken) -> Taking {
    Box::pin(async move {
        let turn = call_back.run_until_cancelled(member.next(limit)).await;
        (member, turn)
    })
}

/// What was taken; never where nothing is.
async fn join(taking: &mut Option<Taking>) -> Taken {
    match taking {
        Some(taking) => taking.await,
        None => std::future::pending().await,
    }
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(wake) => sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

fn flight(wire: Arc<Wire>, incarnation: Incarnation, parcel: Parcel) -> Flight {
    Box::pin(async move {
        let outcome = {
            let records: Vec<&Record> = parcel
                .iter()
                .map(|item| item.event.event.record())
                .collect();
            let id = wire::id(incarnation, &records);
            let failures = parcel.iter().map(|item| item.failures).max();
            let number = failures.unwrap_or_default() + 1;
            wire.send(Occasion::Event, id, &records, number).await
        };
        (parcel, outcome)
    })
}
