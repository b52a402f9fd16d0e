//! The master key: where it is, who may read it, and making one.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_auth::MasterKey;

use crate::secret_file::{self, NewFile, folder_of};
use crate::{environment, quote};

/// Where the key itself may stand.
const VARIABLE: &str = "FEEDWIRE_MASTER_KEY";

/// Where the master key is said to be.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The file of the master key; without it, `<DIR>.key` beside the folder. The key itself can stand in the environment as `FEEDWIRE_MASTER_KEY`
    #[arg(long, env = "FEEDWIRE_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

/// Where the master key of a folder is.
#[derive(Debug)]
pub(crate) enum Place {
    /// In the environment, which has it here.
    Environment(MasterKey),
    /// In this file, or it is to be made there.
    File(PathBuf),
}

impl Options {
    /// Where the key of `data` is, a folder that is there.
    pub(crate) fn place(&self, data: &Path) -> anyhow::Result<Place> {
        if let Some(text) = environment::secret(VARIABLE)? {
            if self.master_key_file.is_some() {
                bail!("{VARIABLE} is set, and a file is named: which one has the master key?");
            }
            let key = text.parse::<MasterKey>();
            return Ok(Place::Environment(key.with_context(|| {
                format!("the environment has no master key as {VARIABLE}")
            })?));
        }
        self.file(data).map(Place::File)
    }

    fn file(&self, data: &Path) -> anyhow::Result<PathBuf> {
        let folder = fs::canonicalize(data);
        let folder = folder.with_context(|| format!("cannot find {}", data.display()))?;
        let Some(file) = &self.master_key_file else {
            return beside(&folder);
        };
        if is_inside(file, &folder) {
            bail!(
                "the master key {} is in the data folder: whoever has a backup of that would have the key with it; keep it \
                 elsewhere",
                file.display()
            );
        }
        Ok(file.clone())
    }
}

impl Place {
    /// The key; `None` where it is to be in a file that is not there.
    pub(crate) fn read(&self) -> anyhow::Result<Option<MasterKey>> {
        match self {
            Self::Environment(key) => Ok(Some(key.clone())),
            Self::File(path) => read(path),
        }
    }

    /// Makes a key, where none is.
    pub(crate) fn make(&self) -> anyhow::Result<MasterKey> {
        let key = MasterKey::generate();
        if let Self::File(path) = self {
            let made = NewFile::reserve(path).and_then(|file| file.write(&key.to_text()));
            made.with_context(|| {
                let path = path.display();
                format!(
                    "cannot make the master key {path}: name another place with --master-key-file"
                )
            })?;
        }
        Ok(key)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(_) => write!(f, "in the environment ({VARIABLE})"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Where the key of `folder` is where nobody says where.
fn beside(folder: &Path) -> anyhow::Result<PathBuf> {
    let Some(name) = folder.file_name() else {
        bail!(
            "there is no place beside {} for its master key: name one with --master-key-file",
            folder.display()
        );
    };
    let mut name = name.to_owned();
    name.push(".key");
    Ok(folder.with_file_name(name))
}

/// Whether `file`, which need not be there, is somewhere in `folder`, by itself or as what it links to.
fn is_inside(file: &Path, folder: &Path) -> bool {
    let places = [fs::canonicalize(file), fs::canonicalize(folder_of(file))];
    places
        .into_iter()
        .flatten()
        .any(|place| place.starts_with(folder))
}

fn read(path: &Path) -> anyhow::Result<Option<MasterKey>> {
    let shown = path.display();
    let secret = match secret_file::read(path) {
        Ok(secret) => secret,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read the master key {shown}"));
        }
    };
    if secret.is_shared {
        let path = path.to_string_lossy();
        bail!(
            "others than its owner may use the master key {shown}: chmod 600 {}",
            quote::word(&path)
        );
    }
    let text = String::from_utf8(secret.bytes);
    // What it is, is not said.
    let Ok(text) = text else {
        bail!("{shown} holds no master key");
    };
    let key = text.parse::<MasterKey>();
    key.map(Some)
        .with_context(|| format!("{shown} holds no master key"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn options(file: Option<PathBuf>) -> Options {
        Options {
            master_key_file: file,
        }
    }

    #[test]
    fn a_key_is_beside_its_folder_however_that_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = fs::canonicalize(folder.path()).expect("it is there");
        let data = root.join("data");
        fs::create_dir_all(data.join("in")).expect("made");
        symlink(&data, root.join("link")).expect("linked");
        for written in ["data", "data/", "./data/.", "data/in/..", "link"] {
            let place = options(None).file(&root.join(written)).expect("a place");
            assert_eq!(place, root.join("data.key"), "{written}");
        }
        let error = options(None).file(Path::new("/")).expect_err("no place");
        assert!(error.to_string().contains("--master-key-file"), "{error}");
    }

    #[test]
    fn a_key_in_the_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("made");
        fs::write(data.join("key"), "").expect("written");
        symlink(data.join("key"), folder.path().join("link")).expect("linked");
        for inside in ["data/key", "data/other", "data/../data/other", "link"] {
            let file = folder.path().join(inside);
            assert!(options(Some(file)).file(&data).is_err(), "{inside}");
        }
        for outside in ["key", "data.key", "data/../other"] {
            let file = folder.path().join(outside);
            assert!(options(Some(file)).file(&data).is_ok(), "{outside}");
        }
    }

    #[test]
    fn a_key_that_was_made_is_read_again_and_not_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::File(folder.path().join("key"));
        assert!(place.read().expect("nothing is there").is_none());
        let key = place.make().expect("made");
        let read = place.read().expect("it is ours").expect("it is there");
        assert_eq!(read.to_text(), key.to_text());
        place.make().expect_err("there is one");
    }
}
