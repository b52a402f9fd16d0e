//! `serde_json` over the bytes of a batch: the least that a server does which takes no broken JSON.

use std::hint::black_box;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::clock;
use crate::load::Request;

/// Events a second on this core of a batch that is walked through (`IgnoredAny`), or split into its events (`RawValue`): the slower.
pub(crate) fn validated(batch: &Request, span: Duration) -> anyhow::Result<f64> {
    let ignored = rate(batch, span / 2, |body| {
        serde_json::from_slice::<Vec<IgnoredAny>>(body).map(|events| events.len())
    })?;
    let raw = rate(batch, span / 2, |body| {
        serde_json::from_slice::<Vec<&RawValue>>(body).map(|events| events.len())
    })?;
    Ok(ignored.min(raw))
}

fn rate(
    batch: &Request,
    span: Duration,
    read: impl Fn(&[u8]) -> serde_json::Result<usize>,
) -> anyhow::Result<f64> {
    let (start, mut events) = (clock::now(), 0);
    while start.elapsed() < span {
        events += read(black_box(batch.body()))?;
    }
    Ok(crate::figures::per_second(events as u64, start.elapsed()))
}
