//! Which URLs are sent to, as far as their text says.

use feedwire_push::{BadUrl, Guard, URL_BYTES_MAX};

use crate::sender::guard;

#[test]
fn a_url_is_absolute_and_of_https_and_names_a_host_of_the_public_internet() {
    for url in [
        "https://feeds.example.com",
        "https://feeds.example.com/",
        "https://feeds.example.com:8443/events?key=value&x={y}",
        "https://FEEDS.example.com./a%20b",
        "https://xn--bcher-kva.example/",
        "https://my_receiver.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1]:8443/",
        "HTTPS://feeds.example.com/",
        "https://1password.example/",
    ] {
        assert!(Guard::default().check_url(url).is_ok(), "{url}");
    }
}

#[test]
fn what_is_wrong_with_a_url_is_told() {
    for (url, why) in [
        ("", BadUrl::Malformed),
        ("feeds", BadUrl::Relative),
        ("feeds.example.com/events", BadUrl::Malformed),
        ("/events", BadUrl::Relative),
        ("//feeds.example.com/events", BadUrl::Relative),
        ("https://", BadUrl::Relative),
        ("https:///events", BadUrl::Relative),
        ("https:feeds.example.com", BadUrl::Relative),
        ("http://feeds.example.com/", BadUrl::Http),
        ("ftp://feeds.example.com/", BadUrl::Scheme),
        ("file:///etc/passwd", BadUrl::Relative),
        ("gopher://127.0.0.1:6379/_SET", BadUrl::Scheme),
        ("https://user@feeds.example.com/", BadUrl::UserInfo),
        ("https://user:password@feeds.example.com/", BadUrl::UserInfo),
        ("https://8.8.8.8@127.0.0.1/", BadUrl::UserInfo),
        ("https://8.8.8.8\\@127.0.0.1/", BadUrl::UserInfo),
        ("https://a@b@feeds.example.com/", BadUrl::UserInfo),
        ("https://feeds.example.com/#part", BadUrl::Fragment),
        ("https://feeds.example.com#@127.0.0.1/", BadUrl::Fragment),
        ("https://feeds.example.com:0/", BadUrl::Port),
        ("https://feeds.example.com:/", BadUrl::Port),
        ("https://feeds.example.com:65536/", BadUrl::Port),
        ("https://feeds.example.com:+1/", BadUrl::Port),
        ("https://feeds.example.com:http/", BadUrl::Port),
        ("https://feeds.example.com/a b", BadUrl::Characters),
        ("https://feeds.example.com/\r\nx: y", BadUrl::Characters),
        (" https://feeds.example.com/", BadUrl::Characters),
        ("https://b\u{fc}cher.example/", BadUrl::Characters),
        ("https://feeds.example.com/\u{fc}", BadUrl::Characters),
        ("https://feeds..example.com/", BadUrl::Host),
        ("https://.example.com/", BadUrl::Host),
        ("https://./", BadUrl::Host),
        ("https://-feeds.example.com/", BadUrl::Host),
        ("https://feeds!.example.com/", BadUrl::Host),
        ("https://fe80::1/", BadUrl::Host),
        ("https://[fe80::1/", BadUrl::Host),
        ("https://[v1.fe80]/", BadUrl::Host),
        ("https://[127.0.0.1]/", BadUrl::Host),
        ("https://[fe80::1%eth0]/", BadUrl::Zone),
        ("https://[fe80::1%25eth0]/", BadUrl::Zone),
        ("https://2130706433/", BadUrl::Number),
        ("https://0x7f000001/", BadUrl::Number),
        ("https://0x7f.1/", BadUrl::Number),
        ("https://127.1/", BadUrl::Number),
        ("https://127.0.0.1./", BadUrl::Number),
        ("https://0177.0.0.1/", BadUrl::Number),
        ("https://127.0.0.0X1/", BadUrl::Number),
        ("https://1.2.3.4.5/", BadUrl::Number),
        ("https://256.256.256.256/", BadUrl::Number),
    ] {
        let checked = Guard::default().check_url(url);
        assert_eq!(
            checked.map(|target| target.to_string()),
            Err(why),
            "{url:?}"
        );
    }
}

#[test]
fn a_url_has_a_longest() {
    let base = "https://feeds.example.com/";
    let longest = format!("{base}{}", "x".repeat(URL_BYTES_MAX - base.len()));
    assert!(Guard::default().check_url(&longest).is_ok());
    assert_eq!(
        Guard::default().check_url(&format!("{longest}x")),
        Err(BadUrl::Long)
    );
    let label = "x".repeat(64);
    let long_label = format!("https://{label}.example/");
    assert_eq!(Guard::default().check_url(&long_label), Err(BadUrl::Host));
    let long_name = format!("https://{}example/", "abcdefg.".repeat(32));
    assert_eq!(Guard::default().check_url(&long_name), Err(BadUrl::Host));
}

#[test]
fn an_address_of_the_inside_is_told_before_anything_is_sent() {
    for (url, address) in [
        ("https://127.0.0.1/", "127.0.0.1"),
        ("https://10.0.0.1:8443/", "10.0.0.1"),
        (
            "https://169.254.169.254/latest/meta-data/",
            "169.254.169.254",
        ),
        ("https://[::1]/", "::1"),
        ("https://[::ffff:7f00:1]/", "::ffff:127.0.0.1"),
        ("https://[64:ff9b::7f00:1]/", "64:ff9b::7f00:1"),
        ("https://0.0.0.0/", "0.0.0.0"),
        ("https://localhost/", "127.0.0.1"),
        ("https://LOCALHOST./", "127.0.0.1"),
        ("https://feeds.localhost:8443/", "127.0.0.1"),
    ] {
        match Guard::default().check_url(url) {
            Err(BadUrl::Inside(inside)) => assert_eq!(inside.address.to_string(), address, "{url}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[test]
fn whoever_runs_the_server_can_let_in_http_and_networks() {
    let guard = guard(&["10.0.0.0/8", "::1/128"]);
    for url in [
        "http://feeds.example.com/",
        "https://10.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
    ] {
        assert!(guard.check_url(url).is_ok(), "{url}");
    }
    assert!(guard.check_url("http://127.0.0.1/").is_err());
}

#[test]
fn a_target_is_shown_without_what_may_be_secret_of_it() {
    let url = "https://feeds.example.com:8443/hooks/s3cret?key=s3cret";
    let target = Guard::default().check_url(url).expect("a URL");
    assert_eq!(target.to_string(), "https://feeds.example.com:8443");
    assert_eq!(
        format!("{target:?}"),
        "Target(https://feeds.example.com:8443)"
    );
}
