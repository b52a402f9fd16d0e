//! The command line: what every command shares, and the list of commands.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    check, connector, demo, erase, feeds, follow, get, import, init, key, listen, load, project,
    publish, put, retention, serve, stream,
};
use crate::remote::{self, Remote};

/// How a command ends, below every `--help`.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

/// Self-hosted event feed server
///
/// Applications publish events over HTTP; Feedwire keeps them in a durable, ordered log; consumers page through them or
/// follow them over plain HTTP, and go on where they were. `feedwire init` makes what a server needs, `feedwire serve` is
/// the server, `feedwire demo` a look around, the other commands speak to a server.
#[derive(Debug, Parser)]
#[command(name = "feedwire", version, arg_required_else_help = true, after_help = EXIT_CODES)]
#[command(disable_help_subcommand = true, max_term_width = 110)]
pub(crate) struct Arguments {
    /// What to log to stderr: a level, or parts with levels such as `info,feedwire_http=debug`
    #[arg(
        long,
        global = true,
        env = "RUST_LOG",
        value_name = "FILTER",
        help_heading = "Common options"
    )]
    pub(crate) log: Option<String>,
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// The arguments of this process, which ends here where they are wrong.
    pub(crate) fn read() -> Self {
        let matches = Self::command().get_matches();
        Self::checked(&matches).unwrap_or_else(|error| error.exit())
    }

    fn checked(matches: &ArgMatches) -> clap::error::Result<Self> {
        let arguments = Self::from_arg_matches(matches)?;
        let refused =
            |words: String| Err(Self::command().error(ErrorKind::ArgumentConflict, words));
        // In the environment they are for whatever needs them; on the command line they would be in vain.
        let given = |name: &&str| matches.value_source(name) == Some(ValueSource::CommandLine);
        if let Some(name) = remote::OPTIONS.into_iter().find(given)
            && !arguments.command.speaks_to_server()
        {
            let option = name.replace('_', "-");
            return refused(format!(
                "--{option} is for the commands that speak to a server"
            ));
        }
        if let Command::Serve(serve) = &arguments.command
            && let Err(error) = serve.check()
        {
            return refused(error.to_string());
        }
        Ok(arguments)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a folder with its master key and a first credential
    Init(init::Arguments),
    /// Serve the events in a folder over HTTP
    Serve(serve::Arguments),
    /// Show Feedwire at work: a server in a temporary folder with real events
    Demo(demo::Arguments),
    /// Publish one event, several, or a file of them
    Publish(publish::Arguments),
    /// Follow a feed: what is there already, then what comes
    Follow(follow::Arguments),
    /// List the feeds with their counts
    Feeds(feeds::Arguments),
    /// Publish a large file of events, with progress
    Import(import::Arguments),
    /// Say what an entity is, or a file of them
    Put(put::Arguments),
    /// Show how an entity is, or list all of a feed
    Get(get::Arguments),
    /// Write the states of entities as events, and watch how far that is
    Load(load::Arguments),
    /// Show or set how long events are kept
    Retention(retention::Arguments),
    /// Erase a subject or a feed, with a receipt
    Erase(erase::Arguments),
    /// Make, list, limit and delete projects
    Project(project::Arguments),
    /// Share a feed between several readers, with the place kept by the server
    Stream(stream::Arguments),
    /// Have events pushed to a URL
    Connector(connector::Arguments),
    /// Receive what connectors push to this machine, and print it
    Listen(listen::Arguments),
    /// Make, list, change, rotate and revoke credentials
    Key(key::Arguments),
    /// Verify the folder of a server that is not running
    Check(check::Arguments),
}

impl Command {
    fn speaks_to_server(&self) -> bool {
        match self {
            Self::Publish(_)
            | Self::Follow(_)
            | Self::Feeds(_)
            | Self::Import(_)
            | Self::Put(_)
            | Self::Get(_)
            | Self::Load(_)
            | Self::Retention(_)
            | Self::Erase(_)
            | Self::Project(_)
            | Self::Stream(_)
            | Self::Connector(_)
            | Self::Key(_) => true,
            Self::Init(_) | Self::Serve(_) | Self::Demo(_) | Self::Listen(_) | Self::Check(_) => {
                false
            }
        }
    }

    /// What is logged unless asked otherwise: a server tells what it does, its store and a client only what is wrong.
    pub(crate) fn default_log(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info,fjall=warn,lsm_tree=warn",
            Self::Init(_)
            | Self::Demo(_)
            | Self::Publish(_)
            | Self::Follow(_)
            | Self::Feeds(_)
            | Self::Import(_)
            | Self::Put(_)
            | Self::Get(_)
            | Self::Load(_)
            | Self::Retention(_)
            | Self::Erase(_)
            | Self::Project(_)
            | Self::Stream(_)
            | Self::Connector(_)
            | Self::Listen(_)
            | Self::Key(_)
            | Self::Check(_) => "warn",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_server_is_named_before_and_after_the_command() {
        let read = |words: &[&str]| {
            let matches = Arguments::command().try_get_matches_from(words)?;
            Arguments::checked(&matches)
        };
        for words in [
            ["feedwire", "--project", "p", "feeds"],
            ["feedwire", "feeds", "--project", "p"],
        ] {
            assert_eq!(
                read(&words).expect("well formed").remote.options(),
                " --project p"
            );
        }
        for words in [
            ["feedwire", "--project", "p", "check", "data"],
            ["feedwire", "check", "data", "--project", "p"],
        ] {
            let error = read(&words).expect_err("no server to speak to");
            assert!(error.to_string().contains("--project"), "{error}");
        }
    }

    #[test]
    fn every_command_has_a_manual_with_examples() {
        let mut commands: Vec<_> = Arguments::command().get_subcommands().cloned().collect();
        while let Some(mut command) = commands.pop() {
            let manual = command.render_long_help().to_string();
            assert!(manual.contains("Examples:"), "{}", command.get_name());
            assert!(manual.contains("Exit codes:"), "{}", command.get_name());
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
