//! https and tokens: certificates in files that are renewed, and what the commands are told of them.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::{TempDir, tempdir};

use crate::home::{Home, text};
use crate::process::{Server, command, run};

const AUTHORITY: &str = include_str!("../../../feedwire-testkit/certificates/authority.pem");
const SERVER: [&str; 2] = [
    include_str!("../../../feedwire-testkit/certificates/server.pem"),
    include_str!("../../../feedwire-testkit/certificates/server.key"),
];
const RENEWED: [&str; 2] = [
    include_str!("../../../feedwire-testkit/certificates/renewed.pem"),
    include_str!("../../../feedwire-testkit/certificates/renewed.key"),
];

/// A folder with the files of a server that speaks https.
struct Files {
    folder: TempDir,
    certificate: PathBuf,
    key: PathBuf,
    authority: PathBuf,
}

impl Files {
    fn new() -> Self {
        let folder = tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let files = Self {
            certificate: path("certificate.pem"),
            key: path("key.pem"),
            authority: path("authority.pem"),
            folder,
        };
        files.write(SERVER);
        fs::write(&files.authority, AUTHORITY).expect("written");
        files
    }

    fn write(&self, [certificate, key]: [&str; 2]) {
        fs::write(&self.certificate, certificate).expect("written");
        fs::write(&self.key, key).expect("written");
        fs::set_permissions(&self.key, Permissions::from_mode(0o600)).expect("it is ours");
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn server(&self, options: &[&str]) -> Server {
        let tls = [
            "--tls-cert",
            text(&self.certificate),
            "--tls-key",
            text(&self.key),
        ];
        let listen = ["--listen", "127.0.0.1:0"];
        Server::start_with(&self.data(), &[&listen[..], &tls, options].concat())
    }
}

#[test]
fn a_certificate_is_renewed_while_a_feed_is_followed() {
    let files = Files::new();
    let server = files.server(&[]);
    assert!(server.address.starts_with("https://"), "{}", server.address);
    server.process.stderr.until("2049-12-31");
    let authority = ["--ca-file", text(&files.authority)];
    let follow = server.spawn(&[&["follow", "f", "--from", "start"][..], &authority].concat());
    let publish = |kind: &str| {
        let event = ["publish", "f", "--type", kind];
        server.run([&event[..], &authority].concat()).printed();
    };
    publish("before");
    follow.stdout.until("before");
    fs::write(&files.certificate, RENEWED[0]).expect("written");
    server.process.signal(Signal::HUP);
    let words = server.process.stderr.until("stays the one that it was");
    assert!(words.contains("of another certificate"), "{words}");
    publish("between");
    files.write(RENEWED);
    server.process.signal(Signal::HUP);
    server.process.stderr.until("2100-01-01");
    publish("after");
    follow.stdout.until("between");
    follow.stdout.until("after");
    assert!(server.stop().success());
    follow.stderr.until("the server ended the stream");
}

#[test]
fn a_pair_that_cannot_be_used_is_refused_at_the_start_with_its_files() {
    let check = |prepare: &dyn Fn(&Files), parts: &[&str]| {
        let files = Files::new();
        prepare(&files);
        let mut serve = command(["serve", "--dev", "--listen", "127.0.0.1:0"]);
        serve.arg("--data").arg(files.data());
        serve.arg("--tls-cert").arg(&files.certificate);
        serve.arg("--tls-key").arg(&files.key);
        let words = run(&mut serve).complained(1);
        for part in parts {
            assert!(words.contains(part), "{part} in {words}");
        }
        assert!(!files.data().exists(), "nothing is made before");
    };
    let remove = |files: &Files| fs::remove_file(&files.key).expect("it is there");
    check(&remove, &["key.pem", "No such file"]);
    let mix = |files: &Files| files.write([SERVER[0], RENEWED[1]]);
    check(
        &mix,
        &["certificate.pem", "key.pem", "of another certificate"],
    );
    let empty = |files: &Files| files.write(["", SERVER[1]]);
    check(&empty, &["certificate.pem", "there is no certificate"]);
}

#[test]
fn a_key_that_everybody_may_read_is_served_and_warned_about() {
    let files = Files::new();
    fs::set_permissions(&files.key, Permissions::from_mode(0o644)).expect("it is ours");
    let server = files.server(&[]);
    let words = server.process.stderr.until("may read the key");
    assert!(words.contains("key.pem"), "{words}");
    assert!(server.stop().success());
}

#[test]
fn an_authority_that_is_not_named_is_not_trusted() {
    let files = Files::new();
    let server = files.server(&[]);
    // What this machine trusts is of no concern to the test.
    let stranger = files.folder.path().join("stranger.pem");
    let certificate = include_str!("../../../feedwire-testkit/certificates/stranger.pem");
    fs::write(&stranger, certificate).expect("written");
    let words = server
        .run(["feeds", "--ca-file", text(&stranger)])
        .complained(1);
    assert!(words.contains("--ca-file"), "{words}");
    let mut feeds = command(["feeds"]);
    feeds.env("FEEDWIRE_SERVER", &server.address);
    let told = run(feeds.env("SSL_CERT_FILE", &stranger)).complained(1);
    assert!(told.contains("--ca-file"), "{told}");
    let mut feeds = command(["feeds"]);
    feeds.env("FEEDWIRE_SERVER", &server.address);
    run(feeds.env("SSL_CERT_FILE", &files.authority)).printed();
}

#[test]
fn metrics_at_an_address_of_their_own_are_told_over_https_too() {
    let files = Files::new();
    let server = files.server(&["--metrics-listen", "127.0.0.1:0"]);
    server.process.stdout.until("metrics on https://127.0.0.1:");
    assert!(server.stop().success());
}

#[test]
fn what_is_open_to_everybody_says_so() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    server
        .process
        .stdout
        .until("open to every program of this machine");
    assert!(server.stop().success());
}

