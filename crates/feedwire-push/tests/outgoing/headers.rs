//! Which headers users may add.

use feedwire_push::{BadHeader, HEADER_BYTES_MAX, check_header};

#[test]
fn a_header_of_the_users_own_is_taken_and_kept_secret() {
    for (name, value) in [
        ("Authorization", "Bearer s3cret"),
        ("X-Api-Key", "s3cret"),
        ("User-Agent", "ours/1"),
        ("accept", ""),
        ("cookie", "a=b; c=d"),
    ] {
        let (header, kept) = check_header(name, value).expect(name);
        assert_eq!(header.as_str(), name.to_lowercase());
        assert_eq!(kept.as_bytes(), value.as_bytes());
        assert!(!format!("{kept:?}").contains("s3cret"));
    }
}

#[test]
fn what_says_how_and_what_is_sent_is_not_for_users() {
    for name in [
        "Host",
        "Content-Length",
        "transfer-encoding",
        "Connection",
        "Keep-Alive",
        "Upgrade",
        "HTTP2-Settings",
        "TE",
        "Trailer",
        "Expect",
        "Proxy-Authorization",
        "proxy-connection",
        "Content-Type",
        "content-encoding",
        "Webhook-Id",
        "webhook-signature",
        "webhook-anything",
        "ce-id",
        "CE-Source",
        "X-Dt-Signature",
    ] {
        let refused = check_header(name, "s3cret");
        assert!(
            matches!(refused, Err(BadHeader::Reserved(_))),
            "{name}: {refused:?}"
        );
    }
}

#[test]
fn a_header_that_is_none_is_refused_without_its_value() {
    let long = "x".repeat(HEADER_BYTES_MAX);
    for (name, value) in [
        ("", "s3cret"),
        ("X Key", "s3cret"),
        ("X-Key:", "s3cret"),
        ("X-K\u{e9}y", "s3cret"),
        (":authority", "s3cret"),
        ("X-Key\r\nHost", "s3cret"),
        ("X-Key", "s3cret\r\nHost: inside"),
        ("X-Key", "s3cret\n"),
        ("X-Key", "s3cret\0"),
        ("X-Key", "s3cret\u{e9}"),
        ("X-Key", " s3cret"),
        ("X-Key", "s3cret "),
        ("X-Key", "s3\tcret"),
        ("X-Key", &long),
        (&long, "s3cret"),
    ] {
        let refused = check_header(name, value).expect_err(name);
        assert!(!refused.to_string().contains("s3cret"), "{refused}");
        assert!(!format!("{refused:?}").contains("s3cret"), "{refused:?}");
    }
    let fits = "x".repeat(HEADER_BYTES_MAX - "X-Key".len());
    assert!(check_header("X-Key", &fits).is_ok());
}
