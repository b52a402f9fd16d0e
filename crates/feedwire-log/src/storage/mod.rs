//! The seam to files and randomness, so that a test can cut the power, fill the disk and let syncs fail.

mod disk;

use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use disk::Disk;

/// The files of one folder, by their names.
pub(crate) trait Storage: Debug + Send + Sync {
    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes an empty file, in the place of one that has this name.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Gives a file another name, in the place of one that has it. Files that are open stay open.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a name away. Files that are open stay open.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Once this has returned, names are on disk as they are.
    fn sync_folder(&self) -> io::Result<()>;

    /// A number that nobody can guess.
    fn nonce(&self) -> u64;

    /// How long this has been there: for spans, such as that of a sync, not for dates.
    fn uptime(&self) -> Duration;
}

/// A file that is open.
pub(crate) trait File: Debug + Send + Sync {
    /// Reads `len` bytes, fewer only at the end of the file, onto the end of `into`.
    fn read_at(&self, offset: u64, len: usize, into: &mut Vec<u8>) -> io::Result<()>;

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros that take no room.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Reserves room, extending the file with zeros; fails with [`io::ErrorKind::StorageFull`] if there is none.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;

    /// How many bytes the disk that it is on has room for.
    fn room(&self) -> io::Result<u64>;

    /// Once this has returned, bytes and length are on disk.
    fn sync_data(&self) -> io::Result<()>;

    fn len(&self) -> io::Result<u64>;
}

/// All bytes of a small file.
pub(crate) fn read_whole(file: &dyn File) -> io::Result<Vec<u8>> {
    let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(len);
    file.read_at(0, len, &mut bytes)?;
    Ok(bytes)
}

/// Replaces a file so that after a crash it is wholly the old or wholly the new one, and the new one once this returns.
pub(crate) fn replace(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}{TEMPORARY}");
    write_temporary(storage, &temporary, bytes)?;
    storage.rename(&temporary, name)?;
    storage.sync_folder()
}

/// Writes and syncs a file that is to have another name. One that cannot be written is removed: it may have taken the last
/// room on disk.
pub(crate) fn write_temporary(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let file = storage.create(name)?;
    let written = file.write_at(0, bytes).and_then(|()| file.sync_data());
    // What cannot be removed either, the next opening removes.
    written.inspect_err(|_| drop(storage.remove(name)))
}

/// How the names of half-written files end.
pub(crate) const TEMPORARY: &str = ".tmp";
