//! A folder with an engine in it, that can be left as a crash leaves it.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use feedwire_engine::Engine;
use feedwire_engine::contract::Place;
use feedwire_engine_local::{Local, Options};
use parking_lot::Mutex;
use tempfile::TempDir;

/// Small segments, so that short tests fill some.
pub(crate) fn options() -> Options {
    Options {
        segment_bytes: 8 << 10,
        store_reserve_bytes: 0,
        min_free_bytes: 0,
        ..Options::default()
    }
}

/// Where the engine lives; another place after each crash.
pub(crate) struct Folder(Mutex<TempDir>);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(tempfile::tempdir().expect("a folder")))
    }
}

#[async_trait]
impl Place for Folder {
    async fn open(&self) -> Arc<dyn Engine> {
        let engine = Local::open(self.0.lock().path(), options());
        Arc::new(engine.expect("it opens"))
    }

    /// The files are taken as they are while the engine is open: what a process that was killed leaves to the next one.
    async fn crash(&self, engine: Arc<dyn Engine>) {
        let image = tempfile::tempdir().expect("a folder");
        copy(self.0.lock().path(), image.path()).expect("it is copied");
        drop(engine);
        *self.0.lock() = image;
    }
}

/// Copies a folder; zeros at the end of a file, which stores reserve ahead, are left as a hole.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
            continue;
        }
        let mut bytes = Vec::new();
        fs::File::open(entry.path())?.read_to_end(&mut bytes)?;
        let end = bytes.iter().rposition(|byte| *byte != 0);
        let mut file = fs::File::create(to)?;
        file.write_all(&bytes[..end.map_or(0, |end| end + 1)])?;
        file.set_len(bytes.len() as u64)?;
    }
    Ok(())
}
