//! Which addresses are of the public internet, and what lets others in.

use std::net::IpAddr;

use feedwire_push::Guard;

use crate::sender::guard;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// The first and the last address of each special network, and those beside it that are of the public internet.
const SPECIAL: &[&str] = &[
    "0.0.0.0 0.255.255.255 - 1.0.0.0",
    "10.0.0.0 10.255.255.255 9.255.255.255 11.0.0.0",
    "100.64.0.0 100.127.255.255 100.63.255.255 100.128.0.0",
    "127.0.0.0 127.255.255.255 126.255.255.255 128.0.0.0",
    "169.254.0.0 169.254.255.255 169.253.255.255 169.255.0.0",
    "172.16.0.0 172.31.255.255 172.15.255.255 172.32.0.0",
    "192.0.0.0 192.0.0.255 191.255.255.255 192.0.1.0",
    "192.0.2.0 192.0.2.255 192.0.1.255 192.0.3.0",
    "192.31.196.0 192.31.196.255 192.31.195.255 192.31.197.0",
    "192.52.193.0 192.52.193.255 192.52.192.255 192.52.194.0",
    "192.88.99.0 192.88.99.255 192.88.98.255 192.88.100.0",
    "192.168.0.0 192.168.255.255 192.167.255.255 192.169.0.0",
    "192.175.48.0 192.175.48.255 192.175.47.255 192.175.49.0",
    "198.18.0.0 198.19.255.255 198.17.255.255 198.20.0.0",
    "198.51.100.0 198.51.100.255 198.51.99.255 198.51.101.0",
    "203.0.113.0 203.0.113.255 203.0.112.255 203.0.114.0",
    "224.0.0.0 255.255.255.255 223.255.255.255 -",
    ":: 1fff:ffff:: - 2000::",
    "::1 ::7f00:1 - -",
    "64:ff9b:1:: 64:ff9b:1:ffff:: - -",
    "100:: 100::ffff:ffff:ffff:ffff - -",
    "2001:: 2001:1ff:ffff:: 2000:ffff:: 2001:200::",
    "2001:db8:: 2001:db8:ffff:: 2001:db7:ffff:: 2001:db9::",
    "2002:: 2002:ffff:: 2001:ffff:: 2003::",
    "2620:4f:8000:: 2620:4f:8000:ffff:: 2620:4f:7fff:: 2620:4f:8001::",
    "3fff:: 3fff:fff:ffff:: 3ffe:ffff:: 3fff:1000::",
    "4000:: ffff:: - -",
    "5f00:: 5f00:ffff:: - -",
    "fc00:: fdff:ffff:: - -",
    "fe80:: febf:ffff:: - -",
    "fec0:: feff:ffff:: - -",
    "ff00:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff - -",
];

#[test]
fn special_addresses_are_refused_and_their_neighbours_are_not() {
    let guard = Guard::default();
    for row in SPECIAL {
        let addresses: Vec<_> = row.split(' ').collect();
        let (special, neighbours) = addresses.split_at(2);
        for text in special {
            let refused = guard.check_address(address(text));
            let refused = refused.map_err(|inside| inside.address);
            assert_eq!(refused, Err(address(text)));
        }
        for text in neighbours.iter().filter(|text| **text != "-") {
            assert_eq!(guard.check_address(address(text)), Ok(()), "{text}");
        }
    }
}

#[test]
fn an_ipv4_address_within_one_of_ipv6_counts_as_itself() {
    let check = |text: &str| Guard::default().check_address(address(text)).is_ok();
    for prefix in ["::ffff:", "64:ff9b::"] {
        for (within, is_public) in [
            ("8.8.8.8", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("169.254.169.254", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
        ] {
            assert_eq!(
                check(&format!("{prefix}{within}")),
                is_public,
                "{prefix}{within}"
            );
        }
    }
    // What nobody routes is refused, whatever is within: IPv4-compatible, IPv4-translated, 6to4, Teredo.
    for text in [
        "::8.8.8.8",
        "::ffff:0:8.8.8.8",
        "2002:808:808::1",
        "2001:0:808:808::1",
    ] {
        assert!(!check(text), "{text}");
    }
}

#[test]
fn a_network_that_is_let_in_holds_itself_and_what_maps_it() {
    let guard = guard(&["10.1.0.0/16", "fd00::/8", "127.0.0.2/32"]);
    for (text, is_allowed) in [
        ("10.1.0.0", true),
        ("10.1.255.255", true),
        ("10.2.0.0", false),
        ("::ffff:10.1.2.3", true),
        ("::ffff:10.2.2.3", false),
        // Another network's 10.1.2.3, behind its gateway.
        ("64:ff9b::10.1.2.3", false),
        ("::10.1.2.3", false),
        ("fd12::1", true),
        ("fc12::1", false),
        ("127.0.0.2", true),
        ("127.0.0.1", false),
        ("::1", false),
        ("8.8.8.8", true),
        ("2606:4700::1", true),
    ] {
        assert_eq!(
            guard.check_address(address(text)).is_ok(),
            is_allowed,
            "{text}"
        );
    }
}

#[test]
fn a_refusal_says_what_the_address_is_for_and_who_can_let_it_in() {
    let refused = Guard::default().check_address(address("169.254.169.254"));
    let words = refused.expect_err("it is refused").to_string();
    assert_eq!(
        words,
        "169.254.169.254 is no host of the public internet, but an address for one link (link-local), where clouds tell \
         secrets of their machines: whoever runs the server can let it in (--push-allow-network)"
    );
}
