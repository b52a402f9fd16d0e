//! Connectors: what one pushes, what those that fail take from others, and what idle ones cost.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::bench::Bench;
use super::{push_failing, push_fast, push_idle};
use crate::load::{Fill, Request};
use crate::peers::Feedwire;
use crate::report::Report;

pub(super) const FEED: &str = "flights";
pub(super) const SUBJECTS: u64 = 4_000;
pub(super) const EVENT_BYTES: usize = 200;

/// Projects that have connectors, where there are many.
pub(super) const PROJECTS: usize = 10;

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    push_fast::run(bench, report)?;
    push_failing::run(bench, report)?;
    push_idle::run(bench, report)
}

/// Where all of the project with this number is.
pub(super) fn project(number: usize) -> String {
    format!("/v1/projects/bench-{number}")
}

/// Makes the projects.
pub(super) fn make_projects(server: &Feedwire) -> anyhow::Result<()> {
    let address = server.peer.address;
    let mut fill = Fill::open(address)?;
    for number in 0..PROJECTS {
        let name = json!({"name": format!("bench-{number}")}).to_string();
        fill.send(&Request::post_json(address, "/v1/projects", &name))?;
    }
    Ok(())
}

/// Makes a connector of the feed in each of the projects in turn, for each of `urls`; their names begin with `name`.
pub(super) fn make_connectors(
    server: &Feedwire,
    name: &str,
    urls: impl IntoIterator<Item = String>,
    settings: &Value,
) -> anyhow::Result<()> {
    let address = server.peer.address;
    let mut fill = Fill::open(address)?;
    for (index, url) in urls.into_iter().enumerate() {
        let path = format!("{}/connectors", project(index % PROJECTS));
        let connector = connector(&format!("{name}-{index}"), &url, settings);
        fill.send(&Request::post_json(address, &path, &connector))?;
    }
    Ok(())
}

/// A connector of the feed, with `settings` beside that.
pub(super) fn connector(name: &str, url: &str, settings: &Value) -> String {
    let mut connector = json!({"name": name, "url": url, "filter": {"feeds": [FEED]}});
    for (name, value) in settings.as_object().into_iter().flatten() {
        connector[name] = value.clone();
    }
    connector.to_string()
}

/// A URL at `address`.
pub(super) fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

/// An event to the feed of each of the projects.
pub(super) fn requests(server: &Feedwire) -> Vec<Request> {
    let address = server.peer.address;
    let path = |number| format!("{}/feeds/{FEED}/events", project(number));
    (0..PROJECTS)
        .map(|number| Request::post(address, &path(number), 1, EVENT_BYTES))
        .collect()
}
