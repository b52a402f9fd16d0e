//! A disk in memory that keeps what was synced, and of the rest what it likes.
//!
//! Of every sector it knows each version since it was last synced, of every file each length, of the folder each state. A
//! cut of the power keeps any of them. A sync that fails leaves sectors that read as they were written and are something
//! else on disk, which no later sync mends unless they are written again.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::random::Random;
use crate::storage::{File, Storage};

const SECTOR: usize = 512;

#[derive(Clone, Debug)]
pub(super) struct Sim(Arc<Mutex<Disk>>);

#[derive(Debug)]
struct Disk {
    files: Vec<Bytes>,
    names: Names,
    /// States of the folder since it was synced; the first one is on disk.
    folders: Vec<Names>,
    random: Random,
    faults: Faults,
    /// What was on disk when a sync had failed, one file behind the other.
    reached: Vec<u8>,
    on_sync: Option<OnSync>,
    /// Writes, syncs and changes so far.
    operations: u64,
    is_off: bool,
}

/// What goes wrong, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// The power goes when this many operations were done.
    pub(super) cut_after: Option<u64>,
    /// Syncs with these numbers fail, counted from the one that comes next.
    pub(super) failing_syncs: Vec<u64>,
    /// Room for this many bytes to be allocated or written is left.
    pub(super) room: Option<u64>,
    pub(super) syncs: u64,
}

/// Called when a file is about to be synced, by who syncs it.
#[derive(Clone)]
pub(super) struct OnSync(pub(super) Arc<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for OnSync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnSync")
    }
}

type Names = BTreeMap<String, usize>;

#[derive(Clone, Debug, Default)]
struct Bytes {
    /// As it reads.
    now: Vec<u8>,
    /// As it is on disk for sure.
    synced: Vec<u8>,
    /// What has been in a sector since it was synced, by number.
    versions: BTreeMap<usize, Vec<Vec<u8>>>,
    lengths: Vec<usize>,
    allocated: u64,
}

#[derive(Debug)]
struct Handle {
    disk: Sim,
    number: usize,
}

impl Sim {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Disk {
            files: Vec::new(),
            names: Names::new(),
            folders: vec![Names::new()],
            random: Random(seed),
            faults: Faults::default(),
            reached: Vec::new(),
            on_sync: None,
            operations: 0,
            is_off: false,
        })))
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        let mut disk = self.0.lock();
        disk.operations = 0;
        disk.faults = faults;
    }

    /// How much room is left, where that is bounded.
    pub(super) fn room(&self) -> Option<u64> {
        self.0.lock().faults.room
    }

    pub(super) fn on_sync(&self, on_sync: Option<OnSync>) {
        self.0.lock().on_sync = on_sync;
    }

    fn call_on_sync(&self) {
        let on_sync = self.0.lock().on_sync.clone();
        if let Some(OnSync(call)) = on_sync {
            call();
        }
    }

    pub(super) fn is_off(&self) -> bool {
        self.0.lock().is_off
    }

    /// What a machine finds that is started again: of what was not synced, anything.
    pub(super) fn after_power_cut(&self, seed: u64) -> Self {
        let disk = self.0.lock();
        let mut random = Random(seed);
        let names = disk.folders[random.below(disk.folders.len())].clone();
        let files = disk
            .files
            .iter()
            .map(|file| file.after_power_cut(&mut random))
            .collect();
        let image = Self::with(files, names, random);
        image.0.lock().reached.clone_from(&disk.reached);
        image
    }

    /// What another process finds: everything as it reads.
    pub(super) fn after_kill(&self) -> Self {
        let disk = self.0.lock();
        let (files, names) = (disk.files.clone(), disk.names.clone());
        let copy = Self::with(files, names, disk.random.clone());
        copy.0.lock().folders.clone_from(&disk.folders);
        copy.0.lock().reached.clone_from(&disk.reached);
        copy
    }

    fn with(files: Vec<Bytes>, names: Names, random: Random) -> Self {
        let sim = Self::new(0);
        let mut disk = sim.0.lock();
        disk.files = files;
        disk.folders = vec![names.clone()];
        disk.names = names;
        disk.random = random;
        drop(disk);
        sim
    }

    /// The names and bytes of all files, as they read.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = self.0.lock();
        let contents = disk.names.iter();
        contents
            .map(|(name, number)| (name.clone(), disk.files[*number].now.clone()))
            .collect()
    }

    /// What was on disk at some time, though its sync had failed.
    pub(super) fn reached(&self) -> Vec<u8> {
        self.0.lock().reached.clone()
    }

    /// Changes a byte on disk behind everyone's back.
    pub(super) fn rot(&self, name: &str, offset: usize, mask: u8) {
        let mut disk = self.0.lock();
        let number = disk.names[name];
        let file = &mut disk.files[number];
        file.now[offset] ^= mask;
        file.synced.clone_from(&file.now);
    }
}

