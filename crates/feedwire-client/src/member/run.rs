//! Having the events of a stream dealt with, and saying so.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use feedwire_api::{Settled, Stream};
use futures_util::stream::{FusedStream as _, FuturesUnordered};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::timeout;

use super::hand::{Given, Hand, Taken};
use super::settling::{Call, Settling};
use super::{Delivery, Error, Join, Membership, Notice, Turn};
use crate::backoff::{self, Backoff};

/// How many events are held of a stream that has any number out at one member.
const HELD_MAX: usize = 1_000;
/// How long there is for saying what is done before a member leaves.
const LEAVING_MAX: Duration = Duration::from_secs(10);

/// A member at work.
pub(super) struct Run<'a> {
    join: Join<'a>,
    hand: Hand,
    settling: Settling,
    /// How many events the hand may hold, as the stream is.
    held_max: usize,
    /// How many events are to be done yet.
    remaining: Option<u64>,
    is_away: bool,
    /// What it ended by, once it does: then nothing is begun any more.
    ended: Option<Result<(), Error>>,
}

/// A call that is under way, with what became of it.
type Saying<'s> = Pin<Box<dyn Future<Output = (Call, Option<Settled>)> + Send + 's>>;

impl<'a> Run<'a> {
    pub(super) fn new(join: Join<'a>) -> Self {
        Self {
            hand: Hand::default(),
            settling: Settling::default(),
            held_max: join.held_max.unwrap_or(HELD_MAX),
            remaining: join.limit,
            is_away: true,
            ended: (join.limit == Some(0)).then_some(Ok(())),
            join,
        }
    }

    /// Has `work` done until `stop`, or the limit, or an end.
    pub(super) async fn until<E>(
        mut self,
        stop: impl Future,
        work: impl AsyncFn(Delivery) -> Result<(), E>,
    ) -> Result<(), Error> {
        let join = self.join.clone();
        let mut membership = join.clone().membership();
        let mut stop = pin!(stop.fuse());
        let mut running = FuturesUnordered::new();
        let mut saying: Option<Saying<'_>> = None;
        loop {
            while self.may_begin(running.len())
                && let Some((subject, delivery)) = self.hand.begin()
            {
                let work = &work;
                running.push(async move { (subject, work(delivery).await.is_ok()) });
            }
            if saying.is_none() {
                saying = self.settling.next().map(|call| say(&join, call));
            }
            if self.ended.is_some() && running.is_empty() {
                break;
            }
            tokio::select! {
                _ = &mut stop, if self.ended.is_none() => self.ended = Some(Ok(())),
                Some((subject, is_done)) = running.next() => self.dealt_with(&subject, is_done),
                said = said(&mut saying), if saying.is_some() => self.said(said),
                turn = membership.next(), if self.is_open_to_more(&membership) => match turn {
                    Ok(Some(turn)) => {
                        if matches!(turn, Turn::Away { .. }) {
                            // Its receipts are void.
                            saying = None;
                        }
                        self.turn(turn);
                    }
                    Ok(None) => drop(self.ended.get_or_insert(Ok(()))),
                    Err(error) => drop(self.ended.get_or_insert(Err(error))),
                },
            }
        }
        let leaving = self.leave(&mut membership, saying, &join);
        // What cannot be said in this time comes again.
        drop(timeout(LEAVING_MAX, leaving).await);
        self.ended.unwrap_or(Ok(()))
    }

    fn may_begin(&self, running: usize) -> bool {
        let most = self.remaining.unwrap_or(u64::MAX);
        self.ended.is_none() && running < self.join.concurrency && (running as u64) < most
    }

    /// Whether anything more is read. A member that is about to leave goes on to take heartbeats while what it has begun is done.
    fn is_open_to_more(&self, membership: &Membership) -> bool {
        let is_wanted = match self.ended {
            None => self.hand.held() < self.held_max,
            Some(_) => !self.is_away,
        };
        is_wanted && !membership.is_terminated()
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Joined(stream) => self.joined(&stream),
            Turn::Delivery(delivery) => self.take(*delivery),
            Turn::Heartbeat(heartbeat) => {
                self.hand.holds(&heartbeat.partitions);
                self.settling.holds(&heartbeat.partitions);
            }
            Turn::Lost(lost) => self.join.tell(&Notice::Lost(&lost)),
            Turn::Away { reason, wait } => {
                self.is_away = true;
                self.hand.away();
                self.settling.away();
                self.join.tell(&Notice::Away {
                    reason: &reason,
                    wait,
                });
            }
        }
    }

    fn joined(&mut self, stream: &Stream) {
        self.is_away = false;
        self.hand.joined(stream);
        let out_max = if stream.mode == "delivered" {
            HELD_MAX
        } else {
            usize::try_from(stream.max_in_flight).unwrap_or(usize::MAX)
        };
        self.held_max = self.join.held_max.unwrap_or(out_max);
    }

    fn take(&mut self, delivery: Delivery) {
        let place = delivery.place();
        if let Some(place) = place {
            self.settling.sent(place);
        }
        let is_passed_over = self.ended.is_some() || self.hand.take(delivery) == Taken::PassedOver;
        if let Some(place) = place
            && is_passed_over
        {
            self.settling.left(place);
        }
    }

    fn dealt_with(&mut self, subject: &Arc<str>, is_done: bool) {
        if is_done {
            self.done(subject);
            return;
        }
        let Some(failure) = self.hand.failed(subject) else {
            return;
        };
        if let Given {
            place: Some(place),
            attempt,
            ..
        } = failure.of
        {
            self.settling.failed(place, backoff::delay(attempt));
        }
        for place in failure.passed_over {
            self.settling.left(place);
        }
    }

    fn done(&mut self, subject: &Arc<str>) {
        let given = self.hand.done(subject);
        if let Some(place) = given.and_then(|given| given.place) {
            self.settling.done(place);
        }
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.saturating_sub(1);
            if *remaining == 0 && self.ended.is_none() {
                self.ended = Some(Ok(()));
            }
        }
    }

    fn said(&mut self, (call, settled): (Call, Option<Settled>)) {
        let Some(settled) = settled else {
            return;
        };
        for refused in &settled.refused {
            self.join.tell(&Notice::Refused(refused));
        }
        self.settling.said(call, &settled);
    }

    /// Says what is left to be said, while the connection stands.
    async fn leave<'s>(
        &mut self,
        _membership: &mut Membership,
        mut saying: Option<Saying<'s>>,
        join: &'s Join<'a>,
    ) {
        loop {
            if saying.is_none() {
                saying = self.settling.next().map(|call| say(join, call));
            }
            if saying.is_none() {
                return;
            }
            let said = said(&mut saying).await;
            self.said(said);
        }
    }
}

/// The end of the call that is under way; it is under way no more.
async fn said(saying: &mut Option<Saying<'_>>) -> (Call, Option<Settled>) {
    match saying {
        None => std::future::pending().await,
        Some(call) => {
            let said = call.await;
            *saying = None;
            said
        }
    }
}

/// Says `call` until it is heard, or will not be.
fn say<'s>(join: &'s Join<'_>, call: Call) -> Saying<'s> {
    Box::pin(async move {
        let mut backoff = Backoff::new();
        loop {
            let error = match call.say(&join.client, &join.name).await {
                Ok(settled) => return (call, Some(settled)),
                Err(error) => error,
            };
            let wait = backoff.fail(error.retry_after());
            let wait = error.is_passing().then_some(wait);
            join.tell(&Notice::Unsaid {
                error: &error,
                wait,
            });
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return (call, None),
            }
        }
    })
}
