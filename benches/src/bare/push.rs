//! A bare hyper client: as many requests of the same size as a connector sends, to the same receiver, and nothing behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use crate::arguments::Push;

type Sender = Client<HttpConnector, Full<Bytes>>;

/// What a head of these requests has beside the address and the length.
const HEAD: &str = "POST / HTTP/1.1\r\nhost: \r\ncontent-length: \r\n\r\n";

pub(crate) fn run(push: &Push) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Sender = Client::builder(TokioExecutor::new()).build(connector);
        let address = push.address.to_string();
        let uri: Uri = format!("http://{address}/").parse().context("no URL")?;
        let digits = push.bytes.checked_ilog10().unwrap_or(0) as usize + 1;
        let head = HEAD.len() + address.len() + digits;
        let body = Bytes::from(vec![b'x'; push.bytes.saturating_sub(head)]);
        let left = Arc::new(AtomicU64::new(push.requests));
        let senders = (0..push.in_flight)
            .map(|_| send(client.clone(), uri.clone(), body.clone(), left.clone()));
        let mut senders: JoinSet<anyhow::Result<()>> = senders.collect();
        while let Some(sent) = senders.join_next().await {
            sent??;
        }
        Ok(())
    })
}

/// Sends one request after the other while any are left.
async fn send(client: Sender, uri: Uri, body: Bytes, left: Arc<AtomicU64>) -> anyhow::Result<()> {
    let take_one = |left: u64| left.checked_sub(1);
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one)
        .is_ok()
    {
        let request = Request::post(uri.clone()).body(Full::new(body.clone()))?;
        let answer = client.request(request).await?;
        ensure!(answer.status().is_success(), "refused: {}", answer.status());
    }
    Ok(())
}
