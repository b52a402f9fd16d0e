//! The limits of readings and of what is kept in memory for them.

use std::time::Duration;

/// Most feeds, types, subjects or labels that one reading can name, each.
pub const FILTER_VALUES_MAX: usize = 1_000;

/// Longest expression of a filter: a condition that a person writes is far shorter.
pub const EXPRESSION_BYTES_MAX: usize = 2 * 1024;

/// Memory for the events at the tail of a log, with what they take beside their bytes. A reader that falls further behind reads
/// from the log, which costs the others nothing.
pub const TAIL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much the tail takes out of the log in one go.
pub const TAIL_READ_BYTES: usize = 1024 * 1024;

/// How long the tail waits before it reads a log again that could not be read.
pub const TAIL_RETRY: Duration = Duration::from_secs(1);

/// How long after `until` a reader waits for events that were recorded before it and are still being synced.
pub const UNTIL_GRACE: Duration = Duration::from_secs(5);

/// How often a reader past its `until` looks whether the tail has come as far as the log.
pub const UNTIL_RECHECK: Duration = Duration::from_millis(50);

/// How often changed counts are written to their view.
pub const COUNTS_INTERVAL: Duration = Duration::from_secs(1);

/// How often the latest events of feeds that were asked for are caught up. Whoever asks in between catches up what is missing.
pub const LATEST_INTERVAL: Duration = Duration::from_secs(1);

/// Most types whose latest event is told of one subject: devices have some ten, and each is a look-up in the log.
pub const LATEST_TYPES_MAX: usize = 100;

/// Most subjects whose latest events are asked for at once.
pub const LATEST_SUBJECTS_MAX: usize = 1_000;

/// Bytes of latest events that are told at once: as much as the largest batch has.
pub const LATEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most records that are looked through for one page of what is looked back at: some tenths of a second. Windows go by the producers'
/// time, and of one that is long past everything since has to be looked through, as anything may have been recorded late.
pub const BACK_RECORDS_MAX: usize = 100_000;

/// How far a producer's clock may be ahead. What was recorded longer than this before a window begins is not looked at for it: so a window
/// at the end of a long log does not take a reading of all of it. A day is what a clock is off that was set in the wrong time zone.
pub const PRODUCER_AHEAD_MAX: Duration = Duration::from_hours(24);

/// How many entries are taken from the store in one go.
pub const STORE_SCAN: usize = 1_000;

/// How often a log is looked at for what is not to be kept.
pub const RETENTION_INTERVAL: Duration = Duration::from_secs(30);

/// How long whoever asks where a feed ends waits for the counts to come to the head of the log.
pub const COUNT_GRACE: Duration = Duration::from_secs(5);

/// How long an erasure waits for what is on its way to disk, and then for that to be counted, to tell how much it takes.
pub const ERASURE_GRACE: Duration = Duration::from_secs(5);

/// How long an erasure that could not be carried out waits before it is tried again.
pub const ERASURE_RETRY: Duration = Duration::from_secs(10);

/// Most projects that are open at once, the server's own not among them: each has a thread, a few files and up to
/// [`TAIL_BYTES_MAX`] of memory. It is below the 512 that an engine holds open, so that what is idle is closed here first, in order.
pub const PROJECTS_OPEN_MAX: usize = 500;

/// Most projects below one that is below none, at whatever depth: whoever administers it makes them, on a disk that all share.
pub const PROJECTS_BELOW_MAX: usize = 10_000;

/// A project that nobody has used for so long is closed.
pub const PROJECT_IDLE: Duration = Duration::from_mins(10);

/// How often it is looked for projects to close.
pub const IDLE_INTERVAL: Duration = Duration::from_mins(1);

/// How often the projects that nobody uses are looked after: their retention, and erasures that are not yet carried out.
pub const PATROL_INTERVAL: Duration = Duration::from_hours(1);

/// Most streams of a project.
pub const STREAMS_MAX: usize = 100;

/// Most connectors of a project: each pushes a stream.
pub const CONNECTORS_MAX: usize = STREAMS_MAX;

/// How many partitions the stream of a connector has: whoever pulls it instead may have as many members.
pub const CONNECTOR_PARTITIONS: u16 = 16;

/// How many events of a connector's stream may be with it: where one subject is slow, there is room for those of others.
pub const CONNECTOR_IN_FLIGHT: usize = 4_000;

