//! What is stored with the heads of a project's subjects.

use super::{Applied, Error, Store, keys};

impl Store {
    /// How far the heads of `project` are applied.
    pub(crate) fn heads_applied(&self, project: &str) -> Result<Option<Applied>, Error> {
        let stored = self.read(|open| open.heads.get(keys::heads_applied(project)))?;
        let decoded = stored.map(|value| Applied::decode(&value).ok_or(Error::Malformed));
        decoded.transpose()
    }

    /// Writes how far the heads of `project` are applied.
    pub(crate) fn write_heads_applied(&self, project: &str, applied: Applied) -> Result<(), Error> {
        self.write(|open, batch| {
            batch.insert(&open.heads, keys::heads_applied(project), applied.encode());
        })
    }

    /// Removes the heads of `project`.
    pub(crate) fn empty_heads(&self, project: &str) -> Result<(), Error> {
        self.empty(|open| &open.heads, &keys::heads(project))
    }
}
