//! `feedwire serve`: the server.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_http::Origin;
use tokio_util::sync::CancellationToken;

use crate::data;
use crate::listen::{self, Loopback};
use crate::output::say;
use crate::server::{Listeners, Server};
use crate::signals::Signals;

const MANUAL: &str = "\
The folder holds everything: the log of each project and the store. It is made if it is not there, and only one process \
at a time serves it. Once the server listens, stdout says where.

Until there is authentication, only addresses of this machine are taken (127.0.0.1, [::1], localhost).

Ctrl-C and SIGTERM stop it in good order: no new connection is accepted, requests under way are answered, streams are \
ended so that their readers come back, and the folder is closed. After --drain-timeout, or at a second signal, it ends \
at once; what was acknowledged is on disk either way.

Browsers keep web pages of other origins out unless --cors-origin names theirs (CORS). With `*`, every page that is open \
in a browser of this machine can read and publish, until there is authentication.

What an operator's monitoring reads is told at /metrics (docs/metrics.md). With --metrics-listen it is told at that \
address alone, which answers even when there are as many connections to the other as may be.

A listening socket that is handed over (LISTEN_FDS, as by systemd's socket units or `systemfd`) is served instead of \
--listen: then no connection is refused while the server is restarted.

Examples:
  feedwire serve --data /var/lib/feedwire
  feedwire serve --data ./data --metrics-listen 127.0.0.1:9373
  feedwire serve --data ./data --listen '[::1]:8080' --log info,feedwire_http=debug
  feedwire serve --data ./data --cors-origin https://app.example.com --cors-origin http://localhost:5173
  systemfd --no-pid -s http::127.0.0.1:7373 -- feedwire serve --data ./data

Exit codes: 0 stopped in good order, 1 failed (stderr says why), 2 wrong usage.";

/// Serve the events in a folder over HTTP
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The folder that holds everything; made if it is not there
    #[arg(long, env = "FEEDWIRE_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Where to listen; port 0 is any that is free
    #[arg(
        long,
        env = "FEEDWIRE_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:7373"
    )]
    #[arg(value_parser = listen::parse)]
    listen: Loopback,
    /// Tell metrics at this address, and no longer at that of --listen
    #[arg(long, env = "FEEDWIRE_METRICS_LISTEN", value_name = "ADDRESS")]
    #[arg(value_parser = listen::parse)]
    metrics_listen: Option<Loopback>,
    /// How long a stop waits for requests under way, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    drain_timeout: Duration,
    /// Let web pages of this origin call, such as `https://app.example.com`; `*` is any. Can be repeated
    #[arg(long = "cors-origin", value_name = "ORIGIN")]
    cors_origins: Vec<Origin>,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let main = listener(arguments.listen)?;
    let metrics = arguments
        .metrics_listen
        .map(|address| bind(address, "--metrics-listen"));
    let metrics = metrics.transpose()?;
    let metrics_address = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
    let listeners = Listeners { main, metrics };
    let engine = data::open(&arguments.data)?;
    let origins = arguments.cors_origins.into_iter().collect();
    let server = Server::open(engine, listeners, arguments.drain_timeout, origins).await?;
    let (data, address) = (arguments.data.display(), server.address());
    say(&format!("serving {data} on http://{address}"))?;
    if let Some(address) = metrics_address {
        say(&format!("metrics on http://{address}/metrics"))?;
    }
    let stop = CancellationToken::new();
    let mut serving = pin!(server.serve(stop.clone()));
    let signal = tokio::select! {
        _ = &mut serving => bail!("the server ended without being asked to"),
        signal = signals.next() => signal,
    };
    tracing::info!(signal, "stopping; a second signal ends at once");
    stop.cancel();
    tokio::select! {
        stopped = serving => tracing::info!(cut_off = stopped.cut_off, "stopped"),
        second = signals.next() => tracing::warn!(signal = second, "ended at once"),
    }
    Ok(ExitCode::SUCCESS)
}

fn listener(address: Loopback) -> anyhow::Result<TcpListener> {
    if let Some(listener) = listen::handed_over()? {
        return Ok(listener);
    }
    bind(address, "--listen")
}

fn bind(address: Loopback, option: &str) -> anyhow::Result<TcpListener> {
    address.bind().map_err(|error| {
        let taken = error.kind() == io::ErrorKind::AddrInUse;
        let words = format!("cannot listen on {address}");
        let advice = if taken {
            format!(": another program does; choose another with {option}")
        } else {
            String::new()
        };
        anyhow::Error::new(error).context(words + &advice)
    })
}

fn seconds(text: &str) -> anyhow::Result<Duration> {
    let seconds: f64 = text.trim_end_matches('s').parse()?;
    Duration::try_from_secs_f64(seconds).context("a span of time is not negative")
}
