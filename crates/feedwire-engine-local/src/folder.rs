//! The folder of an engine: its lock, its format, and a folder for each project.
//!
//! File systems that do not tell `A` from `a` are met by writing names in lower case, followed by `=` and a hexadecimal
//! number whose bits say which letters are upper case: `Ab.C` is `ab.c=9`. Neither `=` nor `~` is in a name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use feedwire_event::ProjectName;

use crate::Error;

const FORMAT: u32 = 1;
const META: &str = "feedwire.meta";
/// Ends the name of a project's folder until all of it is there.
const UNFINISHED: &str = "~new";
/// Ends the name of the folder of a project that is deleted, until nothing is left of the project.
const GONE: &str = "~gone";

/// A folder that this process alone has open.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The system unlocks it when it is closed, also by a crash.
    _lock: File,
}

impl Folder {
    /// Opens `path`, and makes it if it is missing or empty.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Io {
            folder: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(failed)?;
        if let Some(parent) = path.parent().filter(|parent| parent.is_dir()) {
            sync(parent).map_err(failed)?;
        }
        let fresh = is_fresh(path).map_err(failed)?;
        if !fresh && !path.join(META).exists() {
            return Err(Error::Foreign(path.to_owned()));
        }
        let lock = lock(path)?;
        // Only now: a second process may have made the folder in between.
        if path.join(META).exists() {
            check_format(path)?;
        } else {
            write_format(path).map_err(failed)?;
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        folder.prepare().map_err(failed)?;
        Ok(folder)
    }

    /// Makes the folder of the projects, and removes what a crash left half made there. What it left half removed is for
    /// whoever has the store: [`Folder::remains`].
    fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(self.projects())?;
        sync(&self.path)?;
        for entry in fs::read_dir(self.projects())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Has on disk that what was made in the folder is there.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync(&self.path)
    }

    fn projects(&self) -> PathBuf {
        self.path.join("projects")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    pub(crate) fn project(&self, name: &ProjectName) -> PathBuf {
        self.projects().join(encode(name.as_str()))
    }

    /// The names of the projects, in order.
    pub(crate) fn names(&self) -> io::Result<Vec<ProjectName>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.projects())? {
            let file_name = entry?.file_name();
            let name = file_name.to_str().and_then(decode);
            names.extend(name.and_then(|name| ProjectName::new(&name).ok()));
        }
        names.sort();
        Ok(names)
    }

    /// Has `make` fill a new folder for `name`. It is there under its name only when that is done.
    pub(crate) fn create<E: From<io::Error>>(
        &self,
        name: &ProjectName,
        make: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let done = self.project(name);
        let unfinished = ending(&done, UNFINISHED);
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::create_dir(&unfinished)?;
        if let Err(error) = make(&unfinished) {
            fs::remove_dir_all(&unfinished)?;
            return Err(error);
        }
        fs::rename(&unfinished, &done)?;
        sync(&self.projects())?;
        Ok(())
    }

    /// Takes the folder of `name` away: from now on, and after a crash, there is no such project, only what remains of it.
    pub(crate) fn set_aside(&self, name: &ProjectName) -> io::Result<()> {
        fs::rename(self.project(name), self.gone(name))?;
        sync(&self.projects())
    }

    /// Whether something remains of a project of this name that was deleted.
    pub(crate) fn has_remains(&self, name: &ProjectName) -> bool {
        self.gone(name).exists()
    }

    /// The projects that were deleted and of which something remains.
    pub(crate) fn remains(&self) -> io::Result<Vec<ProjectName>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.projects())? {
            let file_name = entry?.file_name();
            let name = file_name.to_str().and_then(|name| name.strip_suffix(GONE));
            let name = name.and_then(decode);
            names.extend(name.and_then(|name| ProjectName::new(&name).ok()));
        }
        Ok(names)
    }

    /// Removes the files that remain of the deleted project `name`. That they remain is still known after that.
    pub(crate) fn remove_files(&self, name: &ProjectName) -> io::Result<()> {
        for entry in fs::read_dir(self.gone(name))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Nothing remains of the deleted project `name`.
    pub(crate) fn remove_last(&self, name: &ProjectName) -> io::Result<()> {
        fs::remove_dir(self.gone(name))?;
        sync(&self.projects())
    }

    fn gone(&self, name: &ProjectName) -> PathBuf {
        ending(&self.project(name), GONE)
    }
}

fn ending(path: &Path, end: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(end);
    path.into()
}

