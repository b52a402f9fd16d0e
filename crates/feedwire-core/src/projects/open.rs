//! The projects that are open: opened when they are used, and let go of when nobody uses them.
//!
//! Whoever uses a project holds it: a reader as long as it lives, a call as long as it takes. So it is told by the number of
//! holders whether one is idle, under the lock of the table where alone another holder is made. Whoever asks for a project that is
//! being closed waits for its turn, and opens it again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use feedwire_engine::{Engine, OpenError, Primary, Unavailable};
use feedwire_event::{Position, ProjectName};
use parking_lot::{Mutex, MutexGuard, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::past::Past;
use super::register::Register;
use crate::Clock;
use crate::connectors::Connectors;
use crate::limits::{PROJECTS_OPEN_MAX, TAIL_BYTES_MAX};
use crate::project::Project;
use crate::stats::{Done, ProjectStats};
use crate::turns::{Turn, Turns};

/// Who holds a project that is idle: the table, and each of its two tasks.
const HOLDERS: usize = 3;

/// How much is held open. [`Bounds::default`] is right unless a test wants less.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of its last events in memory, of each project that is open.
    pub(crate) tail_bytes_max: usize,
    /// Projects, the server's own not among them.
    pub(crate) projects_open_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            tail_bytes_max: TAIL_BYTES_MAX,
            projects_open_max: PROJECTS_OPEN_MAX,
        }
    }
}

/// The projects of an engine.
#[derive(Debug)]
pub(crate) struct Projects {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    register: Register,
    connectors: Connectors,
    turns: Turns<ProjectName>,
    open: RwLock<HashMap<ProjectName, Opened>>,
    /// What projects did when they were open before. Locked while `open` is.
    past: Mutex<Past>,
    /// A permit for each project that may be open.
    room: Arc<Semaphore>,
    /// Held while a project is closed so that another can be opened: who comes next finds the room, or what else is idle.
    making_room: tokio::sync::Mutex<()>,
    began: Instant,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A project that is open.
#[derive(Debug)]
struct Opened {
    project: Arc<Project>,
    /// When it was used last: milliseconds since the core was opened.
    used: AtomicU64,
    /// Ends its tasks.
    stop: CancellationToken,
    tasks: [JoinHandle<()>; 2],
    room: Option<OwnedSemaphorePermit>,
    /// It is put away, and open for its upkeep alone.
    is_away: bool,
}

/// As many projects are open as may be, and all of them are in use.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0} projects are open and in use, and no more can be")]
struct Full(usize);

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the server is stopping")]
struct Stopping;

impl Opened {
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.project) <= HOLDERS
    }

    async fn end(self) {
        self.stop.cancel();
        for task in self.tasks {
            // An error is that of a task that has panicked: it has ended too.
            drop(task.await);
        }
    }
}

impl Projects {
    /// The projects of `engine`, none of them open. Their tasks are among `tasks`, and end with `stop`.
    pub(crate) async fn load(
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        bounds: Bounds,
        (tasks, stop): (TaskTracker, CancellationToken),
    ) -> Result<Self, Unavailable> {
        let register = Register::load(&*engine).await?;
        let connectors = Connectors::load(&*engine.primary(), register.names()).await?;
        Ok(Self {
            engine,
            clock,
            bounds,
            register,
            connectors,
            turns: Turns::default(),
            open: RwLock::default(),
            past: Mutex::default(),
            room: Arc::new(Semaphore::new(bounds.projects_open_max)),
            making_room: tokio::sync::Mutex::default(),
            began: Instant::now(),
            tasks,
            stop,
        })
    }

    pub(super) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    pub(super) fn primary(&self) -> Arc<dyn Primary> {
        self.engine.primary()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn register(&self) -> &Register {
        &self.register
    }

    pub(crate) fn connectors(&self) -> &Connectors {
        &self.connectors
    }

    pub(super) fn turns(&self) -> &Turns<ProjectName> {
        &self.turns
    }

    pub(super) fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock()
    }

    /// An error once the server stops.
    pub(super) fn check_open(&self) -> Result<(), Unavailable> {
        if self.stop.is_cancelled() {
            return Err(Unavailable::new(Stopping));
        }
        Ok(())
    }

