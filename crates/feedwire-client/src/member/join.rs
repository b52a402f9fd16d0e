//! Joining a stream: what is asked for, and what is told beside the events.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use feedwire_api::{LostEvents, RefusedReceipt};

use super::run::Run;
use super::{Delivery, Error, Membership};
use crate::step::Interruption;
use crate::{Client, Error as RequestError};

/// Joining a stream. Made by [`Client::join`].
///
/// [`Join::run`] has every event dealt with by an async function, and acknowledges those that it is done with:
///
/// ```no_run
/// # async fn example(client: feedwire_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use feedwire_client::Delivery;
///
/// let stop = tokio::signal::ctrl_c();
/// let joined = client.join("billing").concurrency(8);
/// joined
///     .run_until(stop, async |delivery: Delivery| -> Result<(), std::io::Error> {
///         let order = delivery.event.attributes();
///         println!("{} of {:?}", order.ty, order.subject);
///         Ok(())
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// # What is promised
///
/// Each event is dealt with at least once by some member, and never by two parts of this one at the same time. The events of a
/// subject are dealt with one after the other, in order, and so are those without a subject; up to [`Join::concurrency`] subjects at
/// the same time. An event whose work failed (`Err`) is refused, and comes again after half a second, doubled each time up to half a
/// minute; where the stream has the later events of its subject wait, they are not dealt with before.
///
/// What is done is acknowledged in bulk: one call at a time, with all that was done meanwhile. A call that fails is made again while
/// the connection lives. What was done and could not be acknowledged comes again, here or at another member.
///
/// In a stream of mode `delivered` nothing is acknowledged, and what failed does not come again.
///
/// # Ends
///
/// When it is stopped ([`Join::run_until`]) or its [limit](Join::limit) is reached, nothing more is begun; what was begun is done,
/// and acknowledged, for which there are ten seconds. Dropped before, what was not acknowledged comes again. A connection that is lost
/// is no end: see [`Membership`] for the waits. That the stream is deleted is one, and that the credential no longer may.
#[derive(Clone)]
#[must_use = "nothing is joined until it is run"]
pub struct Join<'a> {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) concurrency: usize,
    pub(super) held_max: Option<usize>,
    pub(super) limit: Option<u64>,
    tries: Option<u32>,
    on_notice: Option<OnNotice<'a>>,
}

/// What is told of everything that is not an event.
type OnNotice<'a> = Arc<dyn Fn(&Notice<'_>) + Send + Sync + 'a>;

/// Something that happens beside the events. See [`Join::on_notice`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'n> {
    /// The connection was lost or did not come about, or the stream has all members that it may have; another try follows.
    Away {
        /// Why.
        reason: &'n Interruption,
        /// How long it is waited before.
        wait: Duration,
    },
    /// Retention took events before they were sent.
    Lost(&'n LostEvents),
    /// What is done, or failed, could not be said.
    Unsaid {
        /// Why.
        error: &'n RequestError,
        /// How long it is waited before it is said again; `None` where it is not, and the events come again.
        wait: Option<Duration>,
    },
    /// A receipt was not taken, most often because the lease of its partition had passed on: what was done may be done again.
    Refused(&'n RefusedReceipt),
}

impl Client {
    /// Joining the stream `name`.
    pub fn join<'a>(&self, name: &str) -> Join<'a> {
        Join {
            client: self.clone(),
            name: name.to_owned(),
            concurrency: 1,
            held_max: None,
            limit: None,
            tries: None,
            on_notice: None,
        }
    }
}

impl<'a> Join<'a> {
    /// Deals with the events of up to `concurrency` subjects at the same time, at least one, which is what there is unless told
    /// otherwise. It is all one task: work that keeps a thread busy has to be given to another.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Holds up to `held` events that are not dealt with, at least one, and reads no further meanwhile; a server that is not read from
    /// hangs up in the end. Unless told otherwise it is as many as the stream has out at one member, so that it is always read from; in
    /// mode `delivered`, 1,000.
    pub fn hold(mut self, held: usize) -> Self {
        self.held_max = Some(held.max(1));
        self
    }

    /// Ends when `events` are done, those that failed left aside.
    pub fn limit(mut self, events: u64) -> Self {
        self.limit = Some(events);
        self
    }

    /// Gives up after `tries` to connect that failed in a row, at least one; waiting for a place in the stream is none.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = Some(tries);
        self
    }

    /// Calls `told` of all that happens beside the events: to log it, for example.
    pub fn on_notice(mut self, told: impl Fn(&Notice<'_>) + Send + Sync + 'a) -> Self {
        self.on_notice = Some(Arc::new(told));
        self
    }

    /// The connection alone, for whoever deals with its events otherwise.
    pub fn membership(self) -> Membership {
        Membership::new(self.client, self.name, self.tries)
    }

    /// Has `work` done for every event, for as long as it is asked.
    pub async fn run<E>(self, work: impl AsyncFn(Delivery) -> Result<(), E>) -> Result<(), Error> {
        self.run_until(pending::<()>(), work).await
    }

    /// Has `work` done for every event until `stop` is ready.
    pub async fn run_until<E>(
        self,
        stop: impl Future,
        work: impl AsyncFn(Delivery) -> Result<(), E>,
    ) -> Result<(), Error> {
        Run::new(self).until(stop, work).await
    }

    pub(super) fn tell(&self, notice: &Notice<'_>) {
        if let Some(told) = &self.on_notice {
            told(notice);
        }
    }
}

impl fmt::Debug for Join<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join")
            .field("client", &self.client)
            .field("name", &self.name)
            .field("concurrency", &self.concurrency)
            .field("held_max", &self.held_max)
            .field("limit", &self.limit)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}
