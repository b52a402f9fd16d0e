//! Running other programs: what is run is shown, and what cannot be run is said clearly.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// How a suite ended; what failed is in its own output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
}

/// A command line that nothing is typed into.
#[derive(Debug)]
pub(super) struct Line(Command);

pub(super) fn program(name: impl AsRef<OsStr>) -> Line {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    Line(command)
}

pub(super) fn cargo() -> Line {
    program("cargo")
}

impl Line {
    pub(super) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.0.args(args);
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(super) fn current_dir(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs a suite with its output as it is; failing is its result, not being there is an error.
    pub(super) fn suite(mut self) -> anyhow::Result<Outcome> {
        let shown = self.show();
        let status = self
            .0
            .status()
            .with_context(|| format!("cannot run `{shown}`"))?;
        Ok(if status.success() {
            Outcome::Passed
        } else {
            Outcome::Failed
        })
    }

    /// Runs a step that everything after it needs.
    pub(super) fn step(mut self) -> anyhow::Result<()> {
        let shown = self.show();
        let status = self
            .0
            .status()
            .with_context(|| format!("cannot run `{shown}`"))?;
        if !status.success() {
            bail!("`{shown}` failed ({status})");
        }
        Ok(())
    }

    /// Whether it can be run and succeeds; its output is dropped.
    pub(super) fn succeeds(mut self) -> bool {
        let status = self.0.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// What it prints.
    pub(super) fn output(mut self) -> anyhow::Result<String> {
        let shown = self.shown();
        let output = self
            .0
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run `{shown}`"))?;
        if !output.status.success() {
            bail!("`{shown}` failed ({})", output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed no UTF-8"))
    }

    fn show(&self) -> String {
        let shown = self.shown();
        eprintln!("+ {shown}");
        shown
    }

    fn shown(&self) -> String {
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        words
            .map(OsStr::to_string_lossy)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_that_fails_is_a_result_and_a_step_that_fails_is_an_error() {
        assert_eq!(program("false").suite().expect("it runs"), Outcome::Failed);
        assert_eq!(program("true").suite().expect("it runs"), Outcome::Passed);
        let error = program("false").step().expect_err("it fails").to_string();
        assert!(error.starts_with("`false` failed"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let line = program("feedwire-has-no-such-program").args(["run"]);
        let error = line.suite().expect_err("it is not there").to_string();
        assert_eq!(error, "cannot run `feedwire-has-no-such-program run`");
        assert!(!program("feedwire-has-no-such-program").succeeds());
    }

    #[test]
    fn output_is_what_was_printed() {
        assert_eq!(
            program("echo").args(["a", "b"]).output().expect("it runs"),
            "a b\n"
        );
    }
}
