//! `feedwire serve`: the server.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytesize::ByteSize;
use clap::Args;
use feedwire_engine::Engine;
use feedwire_engine_local::Options;
use feedwire_http::{Origin, Peers, Tls};
use tokio_util::sync::CancellationToken;

use crate::callers;
use crate::certificate::{Files, Watched};
use crate::guard::{self, Guard};
use crate::listen::{self, Address, Reach};
use crate::output::say;
use crate::public_url::PublicUrl;
use crate::server::{Access, Listeners, OPEN_NOTICE, Server, Serving};
use crate::signals::Signals;
use crate::{data, master_key, pushing, seams};

const MANUAL: &str = "\
The folder holds everything but the master key: the log of each project and the store. `feedwire init` makes it, with the \
key and a first credential, and only one process at a time serves it. Once the server listens, stdout says where.

Whoever calls proves who they are by a credential (`feedwire key`, docs/access.md). The secrets of all of them are derived \
from the master key, which is in a file beside the folder that only its owner may read, in that of --master-key-file, or in \
the environment as FEEDWIRE_MASTER_KEY. With --dev nobody is asked: the server is open to every program of this machine, \
and the folder is made if it is not there.

Addresses that other machines reach are taken only where what is sent to them is protected: with --tls-cert and \
--tls-key, which make it speak https; with --behind-proxy, where a proxy in front does and the client's address is the \
last one in `X-Forwarded-For`; or with --plaintext, which says that tokens and events may travel readable.

Certificate and key are PEM files: the certificate first, then those that it is signed by. They are looked at every 10 \
seconds, and at once on SIGHUP; when they have changed, new connections are shown the new certificate and open ones go on. A \
pair that does not fit changes nothing, and the log says why. /metrics tells when it expires (docs/tls.md).

Ctrl-C and SIGTERM stop it in good order: no new connection is accepted, requests under way are answered, streams are \
ended so that their readers come back, and the folder is closed. After --drain-timeout, or at a second signal, it ends \
at once; what was acknowledged is on disk either way.

Browsers keep web pages of other origins out unless --cors-origin names theirs (CORS). With `*`, every page that is open \
in a browser of this machine can read and publish with --dev; without, what its user gives it a token for.

What an operator's monitoring reads is told at /metrics (docs/metrics.md), to those who administer the server. With \
--metrics-listen it is told at that address alone, to whoever reaches it, even when there are as many connections to the \
other as may be. With a certificate, it speaks https too.

Access tokens, which are got at /oauth2/token, are issued in the name of --public-url; when it is changed, those of before \
are no longer taken. A stream goes on when its token expires, unless --end-streams-with-tokens; it ends in any case when \
its credential is revoked, disabled, expires or may no longer do what it might. Streams of Disruptive's API end after \
--disruptive-lifetime, as with the vendor, and their clients come back at once. Validic's API makes at most --validic-streams \
streams in a project, which have at most --validic-members connections each when they are made. Aria's feeds tell times in \
--aria-zone; with --aria-close-delimited they are sent without chunks, which Aria's own client mistakes for events now and then.

What projects and credentials may take of the server is set with `feedwire project limits` and `feedwire key`. The limits \
of --address-requests and its like hold for each address, whoever calls from it, before anybody is asked for anything; of \
IPv6, each network of 64 bits is one address.

Events are refused while the disk has less than --min-free left (HTTP 507), and taken again when there is more. That room is for what makes some or keeps out who fills it: retention, erasures, projects and credentials are settled until 64 MiB are left. On a volume that is not much larger nothing could be published, and the log says so.

Connectors push to hosts of the public internet alone, by https, whoever makes them: not to addresses of this machine or of \
private networks, also where a name leads there. --push-allow-network and --push-allow-http let more in, and --push-ca-file \
the certificates of one's own authority (docs/concepts/connectors.md).

