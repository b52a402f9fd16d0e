//! Verifying a log's folder offline, every byte of it.

mod segments;

use std::path::Path;

use crate::format::{meta, trims};
use crate::open::{read_meta, read_trims};
use crate::storage::{Disk, Storage};
use crate::{Damage, open};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    /// How many segments were read.
    pub segments: usize,
    /// How many records are right, gaps included.
    pub records: u64,
    /// The first and the last position that is right; `None` if there is no record.
    pub positions: Option<(u64, u64)>,
    /// How many bytes were read.
    pub bytes: u64,
    /// What is not as it was written, in the order of the files.
    pub findings: Vec<Finding>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means.
    pub severity: Severity,
    /// Where it is.
    pub damage: Damage,
    /// What to do about it.
    pub advice: &'static str,
}

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The next opening mends it, and nothing that was acknowledged is lost.
    Mended,
    /// Records that were acknowledged cannot be read, or the log cannot be opened.
    Lost,
}

const MENDED: &str = "nothing: the next opening mends it";
const RESTORE: &str =
    "restore the folder from a backup; what is before the damage can be copied out first";

/// Reads every file of the log in `folder` and compares it with its checksums. Changes nothing.
pub fn check(folder: &Path) -> Result<Report, open::Error> {
    if !folder.is_dir() {
        return Err(open::Error::Missing);
    }
    let disk = Disk::lock(folder)?.ok_or(open::Error::InUse)?;
    check_in(&disk)
}

/// Checks the log in some storage.
pub(crate) fn check_in(storage: &dyn Storage) -> Result<Report, open::Error> {
    let mut report = Report::default();
    let Some(incarnation) = report.or_lost(read_meta(storage))? else {
        return Ok(report);
    };
    report.bytes += meta::LEN as u64;
    let first = match report.or_lost(read_trims(storage, incarnation))? {
        Some(trims) => Some(trims.first),
        None => None,
    };
    if storage.list()?.iter().any(|name| name == trims::NAME) {
        report.bytes += storage.open(trims::NAME)?.len()?;
    }
    report.segments(storage, incarnation, first)?;
    Ok(report)
}

impl Report {
    /// Takes damage in as a finding.
    fn or_lost<T>(&mut self, read: Result<T, open::Error>) -> Result<Option<T>, open::Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(open::Error::Damaged(damage)) => {
                self.lost(damage);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn lost(&mut self, damage: Damage) {
        self.findings.push(Finding {
            severity: Severity::Lost,
            damage,
            advice: RESTORE,
        });
    }

    fn mended(&mut self, damage: Damage) {
        self.findings.push(Finding {
            severity: Severity::Mended,
            damage,
            advice: MENDED,
        });
    }
}
