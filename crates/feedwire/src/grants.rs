//! Options that say what a credential may do, and the words for it.

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_client::CredentialGrant;
use serde_json::Value;

/// What the rights are called that have options of their own.
const PUBLISH: &str = "publish";
const READ: &str = "read";
const ADMIN: &str = "admin";
/// Every feed.
const EVERY: &str = "*";
/// The members that a grant in JSON has; one that is misspelled would grant more than was meant.
const MEMBERS: [&str; 5] = ["project", "rights", "feeds", "subjects", "labels"];

/// What a credential may do.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Read these feeds of the project: `orders`, `shipments.*`, `*` for all. Can be repeated
    #[arg(long, value_name = "FEED", value_delimiter = ',')]
    read: Vec<String>,
    /// Publish to these feeds of the project. Can be repeated
    #[arg(long, value_name = "FEED", value_delimiter = ',')]
    publish: Vec<String>,
    /// Do everything in the project
    #[arg(long, conflicts_with_all = ["read", "publish"])]
    admin: bool,
    /// Only what is about this subject, with --read and --publish. Can be repeated
    #[arg(long = "subject", value_name = "SUBJECT", conflicts_with = "admin")]
    subjects: Vec<String>,
    /// Only what is about subjects that have this label now, `key` or `key=value`. Repeated: that have all of them
    #[arg(long = "label", value_name = "LABEL", conflicts_with_all = ["admin", "subjects"])]
    labels: Vec<String>,
    /// What else, in a project or in several: PROJECT:RIGHTS, PROJECT:RIGHTS:FEEDS, or a grant in JSON. Can be repeated
    #[arg(long = "grant", value_name = "GRANT", value_parser = parse)]
    grants: Vec<CredentialGrant>,
}

impl Options {
    /// What is granted, where the project is `project`; nothing if no option says something.
    pub(crate) fn grants(&self, project: &str) -> anyhow::Result<Vec<CredentialGrant>> {
        let own = self.own(project)?;
        Ok(own.into_iter().chain(self.grants.clone()).collect())
    }

    /// The grant in `project` that the simple options are.
    fn own(&self, project: &str) -> anyhow::Result<Option<CredentialGrant>> {
        let (read, publish) = (feeds(&self.read), feeds(&self.publish));
        let (rights, feeds) = match (read, publish) {
            _ if self.admin => (vec![ADMIN], Vec::new()),
            (Some(read), Some(publish)) if read == publish => (vec![PUBLISH, READ], read),
            (Some(_), Some(_)) => bail!(
                "a credential has the same feeds of a project to read and to publish to: make one credential to read and \
                 another to publish"
            ),
            (Some(read), None) => (vec![READ], read),
            (None, Some(publish)) => (vec![PUBLISH], publish),
            (None, None) if self.subjects.is_empty() && self.labels.is_empty() => return Ok(None),
            (None, None) => bail!("--subject and --label are for --read and --publish"),
        };
        Ok(Some(CredentialGrant {
            project: project.to_owned(),
            rights: rights.into_iter().map(str::to_owned).collect(),
            feeds,
            subjects: self.subjects.clone(),
            labels: self.labels.clone(),
        }))
    }
}

/// The feeds that were given, in order; no feeds are every one.
fn feeds(given: &[String]) -> Option<Vec<String>> {
    if given.is_empty() {
        return None;
    }
    if given.iter().any(|feed| feed == EVERY) {
        return Some(Vec::new());
    }
    let mut feeds = given.to_vec();
    feeds.sort();
    feeds.dedup();
    Some(feeds)
}

