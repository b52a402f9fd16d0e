//! Feedwire, over a folder of its own that goes when it does.

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::{Peer, address_in, words};
use crate::child::{Child, Says};
use crate::load::{self, Protocol};

/// Where everything of the project is below.
pub(crate) const PROJECT: &str = "/v1/projects/default";

#[derive(Debug)]
pub(crate) struct Feedwire {
    // Ended before its folder is removed.
    pub(crate) peer: Peer,
    data: TempDir,
}

impl Feedwire {
    pub(crate) fn start(core: usize, program: &Path, scratch: &Path) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new()
            .prefix("feedwire-")
            .tempdir_in(scratch)
            .with_context(|| format!("cannot make a folder in {}", scratch.display()))?;
        Self::serve(core, program, data)
    }

    /// Ends the process and serves the folder with another.
    pub(crate) fn restart(self, core: usize, program: &Path) -> anyhow::Result<Self> {
        let Self { peer, data } = self;
        drop(peer);
        Self::serve(core, program, data)
    }

    fn serve(core: usize, program: &Path, data: TempDir) -> anyhow::Result<Self> {
        let mut command = vec![program.as_os_str().to_owned()];
        command.extend(words([
            "serve",
            "--dev",
            "--log",
            "warn",
            "--listen",
            "127.0.0.1:0",
            "--data",
        ]));
        command.push(data.path().as_os_str().to_owned());
        let child = Child::start(core, command, Says::Out)?;
        let address = address_in(&child.until("http://")?)?;
        let peer = Peer {
            child,
            address,
            protocol: Protocol::Http,
        };
        Ok(Self { peer, data })
    }

    /// The path that events are published to.
    pub(crate) fn publish_path(feed: &str) -> String {
        format!("{PROJECT}/feeds/{feed}/events")
    }

    /// Fails unless `feed` has as many events as were acknowledged.
    pub(crate) fn must_hold(&self, feed: &str, events: u64) -> anyhow::Result<()> {
        let body = load::ask(self.peer.address, &format!("{PROJECT}/feeds"))?;
        let answer: Value = serde_json::from_slice(&body)?;
        let feeds = answer["feeds"].as_array().context("no feeds")?;
        let feed = feeds.iter().find(|one| one["name"] == feed);
        let held = feed.map_or(0, |feed| feed["events"].as_u64().unwrap_or(0));
        ensure!(
            held == events,
            "{events} events were acknowledged, and {held} are there"
        );
        Ok(())
    }
}
