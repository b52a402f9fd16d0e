//! What all parts share: the cores, the program, and how long and how often is measured.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::arguments::Options;
use crate::cores::Cores;
use crate::peers;
use crate::peers::{Feedwire, Peer};
use crate::report::Report;

#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) cores: Cores,
    pub(crate) runs: u8,
    pub(crate) is_quick: bool,
    options: &'a Options,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(options: &'a Options) -> anyhow::Result<Self> {
        Ok(Self {
            cores: Cores::pick()?,
            runs: if options.quick { 1 } else { options.runs },
            is_quick: options.quick,
            options,
        })
    }

    /// What a span of measuring lasts that lasts `whole` where it is not a trial.
    pub(crate) fn span(&self, whole: Duration) -> Duration {
        if self.is_quick { whole / 10 } else { whole }
    }

    /// Says how the tables below it were taken.
    pub(crate) fn introduce(&self, report: &mut Report) {
        let apart = if self.cores.are_apart() {
            "the server on one core, the generator on another"
        } else {
            "server and generator on the one core there is, which is no measurement"
        };
        let runs = match self.runs {
            1 => "One run".to_owned(),
            runs => format!("Medians of {runs} runs"),
        };
        let trial = if self.is_quick {
            "a quick trial, no measurement; "
        } else {
            ""
        };
        report.paragraph(&format!("{runs}; {trial}{apart}."));
    }

    pub(crate) fn scratch(&self) -> &Path {
        &self.options.scratch
    }

    pub(crate) fn folder(&self) -> anyhow::Result<TempDir> {
        tempfile::tempdir_in(self.scratch()).context("cannot make a folder")
    }

    pub(crate) fn feedwire(&self) -> anyhow::Result<Feedwire> {
        Feedwire::start(self.cores.server, &self.options.server, self.scratch())
    }

    /// One that asks who asks, and the token of somebody who may do everything.
    pub(crate) fn guarded_feedwire(&self) -> anyhow::Result<(Feedwire, String)> {
        Feedwire::start_guarded(self.cores.server, &self.options.server, self.scratch())
    }

    /// One whose connectors may push to this machine, open to everybody.
    pub(crate) fn pushing_feedwire(&self) -> anyhow::Result<Feedwire> {
        Feedwire::start_pushing(self.cores.server, &self.options.server, self.scratch())
    }

    /// The same folder, served by a process that has read nothing of it.
    pub(crate) fn restart(&self, server: Feedwire) -> anyhow::Result<Feedwire> {
        server.restart(self.cores.server, &self.options.server)
    }

    pub(crate) fn bare_hyper(&self) -> anyhow::Result<Peer> {
        peers::bare_hyper(self.cores.server)
    }
}
