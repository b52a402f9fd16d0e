//! Following a feed with the place kept in a file.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::stream::FusedStream;
use futures_util::{FutureExt as _, Stream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};

use crate::step::{Error as FollowError, Step};
use crate::{CursorFile, Event, Follow};

/// How often the file is replaced while events come without a pause, unless told otherwise.
const INTERVAL: Duration = Duration::from_millis(500);

/// A feed that is followed, and the place of what is dealt with kept in a file. Made by [`Follow::kept_in`].
///
/// **An event counts as dealt with when the next one is asked for**, not when it is handed out: a program that ends or crashes in
/// between gets it again, and none is left out. While events come without a pause the file is replaced every half second, or as often
/// as [`Kept::every`] says; so after a crash those of the last half second come again too. At the end that was asked for, and
/// before an error is told, it is replaced as well. A program that stops asking calls [`Kept::save`] once it has dealt with the last
/// event.
///
/// Like [`Follow`] it can be asked by [`Kept::next`] and as a [`Stream`], is fused, and loses nothing when a call is dropped. That the
/// file cannot be replaced does not end it: asked again, it goes on, and tries to replace the file again when that is due.
#[derive(Debug)]
#[must_use = "nothing is read until it is asked"]
pub struct Kept {
    follow: Follow,
    file: CursorFile,
    interval: Duration,
    /// The place that is dealt with.
    dealt_with: Option<String>,
    /// The place that the file holds.
    saved: Option<String>,
    /// A replacing of the file that is under way, and with what.
    saving: Option<(String, JoinHandle<io::Result<()>>)>,
    /// Ends when the file may be replaced again.
    pause: Pin<Box<Sleep>>,
    /// What is told once the place is saved.
    last: Option<Last>,
}

#[derive(Debug)]
enum Last {
    End,
    Error(Box<FollowError>),
}

/// Why a feed cannot be followed further, or its place not be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It cannot be followed further, which is told once. What is dealt with is saved.
    #[error(transparent)]
    Follow(FollowError),
    /// The file cannot be replaced.
    #[error("the place cannot be kept in {file}")]
    Save {
        /// Where it is.
        file: String,
        /// What went wrong.
        source: io::Error,
    },
}

impl Follow {
    /// Keeps the place in `file` and goes on behind what it holds, wherever the reading was to start.
    ///
    /// Reads the file and makes sure that it can be replaced, before anything is handed out.
    pub fn kept_in(self, file: CursorFile) -> io::Result<Kept> {
        file.check()?;
        let saved = file.load()?;
        let follow = match &saved {
            Some(cursor) => self.behind(cursor.clone()),
            None => self,
        };
        Ok(Kept {
            follow,
            file,
            interval: INTERVAL,
            dealt_with: saved.clone(),
            saved,
            saving: None,
            pause: Box::pin(tokio::time::sleep(INTERVAL)),
            last: None,
        })
    }
}

impl Kept {
    /// Replaces the file at most every `interval`; with zero, before each event is handed out.
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self.pause = Box::pin(tokio::time::sleep(interval));
        self
    }

    /// What the file holds: everything up to it is dealt with.
    pub fn cursor(&self) -> Option<&str> {
        self.saved.as_deref()
    }

    /// The next event; `None` when the limit or the end that was asked for is reached, or an error was told before. What was handed
    /// out before is dealt with. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Event>, KeptError> {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// Saves the place behind the last event that was handed out, which is dealt with. Cancel safe.
    pub async fn save(&mut self) -> Result<(), KeptError> {
        self.dealt_with = self.follow.cursor().map(str::to_owned);
        poll_fn(|context| self.poll_saved(context)).await
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Event>, KeptError>> {
        loop {
            // Who asks for the next has dealt with the last.
            if self.dealt_with.as_deref() != self.follow.cursor() {
                self.dealt_with = self.follow.cursor().map(str::to_owned);
            }
            let is_due = self.dealt_with != self.saved && self.pause.deadline() <= Instant::now();
            if is_due || self.saving.is_some() || self.last.is_some() {
                ready!(self.poll_saved(context))?;
            }
            match self.last.take() {
                Some(Last::End) => return Poll::Ready(Ok(None)),
                Some(Last::Error(error)) => return Poll::Ready(Err(KeptError::Follow(*error))),
                None => {}
            }
            match self.follow.poll_step(context) {
                Poll::Ready(Ok(Step::Event(event))) => return Poll::Ready(Ok(Some(*event))),
                Poll::Ready(Ok(Step::Mark { .. } | Step::Idle | Step::Lost { .. })) => {}
                Poll::Ready(Ok(Step::End)) => self.last = Some(Last::End),
                Poll::Ready(Err(error)) => self.last = Some(Last::Error(Box::new(error))),
                Poll::Pending => {
                    if self.dealt_with == self.saved {
                        return Poll::Pending;
                    }
                    ready!(self.pause.poll_unpin(context));
                }
            }
        }
    }

    /// Waits until the file holds what is dealt with.
    fn poll_saved(&mut self, context: &mut Context<'_>) -> Poll<Result<(), KeptError>> {
        loop {
            if let Some((cursor, saving)) = &mut self.saving {
                let result = ready!(saving.poll_unpin(context));
                let cursor = std::mem::take(cursor);
                self.saving = None;
                self.pause.as_mut().reset(Instant::now() + self.interval);
                let result = result.unwrap_or_else(|failed| Err(io::Error::other(failed)));
                result.map_err(|source| KeptError::Save {
                    file: self.file.path().display().to_string(),
                    source,
                })?;
                self.saved = Some(cursor);
            }
            match &self.dealt_with {
                Some(cursor) if self.saved.as_ref() != Some(cursor) => {
                    let (file, cursor) = (self.file.clone(), cursor.clone());
                    let saved = cursor.clone();
                    let saving = tokio::task::spawn_blocking(move || file.save(&cursor));
                    self.saving = Some((saved, saving));
                }
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Stream for Kept {
    type Item = Result<Event, KeptError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(context).map(Result::transpose)
    }
}

impl FusedStream for Kept {
    fn is_terminated(&self) -> bool {
        self.last.is_none() && self.saving.is_none() && self.follow.is_terminated()
    }
}