/// Most partitions of a project's streams together: each takes half a kilobyte and four more where it is behind, and is looked at with
/// each commit. As many streams as there may be, with the usual 64 each, are fewer.
pub const PARTITIONS_MAX: usize = 8_192;

/// Most dead letters of a stream. What fails beyond is sent again and again.
pub const DEAD_LETTERS_MAX: usize = 10_000;

/// Most subjects of a stream that go on by themselves, as they have failed: those beyond hold up their partitions.
pub const SUBJECTS_ASIDE_MAX: usize = 1_000;

/// Most events of such a subject that are known at once.
pub const ASIDE_EVENTS_MAX: usize = 256;

/// How many bytes are kept of the reason why a letter is dead.
pub const LETTER_REASON_BYTES: usize = 512;

/// How often a stream's checkpoints are written where they have moved: what was settled since comes again after a crash.
pub const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// The same while a stream has no members: its checkpoints move past what does not concern it alone.
pub const CHECKPOINT_INTERVAL_IDLE: Duration = Duration::from_secs(10);

/// How often it is written that a stream has members, where nothing else is: by so much its checkpoints may be forgotten earlier.
pub const MEMBER_NOTED: Duration = Duration::from_mins(1);

/// How often it is looked what was not acknowledged in time, and what is to come again.
pub const STREAM_TICK: Duration = Duration::from_millis(100);

/// Memory for what the members of a stream read at about the same time. A member that is further behind reads the log for itself.
pub const STREAM_WINDOW_BYTES: usize = 4 * 1024 * 1024;

/// Most pieces of it: at the tail each commit is one.
pub const STREAM_WINDOW_CHUNKS: usize = 1_024;

/// How much of the log is read at once for the members of a stream.
pub const STREAM_READ_BYTES: usize = 256 * 1024;

/// Generations that are kept ahead of those that are given: none is given twice, whatever is lost in a crash.
pub const GENERATIONS_AHEAD: u64 = 1_000_000;

/// How often the states of entities that changed are written to their view.
pub const ENTITIES_INTERVAL: Duration = Duration::from_secs(1);

/// They are written at once where there is so much of them in memory.
pub const ENTITIES_SAVED_BYTES: usize = 8 * 1024 * 1024;

/// Of a project without entities it is written how far that was seen to after so many events, which are read again after a crash.
pub const ENTITIES_SAVED_EVENTS: u64 = 100_000;

/// Memory for the states of entities that are not written yet. Whoever changes more waits.
pub const ENTITIES_MEMORY_BYTES: usize = 64 * 1024 * 1024;

/// As much of them may be in memory when a project is opened while they cannot be written: more is never unwritten when it ends.
pub const ENTITIES_OPEN_BYTES: usize = 2 * ENTITIES_MEMORY_BYTES;

/// Bytes of entities that are looked at for one page of a list.
pub const ENTITIES_LOOKED_BYTES: usize = 64 * 1024 * 1024;

/// Most entities that are looked at for one page of a list: where few pass a filter, a page has fewer than it has room for.
pub const ENTITIES_LOOKED_MAX: u64 = 10_000;

/// How much is taken of the states at once while they are gone through.
pub const ENTITIES_READ_BYTES: usize = 256 * 1024;

/// Most load jobs of a project that wait to be done.
pub const LOADS_WAITING_MAX: usize = 16;

/// Most load jobs of a project that are on record.
pub const LOADS_MAX: usize = 1_000;

/// How many bytes a load job may write where it is not said.
pub const LOAD_BYTES: u64 = 1024 * 1024 * 1024;

/// Most entities of one batch of a load job.
pub const LOAD_BATCH_EVENTS: usize = 500;

/// Bytes of one batch of a load job.
pub const LOAD_BATCH_BYTES: usize = 256 * 1024;

/// How many times as long as a batch took a load job waits before the next, while others publish. It is to have a tenth of a core, and what an
/// append leaves to be done (indexes, heads, counts, states) takes about three times as long as the append.
pub const LOAD_PAUSES: u32 = 39;

/// How long it waits at most.
pub const LOAD_PAUSE_MAX: Duration = Duration::from_secs(1);

/// How often it is written how far a load job is. The log says it better, as long as its events are retained.
pub const LOAD_SAVED: Duration = Duration::from_secs(5);

/// How long a load job that could not be gone on with waits before it is tried again.
pub const LOAD_RETRY: Duration = Duration::from_secs(10);

/// What the event of an entity leaves free of the largest size, so that its state can be loaded: a load event has a longer id.
pub const LOAD_ROOM_BYTES: usize = 128;