A listening socket that is handed over (LISTEN_FDS, as by systemd's socket units or `systemfd`) is served instead of \
--listen: then no connection is refused while the server is restarted.

Examples:
  feedwire serve --data ./data --dev
  feedwire init --data ./data && feedwire serve --data ./data
  feedwire serve --data /var/lib/feedwire --master-key-file /etc/feedwire/key --listen 0.0.0.0:443 \
    --tls-cert cert.pem --tls-key key.pem --public-url https://feeds.example.com --address-requests 100
  feedwire serve --data ./data --listen 10.0.0.5:7373 --behind-proxy --metrics-listen 127.0.0.1:9373
  feedwire serve --data /mnt/events --min-free 5GiB
  feedwire serve --data ./data --dev --listen '[::1]:8080' --log info,feedwire_http=debug
  feedwire serve --data ./data --dev --cors-origin https://app.example.com --cors-origin http://localhost:5173
  systemfd --no-pid -s http::127.0.0.1:7373 -- feedwire serve --data ./data

Exit codes: 0 stopped in good order, 1 failed (stderr says why), 2 wrong usage.";

const GUARDED_NOTICE: &str = "for those who have a credential";
const UNASKED_NOTICE: &str = "open to every program of this machine: whoever asks may read, publish and erase, for with --dev nobody is asked for a \
     credential, though there are some";

/// What the engine does where nothing else is said, in words.
const MIN_FREE: &str = "128MiB";

/// Serve the events in a folder over HTTP
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The folder that holds everything but the master key
    #[arg(long, env = "FEEDWIRE_DATA", value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    master_key: master_key::Options,
    /// Where to listen; port 0 is any that is free
    #[arg(
        long,
        env = "FEEDWIRE_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:7373"
    )]
    #[arg(value_parser = listen::parse)]
    listen: Address,
    /// Tell metrics at this address, and no longer at that of --listen
    #[arg(long, env = "FEEDWIRE_METRICS_LISTEN", value_name = "ADDRESS")]
    #[arg(value_parser = listen::parse)]
    metrics_listen: Option<Address>,
    /// Speak https, and show the certificate in this PEM file
    #[arg(
        long,
        env = "FEEDWIRE_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM and without a password
    #[arg(
        long,
        env = "FEEDWIRE_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// A proxy in front speaks https, and names each client last in `X-Forwarded-For`
    #[arg(long, conflicts_with_all = ["plaintext", "dev"])]
    behind_proxy: bool,
    /// Let tokens and events travel readable
    #[arg(long, conflicts_with_all = ["tls_cert", "dev"])]
    plaintext: bool,
    /// Be open to every program of this machine, and to nobody else
    #[arg(long)]
    dev: bool,
    /// How long a stop waits for requests under way, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    drain_timeout: Duration,
    /// Take no events that would leave less than this of the disk free; 0 is as little as can be
    #[arg(long, env = "FEEDWIRE_MIN_FREE", value_name = "SIZE", default_value = MIN_FREE)]
    min_free: ByteSize,
    /// Let web pages of this origin call, such as `https://app.example.com`; `*` is any. Can be repeated
    #[arg(long = "cors-origin", value_name = "ORIGIN")]
    cors_origins: Vec<Origin>,
    #[command(flatten)]
    pushing: pushing::Options,
    #[command(flatten)]
    callers: callers::Options,
}

