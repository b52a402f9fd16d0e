//! Real files in a real folder.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io};

use rustix::buffer::spare_capacity;
use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock, fstatvfs};
use rustix::io::{Errno, pread};

use super::{File, Storage};

const LOCK: &str = "lock";

/// A folder, held by this process alone for as long as this lives.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    handle: fs::File,
    /// The lock is let go of when it is closed.
    _lock: fs::File,
    nonces: AtomicU64,
    locked_at: Instant,
}

impl Disk {
    /// Takes the folder; `None` if someone else has it.
    pub(crate) fn lock(folder: &Path) -> io::Result<Option<Self>> {
        let lock = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(LOCK))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        Ok(Some(Self {
            folder: folder.to_owned(),
            handle: fs::File::open(folder)?,
            _lock: lock,
            nonces: AtomicU64::new(0),
            locked_at: now(),
        }))
    }
}

impl Storage for Disk {
    fn list(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.folder)?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(true).read(true).write(true);
        Ok(Arc::new(options.open(self.folder.join(name))?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true);
        Ok(Arc::new(options.open(self.folder.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.handle.sync_all()
    }

    fn nonce(&self) -> u64 {
        // The standard library keys its hashers from the system's randomness.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(self.nonces.fetch_add(1, Ordering::Relaxed));
        hasher.finish()
    }

    fn uptime(&self) -> Duration {
        now() - self.locked_at
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the real side of the seam to time"
)]
fn now() -> Instant {
    Instant::now()
}

impl File for fs::File {
    fn read_at(&self, mut offset: u64, len: usize, into: &mut Vec<u8>) -> io::Result<()> {
        let end = into.len() + len;
        into.reserve_exact(len);
        while into.len() < end {
            let wanted = end - into.len();
            // A vector may have more capacity than it was asked for, and what is read must not go beyond `len`.
            let read = if into.capacity() - into.len() == wanted {
                pread(self, spare_capacity(into), offset)
            } else {
                let start = into.len();
                into.resize(end, 0);
                let read = pread(self, &mut into[start..], offset);
                into.truncate(start + read.unwrap_or(0));
                read
            };
            match read {
                Ok(0) => break,
                Ok(read) => offset += read as u64,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        fs::File::set_len(self, len)
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        match fallocate(self, FallocateFlags::empty(), offset, len) {
            Err(Errno::OPNOTSUPP) => write_zeros(self, offset, len),
            Err(Errno::DQUOT) => Err(io::ErrorKind::StorageFull.into()),
            other => Ok(other?),
        }
    }

    fn room(&self) -> io::Result<u64> {
        let disk = fstatvfs(self)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn sync_data(&self) -> io::Result<()> {
        fs::File::sync_data(self)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// Room on file systems that cannot reserve it.
fn write_zeros(file: &fs::File, offset: u64, len: u64) -> io::Result<()> {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    let mut written = 0;
    while written < len {
        let now = ZEROS
            .len()
            .min(usize::try_from(len - written).unwrap_or(usize::MAX));
        file.write_all_at(&ZEROS[..now], offset + written)?;
        written += now as u64;
    }
    Ok(())
}
