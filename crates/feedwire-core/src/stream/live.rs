//! A stream of an open project: its state, and what it is kept by.

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use feedwire_engine::{Log, Precondition, Primary, PutError, Record};
use feedwire_event::{Position, Subject, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::aside;
use super::group::{Aside, Group, MemberId};
use super::stored::{Kept, Progress, Spaces};
use super::window::Window;
use crate::delivery::Delivered;
use crate::filter::Matcher;
use crate::limits::{
    CHECKPOINT_INTERVAL, CHECKPOINT_INTERVAL_IDLE, GENERATIONS_AHEAD, MEMBER_NOTED,
};
use crate::subjects::Subjects;
use crate::tail::Tail;
use crate::{Allowance, Clock};

/// What a stream stands on of its project.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) subjects: Subjects,
    pub(crate) primary: Arc<dyn Primary>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A stream of an open project.
#[derive(Debug)]
pub(super) struct Live {
    /// As it was when it began; what people call it may have changed since.
    pub(super) kept: Kept,
    called: Mutex<Called>,
    pub(super) spaces: Arc<Spaces>,
    pub(super) ground: Ground,
    pub(super) matcher: Arc<Matcher>,
    /// What subjects are told apart by.
    pub(super) keys: RandomState,
    state: Mutex<State>,
    pub(super) window: Window,
    /// Held by a member that reads the log for all.
    pub(super) reading: tokio::sync::Mutex<()>,
    /// There is something for the keeper to carry out.
    pub(super) kick: Notify,
    /// It goes on elsewhere than where it was counted.
    pub(super) sought: Notify,
    /// Held over a write of the progress, with what was written last.
    saved: tokio::sync::Mutex<Saved>,
    /// Held while somebody joins.
    pub(super) joining: tokio::sync::Mutex<()>,
    /// Ends the keeper, when the stream is changed or deleted.
    pub(super) stop: CancellationToken,
    /// Nobody keeps it any more: whoever changes it writes that down.
    is_left: AtomicBool,
    /// Somebody keeps it, or did.
    is_kept: AtomicBool,
    /// Held over a change of the letters and of their number.
    pub(super) lettering: tokio::sync::Mutex<()>,
    pub(super) letters: AtomicU64,
    pub(super) counts: Counts,
}

/// What people call a stream, and since when it is as it is.
#[derive(Clone, Debug)]
struct Called {
    display_name: String,
    updated_at: Timestamp,
}

/// What was written of how far a stream is.
#[derive(Debug, Default)]
struct Saved {
    last: Option<Progress>,
    /// It is deleted, or in another's hands.
    is_over: bool,
}

/// What a stream has done since its project was opened.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) sent: feedwire_tally::Count,
    pub(super) again: feedwire_tally::Count,
    pub(super) acknowledged: feedwire_tally::Count,
    pub(super) buried: feedwire_tally::Count,
    /// Members.
    pub(super) given_up: feedwire_tally::Count,
    /// Partitions.
    pub(super) overdue: feedwire_tally::Count,
}

#[derive(Debug)]
struct State {
    group: Group,
    doors: HashMap<MemberId, Arc<Notify>>,
    /// When there was a member last, or it was sent somewhere.
    member_at: Option<Timestamp>,
    /// Another has taken over how far it is.
    is_over: bool,
}

impl Live {
    /// What of `events`, which are everything up to `through`, its expression is true of; and up to where that is, where it takes long.
    pub(super) async fn sift(
        &self,
        events: Vec<Delivered>,
        through: Position,
    ) -> (Vec<Delivered>, Position) {
        let Some(expression) = self.matcher.expression() else {
            return (events, through);
        };
        let sifted = expression.sift(events, &self.ground.subjects.labels).await;
        (sifted.events, sifted.through.unwrap_or(through))
    }

    /// Whether its expression is true of `record`.
    pub(super) fn expects(&self, record: &Record) -> bool {
        let labels = &self.ground.subjects.labels;
        let expression = self.matcher.expression();
        expression.is_none_or(|expression| expression.passes(record, labels).0)
    }

