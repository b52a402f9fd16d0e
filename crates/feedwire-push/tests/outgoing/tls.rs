//! https: which receivers are trusted, and what is said of the others.

use std::sync::Arc;

use feedwire_push::{Answer, Failure, Guard, RedirectFault, Roots, RootsError, Stage};
use feedwire_testkit::{AUTHORITY, Pair, STRANGER};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::receiver::{Receiver, Reply, Then};
use crate::sender::{NAME, Sender, guard};

/// What shows the certificate of `pair`, and speaks HTTP/1.1 alone.
fn showing(pair: Pair) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("a key");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for all")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key)
        .expect("a pair");
    // Who offers something else is told so.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn receiver(pair: Pair, reply: Reply) -> Receiver {
    Receiver::start_with(vec![reply.clone(), reply], Some(showing(pair))).await
}

fn inside() -> Guard {
    Guard {
        http: false,
        ..guard(&["127.0.0.0/8"])
    }
}

/// Sends to `host`, trusting `authority`.
async fn send(receiver: &Receiver, host: &str, authority: &str) -> Result<Answer, Failure> {
    let sender = Sender::with(inside(), authority);
    let url = format!("https://{host}:{}/", receiver.port);
    let mut delivery = sender.delivery(&url);
    delivery.redirects = 1;
    sender.outgoing.send(delivery).await
}

#[tokio::test]
async fn a_receiver_of_an_authority_that_was_added_is_trusted() {
    let receiver = receiver(Pair::SERVER, Reply::status("200 OK")).await;
    let answer = send(&receiver, "127.0.0.1", AUTHORITY).await;
    assert_eq!(answer.expect("an answer").status, 200);
    assert_eq!(receiver.seen()[0].body, b"{\"n\":1}");
}

/// A name that ends in a dot is the same name, written in full; certificates have it without.
#[tokio::test]
async fn a_name_in_full_is_held_against_the_certificate_as_without_its_dot() {
    let receiver = receiver(Pair::SERVER, Reply::status("200 OK")).await;
    let answer = send(&receiver, "localhost.", AUTHORITY).await;
    assert_eq!(answer.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_receiver_that_is_not_trusted_is_told_nothing_and_why_is_said() {
    for (pair, host, authority, word) in [
        (Pair::SERVER, "127.0.0.1", STRANGER, "--push-ca-file"),
        (Pair::SERVER, NAME, AUTHORITY, "localhost"),
        (Pair::SERVER, "127.0.0.2", AUTHORITY, "127.0.0.1"),
        (Pair::ELSEWHERE, "127.0.0.1", AUTHORITY, "feeds.example.org"),
        (Pair::EXPIRED, "127.0.0.1", AUTHORITY, "expired"),
    ] {
        let receiver = receiver(pair, Reply::status("200 OK")).await;
        match send(&receiver, host, authority).await {
            Err(Failure::Untrusted(words)) => assert!(words.contains(word), "{words}"),
            other => panic!("{host}: {other:?}"),
        }
        assert_eq!(receiver.connections(), 1);
        assert_eq!(receiver.seen().len(), 0);
    }
}

#[tokio::test]
async fn what_does_not_speak_tls_is_told_so() {
    let text = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    for (text, then) in [(text, Then::Next), ("", Then::Close)] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let sender = Sender::with(inside(), AUTHORITY);
        let delivery = sender.delivery(&format!("https://127.0.0.1:{port}/"));
        let answering = async {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut hello = [0; 5];
            socket.read_exact(&mut hello).await.expect("a greeting");
            socket.write_all(text.as_bytes()).await.expect("it reads");
            (then == Then::Next).then_some(socket)
        };
        let (sent, _socket) = tokio::join!(sender.outgoing.send(delivery), answering);
        assert!(matches!(sent, Err(Failure::Handshake(_))), "{sent:?}");
    }
}

// Time is paused: nothing but the limit of the sender ends the wait.
#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_the_handshake_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let sender = Sender::with(inside(), AUTHORITY);
    let delivery = sender.delivery(&format!("https://127.0.0.1:{port}/"));
    let sent = sender.outgoing.send(delivery).await;
    assert_eq!(sent, Err(Failure::TimedOut(Stage::Securing)));
}

#[tokio::test]
async fn a_redirect_does_not_lead_out_of_tls() {
    let plain = Receiver::start(vec![Reply::status("200 OK")]).await;
    for scheme in ["http", "HTTP"] {
        let location = format!("location: {scheme}://127.0.0.1:{}/\r\n", plain.port);
        let reply = Reply::with("307 Temporary Redirect", &location);
        let receiver = receiver(Pair::SERVER, reply).await;
        let sender = Sender::with_guard(guard(&["127.0.0.0/8"]));
        let mut delivery = sender.delivery(&format!("https://127.0.0.1:{}/", receiver.port));
        delivery.redirects = 3;
        match sender.outgoing.send(delivery).await {
            Err(Failure::Redirected { fault, .. }) => assert_eq!(fault, RedirectFault::Downgrade),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(plain.connections(), 0);
}

#[tokio::test]
async fn a_redirect_may_lead_into_tls() {
    let secured = receiver(Pair::SERVER, Reply::status("200 OK")).await;
    let location = format!("location: https://127.0.0.1:{}/\r\n", secured.port);
    let plain = Receiver::start(vec![Reply::with("307 Temporary Redirect", &location)]).await;
    let sender = Sender::with_guard(guard(&["127.0.0.0/8"]));
    let mut delivery = sender.delivery(&format!("http://127.0.0.1:{}/", plain.port));
    delivery.redirects = 1;
    assert!(sender.outgoing.send(delivery).await.is_ok());
    // Another scheme is another origin.
    assert_eq!(plain.seen()[0].header("x-password"), Some("swordfish"));
    assert_eq!(secured.seen()[0].header("x-password"), None);
}

#[test]
fn what_holds_no_authority_is_not_taken_for_one() {
    for text in ["", "an authority", Pair::SERVER.key] {
        let refused = Roots::system_and(text.as_bytes());
        assert!(matches!(refused, Err(RootsError::Empty)), "{refused:?}");
    }
    let cut = &AUTHORITY[..AUTHORITY.len() / 2];
    let refused = Roots::system_and(cut.as_bytes());
    assert!(matches!(refused, Err(RootsError::Pem(_))), "{refused:?}");
    assert!(Roots::system_and(AUTHORITY.as_bytes()).is_ok());
}
