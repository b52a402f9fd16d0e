//! The projects of a server, their limits, and deleting them.

use feedwire_api::{Deletion, NewProject, Project, Projects, RateLimits};
use http::Method;

use crate::connection::request;
use crate::query::Query;
use crate::{Client, Error};

/// These calls name the project that they are about; which one the client is about is of no matter.
impl Client {
    /// Makes the project `name`. With a dot in its name it is a child of what stands before the last one, which has to be there:
    /// whoever may administer the parent makes it, and a server's administrator those without one.
    pub async fn create_project(&self, name: &str) -> Result<Project, Error> {
        let request = request(Method::POST, &self.projects_url());
        let name = name.to_owned();
        let new = NewProject { name };
        self.connection().tell_json(request, &new).await
    }

    /// Those of the server's projects that something is granted in, in order of their names from the first above `after`. As long
    /// as there is a [`next`](Projects::next), it is to be given as `after` for more.
    pub async fn projects(&self, after: Option<&str>) -> Result<Projects, Error> {
        let url = self.projects_url() + Query::after(after).as_str();
        self.connection().ask(request(Method::GET, &url)).await
    }

    /// The project `name`.
    pub async fn show_project(&self, name: &str) -> Result<Project, Error> {
        let request = request(Method::GET, &self.url_in(name, &[]));
        self.connection().ask(request).await
    }

    /// Asks for the project `name` to be deleted. Nothing is deleted yet: that takes [`Client::confirm_deletion`] with the token of
    /// the answer, in time.
    pub async fn delete_project(&self, name: &str) -> Result<Deletion, Error> {
        let request = request(Method::DELETE, &self.url_in(name, &[]));
        self.connection().ask(request).await
    }

    /// Deletes the project `name`, with its events, its credentials and all that was set of it, for good. `delete_token` is that of
    /// [`Client::delete_project`]; it is taken once. A project that has children is refused.
    ///
    /// A request is never sent twice. After [`Error::Lost`] the project may be gone: [`Client::show_project`] tells.
    pub async fn confirm_deletion(&self, name: &str, delete_token: &str) -> Result<(), Error> {
        let mut query = Query::default();
        query.push("delete_token", delete_token);
        let url = self.url_in(name, &[]) + query.as_str();
        let request = request(Method::DELETE, &url);
        self.connection().have_done(request).await
    }

    /// What the project `name` may take of the server.
    pub async fn project_limits(&self, name: &str) -> Result<RateLimits, Error> {
        let request = request(Method::GET, &self.url_in(name, &["limits"]));
        self.connection().ask(request).await
    }

    /// Has the project `name` take no more of the server than `limits` say, all of them: what is `None` there has no limit. Whoever
    /// may administer its parent sets them, or the server's administrator where it has none.
    pub async fn set_project_limits(
        &self,
        name: &str,
        limits: &RateLimits,
    ) -> Result<RateLimits, Error> {
        let request = request(Method::PUT, &self.url_in(name, &["limits"]));
        self.connection().tell_json(request, limits).await
    }
}