    /// The stream that is `kept`, as far as `progress` says.
    pub(super) fn new(
        kept: Kept,
        progress: Option<Progress>,
        spaces: Arc<Spaces>,
        ground: Ground,
    ) -> Self {
        let filter = kept.settings.selection.filter();
        let whole = Matcher::new(filter, &Allowance::whole());
        let matcher = whole.expect("everything is granted to it");
        // Who of the members was there before an event, the group knows.
        let matcher = matcher.there_since(Position::ZERO);
        let bounds = ground.log.bounds();
        let first = bounds.first.previous();
        let partitions = usize::from(kept.settings.partitions);
        let progress = progress.unwrap_or_else(|| Progress {
            member_at: None,
            // Above whatever a stream of this name had that was deleted.
            next_generation: u64::try_from(kept.created_at.as_micros())
                .unwrap_or(1)
                .max(1),
            checkpoints: vec![kept.origin.unwrap_or_default().max(first); partitions],
            asides: Vec::new(),
        });
        // A log that was restored from before ends earlier.
        let checkpoints = progress.checkpoints.iter();
        let checkpoints: Vec<Position> = checkpoints.map(|at| *at.min(&bounds.last)).collect();
        let group = Group::new(
            kept.settings.clone(),
            &checkpoints,
            progress.next_generation,
        );
        let called = Called {
            display_name: kept.settings.display_name.clone(),
            updated_at: kept.updated_at,
        };
        let live = Self {
            kept,
            called: Mutex::new(called),
            spaces,
            ground,
            matcher: Arc::new(matcher),
            keys: RandomState::new(),
            state: Mutex::new(State {
                group,
                doors: HashMap::new(),
                member_at: progress.member_at,
                is_over: false,
            }),
            window: Window::default(),
            reading: tokio::sync::Mutex::default(),
            kick: Notify::new(),
            sought: Notify::new(),
            saved: tokio::sync::Mutex::default(),
            joining: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
            is_left: AtomicBool::new(false),
            is_kept: AtomicBool::new(false),
            lettering: tokio::sync::Mutex::default(),
            letters: AtomicU64::new(0),
            counts: Counts::default(),
        };
        live.resume(progress.asides, bounds.last);
        live
    }

    /// Goes on with the subjects that were aside, of a log that ends at `last`.
    fn resume(&self, asides: Vec<Aside>, last: Position) {
        for aside in asides {
            let subject = aside.subject.as_ref().map(Subject::as_str);
            let named = (aside::hash(subject), self.identity(subject));
            let after = aside.after.min(last);
            let aside = Aside { after, ..aside };
            self.with(|group, _| group.resume(aside, named));
        }
    }

    /// As it is now.
    pub(super) fn kept(&self) -> Kept {
        let Called {
            display_name,
            updated_at,
        } = self.called.lock().clone();
        let settings = Settings {
            display_name,
            ..self.kept.settings.clone()
        };
        Kept {
            settings,
            updated_at,
            ..self.kept.clone()
        }
    }

    /// Is called as `kept` has it from now on, if that is all that differs.
    pub(super) fn rename(&self, kept: &Kept) -> bool {
        let mut called = self.called.lock();
        let same = Settings {
            display_name: self.kept.settings.display_name.clone(),
            ..kept.settings.clone()
        };
        let is_all = same == self.kept.settings;
        if is_all {
            called.display_name.clone_from(&kept.settings.display_name);
            called.updated_at = kept.updated_at;
        }
        is_all
    }

