//! A file that keeps a consumer's place.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Longest cursor that is taken from a file; anything longer is some other file.
const CURSOR_BYTES_MAX: usize = 1024;
/// How many symbolic links are followed one after the other, as many as Linux does.
const LINKS_MAX: usize = 40;

/// Keeps a cursor in a small text file, so that a program goes on where it was when it is started again.
#[derive(Clone, Debug)]
pub struct CursorFile {
    path: PathBuf,
}

impl CursorFile {
    /// The file at `path`, which need not be there yet. Its folder must be. Of a symbolic link, the file that it leads to
    /// is meant.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fails where [`CursorFile::save`] would, for want of a folder or of the right to write to it; saves nothing.
    pub fn check(&self) -> io::Result<()> {
        tempfile::NamedTempFile::new_in(folder(&self.file()?))?.close()
    }

    /// The saved cursor; `None` where nothing was saved.
    pub fn load(&self) -> io::Result<Option<String>> {
        let mut text = Vec::new();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // Room for white space around the longest cursor.
        file.take(2 * CURSOR_BYTES_MAX as u64)
            .read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
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
        let path = self.file()?;
        let folder = folder(&path);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{cursor}")?;
        file.as_file().sync_data()?;
        file.persist(&path)?;
        File::open(folder)?.sync_all()
    }

    /// Where symbolic links lead, if the path is one: putting a file in the place of the link would leave the one that is
    /// meant as it was. Unlike `fs::canonicalize`, for a file that is not there yet too.
    fn file(&self) -> io::Result<PathBuf> {
        let mut path = self.path.clone();
        for _ in 0..LINKS_MAX {
            match fs::read_link(&path) {
                Ok(target) => path = folder(&path).join(target),
                // No link, or nothing there: what is done with it next says what is wrong.
                Err(_) => return Ok(path),
            }
        }
        let words = format!("{} is a link that leads nowhere", self.path.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, words))
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
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
        let long = "7".repeat(1_000_000);
        for text in [
            &b""[..],
            b"not a cursor",
            b"1\n2\n",
            b"\xff",
            long.as_bytes(),
        ] {
            fs::write(&path, text).expect("written");
            let error = CursorFile::new(&path).load().expect_err("not a cursor");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(
                error.to_string().contains("cursor does not hold"),
                "{error}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_what_it_leads_to_is_replaced() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().expect("a folder");
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        let target = folder.path().join("elsewhere").join("cursor");
        fs::create_dir(folder.path().join("elsewhere")).expect("a folder");
        symlink(&second, &first).expect("a link");
        symlink("elsewhere/cursor", &second).expect("a link");
        let file = CursorFile::new(&first);
        // At first the file that is meant is not there.
        for cursor in ["7", "8"] {
            file.check().expect("a folder to write to");
            file.save(cursor).expect("saved");
            let kept = fs::read_to_string(&target).expect("a file");
            assert_eq!(kept.trim(), cursor);
            assert_eq!(file.load().expect("a file").as_deref(), Some(cursor));
        }
        assert!(first.is_symlink() && second.is_symlink());

        fs::remove_file(&second).expect("it was there");
        symlink(&first, &second).expect("a link");
        file.check().expect_err("a circle");
    }

    #[test]
    fn a_folder_that_is_not_there_is_found_out_before_anything_is_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = CursorFile::new(folder.path().join("missing").join("cursor"));
        let error = file.check().expect_err("no folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        CursorFile::new(folder.path().join("cursor"))
            .check()
            .expect("a folder");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
