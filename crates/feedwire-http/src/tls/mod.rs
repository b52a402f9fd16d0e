//! TLS at the listeners: what is shown to clients, and how a connection comes about.

mod acceptor;
mod certificate;
mod expiry;
mod handshake;

pub use acceptor::Tls;
pub use certificate::{Certificate, CertificateError};
pub(crate) use handshake::shake;