    /// Does something with the group, and has those woken whom it concerns.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Group, Instant) -> T) -> T {
        let mut state = self.state.lock();
        let State { group, doors, .. } = &mut *state;
        let done = act(group, Instant::now());
        for id in group.take_wakes() {
            if let Some(door) = doors.get(&id) {
                door.notify_one();
            }
        }
        if group.has_errands() {
            self.kick.notify_one();
        }
        done
    }

    /// As [`Live::with`], unless another has taken over.
    pub(super) fn with_unless_over<T>(
        &self,
        act: impl FnOnce(&mut Group, Instant) -> T,
    ) -> Option<T> {
        let mut state = self.state.lock();
        if state.is_over {
            return None;
        }
        let done = act(&mut state.group, Instant::now());
        drop(state);
        // Wakes whom it concerns.
        self.with(|_, _| ());
        Some(done)
    }

    /// How far it is, for another to go on there.
    pub(super) fn hand_over(&self) -> Progress {
        self.state.lock().is_over = true;
        self.progress()
    }

    /// It is sent somewhere: what it has there is as if somebody had been there.
    pub(super) fn note_member(&self) {
        self.state.lock().member_at = Some(self.ground.clock.now());
    }

    /// As [`Live::with`], for what only looks.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Group) -> T) -> T {
        look(&self.state.lock().group)
    }

    /// Where the member `id` is woken.
    pub(super) fn door(&self, id: MemberId) -> Arc<Notify> {
        self.state.lock().doors.entry(id).or_default().clone()
    }

    /// The member `id` goes.
    pub(super) fn leave(&self, id: MemberId) {
        self.with(|group, now| group.leave(id, now));
        let mut state = self.state.lock();
        state.doors.remove(&id);
        state.member_at = Some(self.ground.clock.now());
        if !state.group.has_members() {
            self.window.clear();
        }
        drop(state);
        self.kick.notify_one();
    }

    /// Sends every member away; nobody comes any more.
    pub(super) fn close(&self) {
        self.with(|group, _| group.close());
    }

    /// Whether nobody has kept it before whoever asks, who does so now.
    pub(super) fn begin_keeping(&self) -> bool {
        !self.is_kept.swap(true, Ordering::AcqRel)
    }

    /// Nobody keeps it from now on.
    pub(super) fn leave_alone(&self) {
        self.is_left.store(true, Ordering::Release);
    }

    /// Whether nobody keeps it.
    pub(super) fn is_left(&self) -> bool {
        self.is_left.load(Ordering::Acquire)
    }

    /// How far it is now.
    pub(super) fn progress(&self) -> Progress {
        let mut state = self.state.lock();
        if state.group.has_members() {
            state.member_at = Some(self.ground.clock.now());
        }
        Progress {
            member_at: state.member_at,
            next_generation: state.group.next_generation() + GENERATIONS_AHEAD,
            checkpoints: state.group.checkpoints(),
            asides: state.group.asides(),
        }
    }

    /// How often it is written how far it is.
    pub(super) fn interval(&self) -> Duration {
        if self.look(Group::has_members) {
            CHECKPOINT_INTERVAL
        } else {
            CHECKPOINT_INTERVAL_IDLE
        }
    }

    /// How much earlier its checkpoints may be forgotten than they should be.
    fn noted_within(&self) -> Duration {
        MEMBER_NOTED.min(self.kept.settings.checkpoint_lifetime / 4)
    }

    /// Whether its checkpoints were kept without a member for longer than they are.
    pub(super) fn is_expired(&self) -> bool {
        let state = self.state.lock();
        let lifetime = self.kept.settings.checkpoint_lifetime;
        let ends_at = state.member_at.map(|at| at.after(lifetime));
        !state.group.has_members() && ends_at.is_some_and(|end| end < self.ground.clock.now())
    }

    /// Where it starts, of what is retained.
    pub(super) fn origin(&self) -> Position {
        let first = self.ground.log.bounds().first.previous();
        self.kept.origin.unwrap_or_default().max(first)
    }

    /// Writes down how far it is, where that is another place than was written last. Nothing is given under a generation before the first.
    pub(super) async fn save(&self) -> Result<(), PutError> {
        let mut saved = self.saved.lock().await;
        let progress = self.progress();
        if saved.is_over {
            return Ok(());
        }
        let is_same = saved.last.as_ref().is_some_and(|saved| {
            let noted = |at: Option<Timestamp>| at.map_or(i64::MIN, Timestamp::as_micros);
            let since = noted(progress.member_at).saturating_sub(noted(saved.member_at));
            saved.checkpoints == progress.checkpoints
                && saved.asides == progress.asides
                && saved.next_generation >= progress.next_generation - GENERATIONS_AHEAD / 2
                && i128::from(since) < i128::from(self.noted_within().as_secs()) * 1_000_000
        });
        if is_same {
            return Ok(());
        }
        let key = self.kept.settings.name.as_str().as_bytes();
        let place = &self.spaces.checkpoints;
        let value = progress.encode();
        let primary = &self.ground.primary;
        primary.put(place, key, value, Precondition::Any).await?;
        saved.last = Some(progress);
        Ok(())
    }

    /// Writes nothing down any more.
    pub(super) async fn discard(&self) {
        self.saved.lock().await.is_over = true;
    }

    /// Makes sure that no generation which is given soon was ever given before, or will be after a crash.
    pub(super) async fn reserve(&self) -> Result<(), PutError> {
        let saved = self.saved.lock().await;
        let reserved = saved.last.as_ref().map(|progress| progress.next_generation);
        drop(saved);
        let next = self.look(Group::next_generation);
        match reserved {
            Some(reserved) if reserved > next + GENERATIONS_AHEAD / 2 => Ok(()),
            _ => self.save().await,
        }
    }
}
