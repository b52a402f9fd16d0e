//! Feedwire, over a folder of its own that goes when it does.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    folder: TempDir,
}

/// A folder for the data, and for the key beside it.
fn folder(scratch: &Path) -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("feedwire-")
        .tempdir_in(scratch);
    folder.with_context(|| format!("cannot make a folder in {}", scratch.display()))
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

/// The key id and the secret that the token of a credential has.
pub(super) fn key(token: &str) -> anyhow::Result<(&str, &str)> {
    let pair = token.trim_start_matches("fwk_").split_once('_');
    pair.context("no token of a credential")
}

impl Feedwire {
    /// One that is open to everybody.
    pub(crate) fn start(core: usize, program: &Path, scratch: &Path) -> anyhow::Result<Self> {
        Self::serve(core, program, folder(scratch)?, &["--dev"])
    }

    /// One that asks who asks, and the token of its first credential.
    pub(crate) fn start_guarded(
        core: usize,
        program: &Path,
        scratch: &Path,
    ) -> anyhow::Result<(Self, String)> {
        let folder = folder(scratch)?;
        let mut init = Command::new(program);
        init.arg("init")
            .arg("--json")
            .arg("--data")
            .arg(data(&folder));
        let made = init.output().context("cannot run the program")?;
        ensure!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let made: Value = serde_json::from_slice(&made.stdout)?;
        let token = made["token"].as_str().context("no token")?.to_owned();
        Ok((Self::serve(core, program, folder, &[])?, token))
    }

    /// One that is open to everybody, and whose connectors may push to this machine.
    pub(crate) fn start_pushing(
        core: usize,
        program: &Path,
        scratch: &Path,
    ) -> anyhow::Result<Self> {
        let inwards = ["--push-allow-network", "127.0.0.0/8", "--push-allow-http"];
        let options = [&["--dev"][..], &inwards].concat();
        Self::serve(core, program, folder(scratch)?, &options)
    }

    /// Ends the process and serves the folder with another, open to everybody.
    pub(crate) fn restart(self, core: usize, program: &Path) -> anyhow::Result<Self> {
        let Self { peer, folder } = self;
        drop(peer);
        Self::serve(core, program, folder, &["--dev"])
    }

    fn serve(
        core: usize,
        program: &Path,
        folder: TempDir,
        options: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = vec![program.as_os_str().to_owned()];
        command.extend(words([
            "serve",
            "--log",
            "warn",
            "--listen",
            "127.0.0.1:0",
            "--data",
        ]));
        command.push(data(&folder).into_os_string());
        command.extend(options.iter().map(OsString::from));
        let child = Child::start(core, command, Says::Out)?;
        let address = address_in(&child.until("http://")?)?;
        let peer = Peer {
            child,
            address,
            protocol: Protocol::Http,
        };
        Ok(Self { peer, folder })
    }

    /// What the credential of `token` is exchanged for.
    pub(crate) fn access_token(address: SocketAddr, token: &str) -> anyhow::Result<String> {
        let (key_id, secret) = key(token)?;
        let form =
            format!("grant_type=client_credentials&client_id={key_id}&client_secret={secret}");
        let answer: Value =
            serde_json::from_slice(&load::post_form(address, "/oauth2/token", &form)?)?;
        let token = answer["access_token"].as_str();
        Ok(token.context("no access token")?.to_owned())
    }

    /// The path that events are published to.
    pub(crate) fn publish_path(feed: &str) -> String {
        format!("{PROJECT}/feeds/{feed}/events")
    }

    /// The path that entities are put to, many of them in lines, or one of them below it.
    pub(crate) fn entities_path(feed: &str) -> String {
        format!("{PROJECT}/feeds/{feed}/entities")
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
