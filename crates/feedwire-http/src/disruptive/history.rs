//! What a device told, newest first.

use std::time::Duration;

use feedwire_core::back::Part;
use feedwire_core::{Filter, Span};
use feedwire_dialects::disruptive::framing;
use feedwire_dialects::disruptive::request::{self, History};
use feedwire_engine::Limit;
use hyper::body::Incoming;

use super::reach::Reach;
use super::refuse::{self, Refused};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::room::Room;

pub(super) async fn page(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let edge = &asked.edge;
    let device = refuse::device(&asked)?;
    let history = request::history(asked.query(), edge.clock().now())?;
    let (grant, _) = Reach::of(&asked)?.find(edge.core(), &device).await?;
    let History { from, to, .. } = history;
    let mut room = Room::sent(edge);
    let part = Part {
        before: history.before,
        span: Span {
            from: Some(from),
            // The end is in the window.
            to: to.map(|to| to.after(Duration::from_micros(1))),
        },
        limit: Limit {
            records: history.page_size,
            bytes: edge.limits().page_bytes,
        },
    };
    let filter = Filter {
        feeds: vec![request::feed()],
        types: history.event_types.clone(),
        subjects: vec![device],
        ..Filter::default()
    };
    let page = edge.core().back(&grant, filter, part).await?;
    let told = page.records.iter();
    let told = told.filter(|record| history.tells(record.ty()));
    let bytes = framing::page(grant.project(), told, page.next)?;
    room.cover(bytes.len())?;
    Ok(answer::page("application/json", bytes, room))
}
