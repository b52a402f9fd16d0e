//! Credentials as people read them, and handing a secret out, once.

use anyhow::Context as _;
use feedwire_client::{Credential, CredentialGrant, CredentialWithSecret};
use serde::Serialize;

use crate::output::say;
use crate::secret_file::NewFile;
use crate::{grants, rate_limits};

/// The longest time, to the microsecond.
const TIME_CHARS: usize = "2026-11-21T08:00:00.123456Z".len();

/// How a secret is handed out.
#[derive(Debug)]
pub(crate) enum HandOut {
    /// On stdout.
    Say,
    /// The token in a file, and nothing of it on stdout.
    Write(NewFile),
}

impl HandOut {
    /// In `file`, where one is given: made sure of before there is something to hand out.
    pub(crate) fn prepare(file: Option<&std::path::Path>) -> anyhow::Result<Self> {
        let Some(path) = file else {
            return Ok(Self::Say);
        };
        let reserved = NewFile::reserve(path);
        let words = || format!("cannot write the token to {}", path.display());
        reserved.map(Self::Write).with_context(words)
    }

    /// Hands out the secret of `made`. This is the only time, so that a failure says what to do instead.
    pub(crate) fn done(self, made: &CredentialWithSecret, json: bool) -> anyhow::Result<()> {
        let credential = &made.credential;
        match self {
            Self::Say if json => say(&one_line(made)?)?,
            Self::Say => {
                let (secret, token) = (&made.secret, &made.token);
                let told = words(credential);
                say(&format!("{told}\nsecret    {secret}\ntoken     {token}"))?;
                say("The secret, and the token, which is key id and secret, are shown this once.")?;
            }
            Self::Write(file) => {
                let path = file.path().display().to_string();
                file.write(&made.token).with_context(|| {
                    let key_id = &credential.key_id;
                    format!("cannot write the token of {key_id} to {path}, and nobody knows it: rotate it, or revoke it")
                })?;
                if json {
                    say(&one_line(credential)?)?;
                } else {
                    say(&format!("{}\ntoken     in {path}", words(credential)))?;
                }
            }
        }
        Ok(())
    }
}

/// `value` as one line of JSON.
pub(crate) fn one_line(value: &impl Serialize) -> anyhow::Result<String> {
    serde_json::to_string(value).context("cannot write JSON")
}

/// A line for each thing that there is to know of `credential`.
pub(crate) fn words(credential: &Credential) -> String {
    let until = |time: &Option<String>| time.clone().unwrap_or_else(|| "never".to_owned());
    let enabled = if credential.enabled { "yes" } else { "no" };
    let mut lines = vec![
        ("key id", credential.key_id.clone()),
        ("project", credential.project.clone()),
        ("name", credential.display_name.clone()),
        ("email", credential.email.clone()),
    ];
    let granted = credential.grants.iter().map(grants::words);
    lines.extend(granted.map(|grant| ("grant", grant)));
    lines.extend([
        ("enabled", enabled.to_owned()),
        ("created", credential.created_at.clone()),
        ("expires", until(&credential.expires_at)),
    ]);
    if let Some(until) = &credential.old_secret_until {
        lines.push((
            "replaced",
            format!("the secret before is taken until {until}"),
        ));
    }
    lines.push(("limits", rate_limits::words(&credential.limits)));
    let lines = lines
        .iter()
        .map(|(name, value)| format!("{name:9} {value}"));
    lines
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// `credentials` as a table.
pub(crate) fn table(credentials: &[Credential]) -> String {
    let names = credentials
        .iter()
        .map(|one| one.display_name.chars().count());
    let width = names.max().unwrap_or_default().max("name".len());
    let row = |key_id: &str, name: &str, ends: &str, granted: &str| {
        format!("{key_id:20}  {name:width$}  {ends:TIME_CHARS$}  {granted}")
    };
    let mut lines = vec![row("key id", "name", "expires", "grants")];
    lines.extend(credentials.iter().map(|one| {
        let ends = match &one.expires_at {
            _ if !one.enabled => "disabled",
            Some(at) => at,
            None => "never",
        };
        let granted: Vec<_> = one.grants.iter().map(grants::words).collect();
        row(&one.key_id, &one.display_name, ends, &granted.join("; "))
    }));
    lines.join("\n")
}

/// The grant of everything.
pub(crate) fn whole() -> CredentialGrant {
    CredentialGrant {
        project: "*".to_owned(),
        rights: vec!["admin".to_owned()],
        ..CredentialGrant::default()
    }
}

#[cfg(test)]
mod tests {
    use feedwire_client::RateLimits;

    use super::*;

    fn credential() -> Credential {
        Credential {
            key_id: "abcdefghijklmnopqrst".to_owned(),
            project: "acme".to_owned(),
            display_name: "shop".to_owned(),
            email: "shop@acme.feedwire".to_owned(),
            grants: vec![whole()],
            enabled: true,
            created_at: "2026-11-21T08:00:00Z".to_owned(),
            expires_at: None,
            old_secret_until: Some("2026-11-22T08:00:00Z".to_owned()),
            limits: RateLimits::default(),
        }
    }

    #[test]
    fn a_credential_is_a_line_for_each_thing_there_is_to_know() {
        let lines = "\
key id    abcdefghijklmnopqrst
project   acme
name      shop
email     shop@acme.feedwire
grant     *: admin
enabled   yes
created   2026-11-21T08:00:00Z
expires   never
replaced  the secret before is taken until 2026-11-22T08:00:00Z
limits    none";
        assert_eq!(words(&credential()), lines);
    }

    #[test]
    fn a_table_says_who_may_do_what_until_when() {
        let disabled = Credential {
            display_name: "an old reader".to_owned(),
            enabled: false,
            ..credential()
        };
        let lines = "\
key id                name           expires                      grants
abcdefghijklmnopqrst  shop           never                        *: admin
abcdefghijklmnopqrst  an old reader  disabled                     *: admin";
        assert_eq!(table(&[credential(), disabled]), lines);
    }
}
