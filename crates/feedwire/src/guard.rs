//! Opening the credentials of a folder with its master key.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use feedwire_auth::{Auth, MasterKey, OpenError, Options};
use feedwire_engine::Engine;

use crate::master_key::{self, Place};
use crate::{quote, seams};

/// A folder, and what its master key is to be.
#[derive(Debug)]
pub(crate) struct Guard {
    data: PathBuf,
    place: Place,
    key: Option<MasterKey>,
}

impl Guard {
    /// Looks for the master key of the folder `data`, before anything of it is opened.
    pub(crate) fn find(data: &Path, options: &master_key::Options) -> anyhow::Result<Self> {
        if !data.is_dir() {
            return Err(not_initialised(data));
        }
        let place = options.place(data)?;
        Ok(Self {
            data: data.to_owned(),
            key: place.read()?,
            place,
        })
    }

    /// The credentials in `engine`, which is the folder's. Access tokens are issued in the name of `issuer`.
    pub(crate) async fn open(
        self,
        engine: &dyn Engine,
        issuer: Option<&str>,
    ) -> anyhow::Result<Auth> {
        let Self { data, place, key } = self;
        let primary = engine.primary();
        if !Auth::is_initialised(&*primary).await? {
            return Err(not_initialised(&data));
        }
        let Some(key) = key else {
            bail!(missing(&data, &place));
        };
        let mut options = Options::default();
        if let Some(issuer) = issuer {
            issuer.clone_into(&mut options.issuer);
        }
        let opened = Auth::open(primary, &key, seams::system().clock, options).await;
        opened.map_err(|error| match error {
            OpenError::NotInitialised => not_initialised(&data),
            OpenError::OtherMasterKey | OpenError::Damaged { .. } | OpenError::Unavailable(_) => {
                let data = data.display();
                anyhow::Error::new(error).context(format!(
                    "cannot open the credentials of {data} with the master key {place}"
                ))
            }
        })
    }
}

/// That the key of `data`, which is initialised, is not at `place`.
pub(crate) fn missing(data: &Path, place: &Place) -> String {
    format!(
        "{} is initialised, but its master key {place} is not there: say where it is with --master-key-file, or put its copy \
         back. If there is none, `feedwire init --help` says what --replace-master-key does",
        data.display()
    )
}

fn not_initialised(data: &Path) -> anyhow::Error {
    let word = data.to_string_lossy();
    let word = quote::word(&word);
    anyhow!(
        "{} is not initialised: `feedwire init --data {word}` makes its master key and a first credential; with --dev it is \
         served without, open to every program of this machine",
        data.display()
    )
}

/// Whether `engine` has credentials.
pub(crate) async fn is_initialised(engine: &dyn Engine) -> anyhow::Result<bool> {
    let found = Auth::is_initialised(&*engine.primary()).await;
    found.context("cannot read the store")
}
