//! `feedwire init`, and what `feedwire serve` makes of a folder that it made.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::home::{Home, member, text, token};
use crate::process::{Process, Server, command, run};

fn mode(path: &Path) -> u32 {
    let found = fs::metadata(path).expect("it is there");
    found.permissions().mode() & 0o777
}

fn is_taken(server: &Server, token: &str) -> bool {
    server.run_as(token, &["feeds"]).code == Some(0)
}

#[test]
fn a_folder_is_initialised_once_and_its_key_is_its_owners_alone() {
    let home = Home::bare();
    let printed = home.init(&["--name", "me"]);
    let told = |name: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(name));
        line.expect("it is told").trim().to_owned()
    };
    let (key_id, secret) = (told("key id "), told("secret "));
    assert_eq!(told("token "), format!("fwk_{key_id}_{secret}"));
    assert_eq!(told("name "), "me");
    assert!(printed.contains("data.key: keep a copy"), "{printed}");
    assert_eq!((mode(&home.key()), mode(&home.data())), (0o600, 0o700));

    let key = fs::read(home.key()).expect("it is there");
    let words = home.init_complains(&[]);
    assert!(words.contains("initialised already"), "{words}");
    assert!(words.contains("--another-admin-key"), "{words}");
    assert_eq!(fs::read(home.key()).expect("it is there"), key);
    let server = home.serve(&[]);
    assert!(is_taken(&server, &told("token ")));
    let record = [
        "follow",
        "_audit",
        "--project",
        "_system",
        "--from",
        "start",
        "--until",
        "now",
    ];
    let record = server.run_as(&told("token "), &record).printed();
    assert!(
        record.contains(&key_id) && record.contains("feedwire init"),
        "{record}"
    );
    assert!(!record.contains(&secret), "{record}");
}