impl Disk {
    /// Counts an operation, and cuts the power if it was the last. An operation that changes bytes still reaches the disk
    /// in part then.
    fn operate(&mut self) -> io::Result<bool> {
        if self.is_off {
            return Err(io::Error::other("the power is off"));
        }
        self.operations += 1;
        self.is_off = self
            .faults
            .cut_after
            .is_some_and(|last| self.operations > last);
        Ok(self.is_off)
    }

    fn change_names(
        &mut self,
        change: impl FnOnce(&mut Names) -> io::Result<()>,
    ) -> io::Result<()> {
        let is_last = self.operate()?;
        change(&mut self.names)?;
        self.folders.push(self.names.clone());
        off_if(is_last)
    }

    /// Takes the room that a file needs up to `end`.
    fn take_room(&mut self, number: usize, end: u64) -> io::Result<()> {
        let file = &mut self.files[number];
        let needed = end.saturating_sub(file.allocated);
        if let Some(room) = &mut self.faults.room {
            *room = room.checked_sub(needed).ok_or(io::ErrorKind::StorageFull)?;
        }
        file.allocated = file.allocated.max(end);
        Ok(())
    }

    /// Gives back the room that a file takes behind `len`.
    fn give_back_room(&mut self, number: usize, len: u64) {
        let file = &mut self.files[number];
        let given = file.allocated.saturating_sub(len);
        file.allocated -= given;
        if let Some(room) = &mut self.faults.room {
            *room += given;
        }
    }

    fn fails_to_sync(&mut self) -> bool {
        let number = self.faults.syncs;
        self.faults.syncs += 1;
        self.faults.failing_syncs.contains(&number)
    }
}

fn off_if(is_off: bool) -> io::Result<()> {
    if is_off {
        return Err(io::Error::other("the power went"));
    }
    Ok(())
}

impl Storage for Sim {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut disk = self.0.lock();
        let number = disk.files.len();
        disk.files.push(Bytes::default());
        disk.change_names(|names| {
            names.insert(name.to_owned(), number);
            Ok(())
        })?;
        Ok(Arc::new(Handle {
            disk: self.clone(),
            number,
        }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let disk = self.0.lock();
        let number = *disk.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Handle {
            disk: self.clone(),
            number,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.0.lock();
        let replaced = disk.names.get(to).copied();
        disk.change_names(|names| {
            let number = names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            names.insert(to.to_owned(), number);
            Ok(())
        })?;
        if let Some(number) = replaced {
            disk.give_back_room(number, 0);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.0.lock();
        let removed = disk.names.get(name).copied();
        disk.change_names(|names| {
            names.remove(name).ok_or(io::ErrorKind::NotFound)?;
            Ok(())
        })?;
        if let Some(number) = removed {
            disk.give_back_room(number, 0);
        }
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut disk = self.0.lock();
        off_if(disk.operate()?)?;
        if disk.fails_to_sync() {
            return Err(io::Error::other("the folder failed to sync"));
        }
        disk.folders = vec![disk.names.clone()];
        Ok(())
    }

    fn nonce(&self) -> u64 {
        self.0.lock().random.next()
    }

    fn uptime(&self) -> Duration {
        Duration::from_micros(self.0.lock().operations)
    }
}

impl Handle {
    fn change(&self, change: impl FnOnce(&mut Bytes)) -> io::Result<()> {
        let mut disk = self.disk.0.lock();
        let is_last = disk.operate()?;
        change(&mut disk.files[self.number]);
        off_if(is_last)
    }
}

impl File for Handle {
    fn read_at(&self, offset: u64, len: usize, into: &mut Vec<u8>) -> io::Result<()> {
        let disk = self.disk.0.lock();
        let now = &disk.files[self.number].now;
        let start = usize::try_from(offset)
            .expect("files are small")
            .min(now.len());
        into.extend_from_slice(&now[start..now.len().min(start + len)]);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        self.disk.0.lock().take_room(self.number, end)?;
        self.change(|file| file.write(usize::try_from(offset).expect("files are small"), bytes))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.0.lock().give_back_room(self.number, len);
        self.change(|file| {
            file.set_len(usize::try_from(len).expect("files are small"));
        })
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        let end = offset + len;
        self.disk.0.lock().take_room(self.number, end)?;
        self.change(|file| {
            let end = usize::try_from(end).expect("files are small");
            file.set_len(file.now.len().max(end));
        })
    }

    fn room(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().faults.room.unwrap_or(u64::MAX))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.call_on_sync();
        let mut disk = self.disk.0.lock();
        off_if(disk.operate()?)?;
        if disk.fails_to_sync() {
            let mut random = disk.random.clone();
            disk.files[self.number].fail_to_sync(&mut random);
            disk.random = random;
            let on_disk = disk.files[self.number].synced.clone();
            disk.reached.extend(on_disk);
            return Err(io::Error::other("the disk failed to sync"));
        }
        disk.files[self.number].sync();
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().files[self.number].now.len() as u64)
    }
}

impl Bytes {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.now.len() < end {
            self.now.resize(end, 0);
            self.lengths.push(end);
        }
        self.now[offset..end].copy_from_slice(bytes);
        self.changed(offset, end);
    }