    /// The project `name`, opened if it is not.
    pub(crate) async fn get(
        self: &Arc<Self>,
        name: &ProjectName,
    ) -> Result<Arc<Project>, OpenError> {
        if let Some(project) = self.used_now(name) {
            return Ok(project);
        }
        // In a box: it is seldom, and whatever is done in a project would have to have room for it.
        Box::pin(self.get_in_turn(name)).await
    }

    async fn get_in_turn(self: &Arc<Self>, name: &ProjectName) -> Result<Arc<Project>, OpenError> {
        // Before its turn too: a name that nobody knows costs nothing, and a deletion may take long.
        self.check_usable(name)?;
        let _turn = self.turns.take(name).await;
        if let Some(project) = self.used_now(name) {
            return Ok(project);
        }
        self.check_usable(name)?;
        self.open_now(name, false).await
    }

    /// The project `name` for its upkeep, which does not end while it is put away.
    pub(super) async fn get_for_upkeep(
        self: &Arc<Self>,
        name: &ProjectName,
    ) -> Result<Arc<Project>, OpenError> {
        if !self.register.is_away(name) {
            return self.get(name).await;
        }
        let _turn = self.turns.take(name).await;
        if self.register.record(name).is_none() || self.used(name).is_some() {
            return Err(OpenError::Unknown(name.clone()));
        }
        self.open_now(name, self.register.is_away(name)).await
    }

    /// Opens the project `name`. Called by whose turn it is.
    async fn open_now(
        self: &Arc<Self>,
        name: &ProjectName,
        is_away: bool,
    ) -> Result<Arc<Project>, OpenError> {
        self.check_open()?;
        let room = self.room_for(name).await?;
        let clock = self.clock.clone();
        let project = Project::open(&*self.engine, name, clock, self.bounds.tail_bytes_max).await?;
        Ok(self.start(name, project, room, is_away))
    }

    fn used_now(&self, name: &ProjectName) -> Option<Arc<Project>> {
        let open = self.open.read();
        let opened = open.get(name).filter(|opened| !opened.is_away)?;
        opened.used.store(self.now(), Ordering::Relaxed);
        Some(Arc::clone(&opened.project))
    }

    /// Milliseconds since the core was opened.
    fn now(&self) -> u64 {
        let passed = self.began.elapsed();
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }

    fn start(
        &self,
        name: &ProjectName,
        project: Project,
        room: Option<OwnedSemaphorePermit>,
        is_away: bool,
    ) -> Arc<Project> {
        let project = Arc::new(project);
        let stop = self.stop.child_token();
        let (follower, keeper) = (Arc::clone(&project), Arc::clone(&project));
        let (clock, follow_until, keep_until) = (self.clock.clone(), stop.clone(), stop.clone());
        let opened = Opened {
            project: Arc::clone(&project),
            used: AtomicU64::new(self.now()),
            stop,
            tasks: [
                self.tasks
                    .spawn(async move { follower.follow_log(follow_until).await }),
                self.tasks
                    .spawn(async move { keeper.keep(&*clock, keep_until).await }),
            ],
            room,
            is_away,
        };
        self.open.write().insert(name.clone(), opened);
        project
    }

    /// Waits for room for one more. What is audited does not depend on how many others are open: the server's own has its own.
    async fn room_for(
        self: &Arc<Self>,
        name: &ProjectName,
    ) -> Result<Option<OwnedSemaphorePermit>, Unavailable> {
        if name.is_system() {
            return Ok(None);
        }
        let room = || Arc::clone(&self.room).try_acquire_owned().ok();
        if let Some(room) = room() {
            return Ok(Some(room));
        }
        let _alone = self.making_room.lock().await;
        loop {
            if let Some(room) = room() {
                return Ok(Some(room));
            }
            if !self.close_longest_idle().await {
                return Err(Unavailable::new(Full(self.bounds.projects_open_max)));
            }
        }
    }

    async fn close_longest_idle(self: &Arc<Self>) -> bool {
        for (_, name) in self.idle(|opened| opened.room.is_some()) {
            if self.close_if_idle(&name, u64::MAX).await {
                return true;
            }
        }
        false
    }