#[test]
fn what_was_interrupted_is_finished() {
    // Behind the first step: the key is there, and the folder knows nothing of it.
    let (other, home) = (Home::new(), Home::bare());
    fs::copy(other.key(), home.key()).expect("copied");
    let made = token(&home.init(&["--json"]));
    assert_eq!(fs::read(home.key()).ok(), fs::read(other.key()).ok());
    let server = home.serve(&[]);
    assert!(is_taken(&server, &made));
    // Behind the second: the folder knows its key, and there is no credential.
    let list = server.run_as(&made, &["key", "list", "--project", "_system", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list.printed()).expect("JSON");
    let key_id = list["credentials"][0]["key_id"].as_str().expect("a text");
    let revoke = ["key", "revoke", key_id, "--project", "_system"];
    server.run_as(&made, &revoke).printed();
    assert!(server.stop().success());
    let again = token(&home.init(&["--json"]));
    let server = home.serve(&[]);
    assert!(is_taken(&server, &again) && !is_taken(&server, &made));
}

#[test]
fn a_folder_that_was_served_before_keeps_its_events() {
    let home = Home::bare();
    let server = Server::start(&home.data());
    server.run(["publish", "f", "--type", "before"]).printed();
    assert!(server.stop().success());
    let made = token(&home.init(&["--json"]));
    let server = home.serve(&[]);
    let follow = ["follow", "f", "--from", "start", "--until", "now"];
    let printed = server.run_as(&made, &follow).printed();
    assert!(printed.contains("before"), "{printed}");
}

#[test]
fn with_the_key_in_the_environment_no_file_is_made_or_read() {
    let (other, home) = (Home::new(), Home::bare());
    let key = fs::read_to_string(other.key()).expect("it is there");
    let with_key = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("FEEDWIRE_MASTER_KEY", &key).arg("--data");
        command.arg(home.data());
        command
    };
    let made = token(&run(&mut with_key(&["init", "--json"])).printed());
    assert!(!home.key().exists());
    fs::write(home.key(), "no key").expect("written");
    let mut serve = with_key(&["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::of(Process::start(&mut serve));
    assert!(is_taken(&server, &made));
    assert!(server.stop().success());

    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--master-key-file",
        "key",
    ];
    let words = run(&mut with_key(&serve)).complained(1);
    assert!(words.contains("which one"), "{words}");
    let mut odd = with_key(&["serve", "--listen", "127.0.0.1:0"]);
    let words = run(odd.env("FEEDWIRE_MASTER_KEY", "secret-of-mine")).complained(1);
    assert!(words.contains("FEEDWIRE_MASTER_KEY"), "{words}");
    assert!(!words.contains("secret-of-mine"), "{words}");
}

#[test]
fn a_key_that_others_may_use_is_refused_with_what_mends_it() {
    let home = Home::new();
    for shared in [0o640, 0o604, 0o644, 0o620] {
        let permissions = Permissions::from_mode(shared);
        fs::set_permissions(home.key(), permissions).expect("it is ours");
        let words = home.serve_complains(&[]);
        let advice = format!("chmod 600 {}", text(&home.key()));
        assert!(words.contains(&advice), "{words}");
        assert!(home.init_complains(&[]).contains(&advice));
    }
    fs::set_permissions(home.key(), Permissions::from_mode(0o400)).expect("it is ours");
    assert!(home.serve(&[]).stop().success());
}

#[test]
fn each_reason_not_to_serve_a_folder_is_told_with_what_to_do() {
    let check = |home: &Home, options: &[&str], parts: &[&str]| {
        let words = home.serve_complains(options);
        for part in parts {
            assert!(words.contains(part), "{part} in {words}");
        }
    };
    let bare = Home::bare();
    let not_initialised = ["not initialised", "feedwire init --data ", "--dev"];
    check(&bare, &[], &not_initialised);
    assert!(!bare.data().exists(), "nothing is made");
    fs::create_dir(bare.data()).expect("made");
    check(&bare, &[], &not_initialised);
    let words = bare.init_complains(&["--master-key-file", "/nowhere/key"]);
    assert!(words.contains("cannot make the master key"), "{words}");

    let home = Home::new();
    let nowhere = ["--master-key-file", "/nowhere/key"];
    check(&home, &nowhere, &["/nowhere/key is not there"]);
    let inside = home.path("data/key");
    fs::copy(home.key(), &inside).expect("copied");
    let inside = ["--master-key-file", text(&inside)];
    check(&home, &inside, &["is in the data folder"]);
    fs::copy(Home::new().key(), home.key()).expect("copied");
    let other = "not the one that this store was made with";
    check(&home, &[], &["data.key", other]);
    fs::write(home.key(), "feedwire-master-key-1:x").expect("written");
    check(&home, &[], &["data.key holds no master key", "damaged"]);
    fs::remove_file(home.key()).expect("it is there");
    check(&home, &[], &["data.key is not there", "--master-key-file"]);
    assert!(home.init_complains(&[]).contains("data.key is not there"));
}

#[test]
fn another_admin_key_takes_the_master_key_and_a_server_that_is_stopped() {
    let home = Home::new();
    let server = home.serve(&[]);
    let words = home.init_complains(&["--another-admin-key"]);
    assert!(words.contains("another process"), "{words}");
    assert!(words.contains("feedwire key create"), "{words}");
    assert!(server.stop().success());
    let strange = Home::new();
    let strange_key = strange.key();
    let other_key = [
        "--another-admin-key",
        "--master-key-file",
        text(&strange_key),
    ];
    let words = home.init_complains(&other_key);
    assert!(words.contains("not the one"), "{words}");
    let another = token(&home.init(&["--another-admin-key", "--json"]));
    let server = home.serve(&[]);
    assert!(is_taken(&server, &another) && is_taken(&server, &home.token));
    let words = Home::bare().init_complains(&["--another-admin-key"]);
    assert!(words.contains("not initialised"), "{words}");
}

#[test]
fn a_master_key_that_is_replaced_leaves_credentials_and_no_secret() {
    let home = Home::new();
    let replace = ["--replace-master-key", "--json"];
    let words = home.init_complains(&replace);
    assert!(words.contains("move it away first"), "{words}");
    let server = home.serve(&[]);
    let create = ["key", "create", "--name", "shop", "--read", "f", "--json"];
    let printed = server.run(create).printed();
    let (key_id, before) = (member(&printed, "key_id"), token(&printed));
    assert!(server.stop().success());

    fs::remove_file(home.key()).expect("it is there");
    let admin = token(&home.init(&replace));
    let server = home.serve(&[]);
    assert!(!is_taken(&server, &home.token), "a secret of before");
    let rotate = ["key", "rotate", &key_id, "--json"];
    let after = token(&server.run_as(&admin, &rotate).printed());
    let follow = ["follow", "f", "--until", "now"];
    server.run_as(&before, &follow).complained(1);
    server.run_as(&after, &follow).printed();
    assert!(server.stop().success());

    // One that an interrupted run left is used.
    fs::copy(Home::new().key(), home.key()).expect("copied");
    let admin = token(&home.init(&replace));
    let server = home.serve(&[]);
    assert!(is_taken(&server, &admin));
    let words = Home::bare().init_complains(&replace);
    assert!(words.contains("not initialised"), "{words}");
}

#[test]
fn a_token_that_is_written_is_not_shown_and_takes_no_files_place() {
    let home = Home::bare();
    let file = home.path("admin.token");
    fs::write(&file, "other").expect("written");
    let options = ["--write-token", text(&file)];
    let words = home.init_complains(&options);
    assert!(words.contains("there is a file already"), "{words}");
    assert!(!home.key().exists(), "nothing is made before");
    fs::remove_file(&file).expect("it is there");
    let printed = home.init(&options);
    let token = fs::read_to_string(&file).expect("written");
    let secret = token.trim_end().splitn(3, '_').last().expect("a token");
    assert!(!printed.contains(secret), "{printed}");
    assert_eq!(mode(&file), 0o600);
    let server = home.serve(&[]);
    server.run(["feeds", "--token-file", text(&file)]).printed();
}

#[test]
fn with_dev_nobody_is_asked_and_that_is_said() {
    let home = Home::new();
    let server = home.serve(&["--dev"]);
    server.process.stdout.until("though there are some");
    assert_eq!(server.run_as("fwk_other", &["feeds"]).code, Some(0));
    assert!(server.stop().success());
    let server = home.serve(&[]);
    server
        .process
        .stdout
        .until("for those who have a credential");
    assert!(!is_taken(&server, "fwk_other"));
}

#[test]
fn whoever_asks_who_calls_may_be_reached_from_other_machines() {
    let certificates = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../feedwire-testkit/certificates/"
    );
    let file = |name: &str| format!("{certificates}{name}");
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let tls = ["--tls-cert", &certificate, "--tls-key", &key];
    for options in [&["--plaintext"][..], &["--behind-proxy"], &tls] {
        let home = Home::new();
        let server = home.serve(&[&["--listen", "0.0.0.0:0"], options].concat());
        let (scheme, port) = server
            .address
            .split_once("://0.0.0.0:")
            .expect("an address");
        let address = format!("{scheme}://127.0.0.1:{port}");
        let authority = file("authority.pem");
        let feeds = ["feeds", "--server", &address, "--ca-file", &authority];
        server.run(feeds).printed();
        server.run_as("fwk_other", &feeds).complained(1);
    }
}

