//! What requests go over: TCP, and TLS over it where the address says https.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::CertificateError;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use crate::roots::Roots;

/// How long a connection may take to come about, its handshake included.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

type BoxError = Box<dyn StdError + Send + Sync>;

/// Makes connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    roots: Roots,
}

impl Connector {
    pub(crate) fn new(roots: Roots) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        // Parted among the addresses that a name has.
        tcp.set_connect_timeout(Some(CONNECT_WAIT));
        // It is asked for those of https too.
        tcp.enforce_http(false);
        Self { tcp, roots }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The one that was polled is the one that is called.
        let tcp = self.tcp.clone();
        let tcp = std::mem::replace(&mut self.tcp, tcp);
        let roots = self.roots.clone();
        Box::pin(async move {
            let connecting = connect(tcp, roots, uri);
            timeout(CONNECT_WAIT, connecting).await?
        })
    }
}

async fn connect(
    mut tcp: HttpConnector,
    roots: Roots,
    uri: Uri,
) -> Result<MaybeHttpsStream<TokioIo<TcpStream>>, BoxError> {
    if uri.scheme() == Some(&Scheme::HTTPS) {
        let config = roots.config().await?;
        HttpsConnector::from((tcp, config)).call(uri).await
    } else {
        Ok(MaybeHttpsStream::Http(tcp.call(uri).await?))
    }
}

/// Why a connection did not come about.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server's certificate is not one to trust.
    Untrusted(String),
    /// Something else, which may be otherwise the next time.
    Unreachable(String),
}

impl Failure {
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut innermost = error;
        loop {
            match innermost.downcast_ref() {
                Some(rustls::Error::InvalidCertificate(why)) => return Self::Untrusted(words(why)),
                Some(rustls::Error::InvalidMessage(_)) => {
                    let words =
                        "what answers there does not speak TLS: its address may begin with http://";
                    return Self::Unreachable(words.to_owned());
                }
                _ => {}
            }
            innermost = match cause(innermost) {
                Some(cause) => cause,
                // The layers around it only name themselves.
                None => return Self::Unreachable(innermost.to_string()),
            };
        }
    }
}

fn cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    // What an I/O error was made of is not what it calls its source, but stands before it.
    let within = error
        .downcast_ref()
        .and_then(io::Error::get_ref)
        .map(|inner| inner as &(dyn StdError + 'static));
    within.or_else(|| error.source())
}

fn words(why: &CertificateError) -> String {
    match why {
        // The last two are of one that has the name of an authority that is trusted, and not its key.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed by an authority that is not trusted here; one of your own has to be \
             named (--ca-file, Client::with_root_certificates)"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.join(", ");
            format!("it is for {names}: the server has to be called by that name")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired: it has to be renewed at the server".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: it is too new, or the clock here is wrong".to_owned()
        }
        other => other.to_string(),
    }
}
