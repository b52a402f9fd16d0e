//! `feedwire check`: verify a folder offline.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use feedwire_log::check::{Finding, Report, Severity};
use indicatif::{HumanBytes, HumanCount};

use crate::data::{self, Verified};
use crate::failure;
use crate::output::say;

const MANUAL: &str = "\
Reads the log of every project from its first byte to its last and compares it with its checksums. Nothing is changed. \
The server of the folder must not be running.

Damage is named with its file, where in it, what it means and what to do. What a crash left unfinished is no damage: it \
was never acknowledged, and the next start of the server mends it.

Examples:
  feedwire check /var/lib/feedwire
  feedwire check ./data || echo 'clean it is not'

Exit codes: 0 clean, 1 damaged (stdout says what), 2 could not be checked (stderr says why), or wrong usage.";

const DAMAGED: u8 = 1;
const UNCHECKED: u8 = 2;

/// Verify the folder of a server that is not running
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The folder, as given to `feedwire serve --data`
    #[arg(value_name = "DIR")]
    data: PathBuf,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let folder = arguments.data.clone();
    let verified = tokio::task::spawn_blocking(move || data::verify(&folder)).await?;
    let verified = verified.with_context(|| format!("cannot check {}", arguments.data.display()));
    let projects = match verified {
        Ok(projects) => projects,
        Err(error) => {
            failure::report(&error);
            return Ok(ExitCode::from(UNCHECKED));
        }
    };
    for project in &projects {
        say(&words(project))?;
    }
    let damaged = projects
        .iter()
        .filter(|project| is_damaged(&project.report))
        .count();
    if damaged > 0 {
        say(&format!("{damaged} of {} projects damaged", projects.len()))?;
        return Ok(ExitCode::from(DAMAGED));
    }
    say(&format!("{}: clean", arguments.data.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn is_damaged(report: &Report) -> bool {
    report
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Lost)
}

fn words(Verified { project, report }: &Verified) -> String {
    let records = HumanCount(report.records);
    let (segments, bytes) = (report.segments, HumanBytes(report.bytes));
    let place = match report.positions {
        Some((first, last)) => format!(", positions {first} to {last}"),
        None => String::new(),
    };
    let mut lines = vec![format!(
        "project {project}: {records} events{place}; {segments} segments, {bytes}"
    )];
    lines.extend(report.findings.iter().map(finding_words));
    lines.join("\n")
}

fn finding_words(finding: &Finding) -> String {
    let damage = &finding.damage;
    let severity = match finding.severity {
        Severity::Mended => "unfinished, nothing acknowledged is lost",
        Severity::Lost => "DAMAGED",
    };
    let (file, offset, what) = (&damage.file, damage.offset, &damage.what);
    format!(
        "  {severity}: {file} at offset {offset}: {what}\n    {}",
        finding.advice
    )
}

#[cfg(test)]
mod tests {
    use feedwire_log::Damage;

    use super::*;

    fn verified(findings: Vec<Finding>) -> Verified {
        let report = Report {
            segments: 2,
            records: 1_234,
            positions: Some((1, 1_300)),
            bytes: 2_048,
            findings,
        };
        Verified {
            project: "default".into(),
            report,
        }
    }

    #[test]
    fn a_finding_says_where_it_is_and_what_to_do() {
        let damage = Damage {
            file: "1.seg".into(),
            offset: 96,
            what: "a checksum is wrong".into(),
        };
        let finding = |severity| Finding {
            severity,
            damage: damage.clone(),
            advice: "Restore it.",
        };
        let clean = "project default: 1,234 events, positions 1 to 1300; 2 segments, 2.00 KiB";
        assert_eq!(words(&verified(vec![])), clean);
        let damaged = verified(vec![finding(Severity::Lost)]);
        let text = "\n  DAMAGED: 1.seg at offset 96: a checksum is wrong\n    Restore it.";
        assert_eq!(words(&damaged), format!("{clean}{text}"));
        assert!(is_damaged(&damaged.report));
        assert!(!is_damaged(
            &verified(vec![finding(Severity::Mended)]).report
        ));
    }
}
