//! `feedwire serve`: where it listens, whose folder it is, how it stops.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Command;

use rustix::process::Signal;
use tempfile::tempdir;

use crate::process::{Process, Server, command, run};

/// What `serve` says with these options, which are wrong usage.
fn misused(options: &[&str]) -> String {
    let data = tempdir().expect("a folder");
    let mut serve = command(["serve", "--data"]);
    run(serve.arg(data.path()).args(options)).complained(2)
}

#[test]
fn an_address_that_other_machines_reach_is_refused() {
    let check = |options: &[&str], part: &str| {
        for listen in ["--listen", "--metrics-listen"] {
            for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7373"] {
                let words = misused(&[&[listen, address], options].concat());
                assert!(words.contains(part), "{part} in {words}");
            }
        }
    };
    check(&[], "--tls-cert");
    check(&["--dev"], "--dev");
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let check = |options: &[&str], part: &str| {
        let words = misused(options);
        assert!(words.contains(part), "{part} in {words}");
    };
    let tls = ["--tls-cert", "certificate", "--tls-key", "key"];
    check(&tls[..2], "--tls-key");
    check(&tls[2..], "--tls-cert");
    check(&[&["--plaintext"], &tls[..]].concat(), "--plaintext");
    check(&["--plaintext", "--behind-proxy"], "--plaintext");
    check(&["--dev", "--plaintext"], "--dev");
    check(&["--dev", "--behind-proxy"], "--dev");
}

#[test]
fn a_file_is_said_to_be_no_folder() {
    let folder = tempdir().expect("a folder");
    let file = folder.path().join("data");
    std::fs::write(&file, "").expect("written");
    let mut serve = command(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]);
    let words = run(serve.arg(&file)).complained(1);
    assert!(words.contains("it is not a folder"), "{words}");
}

#[test]
fn a_second_process_on_the_folder_is_refused() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let mut second = command(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]);
    let words = run(second.arg(data.path())).complained(1);
    assert!(words.contains("another process"), "{words}");
    assert!(server.run(["feeds"]).printed().contains("no feed yet"));
}

#[test]
fn an_address_that_is_taken_is_said_to_be() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let data = tempdir().expect("a folder");
    let mut serve = command(["serve", "--dev", "--listen", &address, "--data"]);
    let words = run(serve.arg(data.path())).complained(1);
    assert!(
        words.contains(&address) && words.contains("--listen"),
        "{words}"
    );
}

#[test]
fn pages_of_the_origins_that_are_named_may_call() {
    let data = tempdir().expect("a folder");
    let origins = [
        "--cors-origin",
        "https://app.example.com",
        "--cors-origin",
        "http://localhost:5173",
    ];
    let options = [&["--listen", "127.0.0.1:0"][..], &origins].concat();
    let server = Server::start_with(data.path(), &options);
    let address = server.address.trim_start_matches("http://");
    let answer = get(address, "/readyz", "origin: http://localhost:5173\r\n");
    let allowed = "access-control-allow-origin: http://localhost:5173\r\n";
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains(allowed),
        "{answer}"
    );
}

/// The answer to a request with `headers`, head and all.
fn get(address: &str, path: &str, headers: &str) -> String {
    let mut client = TcpStream::connect(address).expect("it listens");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}connection: close\r\n\r\n");
    client.write_all(request.as_bytes()).expect("it is read");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it is answered");
    answer
}

#[test]
fn metrics_are_told_at_an_address_of_their_own_where_one_is_given() {
    let data = tempdir().expect("a folder");
    let any = "127.0.0.1:0";
    let server = Server::start_with(data.path(), &["--listen", any, "--metrics-listen", any]);
    let line = server.process.stdout.until("metrics on http://");
    let (_, rest) = line.split_once("http://").expect("it was looked for");
    let address = rest.strip_suffix("/metrics").expect("the whole address");
    server.run(["publish", "f", "--type", "t"]).printed();
    let answer = get(address, "/metrics", "");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for told in [
        "feedwire_published_events_total{project=\"default\"} 1\n",
        "feedwire_disk_free_bytes ",
        "process_resident_memory_bytes ",
    ] {
        assert!(answer.contains(told), "{told} in {answer}");
    }
    let main = server.address.trim_start_matches("http://");
    assert!(get(main, "/metrics", "").starts_with("HTTP/1.1 404 "));
    assert!(server.stop().success());
}

#[test]
fn an_origin_that_no_browser_would_send_is_refused() {
    let data = tempdir().expect("a folder");
    let mut serve = command([
        "serve",
        "--dev",
        "--cors-origin",
        "app.example.com",
        "--data",
    ]);
    let words = run(serve.arg(data.path())).complained(2);
    assert!(words.contains("https://app.example.com"), "{words}");
}

#[test]
fn a_missing_folder_is_made() {
    let folder = tempdir().expect("a folder");
    let data = folder.path().join("a").join("b");
    let server = Server::start(&data);
    assert!(data.is_dir());
    assert!(server.stop().success());
}

#[test]
fn sigterm_and_ctrl_c_end_it_with_exit_code_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let data = tempdir().expect("a folder");
        let server = Server::start(data.path());
        let follow = server.spawn(&["follow", "orders", "--from", "start"]);
        server
            .run(["publish", "orders", "--type", "placed"])
            .printed();
        follow.stdout.until("placed");
        server.process.signal(signal);
        assert!(server.process.ended().success());
        follow.stderr.until("the server ended the stream");
        follow.signal(signal);
        assert!(follow.ended().success());
    }
}

#[test]
fn a_second_signal_does_not_wait_for_requests_under_way() {
    let data = tempdir().expect("a folder");
    let server = Server::start_with(
        data.path(),
        &["--listen", "127.0.0.1:0", "--drain-timeout", "3600"],
    );
    let address = server.address.trim_start_matches("http://").to_owned();
    let mut slow = TcpStream::connect(&address).expect("it listens");
    let head = format!(
        "POST /v1/projects/default/feeds/f/events HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    slow.write_all(head.as_bytes()).expect("it is read");
    // Answered behind the slow one in the accept queue, so the slow one is under way.
    server.run(["feeds"]).printed();
    server.process.signal(Signal::TERM);
    server.process.stderr.until("stopping");
    server.process.signal(Signal::TERM);
    assert!(server.process.ended().success());
}

#[test]
fn a_socket_that_is_handed_over_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let data = tempdir().expect("a folder");
    // The protocol wants the socket as descriptor 3 and the process's own number in the environment.
    let script = r#"LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" serve --dev --data "$1" 3<&0"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_feedwire")]);
    let process = Process::start(shell.arg(data.path()).stdin(OwnedFd::from(listener)));
    let server = Server::of(process);
    assert_eq!(server.address, address);
    server.run(["publish", "f", "--type", "t"]).printed();
    assert!(server.stop().success());
}
