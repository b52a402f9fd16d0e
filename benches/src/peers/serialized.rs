//! A client of the dialect `serialized`: saves batches, polls feeds, and understands what it is told.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::feedwire::key;
use crate::load::{Fill, Pages, Request};

const JSON: &str = "application/json";

/// Who asks, and where.
#[derive(Debug)]
pub(crate) struct Serialized {
    pub(crate) address: SocketAddr,
    /// A key id and its secret; none where the server is open.
    key: Option<(String, String)>,
}

/// What a poll was told, as far as it is looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    pub(crate) has_more: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) sequence_number: u64,
}

#[derive(Debug, Deserialize)]
struct Feeds {
    feeds: Vec<Feed>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feed {
    aggregate_type: String,
    batch_count: u64,
}

impl Serialized {
    /// Anybody, at a server that asks nobody.
    pub(crate) fn anybody(address: SocketAddr) -> Self {
        Self { address, key: None }
    }

    /// Whoever has the credential of `token`.
    pub(crate) fn whoever_has(token: &str, address: SocketAddr) -> anyhow::Result<Self> {
        let (key_id, secret) = key(token)?;
        let key = Some((key_id.to_owned(), secret.to_owned()));
        Ok(Self { address, key })
    }

    /// A poll of `feed`.
    pub(crate) fn poll(&self, feed: &str, query: &str) -> Request {
        let path = format!("/serialized/feeds/{feed}?{query}");
        self.prove(Request::get(self.address, &path, JSON))
    }

    /// A batch of `events` small events of one aggregate, which has `number` in its id.
    pub(crate) fn save(&self, aggregate_type: &str, number: usize, events: usize) -> Request {
        let path = format!(
            "/serialized/aggregates/{aggregate_type}/{}/events",
            id(number)
        );
        let mut body = r#"{"events":["#.to_owned();
        for index in 0..events {
            let event_id = id(index);
            let comma = if index == 0 { "" } else { "," };
            let event = write!(
                body,
                r#"{comma}{{"eventId":"{event_id}","eventType":"OrderPlacedEvent","data":{{"customerId":"some-test-id-1","orderAmount":12345}}}}"#
            );
            event.expect("a string takes all of it");
        }
        body.push_str("]}");
        self.prove(Request::post_json(self.address, &path, &body))
    }

    /// Saves `count` batches of `events` events each, every one of an aggregate of its own.
    pub(crate) fn fill(
        &self,
        aggregate_type: &str,
        count: usize,
        events: usize,
    ) -> anyhow::Result<()> {
        let mut fill = Fill::open(self.address)?;
        (0..count).try_for_each(|number| {
            fill.publish(&mut self.save(aggregate_type, number, events), 0, 1)
        })
    }

    /// The bytes of the answer to `poll`, and what they say.
    pub(crate) fn told(&self, poll: &Request) -> anyhow::Result<(Vec<u8>, Page)> {
        let mut pages = Pages::open(self.address)?;
        let body = pages.fetch(poll)?.body().to_vec();
        let page = serde_json::from_slice(&body).context("not the page of a feed")?;
        Ok((body, page))
    }

    /// Fails unless `feed` has as many batches as were saved.
    pub(crate) fn must_hold(&self, feed: &str, batches: u64) -> anyhow::Result<()> {
        let request = self.prove(Request::get(self.address, "/serialized/feeds", JSON));
        let mut pages = Pages::open(self.address)?;
        let body = pages.fetch(&request)?.body().to_vec();
        let told: Feeds = serde_json::from_slice(&body).context("not a list of feeds")?;
        let feed = told.feeds.iter().find(|one| one.aggregate_type == feed);
        let held = feed.map_or(0, |feed| feed.batch_count);
        ensure!(
            held == batches,
            "{batches} batches were saved, and {held} are there"
        );
        Ok(())
    }

    fn prove(&self, request: Request) -> Request {
        match &self.key {
            None => request,
            Some((key_id, secret)) => request
                .with("serialized-access-key", key_id)
                .with("serialized-secret-access-key", secret),
        }
    }
}

/// A UUID with `number` in it.
fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}