fn is_fresh(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        // A file system's own, and what an opening that was cut short has left.
        if !["lost+found", "lock", "feedwire.tmp"]
            .iter()
            .any(|own| name == *own)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::Io {
        folder: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let lock = options.open(path.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn write_format(path: &Path) -> io::Result<()> {
    let unfinished = path.join("feedwire.tmp");
    let mut file = File::create(&unfinished)?;
    file.write_all(format!("feedwire data folder, format {FORMAT}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(unfinished, path.join(META))?;
    sync(path)
}

fn check_format(path: &Path) -> Result<(), Error> {
    let text = fs::read_to_string(path.join(META)).map_err(|source| Error::Io {
        folder: path.to_owned(),
        source,
    })?;
    let number = text.strip_prefix("feedwire data folder, format ");
    let found = number.and_then(|number| number.trim_end().parse().ok());
    match found {
        Some(FORMAT) => Ok(()),
        Some(found) => Err(Error::Format {
            folder: path.to_owned(),
            found,
            known: FORMAT,
        }),
        None => Err(Error::Foreign(path.to_owned())),
    }
}

/// A name in a folder lasts only once the folder itself is on disk.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn encode(name: &str) -> String {
    let upper = name.bytes().rev().fold(0_u128, |bits, byte| {
        bits << 1 | u128::from(byte.is_ascii_uppercase())
    });
    let lower = name.to_ascii_lowercase();
    if upper == 0 {
        lower
    } else {
        format!("{lower}={upper:x}")
    }
}

fn decode(file_name: &str) -> Option<String> {
    let Some((lower, upper)) = file_name.split_once('=') else {
        return Some(file_name.to_owned());
    };
    let upper = u128::from_str_radix(upper, 16).ok()?;
    let letters = lower.chars().enumerate();
    let name = letters.map(|(index, letter)| match upper >> index & 1 {
        0 => letter,
        _ => letter.to_ascii_uppercase(),
    });
    Some(name.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_alone_have_folders_that_differ_in_more() {
        let long = "X".repeat(128);
        for (name, folder) in [
            ("orders", "orders"),
            ("Ab.C", "ab.c=9"),
            ("a_B-c.", "a_b-c.=4"),
            (&long, &format!("{}={}", "x".repeat(128), "f".repeat(32))),
        ] {
            assert_eq!(encode(name), folder);
            assert_eq!(decode(folder).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_set_aside_is_no_project_and_known_until_nothing_remains() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(place.path()).expect("it opens");
        let name = ProjectName::new("Ab").expect("a name");
        let made = folder.create(&name, |path| fs::write(path.join("log.meta"), ""));
        made.expect("it is made");
        folder.set_aside(&name).expect("it is set aside");
        assert!(folder.names().expect("they are listed").is_empty());
        folder.remove_files(&name).expect("they are removed");
        drop(folder);
        let folder = Folder::open(place.path()).expect("it opens");
        let remains = || folder.remains().expect("they are listed");
        assert_eq!(remains(), std::slice::from_ref(&name));
        folder.remove_last(&name).expect("it is removed");
        assert!(remains().is_empty() && !folder.has_remains(&name));
    }

    #[test]
    fn a_folder_is_open_once_and_again_later() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(place.path()).expect("it opens");
        let second = Folder::open(place.path());
        assert!(matches!(second, Err(Error::InUse(_))), "{second:?}");
        drop(folder);
        Folder::open(place.path()).expect("it opens again");
    }

    #[test]
    fn a_later_format_is_refused_with_both_numbers() {
        let place = tempfile::tempdir().expect("a folder");
        drop(Folder::open(place.path()).expect("it opens"));
        let meta = place.path().join(META);
        fs::write(meta, "feedwire data folder, format 7\n").expect("it is written");
        let error = Folder::open(place.path()).expect_err("format 7 is not known");
        let text = error.to_string();
        assert!(
            text.contains("format 7") && text.contains("format 1"),
            "{text}"
        );
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_left_alone() {
        let place = tempfile::tempdir().expect("a folder");
        fs::write(place.path().join("thesis.txt"), "…").expect("it is written");
        let error = Folder::open(place.path()).expect_err("it is somebody's");
        assert!(matches!(error, Error::Foreign(_)));
        assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_project_that_was_half_made_is_not_there() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(place.path()).expect("it opens");
        let name = ProjectName::new("p").expect("a name");
        let failed = folder.create(&name, |path| {
            fs::write(path.join("log.meta"), "")?;
            Err(io::Error::other("the disk is full"))
        });
        failed.expect_err("it was not made");
        assert!(folder.names().expect("they are listed").is_empty());
        let half = folder.projects().join("q~new");
        fs::create_dir(&half).expect("it is made");
        drop(folder);
        let folder = Folder::open(place.path()).expect("it opens");
        assert!(folder.names().expect("they are listed").is_empty());
        assert!(!half.exists());
    }
}
