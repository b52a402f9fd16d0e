//! Files that hold a secret: a key, a token. They are read, and made.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Longest such file: many keys long, and short of what a wrong path can lead to.
const BYTES_MAX: u64 = 1 << 20;
/// The permission of everybody else to read.
const OTHERS_READ: u32 = 0o004;
/// Every permission of its group and of everybody else.
const SHARED: u32 = 0o077;

/// What such a file holds.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) bytes: Vec<u8>,
    /// Whether others than its owner and its group may read it, too.
    pub(crate) is_open: bool,
    /// Whether anybody but its owner may do anything with it.
    pub(crate) is_shared: bool,
}

/// A file that is to be, for its owner alone. As long as nothing is written, nothing is there.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    folder: PathBuf,
    file: NamedTempFile,
}

impl NewFile {
    /// Makes sure that a file can be made at `path`, where none is.
    pub(crate) fn reserve(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is a file already, which is not replaced",
            ));
        }
        let folder = folder_of(path);
        Ok(Self {
            // For its owner alone from the first moment on, under a name that nobody else has.
            file: NamedTempFile::with_prefix_in(".feedwire-", &folder)?,
            path: path.to_owned(),
            folder,
        })
    }

    /// Where it is to be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `secret` and a line end: whole and on disk, or not at all. What came there meanwhile is not replaced.
    pub(crate) fn write(mut self, secret: &str) -> io::Result<()> {
        writeln!(self.file, "{secret}")?;
        self.file.as_file().sync_all()?;
        self.file.persist_noclobber(&self.path)?;
        File::open(&self.folder)?.sync_all()
    }
}

/// The folder that `path` is in.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => path.to_owned(),
    }
}

/// Reads the file at `path`.
pub(crate) fn read(path: &Path) -> io::Result<Secret> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than any key",
        ));
    }
    Ok(Secret {
        bytes,
        is_open: mode & OTHERS_READ != 0,
        is_shared: mode & SHARED != 0,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn who_else_may_read_it_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        fs::write(&path, "secret").expect("written");
        let check = |mode, is_open, is_shared| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
            let secret = read(&path).expect("it is there");
            assert_eq!(secret.bytes, b"secret");
            let told = (secret.is_open, secret.is_shared);
            assert_eq!(told, (is_open, is_shared), "{mode:o}");
        };
        check(0o400, false, false);
        check(0o600, false, false);
        check(0o640, false, true);
        check(0o620, false, true);
        check(0o604, true, true);
        check(0o644, true, true);
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_takes_nothings_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        drop(NewFile::reserve(&path).expect("nothing is there"));
        let files = || fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files(), 0, "nothing was written");

        let (one, other) = (NewFile::reserve(&path), NewFile::reserve(&path));
        let one = one.expect("nothing is there");
        one.write("secret").expect("written");
        let late = other.expect("nothing was there").write("other");
        assert_eq!(
            late.map_err(|e| e.kind()),
            Err(io::ErrorKind::AlreadyExists)
        );
        assert!(NewFile::reserve(&path).is_err());
        let secret = read(&path).expect("it is there");
        assert_eq!(
            (&secret.bytes[..], secret.is_shared),
            (&b"secret\n"[..], false)
        );
        assert_eq!(files(), 1, "what was not kept is gone");
    }

    #[test]
    fn a_file_without_end_is_not_read_to_it() {
        assert!(read(Path::new("/dev/zero")).is_err());
    }
}
