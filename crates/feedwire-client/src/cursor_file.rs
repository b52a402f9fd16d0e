//! A file that keeps a consumer's place.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Longest cursor that is taken from a file; anything longer is some other file.
const CURSOR_BYTES_MAX: usize = 1024;

/// Keeps a cursor in a small text file, so that a program goes on where it was when it is started again.
#[derive(Clone, Debug)]
pub struct CursorFile {
    path: PathBuf,
}

impl CursorFile {
    /// The file at `path`, which need not be there yet. Its folder must be.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The saved cursor; `None` where nothing was saved.
    pub fn load(&self) -> io::Result<Option<String>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let cursor = text.trim();
        let plain = |c: char| c.is_ascii_graphic();
        if cursor.is_empty() || cursor.len() > CURSOR_BYTES_MAX || !cursor.chars().all(plain) {
            let words = format!("{} does not hold a cursor", self.path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        Ok(Some(cursor.to_owned()))
    }

    /// Puts `cursor` in place of what was saved. A crash leaves the one or the other, whole.
    ///
    /// Save what is dealt with, after it is dealt with: what was not saved comes again.
    pub fn save(&self, cursor: &str) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{cursor}")?;
        file.as_file().sync_data()?;
        file.persist(&self.path)?;
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_cursor_is_loaded_and_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = CursorFile::new(folder.path().join("cursor"));
        assert_eq!(file.load().expect("no file"), None);
        for cursor in ["7", "1024"] {
            file.save(cursor).expect("saved");
            assert_eq!(file.load().expect("a file").as_deref(), Some(cursor));
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cursor");
        for text in ["", "not a cursor", "1\n2\n"] {
            fs::write(&path, text).expect("written");
            let error = CursorFile::new(&path).load().expect_err("not a cursor");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
