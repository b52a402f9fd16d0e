//! What is damaged, where, and what to do about it.

/// Bytes on disk that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file} is damaged at offset {offset}: {what}; run `feedwire check` on the folder, then restore it from a backup"
)]
pub struct Damage {
    /// The file, by its name in the log's folder.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
    /// What is not right there.
    pub what: String,
}
