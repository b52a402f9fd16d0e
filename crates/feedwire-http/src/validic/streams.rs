//! Streams: made, listed, looked at, renamed and deleted.
//!
//! A stream of this dialect is one in mode `delivered` whose name is an id as this dialect gives it; what people call it is its name here.

use feedwire_core::Filter;
use feedwire_core::stream::{Conflict, Error, Mode, Origin, Selection, Settings, Status};
use feedwire_dialects::validic::answer::{self as told, Told};
use feedwire_dialects::validic::request::{self, EventKind};
use feedwire_dialects::validic::{body, error};
use feedwire_dialects::{Day, Refusal};
use feedwire_event::{Attribute, StreamName, Timestamp, TypeName};
use http::StatusCode;
use hyper::body::Incoming;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_128;

use super::ID;
use super::refuse::{Refused, taken_in};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::audit::Change;

/// The filters of a stream, as they are told.
struct Filters {
    resources: Option<Vec<TypeName>>,
    kinds: Option<Vec<EventKind>>,
}

pub(super) async fn create(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let now = asked.edge.clock().now();
    let wanted = body::create(&taken_in(&asked, body).await?.bytes, now)?;
    let (core, limits) = (asked.edge.core(), asked.edge.limits());
    let random = xxh3_128(core.new_id().as_str().as_bytes());
    let Filter {
        feeds, types_in, ..
    } = wanted.filter();
    let settings = Settings {
        display_name: wanted.name.clone(),
        selection: Selection {
            feeds,
            types_in,
            live_feeds: vec![EventKind::Connection.feed()],
            ..Selection::default()
        },
        mode: Mode::Delivered,
        members_max: limits.validic_members_max,
        ..Settings::new(request::fresh_stream(random))
    };
    let origin = wanted
        .start_date
        .map_or(Origin::Start, |day| Origin::At(day.start()));
    let max = limits.validic_streams_max;
    let name = wanted.name.clone();
    let conflict: Conflict = Box::new(move |there| {
        let own = || there.iter().filter(|status| is_own(status));
        if own().any(|status| status.settings.display_name == name) {
            return Err(Error::Called(name));
        }
        if own().count() >= max {
            return Err(Error::TooMany(max));
        }
        Ok(())
    });
    let change = changed("stream.create", &asked, &settings.name);
    let create = core.create_stream(asked.grant(), settings, origin, Some(conflict));
    let made = change.make(&asked, create).await??;
    let filters = Filters {
        resources: wanted.resource_filter,
        kinds: wanted.event_type_filter,
    };
    let mut answer = answer::json_text(told::stream(&filters.told(&made)));
    *answer.status_mut() = StatusCode::CREATED;
    Ok(answer)
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let list = request::list(asked.query())?;
    let all = asked.edge.core().streams(asked.grant()).await?.into_iter();
    let own = all.filter(is_own);
    let own: Vec<(Status, Filters)> = own
        .map(|status| {
            let filters = Filters::of(&status);
            (status, filters)
        })
        .collect();
    let streams: Vec<Told<'_>> = own
        .iter()
        .map(|(status, filters)| filters.told(status))
        .collect();
    Ok(answer::json_text(told::streams(&list, &streams)))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let name = id(&asked)?;
    Ok(one(&find(&asked, &name).await?, None))
}

pub(super) async fn rename(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let name = id(&asked)?;
    let called = body::rename(&taken_in(&asked, body).await?.bytes)?;
    find(&asked, &name).await?;
    let wanted = called.clone();
    let conflict: Conflict = Box::new(move |others| {
        let is_taken = |status: &&Status| is_own(status) && status.settings.display_name == wanted;
        match others.iter().find(is_taken) {
            Some(_) => Err(Error::Called(wanted)),
            None => Ok(()),
        }
    });
    let revision = Box::new(move |settings| {
        Ok(Settings {
            display_name: called,
            ..settings
        })
    });
    let change = changed("stream.change", &asked, &name);
    let core = asked.edge.core();
    let renamed = core.change_stream(asked.grant(), &name, revision, Some(conflict));
    Ok(one(&change.make(&asked, renamed).await??, None))
}

pub(super) async fn delete(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let name = id(&asked)?;
    find(&asked, &name).await?;
    let change = changed("stream.delete", &asked, &name);
    let core = asked.edge.core();
    let delete = core.delete_stream(asked.grant(), &name, true);
    let deleted = change.make(&asked, delete).await??;
    Ok(one(&deleted, Some(asked.edge.clock().now())))
}

/// The id that the path names.
pub(super) fn id(asked: &Asked) -> Result<StreamName, Refused> {
    let id = asked.variable(ID).ok_or(Refusal::NotFound)?;
    request::stream(&id).ok_or_else(|| Refused(error::not_found()))
}

/// The stream `name`, if it is of this dialect.
pub(super) async fn find(asked: &Asked, name: &StreamName) -> Result<Status, Refused> {
    let found = asked.edge.core().stream(asked.grant(), name).await?;
    let own = Some(found.status).filter(is_own);
    own.ok_or_else(|| Refused(error::not_found()))
}

fn is_own(status: &Status) -> bool {
    let name = status.settings.name.as_str();
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    status.settings.mode == Mode::Delivered && name.len() == 24 && name.bytes().all(is_digit)
}

fn one(status: &Status, deleted_at: Option<Timestamp>) -> Answer {
    let filters = Filters::of(status);
    answer::json_text(told::stream(&Told {
        deleted_at,
        ..filters.told(status)
    }))
}

fn changed(ty: &'static str, asked: &Asked, name: &StreamName) -> Change {
    let project = asked.grant().project();
    Change {
        ty,
        subject: format!("projects/{project}"),
        details: json!({ "project": project.as_str(), "stream": name.as_str() }),
    }
}

impl Filters {
    fn of(status: &Status) -> Self {
        let (resources, kinds) = told::filters_of(&status.settings.selection.filter());
        Self {
            resources: Some(resources),
            kinds: Some(kinds),
        }
    }

    fn told<'a>(&'a self, status: &'a Status) -> Told<'a> {
        Told {
            id: status.settings.name.as_str(),
            name: &status.settings.display_name,
            start_date: status.starts_at.map(Day::of),
            resource_filter: self.resources.as_deref(),
            event_type_filter: self.kinds.as_deref(),
            members: status.members,
            created_at: status.created_at,
            updated_at: status.updated_at,
            deleted_at: None,
        }
    }
}
