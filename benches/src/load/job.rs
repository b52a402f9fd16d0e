//! A load job of the server: started, looked at and ended.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::ask::{ask, post_json};
use crate::interrupt;

/// How long a job that is to end is let be between two looks: a look takes the server less than a hundredth of it.
const LOOK: Duration = Duration::from_millis(20);

/// A load job.
#[derive(Debug)]
pub(crate) struct Job {
    address: SocketAddr,
    path: String,
    /// The position of the log when it was started.
    pub(crate) start: u64,
}

impl Job {
    /// Starts one of all the entities of `feed`, below the path of the `project`.
    pub(crate) fn start(address: SocketAddr, project: &str, feed: &str) -> anyhow::Result<Self> {
        let started = post_json(address, &format!("{project}/feeds/{feed}/loads"), "{}")?;
        let started: Value = serde_json::from_slice(&started)?;
        let id = started["id"].as_str().context("a load job without an id")?;
        Ok(Self {
            address,
            path: format!("{project}/loads/{id}"),
            start: started["start"].as_u64().context("no position")?,
        })
    }

    /// How many entities it has written; fails unless it is `phase`.
    pub(crate) fn written(&self, phase: &str) -> anyhow::Result<u64> {
        let told = self.look()?;
        ensure!(
            told["phase"] == phase,
            "the load job is not {phase}: {told}"
        );
        told["written"].as_u64().context("no number of entities")
    }

    /// Waits until it has written everything; returns how many entities that were.
    pub(crate) fn finish(&self) -> anyhow::Result<u64> {
        loop {
            let told = self.look()?;
            match told["phase"].as_str() {
                Some("waiting" | "running") => interrupt::wait(LOOK)?,
                Some("done") => return told["written"].as_u64().context("no number of entities"),
                _ => bail!("the load job did not come to its end: {told}"),
            }
        }
    }

    /// Has it end before it has written everything.
    pub(crate) fn cancel(self) -> anyhow::Result<()> {
        let told = post_json(self.address, &format!("{}/cancel", self.path), "{}")?;
        let told: Value = serde_json::from_slice(&told)?;
        ensure!(told["phase"] == "cancelled", "it was not cancelled: {told}");
        Ok(())
    }

    fn look(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&ask(self.address, &self.path)?)?)
    }
}