/// Reads a grant on the command line.
fn parse(text: &str) -> anyhow::Result<CredentialGrant> {
    if text.starts_with('{') {
        return parse_json(text);
    }
    let parts: Vec<_> = text.split(':').collect();
    let (project, rights, feeds) = match parts[..] {
        [project, rights] => (project, rights, EVERY),
        [project, rights, feeds] => (project, rights, feeds),
        _ => bail!(
            "a grant is written as PROJECT:RIGHTS:FEEDS, such as acme:read:orders, or in JSON"
        ),
    };
    let list = |text: &str| {
        let words = text.split(',').filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let (rights, given) = (list(rights), list(feeds));
    if project.is_empty() || rights.is_empty() || given.is_empty() {
        bail!("a grant names a project, rights and feeds: acme:read:orders");
    }
    Ok(CredentialGrant {
        project: project.to_owned(),
        rights,
        feeds: self::feeds(&given).unwrap_or_default(),
        ..CredentialGrant::default()
    })
}

fn parse_json(text: &str) -> anyhow::Result<CredentialGrant> {
    let grant: Value =
        serde_json::from_str(text).context("a grant is JSON, or PROJECT:RIGHTS:FEEDS")?;
    let mut members = grant.as_object().into_iter().flat_map(|grant| grant.keys());
    if let Some(other) = members.find(|name| !MEMBERS.contains(&name.as_str())) {
        bail!(
            "a grant has the members {}, and no {other:?}",
            MEMBERS.join(", ")
        );
    }
    serde_json::from_value(grant).context("a grant in JSON is {\"project\":…,\"rights\":[…]}")
}

/// What `grant` grants.
pub(crate) fn words(grant: &CredentialGrant) -> String {
    let CredentialGrant {
        project,
        rights,
        feeds,
        subjects,
        labels,
    } = grant;
    let feeds = if feeds.is_empty() {
        String::new()
    } else {
        format!(" in {}", feeds.join(", "))
    };
    let about = match (subjects.is_empty(), labels.is_empty()) {
        (true, true) => String::new(),
        (false, _) => format!(" about {}", subjects.join(", ")),
        (true, false) => format!(" about subjects with {}", labels.join(" and ")),
    };
    format!("{project}: {}{feeds}{about}", rights.join(", "))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Words {
        #[command(flatten)]
        options: Options,
    }

    /// What `words` grant in the project `p`, told; or why not.
    fn told(given: &[&str]) -> Result<String, String> {
        let words = Words::try_parse_from(["feedwire"].iter().chain(given));
        let Words { options } = words.map_err(|error| error.to_string())?;
        let grants = options.grants("p").map_err(|error| error.to_string())?;
        let told: Vec<_> = grants.iter().map(self::words).collect();
        Ok(told.join("; "))
    }

    #[test]
    fn the_simple_options_are_one_grant_in_the_project() {
        let check = |given: &[&str], words: &str| {
            assert_eq!(told(given).as_deref(), Ok(words), "{given:?}");
        };
        check(&[], "");
        check(&["--admin"], "p: admin");
        check(
            &["--read", "orders,refunds", "--read", "shipments.*"],
            "p: read in orders, refunds, shipments.*",
        );
        check(&["--publish", "*"], "p: publish");
        check(
            &[
                "--publish",
                "a,b",
                "--read",
                "b",
                "--read",
                "a",
                "--subject",
                "4,2",
            ],
            "p: publish, read in a, b about 4,2",
        );
        check(
            &["--read", "*", "--label", "floor=2", "--label", "room"],
            "p: read about subjects with floor=2 and room",
        );
    }

    #[test]
    fn other_grants_are_written_short_or_in_json() {
        let check = |grant: &str, words: &str| {
            assert_eq!(told(&["--grant", grant]).as_deref(), Ok(words), "{grant}");
        };
        check("*:admin", "*: admin");
        check("acme.*:read,streams", "acme.*: read, streams");
        check("acme:read:orders,audit.*", "acme: read in audit.*, orders");
        check(
            r#"{"project":"acme","rights":["read"],"subjects":["a:b"]}"#,
            "acme: read about a:b",
        );
        assert_eq!(
            told(&["--read", "f", "--grant", "*:admin"]).as_deref(),
            Ok("p: read in f; *: admin")
        );
    }

    #[test]
    fn what_would_grant_more_than_it_says_is_refused() {
        for given in [
            &["--read", "a", "--publish", "b"][..],
            &["--admin", "--read", "a"],
            &["--admin", "--subject", "a"],
            &["--subject", "a"],
            &["--read", "a", "--subject", "a", "--label", "b"],
            &["--grant", "acme"],
            &["--grant", "acme:read:"],
            &["--grant", ":read"],
            &["--grant", "acme::f"],
            &["--grant", "a:b:c:d"],
            &[
                "--grant",
                r#"{"project":"acme","rights":["read"],"subject":["a"]}"#,
            ],
            &["--grant", r#"{"project":"acme"}"#],
            &["--grant", "{"],
        ] {
            assert!(told(given).is_err(), "{given:?}");
        }
    }
}
