//! Where requests may go: hosts of the public internet, and the networks that were let in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::special::purpose;
use super::target::{BadUrl, Target};

/// What keeps requests that users have sent out of the networks that the server stands in.
///
/// An address is checked when it is connected to, whatever was said of the name before: a name may have another one at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Networks that are let in although they are not of the public internet. One of IPv4 also lets in what maps it into IPv6.
    pub allowed: Vec<IpNet>,
    /// Whether URLs may begin with `http://`.
    pub http: bool,
}

/// An address that is no host of the public internet, and in none of the networks that are let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} is no host of the public internet, but an address for {purpose}: whoever runs the server can let it in \
     (--push-allow-network)"
)]
pub struct Inside {
    /// The address.
    pub address: IpAddr,
    /// What it is for.
    pub purpose: &'static str,
}

impl Guard {
    /// Whether `address` may be connected to.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Inside> {
        match purpose(address) {
            Some(purpose) if !self.allows(address) => Err(Inside { address, purpose }),
            _ => Ok(()),
        }
    }

    /// Whether requests may be sent to `url`, as far as its text says. A name's addresses are checked when it is connected to.
    pub fn check_url(&self, url: &str) -> Result<Target, BadUrl> {
        let target = Target::parse(url)?;
        if !self.http && !target.is_https() {
            return Err(BadUrl::Http);
        }
        if let Some(address) = target.address() {
            self.check_address(address)?;
        } else if target.is_localhost() {
            let loopback = self.check_address(Ipv4Addr::LOCALHOST.into());
            if self.check_address(Ipv6Addr::LOCALHOST.into()).is_err() {
                loopback?;
            }
        }
        Ok(target)
    }

    fn allows(&self, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        let mut allowed = self.allowed.iter();
        allowed.any(|network| network.contains(&address) || network.contains(&canonical))
    }
}
