//! The credentials of a project: who may do what.

use feedwire_api::{
    Credential, CredentialChange, CredentialWithSecret, Credentials, NewCredential, Rotation,
};
use http::Method;

use crate::connection::request;
use crate::query::Query;
use crate::{Client, Error};

const CREDENTIALS: &str = "credentials";

/// Credentials are managed in the project that they were made in, and these calls are about that which the client is about. They take
/// the right to admin there, and in each project that something is granted in.
impl Client {
    /// Makes a credential. Its secret and its token are told in the answer and never again.
    ///
    /// A request is never sent twice. After [`Error::Lost`] there may be a credential whose secret nobody knows:
    /// [`Client::credentials`] has it, to be revoked.
    pub async fn create_credential(
        &self,
        new: &NewCredential,
    ) -> Result<CredentialWithSecret, Error> {
        let request = request(Method::POST, &self.url(&[CREDENTIALS]));
        self.connection().tell_json(request, new).await
    }

    /// The project's credentials, in order of their key ids from the first above `after`. As long as there is a
    /// [`next`](Credentials::next), it is to be given as `after` for more.
    pub async fn credentials(&self, after: Option<&str>) -> Result<Credentials, Error> {
        let url = self.url(&[CREDENTIALS]) + Query::after(after).as_str();
        self.connection().ask(request(Method::GET, &url)).await
    }

    /// The credential `key_id`, without its secret.
    pub async fn credential(&self, key_id: &str) -> Result<Credential, Error> {
        let request = request(Method::GET, &self.url(&[CREDENTIALS, key_id]));
        self.connection().ask(request).await
    }

    /// Changes what `change` says of the credential `key_id`. Streams that it reads end if it may no longer do what it might.
    pub async fn change_credential(
        &self,
        key_id: &str,
        change: &CredentialChange,
    ) -> Result<Credential, Error> {
        let request = request(Method::PATCH, &self.url(&[CREDENTIALS, key_id]));
        self.connection().tell_json(request, change).await
    }

    /// Gives the credential `key_id` a new secret, which is told in the answer and never again. The one before is taken for
    /// [`overlap`](Rotation::overlap) longer, and one that was older no more.
    ///
    /// A request is never sent twice. After [`Error::Lost`] the secret may be one that nobody knows: rotate again.
    pub async fn rotate_credential(
        &self,
        key_id: &str,
        rotation: &Rotation,
    ) -> Result<CredentialWithSecret, Error> {
        let url = self.url(&[CREDENTIALS, key_id, "rotate"]);
        let request = request(Method::POST, &url);
        self.connection().tell_json(request, rotation).await
    }

    /// Revokes the credential `key_id` for good. Streams that it reads end within seconds.
    pub async fn revoke_credential(&self, key_id: &str) -> Result<(), Error> {
        let request = request(Method::DELETE, &self.url(&[CREDENTIALS, key_id]));
        self.connection().have_done(request).await
    }
}
