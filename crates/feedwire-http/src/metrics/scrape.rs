//! One scrape: numbers gathered, and written as whoever asks reads them.

use std::fmt;

use feedwire_core::Stats;
use feedwire_dialects::media;
use http::Method;
use http::header::ACCEPT;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text, text};
use prometheus_client::registry::Registry;

use super::families::Families;
use super::{
    access, connectors, disk, entities, logs, process, readers, requests, server, streams,
};
use crate::access::Rule;
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::edge::Edge;
use crate::native;
use crate::openapi::paths;
use crate::process::Process;
use crate::routes::{Route, Served};

/// Where they are told.
pub(crate) const ROUTE: Route = Route {
    path: "/metrics",
    dialect: &native::DIALECT,
    methods: || vec![served(Rule::Server)],
    description: Some(paths::metrics::path),
};

/// The same at a listener of its own, for which it is said who can reach it.
pub(crate) const APART: Route = Route {
    methods: || vec![served(Rule::Open)],
    ..ROUTE
};

fn served(rule: Rule) -> Served {
    Served {
        method: Method::GET,
        rule,
        handle: |asked, _| Box::pin(tell(asked)),
    }
}

const OPENMETRICS: &str = "application/openmetrics-text";
const OPENMETRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What was gathered for one scrape.
#[derive(Debug)]
struct Scrape {
    edge: Edge,
    core: Stats,
    process: Process,
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families::new(encoder);
        process::tell(&mut families, &self.process, self.edge.started_at())?;
        requests::tell(&mut families, &self.edge.tally().requests)?;
        server::tell(&mut families, &self.edge)?;
        access::tell(&mut families, self.edge.access())?;
        logs::tell(&mut families, &self.core)?;
        readers::tell(&mut families, &self.core)?;
        entities::tell(&mut families, &self.core)?;
        streams::tell(&mut families, &self.core)?;
        let now = self.edge.clock().now();
        connectors::tell(&mut families, &self.edge.push().stats(), now)?;
        disk::tell(&mut families, self.core.disk)
    }
}

async fn tell(asked: Asked) -> Answer {
    let edge = asked.edge.clone();
    let accept = asked
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let core = edge.core().stats().await;
    // It lists a folder of the kernel's: with many connections that takes milliseconds.
    let process = tokio::task::spawn_blocking(edge.process()).await;
    let scrape = Scrape {
        edge,
        core,
        process: process.unwrap_or_default(),
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(scrape));
    let (content_type, text) = written(&registry, accept);
    answer::metrics(content_type, text)
}

/// As OpenMetrics for those who ask for it, else in the older form, which everything reads.
fn written(registry: &Registry, accept: Option<&str>) -> (&'static str, String) {
    let mut out = String::new();
    let offers = [("text/plain", false), (OPENMETRICS, true)];
    if media::accept(accept, &offers) == Some(true) {
        text::encode(&mut out, registry).expect("a string takes what is written");
        (OPENMETRICS_TYPE, out)
    } else {
        prometheus_text::encode(&mut out, registry).expect("a string takes what is written");
        (prometheus_text::CONTENT_TYPE, out)
    }
}
