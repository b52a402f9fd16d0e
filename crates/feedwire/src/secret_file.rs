//! Files that hold a secret: a key, a token.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Longest such file: many keys long, and short of what a wrong path can lead to.
const BYTES_MAX: u64 = 1 << 20;
/// The permission of everybody else to read.
const OTHERS_READ: u32 = 0o004;

/// What such a file holds.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) bytes: Vec<u8>,
    /// Whether others than its owner and its group may read it, too.
    pub(crate) is_open: bool,
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
        for (mode, is_open) in [(0o600, false), (0o640, false), (0o604, true), (0o644, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
            let secret = read(&path).expect("it is there");
            assert_eq!(
                (&secret.bytes[..], secret.is_open),
                (&b"secret"[..], is_open)
            );
        }
    }

    #[test]
    fn a_file_without_end_is_not_read_to_it() {
        assert!(read(Path::new("/dev/zero")).is_err());
    }
}
