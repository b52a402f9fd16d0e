//! Erasing a subject or a feed.

use feedwire_api::{NewErasure, Receipt};
use http::Method;

use crate::connection::request;
use crate::{Client, Error};

impl Client {
    /// Erases every event there is now of a subject, of a feed, or of the subject in the feed.
    ///
    /// When this returns, they are shown to nobody any more; [`Client::erasure`] tells when they are gone from disk. Backups that were
    /// made before are not covered. A request is never sent twice: after [`Error::Lost`], asking again erases what is there then.
    pub async fn erase(&self, erasure: &NewErasure) -> Result<Receipt, Error> {
        let request = request(Method::POST, &self.url(&["erasures"]));
        self.connection().tell_json(request, erasure).await
    }

    /// The receipt `id`: what was asked to be erased, and how far that is.
    pub async fn erasure(&self, id: &str) -> Result<Receipt, Error> {
        let request = request(Method::GET, &self.url(&["erasures", id]));
        self.connection().ask(request).await
    }
}
