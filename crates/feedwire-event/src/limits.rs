//! The limits of what an event, a batch and a name may be, the same on every engine.

/// Longest name of a project, feed or type, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest subject, in bytes of UTF-8.
pub const SUBJECT_BYTES_MAX: usize = 512;
/// Longest event id, in bytes of UTF-8.
pub const ID_BYTES_MAX: usize = 256;
/// Longest event source, in bytes of UTF-8.
pub const SOURCE_BYTES_MAX: usize = 1024;
/// Longest idempotency key, in bytes of ASCII: its length is kept in one byte.
pub const KEY_BYTES_MAX: usize = 255;
/// For at least this many of the last events of a project it is known by which id or key they were published.
pub const MARKS_KEPT: u64 = 500_000;
/// Most extension attributes of one event.
pub const EXTENSIONS_MAX: usize = 64;
/// Longest name of an extension attribute, in bytes; CloudEvents advises 20 and some producers pass it.
pub const EXTENSION_NAME_BYTES_MAX: usize = 64;
/// Largest event: payload, subject and names together. NATS refuses a message above 1 MB.
pub const EVENT_BYTES_MAX: usize = 512 * 1024;
/// Most events of one batch.
pub const BATCH_EVENTS_MAX: usize = 1_000;
/// Largest batch: the sum of its events.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Deepest nesting of JSON data; the default of the parsers that consumers use.
pub const JSON_DEPTH_MAX: usize = 128;
/// Most labels of one subject.
pub const LABELS_MAX: usize = 64;
/// Longest label key, and longest label value, in bytes of UTF-8.
pub const LABEL_BYTES_MAX: usize = 256;
/// Most ids of one entity.
pub const ENTITY_IDS_MAX: usize = 16;
/// Longest ids of one entity, as JSON: they are repeated in each of its events.
pub const ENTITY_IDS_BYTES_MAX: usize = 4096;
/// Longest list of pointers to what changed in an entity, and to what was removed, as JSON. It takes some 500 names to fill one: who
/// changes more is told little by their list.
pub const DIFFERENCE_BYTES_MAX: usize = 16 * 1024;
/// What the event of an entity has at most beside its state and those lists: names, subject, id, source, ids, lengths.
pub const ENTITY_HEAD_BYTES_MAX: usize = 2 * NAME_BYTES_MAX
    + SUBJECT_BYTES_MAX
    + ID_BYTES_MAX
    + SOURCE_BYTES_MAX
    + ENTITY_IDS_BYTES_MAX
    + 256;
