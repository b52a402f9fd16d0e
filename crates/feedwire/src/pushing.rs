//! Options that say where connectors may push to.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use feedwire_core::Clock;
use feedwire_push::{Guard, Network, Outgoing, Roots, SystemResolver};

use crate::process;

/// Where connectors may push to.
#[derive(Debug, Default, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Let connectors push into this network, such as `10.1.0.0/16`, though it is not of the public internet. Can be repeated
    #[arg(long = "push-allow-network", value_name = "CIDR")]
    networks: Vec<Network>,
    /// Let connectors push to `http://`, readable by whoever is in between
    #[arg(long = "push-allow-http")]
    http: bool,
    /// Trust the certificates of authorities in this PEM file, beside those that the system trusts, where connectors push
    #[arg(
        long = "push-ca-file",
        env = "FEEDWIRE_PUSH_CA_FILE",
        value_name = "FILE"
    )]
    ca_file: Option<PathBuf>,
}

impl Options {
    /// To this machine too, and without TLS: for trying it out.
    pub(crate) fn to_this_machine() -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"];
        let networks = loopback.map(|network| network.parse().expect("it is a network"));
        Self {
            networks: networks.into(),
            http: true,
            ca_file: None,
        }
    }

    /// What pushes there.
    pub(crate) fn outgoing(self, clock: Arc<dyn Clock>) -> anyhow::Result<Outgoing> {
        let roots = match &self.ca_file {
            None => Roots::system(),
            Some(file) => {
                let read = || format!("cannot read --push-ca-file {}", file.display());
                let text = std::fs::read(file).with_context(read)?;
                Roots::system_and(&text).with_context(read)?
            }
        };
        let guard = Guard {
            allowed: self.networks,
            http: self.http,
        };
        let resolve = Arc::new(SystemResolver::new());
        let connections = connections_max();
        Ok(Outgoing::within(connections, guard, roots, resolve, clock))
    }
}

/// How many connections connectors have open at most: a part of the descriptors that there are, so that they leave those that the server
/// needs for its clients and its files.
fn connections_max() -> usize {
    let descriptors = process::ask().max_fds.unwrap_or(u64::MAX);
    usize::try_from(descriptors / 4).map_or(4_096, |part| part.clamp(16, 4_096))
}
