//! `feedwire project`: the projects of a server.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use feedwire_client::{Client, Project, Projects, RateLimits};

use crate::credential::one_line;
use crate::output::say;
use crate::remote::Remote;
use crate::{confirm, rate_limits};

const MANUAL: &str = "\
A project is a tenant: it has a log, feeds, credentials and limits of its own, and nothing crosses. What stands in a name \
before its last dot is the parent, which has to be there: whoever administers `acme` makes `acme.eu`, and a credential \
can be granted `acme.*`. The first start makes `default`, and `_system`, where the server keeps its own.

All of it takes a credential (--token-file, FEEDWIRE_TOKEN) that administers the parent, or the server where there is none; \
to show a project, one that something is granted in it.

Examples:
  feedwire project create acme
  feedwire project create acme.eu
  feedwire project list
  feedwire project limits acme --requests 100 --readers 20
  feedwire project delete acme.eu

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const CREATE: &str = "\
Examples:
  feedwire project create acme
  feedwire project create acme.eu --json

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const LIST: &str = "\
Examples:
  feedwire project list
  feedwire project list --json | jq -r '.projects[].name'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const SHOW: &str = "\
Examples:
  feedwire project show acme

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const LIMITS: &str = "\
Without an option it shows what is set; a new project has no limits. The options replace what was set, all of it: a limit \
that is not given is none. What is beyond a limit is answered 429, with the time to come again.

Examples:
  feedwire project limits acme
  feedwire project limits acme --requests 100 --publish-bytes 1MiB --readers 20
  feedwire project limits acme --none

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

const DELETE: &str = "\
Deletes the project with its events, its credentials and all that was set of it, for good. A project that has children is \
refused, and so is `_system`. Backups that were made before have it still.

On a terminal the name has to be typed once more, unless --yes is given; elsewhere it takes --yes.

Examples:
  feedwire project delete acme.eu
  feedwire project delete acme.eu --yes

Exit codes: 0 deleted, 1 failed or not confirmed (stderr says why), 2 wrong usage.";

/// Make, list, limit and delete projects
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Print the server's answer as one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a project
    #[command(after_long_help = CREATE)]
    Create {
        /// Its name; what stands before the last dot is its parent
        name: String,
    },
    /// List the projects that something is granted in
    #[command(after_long_help = LIST)]
    List,
    /// Show a project
    #[command(after_long_help = SHOW)]
    Show {
        /// Its name
        name: String,
    },
    /// Show or set what a project may take of the server
    #[command(after_long_help = LIMITS)]
    Limits {
        /// Its name
        name: String,
        #[command(flatten)]
        limits: rate_limits::Options,
        /// No limits
        #[arg(long, conflicts_with_all = ["requests", "publish_bytes", "readers"])]
        none: bool,
    },
    /// Delete a project with everything in it
    #[command(after_long_help = DELETE)]
    Delete {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(arguments: Arguments, remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    let json = arguments.json;
    let text = match arguments.action {
        Action::Create { name } => {
            let made = client.create_project(&name).await;
            let made = made.with_context(|| format!("cannot make the project {name}"))?;
            told(json, &made, || format!("project {} is made", made.name))?
        }
        Action::List => {
            let all = list(&client).await.context("cannot list the projects")?;
            told(json, &all, || table(&all.projects))?
        }
        Action::Show { name } => {
            let shown = client.show_project(&name).await;
            let shown = shown.with_context(|| format!("cannot show the project {name}"))?;
            told(json, &shown, || words(&shown))?
        }
        Action::Limits { name, limits, none } => {
            let limits = limits.given().or_else(|| none.then(RateLimits::default));
            let limits = settled(&client, &name, limits).await?;
            told(json, &limits, || rate_limits::words(&limits))?
        }
        Action::Delete { name, yes } => return delete(&client, &name, yes, json).await,
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn told(
    json: bool,
    answer: &impl serde::Serialize,
    words: impl FnOnce() -> String,
) -> anyhow::Result<String> {
    if json { one_line(answer) } else { Ok(words()) }
}

/// All of them.
async fn list(client: &Client) -> Result<Projects, feedwire_client::Error> {
    let mut all = client.projects(None).await?;
    while let Some(next) = all.next.take() {
        let more = client.projects(Some(&next)).await?;
        all.projects.extend(more.projects);
        all.next = more.next;
    }
    Ok(all)
}

async fn settled(
    client: &Client,
    name: &str,
    limits: Option<RateLimits>,
) -> anyhow::Result<RateLimits> {
    let Some(limits) = limits else {
        let shown = client.project_limits(name).await;
        return shown.with_context(|| format!("cannot show the limits of {name}"));
    };
    let set = client.set_project_limits(name, &limits).await;
    set.with_context(|| format!("cannot set the limits of {name}"))
}

async fn delete(client: &Client, name: &str, yes: bool, json: bool) -> anyhow::Result<ExitCode> {
    let cannot = || format!("cannot delete the project {name}");
    // It is looked for before anybody is asked whether it is to go.
    let project = client.show_project(name).await.with_context(cannot)?;
    if !yes && !confirm::typed("project", name, "its events and its credentials").await? {
        bail!("project {name} is not deleted: its name was not typed");
    }
    let deletion = client.delete_project(name).await.with_context(cannot)?;
    let deleted = client.confirm_deletion(name, &deletion.delete_token).await;
    deleted.with_context(cannot)?;
    say(&told(json, &project, || {
        format!(
            "project {name} is deleted, with its events, its credentials and all that was set of it\n\
             not covered: backups that were made before"
        )
    })?)?;
    Ok(ExitCode::SUCCESS)
}

fn words(project: &Project) -> String {
    let Project {
        name,
        parent,
        created_at,
    } = project;
    let lines = [
        ("project", name.as_str()),
        ("parent", parent.as_deref().unwrap_or("none")),
        (
            "created",
            created_at.as_deref().unwrap_or("by an earlier version"),
        ),
    ];
    let lines = lines.map(|(name, value)| format!("{name:9} {value}"));
    lines.join("\n")
}

fn table(projects: &[Project]) -> String {
    let names = projects.iter().map(|project| project.name.len());
    let width = names.max().unwrap_or_default().max("project".len());
    let mut lines = vec![format!("{:width$}  created", "project")];
    lines.extend(projects.iter().map(|project| {
        let created = project.created_at.as_deref();
        let created = created.unwrap_or("by an earlier version");
        format!("{:width$}  {created}", project.name)
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_a_table_of_when_they_were_made() {
        let project = |name: &str, created_at: Option<&str>| Project {
            name: name.to_owned(),
            parent: None,
            created_at: created_at.map(str::to_owned),
        };
        let lines = "\
project      created
acme.europe  2026-11-21T08:00:00Z
default      by an earlier version";
        let projects = [
            project("acme.europe", Some("2026-11-21T08:00:00Z")),
            project("default", None),
        ];
        assert_eq!(table(&projects), lines);
    }
}
