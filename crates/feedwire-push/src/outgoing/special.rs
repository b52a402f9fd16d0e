//! Addresses that are no host of the public internet: those of IANA's special-purpose registries, and what is nobody's.
//!
//! The registries are those of RFC 6890 as they stand today, with the entries that are called globally reachable (AS112, AMT,
//! anycast of PCP and TURN): whoever runs a network answers for these itself, so they are of the inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const SPECIAL_V4: &[(Ipv4Net, &str)] = &[
    (v4([0, 0, 0, 0], 8), "this network"),
    (v4([10, 0, 0, 0], 8), PRIVATE),
    (v4([100, 64, 0, 0], 10), "a provider's own network"),
    (v4([127, 0, 0, 0], 8), LOOPBACK),
    // Each machine of Azure's is told of itself there, and its agent what to do.
    (v4([168, 63, 129, 16], 32), "a cloud's own hosts (Azure)"),
    (v4([169, 254, 0, 0], 16), LINK_LOCAL),
    (v4([172, 16, 0, 0], 12), PRIVATE),
    (v4([192, 0, 0, 0], 24), PROTOCOLS),
    (v4([192, 0, 2, 0], 24), EXAMPLES),
    (v4([192, 31, 196, 0], 24), ANYCAST),
    (v4([192, 52, 193, 0], 24), ANYCAST),
    (v4([192, 88, 99, 0], 24), "what was 6to4's relays"),
    (v4([192, 168, 0, 0], 16), PRIVATE),
    (v4([192, 175, 48, 0], 24), ANYCAST),
    (v4([198, 18, 0, 0], 15), BENCHMARKS),
    (v4([198, 51, 100, 0], 24), EXAMPLES),
    (v4([203, 0, 113, 0], 24), EXAMPLES),
    (v4([224, 0, 0, 0], 4), MULTICAST),
    (v4([240, 0, 0, 0], 4), "what is reserved, and broadcasts"),
];

const SPECIAL_V6: &[(Ipv6Net, &str)] = &[
    (v6(&[0, 0, 0, 0, 0, 0, 0, 1], 128), LOOPBACK),
    (v6(&[], 128), "no host at all"),
    // Nobody routes them, but a stack may take them for the IPv4 address within.
    (
        v6(&[], 96),
        "what was written for IPv4 hosts (IPv4-compatible)",
    ),
    (v6(&[0x64, 0xff9b, 1], 48), "local NAT64"),
    (v6(&[0x100], 64), "what is discarded"),
    // Teredo, benchmarks, ORCHID.
    (v6(&[0x2001], 23), PROTOCOLS),
    (v6(&[0x2001, 0xdb8], 32), EXAMPLES),
    // Wholly: whatever IPv4 address is within, the relay that would be asked is one of the inside.
    (v6(&[0x2002], 16), "6to4"),
    (v6(&[0x2620, 0x4f, 0x8000], 48), ANYCAST),
    (v6(&[0x3fff], 20), EXAMPLES),
    (v6(&[0x5f00], 16), "segment routing"),
    (v6(&[0xfc00], 7), PRIVATE),
    (v6(&[0xfe80], 10), LINK_LOCAL),
    (v6(&[0xff00], 8), MULTICAST),
];

const ANYCAST: &str = "a service that each network has for itself (anycast)";
const BENCHMARKS: &str = "benchmarks of networks";
const EXAMPLES: &str = "examples in documents";
const LINK_LOCAL: &str = "one link (link-local), where clouds tell secrets of their machines";
const LOOPBACK: &str = "the server's own machine (loopback)";
const MULTICAST: &str = "groups of hosts (multicast)";
const PRIVATE: &str = "a private network";
const PROTOCOLS: &str = "protocols (IETF assignments)";

/// Where an IPv4 host is behind its address: RFC 6052's well-known prefix.
const NAT64: Ipv6Net = v6(&[0x64, 0xff9b], 96);
/// All that is given out as unicast: RFC 4291, section 2.4, as IANA allocates it.
const GLOBAL_UNICAST: Ipv6Net = v6(&[0x2000], 3);

/// What `address` is for, unless for one host of the public internet.
pub(super) fn purpose(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => purpose_v4(address),
        IpAddr::V6(address) => purpose_v6(address),
    }
}

fn purpose_v4(address: Ipv4Addr) -> Option<&'static str> {
    let mut special = SPECIAL_V4.iter();
    let found = special.find(|(network, _)| network.contains(&address));
    found.map(|(_, purpose)| *purpose)
}

fn purpose_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return purpose_v4(mapped);
    }
    if NAT64.contains(&address) {
        let [.., a, b, c, d] = address.octets();
        return purpose_v4(Ipv4Addr::new(a, b, c, d));
    }
    let mut special = SPECIAL_V6.iter();
    if let Some((_, purpose)) = special.find(|(network, _)| network.contains(&address)) {
        return Some(purpose);
    }
    (!GLOBAL_UNICAST.contains(&address)).then_some("what is given to nobody")
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// The network that begins with these segments, of which the others are 0.
const fn v6(segments: &[u16], prefix: u8) -> Ipv6Net {
    let mut bits = 0;
    let mut at = 0;
    while at < segments.len() {
        bits |= (segments[at] as u128) << (112 - 16 * at);
        at += 1;
    }
    Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), prefix)
}