impl Arguments {
    /// Whether it may listen where it is told to.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let mut addresses = [Some(self.listen), self.metrics_listen]
            .into_iter()
            .flatten();
        addresses.try_for_each(|address| self.reach().check(address))
    }

    fn reach(&self) -> Reach {
        if self.dev {
            Reach::Machine
        } else if self.tls_cert.is_some() || self.behind_proxy || self.plaintext {
            Reach::Network
        } else {
            Reach::Unprotected
        }
    }

    fn listeners(&self) -> anyhow::Result<Listeners> {
        let main = match listen::handed_over(self.reach())? {
            Some(listener) => listener,
            None => bind(self.listen, "--listen")?,
        };
        let metrics = self
            .metrics_listen
            .map(|address| bind(address, "--metrics-listen"));
        Ok(Listeners {
            main,
            metrics: metrics.transpose()?,
        })
    }

    fn certificate(&self) -> anyhow::Result<Option<Watched>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let files = Files::new(certificate.clone(), key.clone());
        files.open(seams::system().clock).map(Some)
    }

    /// Who may call, where nobody is asked it is `None`.
    fn guard(&self) -> anyhow::Result<Option<Guard>> {
        if self.dev {
            return Ok(None);
        }
        Guard::find(&self.data, &self.master_key).map(Some)
    }

    fn options(&self) -> Options {
        Options {
            min_free_bytes: self.min_free.0,
            ..Options::default()
        }
    }

    fn serving(self, access: Access, tls: Option<Tls>) -> Serving {
        Serving {
            access,
            aria: self.callers.aria(),
            address_limits: self.callers.address_limits(),
            tokens_end_readers: self.callers.end_streams_with_tokens,
            public_url: self.callers.public_url.map(PublicUrl::into_text),
            drain_timeout: self.drain_timeout,
            disruptive_lifetime: self.callers.disruptive_lifetime.0,
            validic: (
                self.callers.validic_streams.into(),
                self.callers.validic_members.into(),
            ),
            pushing: self.pushing,
            origins: self.cors_origins.into_iter().collect(),
            peers: if self.behind_proxy {
                Peers::BehindProxy
            } else {
                Peers::Direct
            },
            tls,
        }
    }
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let certificate = arguments.certificate()?;
    let listeners = arguments.listeners()?;
    let metrics = listeners.metrics.as_ref().map(TcpListener::local_addr);
    let metrics = metrics.transpose()?;
    let data = arguments.data.clone();
    let guard = arguments.guard()?;
    let engine = data::open(&data, arguments.options())?;
    let issuer = arguments.callers.public_url.as_ref().map(PublicUrl::as_str);
    let (access, notice) = access(guard, &*engine, issuer).await?;
    let serving = arguments.serving(access, certificate.as_ref().map(Watched::tls));
    let server = Server::open(engine, listeners, serving).await?;
    let renewing = renewing(certificate)?;
    say_where(&server, &data, metrics)?;
    say(notice)?;
    let stop = CancellationToken::new();
    let mut serving = pin!(server.serve(stop.clone()));
    let signal = tokio::select! {
        _ = &mut serving => bail!("the server ended without being asked to"),
        failed = renewing => return Err(failed),
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

/// Who may call, and what whoever starts the server is told of it.
async fn access(
    guard: Option<Guard>,
    engine: &dyn Engine,
    issuer: Option<&str>,
) -> anyhow::Result<(Access, &'static str)> {
    if let Some(guard) = guard {
        let auth = guard.open(engine, issuer).await?;
        return Ok((Access::Guarded(auth), GUARDED_NOTICE));
    }
    let has_credentials = guard::is_initialised(engine).await?;
    let notice = if has_credentials {
        UNASKED_NOTICE
    } else {
        OPEN_NOTICE
    };
    Ok((Access::Open { has_credentials }, notice))
}

/// Keeps the certificate what its files hold, where there is one; ends only where that fails.
fn renewing(
    certificate: Option<Watched>,
) -> anyhow::Result<impl Future<Output = anyhow::Error> + use<>> {
    let hangups = certificate.as_ref().map(|_| Signals::hangups());
    let hangups = hangups.transpose()?;
    Ok(async move {
        match certificate.zip(hangups) {
            Some((certificate, hangups)) => certificate.watch(hangups).await,
            None => std::future::pending().await,
        }
    })
}

fn say_where(server: &Server, data: &Path, metrics: Option<SocketAddr>) -> anyhow::Result<()> {
    let (data, scheme, address) = (data.display(), server.scheme(), server.address());
    say(&format!("serving {data} on {scheme}://{address}"))?;
    if let Some(address) = metrics {
        say(&format!("metrics on {scheme}://{address}/metrics"))?;
    }
    Ok(())
}

fn bind(address: Address, option: &str) -> anyhow::Result<TcpListener> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_that_events_leave_is_what_the_engine_would_choose() {
        let ByteSize(told) = MIN_FREE.parse().expect("a size");
        assert_eq!(told, Options::default().min_free_bytes);
    }
}
