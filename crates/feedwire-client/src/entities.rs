//! Entities: putting states, and how they are.

use feedwire_api::{Entities, EntitiesPut, Entity, EntityChange, NDJSON, PutEntity};
use http::Method;
use http::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};

use crate::connection::request;
use crate::query::Query;
use crate::{Client, Error, PutMany};

/// The media type of a merge patch (RFC 7396).
const MERGE_PATCH: &str = "application/merge-patch+json";

/// One entity of a feed, whether it is there or not. Made by [`Client::entity`].
///
/// A request is never sent twice. After [`Error::Lost`] the change may have been made; to put the same state again is safe,
/// for what is so already is not changed.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked until it is said what"]
pub struct OneEntity<'a> {
    client: &'a Client,
    feed: &'a str,
    subject: &'a str,
    condition: Option<Condition>,
}

/// What must be true of an entity for it to be changed.
#[derive(Clone, Copy, Debug)]
enum Condition {
    At(u64),
    There,
    Absent,
}

/// Which entities are asked for.
#[derive(Clone, Debug, Default)]
pub struct EntityList {
    /// Those behind this one, as [`Entities::next`] named it.
    pub after: Option<String>,
    /// At most so many, up to 1,000.
    pub limit: Option<u64>,
    /// Of `_all`, only those of these feeds.
    pub feeds: Vec<String>,
    /// Only these subjects.
    pub subjects: Vec<String>,
    /// Only those whose subjects now have all of these labels, each a key or `key=value`.
    pub labels: Vec<String>,
    /// Only those of which this is true, in the Common Expression Language: `data.delay > 60`.
    pub filter: Option<String>,
}

impl Client {
    /// The entity `subject` of `feed`: to put, patch, delete or look at.
    pub fn entity<'a>(&'a self, feed: &'a str, subject: &'a str) -> OneEntity<'a> {
        OneEntity {
            client: self,
            feed,
            subject,
            condition: None,
        }
    }

    /// Putting many entities of `feed`.
    pub fn put_entities<'a>(&'a self, feed: &'a str) -> PutMany<'a> {
        PutMany::new(self, feed)
    }

    /// Entities of `feed`, or of `_all`, in the order of their feeds and subjects. As long as there is a
    /// [`next`](Entities::next), it is to be given as `after` for more; where few match, a part may be short, or empty.
    pub async fn entities(&self, feed: &str, list: &EntityList) -> Result<Entities, Error> {
        let mut query = Query::after(list.after.as_deref());
        if let Some(limit) = list.limit {
            query.push("limit", &limit.to_string());
        }
        query.push_list("feeds", &list.feeds);
        query.push_list("subjects", &list.subjects);
        query.push_list("labels", &list.labels);
        if let Some(filter) = &list.filter {
            query.push("filter", filter);
        }
        let url = self.url(&["feeds", feed, "entities"]) + query.as_str();
        self.connection().ask(request(Method::GET, &url)).await
    }

    /// A body of lines, each with an entity of `feed`.
    pub(crate) async fn put_lines(
        &self,
        feed: &str,
        text: bytes::Bytes,
    ) -> Result<EntitiesPut, Error> {
        let url = self.url(&["feeds", feed, "entities"]);
        let request = request(Method::POST, &url).header(CONTENT_TYPE, NDJSON);
        self.connection().tell(request, text).await
    }
}

impl OneEntity<'_> {
    /// Changes it only if its last change is at `position`, else it is refused as `precondition-failed`.
    pub fn if_at(mut self, position: u64) -> Self {
        self.condition = Some(Condition::At(position));
        self
    }

    /// Changes it only if it is there.
    pub fn if_there(mut self) -> Self {
        self.condition = Some(Condition::There);
        self
    }

    /// Changes it only if it is not there.
    pub fn if_absent(mut self) -> Self {
        self.condition = Some(Condition::Absent);
        self
    }

    /// Says what it is, whatever it was.
    pub async fn put(self, entity: &PutEntity) -> Result<EntityChange, Error> {
        let request = self.request(Method::PUT);
        self.client.connection().tell_json(request, entity).await
    }

    /// Says what of it is another, by a merge patch (RFC 7396) of the object with the members `data` and `ids` that a put has.
    pub async fn patch(self, patch: &PutEntity) -> Result<EntityChange, Error> {
        let text = serde_json::to_vec(patch).map_err(|error| Error::Unwritable(error.into()))?;
        let request = self
            .request(Method::PATCH)
            .header(CONTENT_TYPE, MERGE_PATCH);
        self.client.connection().tell(request, text.into()).await
    }

    /// Says that it is no more. Where it is not there nothing changes.
    pub async fn delete(self) -> Result<EntityChange, Error> {
        let request = self.request(Method::DELETE);
        self.client.connection().ask(request).await
    }

    /// It as it is; `None` where it is not there.
    pub async fn get(self) -> Result<Option<Entity>, Error> {
        let request = request(Method::GET, &self.url());
        match self.client.connection().ask(request).await {
            Err(error) if is_not_there(&error) => Ok(None),
            found => found.map(Some),
        }
    }

    fn request(&self, method: Method) -> http::request::Builder {
        let request = request(method, &self.url());
        match self.condition {
            None => request,
            Some(Condition::At(position)) => request.header(IF_MATCH, format!("\"{position}\"")),
            Some(Condition::There) => request.header(IF_MATCH, "*"),
            Some(Condition::Absent) => request.header(IF_NONE_MATCH, "*"),
        }
    }

    fn url(&self) -> String {
        self.client
            .url(&["feeds", self.feed, "entities", self.subject])
    }
}

/// Whether the server says that there is no such entity, or no such project.
fn is_not_there(error: &Error) -> bool {
    error
        .problem()
        .is_some_and(|problem| problem.kind() == "not-found")
}
