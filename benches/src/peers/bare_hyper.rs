//! Our bare hyper server.

use anyhow::Context as _;

use super::{Peer, address_in};
use crate::child::{Child, Says};
use crate::load::Protocol;

pub(crate) fn start(core: usize) -> anyhow::Result<Peer> {
    let ourselves = std::env::current_exe().context("cannot find this program")?;
    let command = vec![ourselves.into_os_string(), "bare".into()];
    let child = Child::start(core, command, Says::Out)?;
    let address = address_in(&child.until("http://")?)?;
    Ok(Peer {
        child,
        address,
        protocol: Protocol::Http,
    })
}
