//! Streams: made, looked at, changed, sent elsewhere and deleted.

use feedwire_core::stream::{Settings, Status};
use feedwire_dialects::native::request;
use feedwire_dialects::{stream_answer as answer, stream_body as body, stream_error as error};
use feedwire_event::StreamName;
use hyper::body::Incoming;
use serde_json::json;

use super::NAME;
use super::paging;
use super::refuse::{self, Refused};
use crate::answer::{Answer, created, json, nothing};
use crate::asked::Asked;
use crate::audit::Change;
use crate::intake;

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (after, limit) = paging::asked::<StreamName>(asked.query())?;
    let all = asked.edge.core().streams(asked.grant()).await?.into_iter();
    let is_behind = |status: &Status| {
        after
            .as_ref()
            .is_none_or(|after| status.settings.name > *after)
    };
    let mut found: Vec<Status> = all.filter(is_behind).take(limit + 1).collect();
    let next = paging::cut(&mut found, limit).map(|last| last.settings.name.to_string());
    Ok(json(&feedwire_api::Streams {
        streams: found.iter().map(answer::stream).collect(),
        next,
    }))
}

pub(super) async fn create(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let now = asked.edge.clock().now();
    let (settings, origin) = body::draft(&intake::whole(body, &asked).await?.bytes, now)?;
    let project = asked.grant().project();
    let change = changed("stream.create", &asked, &settings.name);
    let create = asked
        .edge
        .core()
        .create_stream(asked.grant(), settings, origin, None);
    let made = change.make(&asked, create).await??;
    let address = answer::address(project, &made.settings.name);
    Ok(created(&answer::stream(&made), &address))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(&asked)?;
    let found = asked.edge.core().stream(asked.grant(), &name).await?;
    Ok(json(&answer::details(&found)))
}

pub(super) async fn change(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let given = body::change(&intake::whole(body, &asked).await?.bytes)?;
    let revision = Box::new(move |settings: Settings| Ok(given.apply(settings)));
    let change = changed("stream.change", &asked, &name);
    let core = asked.edge.core();
    let made = core.change_stream(asked.grant(), &name, revision, None);
    let made = change.make(&asked, made).await??;
    Ok(json(&answer::stream(&made)))
}

pub(super) async fn delete(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let name = name(&asked)?;
    let change = changed("stream.delete", &asked, &name);
    let core = asked.edge.core();
    let delete = core.delete_stream(asked.grant(), &name, false);
    change.make(&asked, delete).await??;
    Ok(nothing())
}

pub(super) async fn seek(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let now = asked.edge.clock().now();
    let to = body::seek(&intake::whole(body, &asked).await?.bytes, now)?;
    let change = changed("stream.seek", &asked, &name);
    let core = asked.edge.core();
    let seek = core.seek_stream(asked.grant(), &name, to);
    let position = change.make(&asked, seek).await??;
    Ok(json(&feedwire_api::Sought {
        position: position.get(),
    }))
}

/// The stream that the path names. What is no name names none.
pub(super) fn name(asked: &Asked) -> Result<StreamName, Refused> {
    let text = refuse::variable(asked, NAME)?;
    let name = StreamName::new(&text).ok();
    name.ok_or_else(|| Refused(error::unknown()))
}

/// A change of the stream `name`, to be put on record.
pub(super) fn changed(ty: &'static str, asked: &Asked, name: &StreamName) -> Change {
    let project = asked.grant().project();
    Change {
        ty,
        subject: format!("projects/{project}"),
        details: json!({ "project": project.as_str(), "stream": name.as_str() }),
    }
}
