//! Which server a command speaks to, about which project, and what proves who asks.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_client::Client;

use crate::{environment, quote, secret_file};

/// The names of the options of [`Remote`], as clap has them.
pub(crate) const OPTIONS: [&str; 5] = [
    "server",
    "project",
    "token_file",
    "ca_file",
    "allow_plaintext_token",
];
const SERVER: &str = "http://127.0.0.1:7373";
const PROJECT: &str = "default";
/// Where a token may stand itself. As an option, everybody on this machine could read it in the list of processes.
const TOKEN: &str = "FEEDWIRE_TOKEN";

/// Which server, which project of it, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// The address of the server to speak to, http:// or https://
    #[arg(
        long,
        global = true,
        env = "FEEDWIRE_SERVER",
        value_name = "URL",
        default_value = SERVER
    )]
    #[arg(help_heading = "Common options")]
    server: String,
    /// The project on it
    #[arg(
        long,
        global = true,
        env = "FEEDWIRE_PROJECT",
        value_name = "NAME",
        default_value = PROJECT
    )]
    #[arg(help_heading = "Common options")]
    project: String,
    /// A file with the token that proves who asks; the token itself can stand in the environment as `FEEDWIRE_TOKEN`
    #[arg(
        long,
        global = true,
        env = "FEEDWIRE_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Common options"
    )]
    token_file: Option<PathBuf>,
    /// Trust the certificate authorities in this PEM file, and not those of this system
    #[arg(
        long,
        global = true,
        env = "FEEDWIRE_CA_FILE",
        value_name = "FILE",
        help_heading = "Common options"
    )]
    ca_file: Option<PathBuf>,
    /// Send the token over http:// to another machine too, where everybody on the way can read it
    #[arg(long, global = true, help_heading = "Common options")]
    allow_plaintext_token: bool,
}

impl Remote {
    /// The name of the project.
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let mut client = Client::new(&self.server)?.project(&self.project);
        if let Some(path) = &self.ca_file {
            let bytes = secret_file::read(path)
                .with_context(|| cannot_read(path))?
                .bytes;
            let trusting = client.with_root_certificates(&bytes);
            client = trusting.with_context(|| format!("cannot use {}", path.display()))?;
        }
        if self.allow_plaintext_token {
            client = client.allow_plaintext_token();
        }
        match self.token()? {
            Some(token) => Ok(client.token(token.trim())?),
            None => Ok(client),
        }
    }

    /// What the file holds, which somebody named, before what the environment may have had for long.
    fn token(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.token_file else {
            return environment::secret(TOKEN);
        };
        let secret = secret_file::read(path).with_context(|| cannot_read(path))?;
        if secret.is_open {
            let path = path.display();
            eprintln!("feedwire: everybody on this machine may read the token: chmod o-r {path}");
        }
        match String::from_utf8(secret.bytes) {
            Ok(token) => Ok(Some(token)),
            // What it is, is not said.
            Err(_) => bail!("{} holds no token", path.display()),
        }
    }

    /// The options that name it on a command line, each after a space; nothing where it is the one without options.
    pub(crate) fn options(&self) -> String {
        let option = |name: &str, value: &str| format!(" --{name} {}", quote::word(value));
        let named = |name, value: &str, usual| {
            if value == usual {
                String::new()
            } else {
                option(name, value)
            }
        };
        let file = |name, path: &Option<PathBuf>| {
            let path = path
                .as_ref()
                .map(|path| option(name, &path.to_string_lossy()));
            path.unwrap_or_default()
        };
        let plaintext = if self.allow_plaintext_token {
            " --allow-plaintext-token"
        } else {
            ""
        };
        [
            named("server", &self.server, SERVER),
            named("project", &self.project, PROJECT),
            file("token-file", &self.token_file),
            file("ca-file", &self.ca_file),
            plaintext.to_owned(),
        ]
        .concat()
    }
}

fn cannot_read(path: &Path) -> String {
    format!("cannot read {}", path.display())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Words {
        #[command(flatten)]
        remote: Remote,
    }

    #[test]
    fn a_command_that_is_printed_names_all_that_is_not_usual() {
        let check = |words: &str| {
            let given = ["feedwire"].into_iter().chain(words.split_whitespace());
            let Words { remote } = Words::parse_from(given);
            assert_eq!(remote.options(), words);
        };
        check(" --server https://h --project p --token-file t --ca-file c --allow-plaintext-token");
        check(" --server http://127.0.0.1:7373/ --ca-file /etc/feedwire/ca.pem");
        check(" --token-file t");
    }

    #[test]
    fn the_options_are_listed_as_clap_has_them() {
        let command = <Words as clap::CommandFactory>::command();
        let names = command
            .get_arguments()
            .map(|option| option.get_id().as_str());
        assert_eq!(names.collect::<Vec<_>>(), OPTIONS);
    }
}