    fn set_len(&mut self, len: usize) {
        let before = self.now.len();
        self.now.resize(len, 0);
        self.lengths.push(len);
        self.changed(len.min(before), before);
    }

    /// Notes what the sectors of a stretch are now.
    fn changed(&mut self, start: usize, end: usize) {
        for number in start / SECTOR..end.div_ceil(SECTOR) {
            let synced = sector(&self.synced, number);
            let versions = self.versions.entry(number).or_insert_with(|| vec![synced]);
            versions.push(sector(&self.now, number));
        }
    }

    fn sync(&mut self) {
        self.synced.resize(self.now.len(), 0);
        for number in std::mem::take(&mut self.versions).into_keys() {
            put_sector(&mut self.synced, number, &sector(&self.now, number));
        }
        self.lengths.clear();
    }

    /// The disk has something, what reads has not changed, and nothing is left to be synced.
    fn fail_to_sync(&mut self, random: &mut Random) {
        let now = std::mem::take(&mut self.now);
        let on_disk = Self {
            now,
            ..std::mem::take(self)
        };
        self.synced = on_disk.after_power_cut(random).now;
        // The length is the file system's, which keeps a journal of it.
        self.lengths = vec![on_disk.now.len()];
        (self.now, self.allocated) = (on_disk.now, on_disk.allocated);
    }

    fn after_power_cut(&self, random: &mut Random) -> Self {
        let mut now = self.synced.clone();
        let lengths = self.lengths.len();
        if lengths > 0 {
            // Lengths follow each other in the file system's journal, of which some part made it.
            let kept = random.below(lengths + 1);
            now.resize(
                kept.checked_sub(1)
                    .map_or(now.len(), |kept| self.lengths[kept]),
                0,
            );
        }
        for (number, versions) in &self.versions {
            put_sector(&mut now, *number, &versions[random.below(versions.len())]);
        }
        Self {
            synced: now.clone(),
            allocated: now.len() as u64,
            now,
            ..Self::default()
        }
    }
}

/// A sector, with zeros behind the end of the file.
fn sector(bytes: &[u8], number: usize) -> Vec<u8> {
    let start = (number * SECTOR).min(bytes.len());
    let mut sector = bytes[start..bytes.len().min(start + SECTOR)].to_vec();
    sector.resize(SECTOR, 0);
    sector
}

/// Puts a sector where it belongs, as far as the file reaches.
fn put_sector(bytes: &mut [u8], number: usize, sector: &[u8]) {
    let start = (number * SECTOR).min(bytes.len());
    let end = bytes.len().min(start + SECTOR);
    bytes[start..end].copy_from_slice(&sector[..end - start]);
}
