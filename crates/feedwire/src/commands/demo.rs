//! `feedwire demo`: a server in a temporary folder, with real events coming in.

use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use feedwire_client::Client;
use feedwire_core::RateLimits;
use feedwire_engine_local::Options;
use feedwire_http::{Aria, Limits, Origins, Peers};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::data;
use crate::flights::{self, Flight, PLANES, Plane};
use crate::listen::Address;
use crate::output::say;
use crate::pushing;
use crate::server::{Access, Listeners, OPEN_NOTICE, Server, Serving};
use crate::signals::Signals;

const MANUAL: &str = "\
Starts a server on 127.0.0.1 with its events in a temporary folder, which is removed at the end. It is open to every \
program of this machine. Real events are published to it over HTTP, as any application would: departures, arrivals and \
cancellations of flights from New York's airports in 2013 to the feed `flights`, and the hourly weather there to the \
feed `weather`. What departs and arrives are planes, whose states are put to the feed `planes`. After the last event it starts over with the first.

Examples:
  feedwire demo
  feedwire demo --rate 500

Exit codes: 0 ended by Ctrl-C, 1 failed (stderr says why), 2 wrong usage.";

/// The port that is tried first.
const PORT: u16 = 7373;
/// How many events are there from the start, so that there is something to page through.
const LOADED_EVENTS: usize = 5_000;
/// How long the load may take: with a slow disk there is less to page through.
const LOAD_TIME: Duration = Duration::from_secs(3);
/// How many events a batch of the load has at most. A page does not split a batch, and the first one asked for is small.
const LOAD_BATCH: usize = 3;
/// How long the end waits for requests under way: nobody depends on a demo.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Show Feedwire at work: a server in a temporary folder with real events
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// How many events to publish in a second
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let limits = Limits::default();
    let folder = tempfile::Builder::new().prefix("feedwire-demo-").tempdir();
    let folder = folder.context("cannot make a temporary folder")?;
    // There is nothing to settle that the disk of a demo would have to have room for.
    let options = Options {
        min_free_bytes: 0,
        ..Options::default()
    };
    let server = Server::open(
        data::open(folder.path(), options)?,
        Listeners {
            main: listener()?,
            metrics: None,
        },
        Serving {
            access: Access::Open {
                has_credentials: false,
            },
            drain_timeout: DRAIN_TIMEOUT,
            disruptive_lifetime: limits.disruptive_lifetime,
            validic: (limits.validic_streams_max, limits.validic_members_max),
            aria: Aria::default(),
            pushing: pushing::Options::to_this_machine(),
            origins: Origins::default(),
            peers: Peers::Direct,
            tls: None,
            address_limits: RateLimits::default(),
            public_url: None,
            tokens_end_readers: false,
        },
    )
    .await?;
    let address = format!("http://{}", server.address());
    let client = Client::new(&address)?;
    let stop = CancellationToken::new();
    let mut serving = pin!(server.serve(stop.clone()));
    let ended = tokio::select! {
        _ = &mut serving => Err(anyhow!("the server ended without being asked to")),
        failed = publish(&client, &address, arguments.rate) => failed.context("cannot publish"),
        _ = signals.next() => Ok(()),
    };
    if ended.is_ok() {
        stop.cancel();
        tokio::select! {
            _ = serving => {}
            _ = signals.next() => {}
        }
    }
    folder
        .close()
        .context("cannot remove the temporary folder")?;
    ended.map(|()| ExitCode::SUCCESS)
}

fn listener() -> anyhow::Result<TcpListener> {
    let bound = match Address::port(PORT).bind() {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Address::port(0).bind(),
        bound => bound,
    };
    bound.context("cannot listen on 127.0.0.1")
}

/// Publishes a part of the events at once and then one after the other, over and over.
async fn publish(client: &Client, address: &str, rate: u32) -> anyhow::Result<()> {
    let flights = flights::all().context("the events of the demo cannot be read")?;
    let loaded = load(client, &flights[..flights.len().min(LOADED_EVENTS)]).await?;
    let planes = flights[..loaded].iter().filter_map(Flight::plane);
    let lines: String = planes.map(Plane::line).collect();
    client
        .put_entities(PLANES)
        .upload(lines.as_bytes(), |_| {})
        .await?;
    say(&welcome(address, loaded, rate))?;
    let mut beat = tokio::time::interval(Duration::from_secs(1) / rate);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for flight in flights.iter().cycle().skip(loaded) {
        beat.tick().await;
        let publish = client.publish(flight.feed());
        // Both at once: the disk is asked once for them.
        let (published, put) = tokio::join!(publish.json(flight.line()), put(client, flight));
        published?;
        put?;
    }
    Ok(())
}

/// Says how the plane is that `flight` is about, where it says that.
async fn put(client: &Client, flight: &Flight) -> anyhow::Result<()> {
    if let Some(Plane { subject, put }) = flight.plane() {
        client.entity(PLANES, &subject).put(&put).await?;
    }
    Ok(())
}

/// Publishes `flights` in their order in small batches; how many were published before the time was over.
async fn load(client: &Client, flights: &[Flight]) -> anyhow::Result<usize> {
    let deadline = Instant::now() + LOAD_TIME;
    let mut loaded = 0;
    for run in flights.chunk_by(|one, next| one.feed() == next.feed()) {
        for batch in run.chunks(LOAD_BATCH) {
            if Instant::now() >= deadline {
                return Ok(loaded);
            }
            let lines: Vec<_> = batch.iter().map(Flight::line).collect();
            client
                .publish(batch[0].feed())
                .lines(lines.concat())
                .await?;
            loaded += batch.len();
        }
    }
    Ok(loaded)
}

fn welcome(address: &str, loaded: usize, rate: u32) -> String {
    let feed = format!("{address}/v1/projects/default/feeds/flights");
    // As it was called: it need not be in the shell's path.
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "feedwire".to_owned());
    let server = match address.strip_suffix(&format!(":{PORT}")) {
        Some(_) => String::new(),
        None => format!(" --server {address}"),
    };
    format!(
        "\
Feedwire serves {address}. It has {loaded} events; {rate} more come every second.
It is {OPEN_NOTICE}.
In another terminal, try

  a page, with the cursor to ask for the next one
    curl '{feed}?limit=3'
  what comes from here on, as a browser's EventSource reads it
    curl -N -H 'Accept: text/event-stream' {feed}
  every cancelled flight so far, an event a line
    curl -H 'Accept: application/x-ndjson' '{feed}?from=start&until=now&types=flight.cancelled'
  the same for people, with reconnect
    {program} follow flights{server}
  everything, with the place kept in a file: interrupt it and go on
    {program} follow _all{server} --from start --json --cursor-file demo.cursor
  how every plane is, and then how they change
    {program} follow planes{server} --from state
  those that are late, as they are now
    {program} get planes{server} --filter 'data.delay > 60'
  an event of your own, and the counts
    {program} publish flights{server} --type flight.delayed --subject N14228 --data '{{\"minutes\":20}}'
    {program} feeds{server}

Ctrl-C ends the demo and removes its events."
    )
}
