//! `feedwire init`: a folder with its master key and a first credential.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use feedwire_auth::{Auth, MasterKey, OpenError, Options};
use feedwire_client::CredentialWithSecret;
use feedwire_core::Core;
use feedwire_engine::{Engine, Primary};
use feedwire_event::ProjectName;
use serde_json::json;

use crate::credential::HandOut;
use crate::master_key::{self, Place};
use crate::output::say;
use crate::secret_file::folder_of;
use crate::{data, guard, offline, quote, seams};

const MANUAL: &str = "\
Makes what `feedwire serve` needs: the folder, its master key, and a first credential, which may do everything in every \
project and so makes all others (`feedwire project`, `feedwire key`). Its secret, and the token, which is key id and \
secret in one, are shown once, here. A folder that is made is its owner's alone; one of an earlier version keeps its events. The server of the folder must not \
be running.

The master key is what the secret of every credential is derived from. It is made in a file beside the folder that only \
its owner may read, or in that of --master-key-file; where FEEDWIRE_MASTER_KEY is set, that is the key, and no file is made \
or read. Keep a copy of it, apart from those of the folder: without it no credential is good any more, and with it \
whoever has the folder has every secret.

What was interrupted is finished by running it again. On a folder that has all of it, it changes nothing; when every \
credential that administers the server is lost, --another-admin-key makes one more, which takes the folder's own master \
key. When that is lost, or got into wrong hands, move its file away: --replace-master-key makes another, and one more \
credential that administers the server. Every secret and every token of before is no longer good then; credentials stay \
what they are, and `feedwire key rotate` gives each a new secret.

Examples:
  feedwire init --data ./data
  feedwire init --data ./data --write-token ~/.feedwire-token
  feedwire init --data /var/lib/feedwire --master-key-file /etc/feedwire/key --json
  feedwire init --data ./data --another-admin-key --name 'the new one'
  mv ./data.key ./old.key && feedwire init --data ./data --replace-master-key

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

/// Make a folder with its master key and a first credential
#[derive(Debug, Args)]
#[command(after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The folder; made if it is not there
    #[arg(long, env = "FEEDWIRE_DATA", value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    master_key: master_key::Options,
    /// What people call the credential
    #[arg(long, value_name = "TEXT", default_value = "first admin")]
    name: String,
    /// Make one more credential that administers the server, in a folder that is initialised
    #[arg(long)]
    another_admin_key: bool,
    /// Give a folder that is initialised another master key: every secret of before is good no longer
    #[arg(long, conflicts_with = "another_admin_key")]
    replace_master_key: bool,
    /// Write the token into this new file, which only its owner may read, and do not show it
    #[arg(long, value_name = "FILE")]
    write_token: Option<PathBuf>,
    /// Print the credential as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let data = &arguments.data;
    make(data).with_context(|| format!("cannot make {}", data.display()))?;
    let place = arguments.master_key.place(data)?;
    let hand_out = HandOut::prepare(arguments.write_token.as_deref())?;
    let engine = data::open(data, feedwire_engine_local::Options::default()).context(
        "the folder cannot be initialised; a server that runs on it makes credentials itself: feedwire key create",
    )?;
    let ended = initialised(&arguments, &place, engine.clone()).await;
    engine.close().await;
    let (made, is_new) = ended?;
    if is_new && !arguments.json {
        say(&format!(
            "master key {place}: keep a copy of it, apart from those of the folder"
        ))?;
    }
    hand_out.done(&made, arguments.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes `folder` where it is not there: for its owner alone, for the events in it can be read without any credential.
fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder_of(folder))?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Does of it what is not done yet, each step before those that need it; says whether the master key is new to the folder.
async fn initialised(
    arguments: &Arguments,
    place: &Place,
    engine: Arc<dyn Engine>,
) -> anyhow::Result<(CredentialWithSecret, bool)> {
    let is_initialised = guard::is_initialised(&*engine).await?;
    if (arguments.another_admin_key || arguments.replace_master_key) && !is_initialised {
        let data = arguments.data.display();
        bail!(
            "{data} is not initialised: without --another-admin-key and --replace-master-key it will be"
        );
    }
    let primary = engine.primary();
    let (key, is_new) = key(arguments, place, is_initialised, &primary).await?;
    let core = Core::open(engine, seams::system()).await;
    let core = core.context("cannot open the projects")?;
    let made = with(arguments, place, &key, is_new, primary, &core).await;
    core.drain().await;
    Ok((made?, is_new))
}

/// The master key: the one that is there, or a new one; and whether the folder does not know it yet.
async fn key(
    arguments: &Arguments,
    place: &Place,
    is_initialised: bool,
    primary: &Arc<dyn Primary>,
) -> anyhow::Result<(MasterKey, bool)> {
    let (found, is_replaced) = (place.read()?, arguments.replace_master_key);
    let Some(key) = found else {
        if is_initialised && !is_replaced {
            bail!(guard::missing(&arguments.data, place));
        }
        return Ok((place.make()?, true));
    };
    if is_replaced {
        // One that is there may have been left by a run that was interrupted, and may be the one that is to be replaced.
        match open(primary.clone(), &key).await {
            Err(OpenError::OtherMasterKey) => {}
            Err(error) => return Err(error).context("cannot open the credentials"),
            Ok(_) => bail!(
                "the master key {place} is the one that the folder has: move it away first. If it has just been replaced, \
                 --another-admin-key makes the credential"
            ),
        }
    }
    Ok((key, is_replaced || !is_initialised))
}

/// The credential that is asked for, in a folder whose master key is `key` or is to be.
async fn with(
    arguments: &Arguments,
    place: &Place,
    key: &MasterKey,
    is_new: bool,
    primary: Arc<dyn Primary>,
    core: &Core,
) -> anyhow::Result<CredentialWithSecret> {
    if arguments.replace_master_key {
        let recorded = offline::record(core, "master_key.replace", "master-key", &json!({})).await;
        recorded.context("cannot put on record that the master key is replaced")?;
        let replaced = Auth::replace_master_key(&*primary, key).await;
        replaced.context("cannot replace the master key")?;
    } else if is_new {
        let known = Auth::init(&*primary, key).await;
        known.context("cannot write down by what the master key is known")?;
    }
    let auth = open(primary, key).await;
    let auth = auth.with_context(|| format!("cannot use the master key {place}"))?;
    let made = admin(arguments, &auth, core).await;
    auth.close().await;
    made
}

async fn open(primary: Arc<dyn Primary>, key: &MasterKey) -> Result<Auth, OpenError> {
    Auth::open(primary, key, seams::system().clock, Options::default()).await
}

/// The credential that is asked for: the first, which a crash may have left out, or another.
async fn admin(
    arguments: &Arguments,
    auth: &Auth,
    core: &Core,
) -> anyhow::Result<CredentialWithSecret> {
    let is_another = arguments.another_admin_key || arguments.replace_master_key;
    if !is_another && !auth.list(&ProjectName::system(), None, 1).is_empty() {
        bail!(already(arguments));
    }
    offline::made(auth, core, &arguments.name).await
}

/// That there is nothing to do.
fn already(arguments: &Arguments) -> String {
    let data = arguments.data.to_string_lossy();
    let word = quote::word(&data);
    format!(
        "{data} is initialised already. If no credential that administers the server is known any more, `feedwire init --data \
         {word} --another-admin-key` makes one, while no server runs"
    )
}
