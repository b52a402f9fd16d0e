//! The address that clients call a server by, where it cannot know it.

use anyhow::{Context as _, bail};
use http::Uri;

/// A scheme, a host and maybe a port, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Reads it on the command line.
pub(crate) fn parse(text: &str) -> anyhow::Result<PublicUrl> {
    let example =
        "the address of a server is written as https://feeds.example.com, maybe with a port";
    let uri: Uri = text.parse().context(example)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        bail!(example);
    };
    if !matches!(scheme, "http" | "https") {
        bail!("a server is called by http:// or https://");
    }
    let after_host = authority.as_str().strip_prefix(authority.host());
    let has_port = after_host.is_some_and(|rest| rest.is_empty() || authority.port_u16().is_some());
    if authority.host().is_empty() || !has_port {
        bail!(example);
    }
    // What follows the host: the parser lets a fragment go unseen.
    if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
        bail!("the address of a server has nothing behind its host and port");
    }
    let authority = authority.as_str().to_ascii_lowercase();
    Ok(PublicUrl(format!("{scheme}://{authority}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_scheme_a_host_and_maybe_a_port() {
        let check = |text: &str, read: Option<&str>| {
            let url = parse(text).ok();
            assert_eq!(url.as_ref().map(PublicUrl::as_str), read, "{text}");
        };
        check(
            "https://feeds.example.com",
            Some("https://feeds.example.com"),
        );
        check(
            "https://Feeds.example.com/",
            Some("https://feeds.example.com"),
        );
        check("http://[::1]:7373", Some("http://[::1]:7373"));
        for odd in [
            "",
            "feeds.example.com",
            "ftp://feeds.example.com",
            "https://",
            "https://feeds.example.com/api",
            "https://feeds.example.com/?a",
            "https://feeds.example.com#a",
            "https://me:secret@feeds.example.com",
            "https://feeds.example.com:port",
            "https://feeds.example.com:70000",
        ] {
            check(odd, None);
        }
    }
}
