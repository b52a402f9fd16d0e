//! What a connection's bytes go through: a socket as it is, or TLS over it.
//!
//! The clock for writes that nobody takes ([`Stall`]) runs at the socket in both cases, so that what counts is what the other end
//! takes, not what is encrypted for it.

use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::patience::Patience;
use crate::stall::Stall;

/// An open connection. TLS is boxed, so that one without it is not the larger for it.
pub(crate) type Transport = Either<Stall<TcpStream>, Box<TlsStream<Stall<TcpStream>>>>;

/// The patience with its other end.
pub(crate) fn patience(transport: &Transport) -> &Patience {
    match transport {
        Either::Left(socket) => socket.patience(),
        Either::Right(stream) => stream.get_ref().0.patience(),
    }
}

/// The socket beneath. What TLS has not handed out yet is lost.
pub(crate) fn into_socket(transport: Transport) -> TcpStream {
    let socket = match transport {
        Either::Left(socket) => socket,
        Either::Right(stream) => stream.into_inner().0,
    };
    socket.into_inner()
}
