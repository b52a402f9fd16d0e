//! The way of the data: which crate may know which. Arrows point down only, see ARCHITECTURE.md.

use super::finding::Finding;
use super::manifest::{Dependency, Manifest};
use super::tree::Tree;

/// What one crate may depend on.
#[derive(Debug)]
struct Layer {
    name: &'static str,
    /// Ours; short names, without `feedwire-`.
    below: &'static [&'static str],
    /// Foreign crates that would bring in what this layer must not know.
    never: &'static [&'static str],
}

/// What makes a crate know HTTP.
const HTTP: &[&str] = &[
    "axum",
    "http",
    "http-body",
    "http-body-util",
    "hyper",
    "hyper-util",
];

/// From the bottom up. The seam's words (record, expectation, expired) go up to the edges; its implementations stay with
/// the program.
const LAYERS: &[Layer] = &[
    layer("feedwire-event", &[], &["tokio"]),
    layer("feedwire-tally", &[], &["tokio"]),
    layer("feedwire-api", &["event"], &["tokio"]),
    layer(
        "feedwire-log",
        &["event", "tally"],
        &["serde_json", "tokio"],
    ),
    layer("feedwire-engine", &["event", "tally"], HTTP),
    layer(
        "feedwire-engine-local",
        &["engine", "event", "log", "tally"],
        HTTP,
    ),
    layer(
        "feedwire-engine-jetstream",
        &["engine", "event", "tally"],
        HTTP,
    ),
    layer("feedwire-core", &["engine", "event", "tally"], HTTP),
    layer("feedwire-auth", &["core", "engine", "event", "tally"], HTTP),
    layer(
        "feedwire-dialects",
        &["api", "core", "engine", "event"],
        &["axum", "tokio"],
    ),
    layer("feedwire-client", &["api", "event"], &["axum"]),
    layer(
        "feedwire-push",
        &["auth", "core", "dialects", "engine", "event"],
        &["axum"],
    ),
    layer(
        "feedwire-http",
        &[
            "api", "auth", "core", "dialects", "engine", "event", "push", "tally",
        ],
        &[],
    ),
    layer("feedwire-testkit", RUNNING, &[]),
    layer("feedwire", RUNNING, &[]),
    layer("feedwire-bench", &[], &[]),
    layer("xtask", RUNNING, &[]),
];

const fn layer(
    name: &'static str,
    below: &'static [&'static str],
    never: &'static [&'static str],
) -> Layer {
    Layer { name, below, never }
}

/// All that runs in a server, and its client; the testkit does not.
const RUNNING: &[&str] = &[
    "api",
    "auth",
    "client",
    "core",
    "dialects",
    "engine",
    "engine-jetstream",
    "engine-local",
    "event",
    "http",
    "log",
    "push",
    "tally",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.members().flat_map(check_member).collect()
}

fn check_member(manifest: &Manifest) -> Vec<Finding> {
    let name = manifest.package_name().unwrap_or_default();
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
        let message = format!(
            "`{name}` is not in the layer table; give it a place in ARCHITECTURE.md and in {}",
            file!()
        );
        return vec![Finding::new(&manifest.path, 1, message)];
    };
    let faults = manifest
        .dependencies()
        .into_iter()
        .filter_map(|dependency| {
            let message = fault(layer, &dependency)?;
            Some(Finding::new(&manifest.path, dependency.line, message))
        });
    faults.collect()
}

fn fault(layer: &Layer, dependency: &Dependency) -> Option<String> {
    // Tests may drive a crate with whatever suits them.
    if dependency.is_dev {
        return None;
    }
    let (name, other) = (layer.name, dependency.name.as_str());
    if layer.never.contains(&other) {
        return Some(format!(
            "{name} must not know `{other}`; see its place in ARCHITECTURE.md"
        ));
    }
    let ours = if other == "feedwire" {
        other
    } else {
        other.strip_prefix("feedwire-")?
    };
    if layer.below.contains(&ours) {
        return None;
    }
    let allowed = if layer.below.is_empty() {
        "nothing of ours".to_owned()
    } else {
        layer.below.join(", ")
    };
    Some(format!(
        "{name} must not depend on `{other}`; arrows point down, it may use {allowed}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    fn check_crate(name: &str, dependencies: &str) -> Vec<String> {
        let text = format!("[package]\nname = \"{name}\"\n{dependencies}\n");
        findings(check, &[("crates/x/Cargo.toml", &text)])
    }

    #[test]
    fn an_arrow_that_points_down_is_in_order() {
        let text = "[dependencies]\nfeedwire-event.workspace = true\nbytes.workspace = true";
        assert!(check_crate("feedwire-engine", text).is_empty());
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let text = "[dependencies]\nfeedwire-engine-local.workspace = true";
        assert_eq!(
            check_crate("feedwire-core", text),
            [
                "crates/x/Cargo.toml:4: feedwire-core must not depend on `feedwire-engine-local`; arrows point down, it may use engine, event, tally"
            ]
        );
    }

    #[test]
    fn the_edge_knows_the_seam_and_no_engine_behind_it() {
        let seam = "[dependencies]\nfeedwire-engine.workspace = true";
        assert!(check_crate("feedwire-http", seam).is_empty());
        let engine = "[dependencies]\nfeedwire-engine-local.workspace = true";
        assert_eq!(check_crate("feedwire-http", engine).len(), 1);
    }

    #[test]
    fn what_a_layer_must_not_know_is_found() {
        let text = "[dependencies]\nserde_json.workspace = true";
        assert_eq!(
            check_crate("feedwire-log", text),
            [
                "crates/x/Cargo.toml:4: feedwire-log must not know `serde_json`; see its place in ARCHITECTURE.md"
            ]
        );
    }

    #[test]
    fn tests_may_look_anywhere() {
        let text = "[dev-dependencies]\nfeedwire-testkit.workspace = true\ntokio.workspace = true";
        assert!(check_crate("feedwire-event", text).is_empty());
    }

    #[test]
    fn the_testkit_stays_out_of_the_program() {
        let text = "[dependencies]\nfeedwire-testkit.workspace = true";
        assert_eq!(check_crate("feedwire", text).len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        let found = check_crate("feedwire-misc", "");
        assert!(
            found[0].contains("`feedwire-misc` is not in the layer table"),
            "{found:?}"
        );
    }

    #[test]
    fn the_table_names_only_layers_that_stand_before() {
        for (index, layer) in LAYERS.iter().enumerate() {
            for below in layer.below {
                let full = format!("feedwire-{below}");
                assert!(
                    LAYERS[..index].iter().any(|other| other.name == full),
                    "{full}"
                );
            }
        }
    }
}