#[test]
fn behind_a_proxy_a_request_is_from_whom_the_proxy_names() {
    for (option, peer) in [
        ("--behind-proxy", "192.0.2.7"),
        ("--plaintext", "127.0.0.1"),
    ] {
        let home = Home::new();
        let server = home.serve(&[option, "--log", "feedwire_http=debug"]);
        let address = server.address.trim_start_matches("http://");
        let mut client = TcpStream::connect(address).expect("it listens");
        let request = format!(
            "GET /readyz?token=secret HTTP/1.1\r\nhost: {address}\r\nx-forwarded-for: 203.0.113.9, 192.0.2.7\r\n\r\n"
        );
        client.write_all(request.as_bytes()).expect("it is read");
        let line = server.process.stderr.until("answered");
        assert!(line.contains(&format!("peer={peer}")), "{line}");
        assert!(
            line.contains("/readyz") && !line.contains("secret"),
            "{line}"
        );
    }
}

#[test]
fn a_token_is_read_from_a_file_or_the_environment_and_never_shown() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let file = data.path().join("token");
    let ask = |token: &[u8], mode: u32| {
        fs::write(&file, token).expect("written");
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("it is ours");
        let ended = server.run(["feeds", "--token-file", text(&file)]);
        assert!(!ended.stderr.contains("secret"), "{ended:?}");
        ended
    };
    assert_eq!(ask(b"fwk_secret\n", 0o600).stderr, "");
    let warned = ask(b"fwk_secret\n", 0o644);
    assert!(warned.stderr.contains("may read the token"), "{warned:?}");
    warned.printed();
    let words = ask(b"secret of mine\n", 0o600).complained(1);
    assert!(words.contains("one word"), "{words}");
    ask(b"secret\xff", 0o600).complained(1);
    let elsewhere = |options: &[&str]| {
        let mut feeds = command(["feeds", "--server", "http://feedwire.invalid"]);
        run(feeds.args(options).env("FEEDWIRE_TOKEN", "fwk_secret")).complained(1)
    };
    let words = elsewhere(&[]);
    assert!(words.contains("--allow-plaintext-token"), "{words}");
    let words = elsewhere(&["--allow-plaintext-token"]);
    assert!(words.contains("cannot be reached"), "{words}");
    assert!(!words.contains("secret"), "{words}");
}