    /// The idle projects that `are_wanted`, with when they were used last, the longest unused one first.
    fn idle(&self, are_wanted: impl Fn(&Opened) -> bool) -> Vec<(u64, ProjectName)> {
        let open = self.open.read();
        let idle = open
            .iter()
            .filter(|(_, opened)| opened.is_idle() && are_wanted(opened));
        let mut idle: Vec<_> = idle
            .map(|(name, opened)| (opened.used.load(Ordering::Relaxed), name.clone()))
            .collect();
        idle.sort_unstable();
        idle
    }

    /// Closes what nobody has used for `unused`. What still has something to erase stays open until that is done.
    pub(super) async fn close_unused(self: &Arc<Self>, unused: Duration) {
        let now = self.now();
        self.note_use(now);
        let unused = u64::try_from(unused.as_millis()).unwrap_or(u64::MAX);
        let Some(used_by) = now.checked_sub(unused) else {
            return;
        };
        for (used, name) in self.idle(|opened| opened.project.has_nothing_to_do()) {
            if used <= used_by {
                self.let_go(&name, used_by).await;
            }
        }
    }

    /// Whoever holds a project uses it at this moment, and need not have asked for it for long.
    fn note_use(&self, now: u64) {
        let open = self.open.read();
        let held = open.values().filter(|opened| !opened.is_idle());
        held.for_each(|opened| opened.used.store(now, Ordering::Relaxed));
    }

    /// Closes the project `name` where it is idle and was not used since `used_by`.
    pub(super) async fn let_go(self: &Arc<Self>, name: &ProjectName, used_by: u64) {
        let _alone = self.making_room.lock().await;
        self.close_if_idle(name, used_by).await;
    }

    /// Returns whether it is closed. Called by who makes room.
    async fn close_if_idle(self: &Arc<Self>, name: &ProjectName, used_by: u64) -> bool {
        // Whose turn it is opens, closes or deletes it.
        let Some(turn) = self.turns.try_take(name) else {
            return false;
        };
        let is_unused =
            |opened: &Opened| opened.is_idle() && opened.used.load(Ordering::Relaxed) <= used_by;
        let Some(opened) = self.take(name, is_unused) else {
            return false;
        };
        let (this, name) = (Arc::clone(self), name.clone());
        // To its end, even if who makes room goes away.
        let closing = self
            .tasks
            .spawn(async move { this.close(&name, opened, turn).await });
        closing.await.is_ok()
    }

    async fn close(&self, name: &ProjectName, mut opened: Opened, _turn: Turn<ProjectName>) {
        let room = opened.room.take();
        opened.end().await;
        self.engine.release(name).await;
        drop(room);
    }

    /// Takes a project out of the table, if it is open and `may` go: nobody finds it any more.
    fn take(&self, name: &ProjectName, may: impl FnOnce(&Opened) -> bool) -> Option<Opened> {
        let mut open = self.open.write();
        open.get(name).filter(|opened| may(opened))?;
        let opened = open.remove(name)?;
        // Under the lock: its counts are told once, here or there.
        self.past
            .lock()
            .add(name, &opened.project.stats(name.clone()));
        Some(opened)
    }

    /// Closes the project `name` although it may be in use: its readers are sent away, and nothing more of it is stored.
    pub(super) async fn end(&self, name: &ProjectName) {
        if let Some(opened) = self.take(name, |_| true) {
            let project = Arc::clone(&opened.project);
            opened.end().await;
            project.gate().close().await;
        }
    }

    /// The last position of a project that is open.
    pub(super) fn head(&self, name: &ProjectName) -> Option<Position> {
        let open = self.open.read();
        open.get(name)
            .map(|opened| opened.project.log().bounds().last)
    }

    /// When the project was used last, if it is open.
    pub(super) fn used(&self, name: &ProjectName) -> Option<u64> {
        let open = self.open.read();
        open.get(name)
            .map(|opened| opened.used.load(Ordering::Relaxed))
    }

    /// What the projects that are open have done since the core was opened, in order of their names, and what all others have.
    pub(crate) fn stats(&self) -> (Vec<ProjectStats>, Done) {
        let open = self.open.read();
        let past = self.past.lock();
        let each = open.iter().map(|(name, opened)| {
            let stats = opened.project.stats(name.clone());
            past.of(name)
                .map_or_else(|| stats.clone(), |before| stats.clone().after(before))
        });
        let mut each: Vec<_> = each.collect();
        each.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        (each, past.of_others(|name| open.contains_key(name)))
    }
}