#[test]
fn nothing_that_is_logged_is_secret() {
    let home = Home::new();
    let server = home.serve(&["--log", "trace"]);
    let printed = server
        .run(["key", "create", "--grant", "default:read,streams", "--json"])
        .printed();
    let tokens = [home.token.clone(), token(&printed)];
    let [_, theirs] = &tokens;
    assert!(is_taken(&server, theirs));
    let address = server.address.trim_start_matches("http://");
    for (line, headers, status) in [
        (
            format!("GET /v1/projects/default/feeds/f?token={theirs}"),
            String::new(),
            200,
        ),
        (
            format!("POST /validic/streams?token={theirs}"),
            String::new(),
            201,
        ),
        (
            format!("POST /validic/streams?token={theirs}x"),
            String::new(),
            403,
        ),
        (
            "POST /validic/streams".to_owned(),
            format!("token: {theirs}\r\n"),
            422,
        ),
    ] {
        let body = r#"{"name":"one"}"#;
        let mut client = TcpStream::connect(address).expect("it listens");
        let request = format!(
            "{line} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        client.write_all(request.as_bytes()).expect("it is read");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("it is answered");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    server.process.signal(rustix::process::Signal::TERM);
    let logged = server.process.stderr.rest().join("\n");
    assert!(logged.contains("stopped"), "{logged}");
    let key = fs::read_to_string(home.key()).expect("it is there");
    let (_, key) = key.trim_end().split_once(':').expect("a key");
    // A secret may have underscores, too.
    for secret in tokens
        .iter()
        .map(|token| token.splitn(3, '_').last().expect("a token"))
    {
        assert!(secret.len() > 40, "the whole of it");
        assert!(!logged.contains(secret), "a secret is logged");
    }
    assert!(!logged.contains(key), "the master key is logged");
}

#[test]
fn the_public_url_is_what_metadata_and_tokens_name() {
    let home = Home::new();
    let server = home.serve(&["--public-url", "https://feeds.example.com/"]);
    let address = server.address.trim_start_matches("http://");
    let mut client = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "GET /.well-known/oauth-authorization-server HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    );
    client.write_all(request.as_bytes()).expect("it is read");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it is answered");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    assert_eq!(member(body, "issuer"), "https://feeds.example.com");
    let mut odd = command([
        "serve",
        "--public-url",
        "https://feeds.example.com/api",
        "--data",
    ]);
    run(odd.arg(home.data())).complained(2);
}

#[test]
fn an_address_has_no_more_than_it_may() {
    let home = Home::new();
    let server = home.serve(&["--address-requests", "2"]);
    let address = server.address.trim_start_matches("http://");
    let mut client = TcpStream::connect(address).expect("it listens");
    let one = format!("GET /v1/projects HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let last = one.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    let requests = format!("{}{last}", one.repeat(20));
    client.write_all(requests.as_bytes()).expect("it is read");
    let mut answers = String::new();
    client.read_to_string(&mut answers).expect("it is answered");
    assert!(answers.contains("HTTP/1.1 401 "), "{answers}");
    assert!(answers.contains("HTTP/1.1 429 "), "{answers}");
    assert!(answers.contains(r#""limited":"address""#), "{answers}");
}
