//! The record of who had what changed: events of the server's own feed.
//!
//! Each is written before the change is made, so that there is none without a record. A change that then fails is recorded again,
//! with why.

use std::fmt;

use feedwire_core::audit;
use feedwire_event::json::Canonical;
use feedwire_event::{Data, Event, Extensions, FeedName, ProjectName, Subject, TypeName};
use serde_json::{Map, Value, json};

use crate::asked::Asked;

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// What is done, such as `project.delete`.
    pub(crate) ty: &'static str,
    /// To what, as its address names it: `projects/acme`.
    pub(crate) subject: String,
    /// What else is to be known of it, an object. Never a secret.
    pub(crate) details: Value,
}

impl Change {
    /// That all there is of `subject`, of `feed`, or of the subject in the feed, is erased from `project`.
    pub(crate) fn erasure(
        project: &ProjectName,
        feed: Option<&FeedName>,
        subject: Option<&Subject>,
    ) -> Self {
        Self {
            ty: "subject.erase",
            subject: format!("projects/{project}"),
            details: json!({
                "project": project.as_str(),
                "feed": feed.map(FeedName::as_str),
                "subject": subject.map(Subject::as_str),
            }),
        }
    }

    /// Writes down that `asked` has this changed, then makes the `change`, and writes down why where that fails.
    pub(crate) async fn make<T, E: fmt::Display>(
        &self,
        asked: &Asked,
        change: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, audit::Error> {
        asked.edge.core().audit(&self.event(asked, None)).await?;
        let made = change.await;
        if let Err(error) = &made {
            self.failed(asked, &error.to_string()).await;
        }
        Ok(made)
    }

    async fn failed(&self, asked: &Asked, why: &str) {
        let event = self.event(asked, Some(why));
        if let Err(error) = asked.edge.core().audit(&event).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                change = self.ty,
                "it is not recorded that a change failed"
            );
        }
    }

    fn event(&self, asked: &Asked, failed: Option<&str>) -> Event {
        let mut data = Map::new();
        data.insert("by".to_owned(), by(asked));
        if let Value::Object(details) = &self.details {
            data.extend(details.clone());
        }
        if let Some(why) = failed {
            data.insert("failed".to_owned(), why.into());
        }
        let raw = serde_json::value::to_raw_value(&data).expect("values have texts for keys");
        let data = Canonical::new(&raw).expect("what holds strings of ours has whole characters");
        Event {
            id: None,
            source: None,
            ty: TypeName::new(self.ty).expect("it is a name"),
            subject: Subject::new(&self.subject).ok(),
            time: None,
            live_only: false,
            extensions: Extensions::default(),
            data: Some(Data::Json(data)),
        }
    }
}

/// Who asks, and from where.
fn by(asked: &Asked) -> Value {
    let address = asked.peer().to_string();
    match asked.principal() {
        Some(principal) => json!({
            "key_id": principal.key_id().as_str(),
            "display_name": principal.display_name(),
            "address": address,
        }),
        // A server that is open to everybody asks nobody who they are.
        None => json!({ "address": address }),
    }
}
