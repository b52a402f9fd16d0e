//! `feedwire listen`: a receiver on this machine, which prints what connectors push to it.

mod layout;
mod received;

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use feedwire_push::SigningSecret;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::received::Received;
use crate::output::say;
use crate::signals::Signals;
use crate::{listen, seams, webhook_secret};

const MANUAL: &str = "\
Listens on 127.0.0.1, prints each request with its body, and answers it with 200, or with what --status says: with 500 the \
connector's retries can be seen. With the connector's secret (--secret-file, FEEDWIRE_WEBHOOK_SECRET) it says of each whether it is \
signed by that; several secrets may be given, a line each. The server has to be let push to this machine: \
serve --push-allow-network 127.0.0.0/8 --push-allow-http.

It is for trying things: it prints what it is sent, and keeps nothing. It ends on Ctrl-C.

Examples:
  feedwire listen
  feedwire listen --port 9000 --secret-file billing.secret
  feedwire listen --port 9000 --status 500
  feedwire listen --json | jq .body

Exit codes: 0 ended as asked, 1 failed (stderr says why), 2 wrong usage.";

/// Largest body that is taken: more than any that is pushed.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most connections at once; others wait.
const CONNECTIONS_MAX: usize = 64;

/// Requests that are received and not yet printed: whoever reads slowly has them come slowly.
const UNPRINTED_MAX: usize = 16;

/// Receive what connectors push to this machine, and print it
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The port of 127.0.0.1; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// A file with what requests are signed by; it can also stand in the environment as `FEEDWIRE_WEBHOOK_SECRET`
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// What requests are answered with
    #[arg(long, value_name = "STATUS", default_value = "200")]
    status: Status,
    /// Print a line of JSON for each request
    #[arg(long)]
    json: bool,
}

/// The status of a final answer.
#[derive(Clone, Copy, Debug)]
struct Status(StatusCode);

impl std::str::FromStr for Status {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let status = text.parse::<StatusCode>().ok();
        let status = status.filter(|status| (200..=599).contains(&status.as_u16()));
        status.map(Self).ok_or("it is a number from 200 to 599")
    }
}

/// What answers requests.
struct Receiver {
    status: StatusCode,
    secrets: Vec<SigningSecret>,
    received: mpsc::Sender<Received>,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let secrets = secrets(webhook_secret::find(arguments.secret_file.as_deref())?)?;
    let mut signals = Signals::listen()?;
    let listener = listen::Address::port(arguments.port).bind();
    let listener = listener.with_context(|| format!("cannot listen on port {}", arguments.port))?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (sender, mut requests) = mpsc::channel(UNPRINTED_MAX);
    let receiver = Arc::new(Receiver {
        status: arguments.status.0,
        secrets,
        received: sender,
    });
    eprintln!("feedwire: listening at http://{}/", listener.local_addr()?);
    let printing = async {
        while let Some(received) = requests.recv().await {
            let text = if arguments.json {
                received.json()?
            } else {
                received.words()
            };
            say(&text)?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        printed = printing => printed?,
        accepted = accept(listener, receiver) => accepted?,
        _ = signals.next() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// The secrets in `text`, a line each.
fn secrets(text: Option<String>) -> anyhow::Result<Vec<SigningSecret>> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let read = text.split_whitespace().map(str::parse);
    let secrets: Vec<SigningSecret> = read.collect::<Result<_, _>>()?;
    if secrets.is_empty() {
        bail!("there is no secret in what was given as one");
    }
    Ok(secrets)
}

/// Serves whoever comes, until it is dropped.
async fn accept(listener: TcpListener, receiver: Arc<Receiver>) -> anyhow::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS_MAX {
            connections.join_next().await;
        }
        let (socket, _) = listener
            .accept()
            .await
            .context("cannot take a connection")?;
        let receiver = receiver.clone();
        let answer = service_fn(move |request| {
            let receiver = receiver.clone();
            async move { Ok::<_, Infallible>(receiver.answer(request).await) }
        });
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(socket), answer);
        connections.spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a connection broke"
                );
            }
        });
    }
}

impl Receiver {
    async fn answer(&self, request: Request<Incoming>) -> Response<Empty<Bytes>> {
        let mut answer = Response::new(Empty::new());
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            *answer.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return answer;
        };
        *answer.status_mut() = self.status;
        let now = seams::system().clock.now().as_micros() / 1_000_000;
        let body = body.to_bytes();
        let received = Received::new(&head, &body, &self.secrets, now, self.status);
        if self.received.send(received).await.is_err() {
            *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        answer
    }
}
