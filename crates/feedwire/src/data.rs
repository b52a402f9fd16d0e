//! The folder that holds everything a server keeps: opened as an engine, or verified.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use feedwire_engine::Engine;
use feedwire_engine_local::{Local, Options};
use feedwire_log::check::{Finding, Report, Severity, check};
use feedwire_log::open;

// The layout of the folder is `feedwire-engine-local`'s; verifying must do without opening it, which would mend it.

/// Says that a folder is one of Feedwire's.
const META: &str = "feedwire.meta";
/// Locked by whoever has the folder open.
const LOCK: &str = "lock";
/// Holds a folder for each project's log.
const PROJECTS: &str = "projects";
/// What the names of folders end with that are no projects: one that a crash left half made, or half removed.
const NO_PROJECTS: [&str; 2] = ["~new", "~gone"];
/// What to do where a log says no more than that it is damaged.
const RESTORE: &str = "Restore the folder from a backup.";

/// The engine over `folder`, which is made if it is not there.
pub(crate) fn open(folder: &Path, options: Options) -> anyhow::Result<Arc<dyn Engine>> {
    if folder.exists() && !folder.is_dir() {
        bail!("cannot open {}: it is not a folder", folder.display());
    }
    let engine = Local::open(folder, options);
    let engine = engine.with_context(|| format!("cannot open {}", folder.display()))?;
    Ok(Arc::new(engine))
}

/// A project whose log was read as a whole.
#[derive(Debug)]
pub(crate) struct Verified {
    /// The name of its folder.
    pub(crate) project: String,
    /// What was found.
    pub(crate) report: Report,
}

/// Reads the log of every project in `folder`, in order of their names.
pub(crate) fn verify(folder: &Path) -> anyhow::Result<Vec<Verified>> {
    if !folder.join(META).is_file() {
        bail!("it is no data folder of Feedwire");
    }
    let _lock = lock(folder)?;
    let mut projects = Vec::new();
    for entry in fs::read_dir(folder.join(PROJECTS)).context("cannot list the projects")? {
        let name = entry.context("cannot list the projects")?.file_name();
        let name = name
            .into_string()
            .ok()
            .context("the folder of a project has no name of ours")?;
        if !NO_PROJECTS.iter().any(|end| name.ends_with(end)) {
            projects.push(name);
        }
    }
    projects.sort();
    let verified = projects.into_iter().map(|project| {
        let report = report(&folder.join(PROJECTS).join(&project));
        let report = report.with_context(|| format!("the log of project {project}"))?;
        Ok(Verified { project, report })
    });
    verified.collect()
}

/// Keeps servers out while the folder is read.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let lock = File::open(folder.join(LOCK)).context("cannot open its lock")?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("it is open in another process: stop the server first")
        }
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock it"),
    }
}

fn report(log: &Path) -> Result<Report, open::Error> {
    match check(log) {
        // Damage that leaves nothing further to read, as in the log's own description.
        Err(open::Error::Damaged(damage)) => {
            let severity = Severity::Lost;
            let finding = Finding {
                severity,
                damage,
                advice: RESTORE,
            };
            Ok(Report {
                findings: vec![finding],
                ..Report::default()
            })
        }
        report => report,
    }
}

#[cfg(test)]
mod tests {
    use feedwire_core::limits::PROJECTS_OPEN_MAX;

    use super::*;

    #[test]
    fn the_core_closes_what_is_idle_before_the_engine_would() {
        // One more is the server's own.
        assert!(PROJECTS_OPEN_MAX < Options::default().projects_open_max);
    }
}
