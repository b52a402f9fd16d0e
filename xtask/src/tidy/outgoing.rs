//! Outgoing HTTP is made in two places, where addresses are filtered and tries are bounded.
//!
//! `deny.toml` keeps client crates out, but hyper is both server and client: which half a crate uses shows in its source.

use super::finding::Finding;
use super::source::{Kind, tokens};
use super::tree::Tree;

/// Tests call what they test.
const MAY_CALL_OUT: &[&str] = &["feedwire-push", "feedwire-client", "feedwire-testkit"];

/// The bare client that the benchmark measures connectors beside: it sends to this machine alone.
const BARE_CLIENT: &str = "benches/src/bare/push.rs";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust_files()
        .filter(|(path, _)| !may_call_out(path))
        .flat_map(|(path, text)| lines_calling_out(text).map(move |line| (path, line)))
        .map(|(path, line)| {
            let message =
                "uses hyper's client; call out through feedwire-client, or from feedwire-push";
            Finding::new(path, line, message)
        })
        .collect()
}

fn may_call_out(path: &str) -> bool {
    let mut parts = path.split('/').skip_while(|part| *part == "crates");
    parts
        .next()
        .is_some_and(|name| MAY_CALL_OUT.contains(&name))
        || parts.next() == Some("tests")
        || path == BARE_CLIENT
        || path.ends_with("/tests.rs")
}

fn lines_calling_out(text: &str) -> impl Iterator<Item = usize> {
    let code: Vec<_> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != Kind::Comment)
        .collect();
    let mut lines = Vec::new();
    for path in code.windows(4) {
        let words = [path[0].text, path[1].text, path[2].text, path[3].text];
        if matches!(words, ["hyper" | "hyper_util", ":", ":", "client"]) {
            lines.push(path[0].line);
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    const CALLS_OUT: &str = "// hyper::client\nuse hyper::client::conn::http1;\n";

    #[test]
    fn the_client_of_hyper_is_found_in_the_server() {
        assert_eq!(
            findings(check, &[("crates/feedwire-http/src/accept.rs", CALLS_OUT)]),
            [
                "crates/feedwire-http/src/accept.rs:2: uses hyper's client; call out through feedwire-client, or from feedwire-push"
            ]
        );
    }

    #[test]
    fn the_outbound_crates_and_tests_may_call_out() {
        let files = [
            ("crates/feedwire-push/src/delivery.rs", CALLS_OUT),
            ("crates/feedwire-client/src/connection.rs", CALLS_OUT),
            ("crates/feedwire-http/tests/hardening.rs", CALLS_OUT),
            (BARE_CLIENT, CALLS_OUT),
            (
                "crates/feedwire-http/src/server.rs",
                "use hyper::server::conn::http1;\n",
            ),
        ];
        assert!(
            findings(check, &files).is_empty(),
            "{:?}",
            findings(check, &files)
        );
    }
}
