//! The certificate and its key: read from their files, and again whenever these change.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use feedwire_core::Clock;
use feedwire_http::{Certificate, Tls};
use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::secret_file;

/// How often is looked whether a file has changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// Where a certificate and its key are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// A certificate that is shown, and what its files were like when they were read.
#[derive(Debug)]
pub(crate) struct Watched {
    files: Files,
    read: [Option<Stamp>; 2],
    tls: Tls,
    clock: Arc<dyn Clock>,
}

/// What changes with what is in a file: a new one takes the place of an old one, or something is written into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    modified: (i64, i64),
    bytes: u64,
}

impl Files {
    pub(crate) fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key }
    }

    /// Reads both for the first time; `clock` tells whether the certificate has expired.
    pub(crate) fn open(self, clock: Arc<dyn Clock>) -> anyhow::Result<Watched> {
        let read = self.stamps();
        let certificate = self.read()?;
        report(&certificate, &*clock, "the certificate is shown");
        Ok(Watched {
            files: self,
            read,
            tls: Tls::new(certificate),
            clock,
        })
    }

    /// `None` stands for a file that is not there.
    fn stamps(&self) -> [Option<Stamp>; 2] {
        [&self.certificate, &self.key].map(|path| Stamp::of(path))
    }

    fn read(&self) -> anyhow::Result<Certificate> {
        let read = |path: &Path| {
            let words = || format!("cannot read {}", path.display());
            secret_file::read(path).with_context(words)
        };
        let certificate = read(&self.certificate)?;
        let key = read(&self.key)?;
        if key.is_open {
            let path = self.key.display();
            tracing::warn!("everybody on this machine may read the key: chmod o-r {path}");
        }
        Certificate::from_pem(&certificate.bytes, &key.bytes).with_context(|| {
            let (certificate, key) = (self.certificate.display(), self.key.display());
            format!("cannot use the certificate {certificate} with the key {key}")
        })
    }
}

impl Watched {
    /// What shows the certificate.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Looks at the files again and again, and at once when one of `hangups` asks for it, for as long as it is waited for; ends only with an error.
    pub(crate) async fn watch(mut self, mut hangups: Signal) -> anyhow::Error {
        let mut beat = interval(LOOK_INTERVAL);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                _ = beat.tick() => false,
                _ = hangups.recv() => true,
            };
            // Files may be on a network that does not answer.
            let looked = spawn_blocking(move || {
                self.look(is_asked);
                self
            });
            self = match looked.await {
                Ok(watched) => watched,
                Err(error) => {
                    return anyhow::Error::new(error).context("cannot look at the certificate");
                }
            };
        }
    }

    /// Takes over what the files hold if they have changed, or somebody `is_asked` to look. What cannot be used changes nothing, and is
    /// told once: a certificate without its key yet is about to become one with it. Says whether they were read.
    fn look(&mut self, is_asked: bool) -> bool {
        // Before they are read: what is written meanwhile is a change that is seen the next time.
        let stamps = self.files.stamps();
        if stamps == self.read && !is_asked {
            return false;
        }
        self.read = stamps;
        match self.files.read() {
            Ok(certificate) => {
                report(&certificate, &*self.clock, "the certificate is renewed");
                self.tls.renew(certificate);
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "the certificate stays the one that it was");
            }
        }
        true
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            file: (found.dev(), found.ino()),
            modified: (found.mtime(), found.mtime_nsec()),
            bytes: found.len(),
        })
    }
}

fn report(certificate: &Certificate, clock: &dyn Clock, what: &str) {
    let expires_at = certificate.expires_at();
    if expires_at <= clock.now() {
        tracing::warn!(%expires_at, "{what}, and it has expired: clients refuse it");
    } else {
        tracing::info!(%expires_at, "{what}");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;
    use crate::seams;

    const SERVER: [&str; 2] = [
        include_str!("../../feedwire-testkit/certificates/server.pem"),
        include_str!("../../feedwire-testkit/certificates/server.key"),
    ];
    const RENEWED: [&str; 2] = [
        include_str!("../../feedwire-testkit/certificates/renewed.pem"),
        include_str!("../../feedwire-testkit/certificates/renewed.key"),
    ];

    /// A folder with files, and what shows them.
    fn opened() -> (TempDir, Watched) {
        let folder = tempfile::tempdir().expect("a folder");
        let [certificate, key] = ["certificate", "key"].map(|name| folder.path().join(name));
        fs::write(&certificate, SERVER[0]).expect("written");
        fs::write(&key, SERVER[1]).expect("written");
        let files = Files::new(certificate, key);
        let watched = files.open(seams::system().clock).expect("a pair");
        (folder, watched)
    }

    /// The year to whose end the certificate holds that is shown after a look.
    fn look(watched: &mut Watched) -> String {
        assert!(watched.look(false), "a file has changed");
        watched.tls.expires_at().to_text()[..4].to_owned()
    }

    #[test]
    fn a_pair_that_is_renewed_file_by_file_is_shown_once_it_is_whole() {
        let (_folder, mut watched) = opened();
        fs::write(&watched.files.certificate, &RENEWED[0][..100]).expect("written");
        assert_eq!(look(&mut watched), "2049");
        fs::write(&watched.files.certificate, RENEWED[0]).expect("written");
        assert_eq!(look(&mut watched), "2049");
        fs::write(&watched.files.key, RENEWED[1]).expect("written");
        assert_eq!(look(&mut watched), "2100");
    }

    #[test]
    fn files_that_vanish_and_come_back_as_links_are_followed() {
        let (folder, mut watched) = opened();
        for (name, text) in ["certificate", "key"].into_iter().zip(RENEWED) {
            let (path, target) = (
                folder.path().join(name),
                folder.path().join("renewed-").join(name),
            );
            fs::remove_file(&path).expect("it is there");
            assert_eq!(look(&mut watched), "2049");
            fs::create_dir_all(target.parent().expect("a folder")).expect("made");
            fs::write(&target, text).expect("written");
            symlink(&target, &path).expect("linked");
        }
        assert_eq!(look(&mut watched), "2100");
    }

    #[test]
    fn what_cannot_be_used_is_read_once_and_not_at_every_look() {
        let (_folder, mut watched) = opened();
        fs::write(&watched.files.key, RENEWED[1]).expect("written");
        assert_eq!(look(&mut watched), "2049");
        assert!(!watched.look(false));
        assert!(watched.look(true), "somebody asked for it");
    }
}
