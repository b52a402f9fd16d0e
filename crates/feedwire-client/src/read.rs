//! Reading a feed: what is asked for, and pages of it.

use std::time::Duration;

use http::Method;
use http::header::ACCEPT;

use crate::connection::request;
use crate::query::Query;
use crate::{Client, Error, Event, Follow};

/// What is asked of a feed: from where, up to where, and which of its events.
///
/// Lists narrow: an event must have one of the types, one of the subjects, and so on; a list that is not given asks for
/// everything.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until a page is asked for or the feed is followed"]
pub struct Read {
    pub(crate) client: Client,
    feed: String,
    pub(crate) after: Option<String>,
    from: Option<String>,
    until: Option<String>,
    pub(crate) limit: Option<u64>,
    wait: Option<Duration>,
    lists: Lists,
    filter: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Lists {
    feeds: Vec<String>,
    types: Vec<String>,
    subjects: Vec<String>,
    labels: Vec<String>,
}

/// Events in order, and where to go on.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// What to give to [`Read::after`] for the next page. It moves on even when nothing matched.
    pub cursor: String,
    /// Whether there is more already.
    pub has_more: bool,
    /// The position of the last event of the project that could be read.
    pub head: u64,
    /// The last page of the states that a reading begins with (`from` is `state`) has the position that the events follow behind.
    pub mark: Option<u64>,
}

impl Read {
    pub(crate) fn new(client: Client, feed: String) -> Self {
        Self {
            client,
            feed,
            after: None,
            from: None,
            until: None,
            limit: None,
            wait: None,
            lists: Lists::default(),
            filter: None,
        }
    }

    /// Starts behind what `cursor` stands for.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.after = Some(cursor.into());
        self
    }

    /// Starts at `start`, `now`, a time (RFC 3339) or a span ago such as `5hours`, or with the `state` of every entity. A cursor given to [`Read::after`] wins.
    ///
    /// Without either, pages start at `start` and following starts `now`.
    pub fn from(mut self, from: impl Into<String>) -> Self {
        self.from = Some(from.into());
        self
    }

    /// Ends before what was recorded at or after `now`, a time (RFC 3339) or a span ago.
    pub fn until(mut self, until: impl Into<String>) -> Self {
        self.until = Some(until.into());
        self
    }

    /// Ends with the batch that reaches `limit` events: a page (there at most 1,000), or all that is followed.
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// A page waits up to `wait`, at most a minute, for an event, where there is none yet.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Of `_all`, only these feeds.
    pub fn feeds<T: Into<String>>(mut self, feeds: impl IntoIterator<Item = T>) -> Self {
        self.lists.feeds.extend(feeds.into_iter().map(Into::into));
        self
    }

    /// Only these types.
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.lists.types.extend(types.into_iter().map(Into::into));
        self
    }

    /// Only these subjects.
    pub fn subjects<T: Into<String>>(mut self, subjects: impl IntoIterator<Item = T>) -> Self {
        self.lists
            .subjects
            .extend(subjects.into_iter().map(Into::into));
        self
    }

    /// Only subjects that now have all of these labels, each a key or `key=value`.
    pub fn labels<T: Into<String>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.lists.labels.extend(labels.into_iter().map(Into::into));
        self
    }

    /// Only events of which `expression` is true, in the Common Expression Language: `data.delay > 60`.
    pub fn filter(mut self, expression: impl Into<String>) -> Self {
        self.filter = Some(expression.into());
        self
    }

    /// The next page.
    pub async fn page(&self) -> Result<Page, Error> {
        let mut query = self.query(self.after.as_deref());
        if let Some(limit) = self.limit {
            query.push("limit", &limit.to_string());
        }
        let wait = self.wait.unwrap_or_default();
        if !wait.is_zero() {
            query.push("wait", &seconds(wait));
        }
        let request = self.request(&query, "application/json");
        let page = self
            .client
            .connection()
            .ask_waiting::<feedwire_api::Page>(request, wait);
        let page = page.await?;
        let events = page
            .events
            .into_iter()
            .map(|event| Event::new(event.into()));
        Ok(Page {
            events: events
                .collect::<Result<_, _>>()
                .map_err(|error| Error::Strange {
                    status: 200,
                    detail: match error.position {
                        Some(at) => format!("the event at position {at}: {}", error.source),
                        None => error.source.to_string(),
                    },
                    retry_after: None,
                })?,
            cursor: page.cursor,
            has_more: page.has_more,
            head: page.head,
            mark: page.mark,
        })
    }

    /// Follows the feed: what is there already, then what comes, for as long as it is asked.
    pub fn follow(self) -> Follow {
        Follow::new(self)
    }

    /// A request of the feed in the framing that `accept` names.
    pub(crate) fn request(&self, query: &Query, accept: &'static str) -> http::request::Builder {
        let url = self.client.url(&["feeds", &self.feed]) + query.as_str();
        request(Method::GET, &url).header(ACCEPT, accept)
    }

    /// The query, starting behind `cursor` or else where the reading was to start.
    pub(crate) fn query(&self, cursor: Option<&str>) -> Query {
        let mut query = Query::default();
        match (cursor, &self.from) {
            (Some(cursor), _) => query.push("after", cursor),
            (None, Some(from)) => query.push("from", from),
            (None, None) => {}
        }
        if let Some(until) = &self.until {
            query.push("until", until);
        }
        let Lists {
            feeds,
            types,
            subjects,
            labels,
        } = &self.lists;
        query.push_list("feeds", feeds);
        query.push_list("types", types);
        query.push_list("subjects", subjects);
        query.push_list("labels", labels);
        if let Some(filter) = &self.filter {
            query.push("filter", filter);
        }
        query
    }
}

/// A span as the server reads it.
pub(crate) fn seconds(span: Duration) -> String {
    format!("{}s", span.as_secs().max(1))
}
