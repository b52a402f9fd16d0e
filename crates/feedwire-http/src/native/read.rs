//! Reading a feed: pages, long polls and streams.

use std::time::Duration;

use feedwire_api::{CLOUDEVENTS_BATCH, CURSOR_HEADER, HEAD_HEADER};
use feedwire_core::entities::Snapshot;
use feedwire_core::{Grant, Reading, Start, read};
use feedwire_dialects::Refusal;
use feedwire_dialects::native::request::{
    Follow, Form, Page, Parts, Poll, Read, States as StatesFrom,
};
use feedwire_dialects::native::{error, framing, request};
use feedwire_dialects::state_framing::{self, StateFraming};
use feedwire_engine::Limit;
use feedwire_event::{Cursor, Position};
use http::header::{ACCEPT, CACHE_CONTROL, HeaderName};
use http::{HeaderValue, Response};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::FEED;
use super::refuse::{self, Refused};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::body::Body;
use crate::conditions::{Conditions, Tag};
use crate::edge::Edge;
use crate::head::{self, LAST_EVENT_ID};
use crate::room::Room;
use crate::sources::{Source, Sources};
use crate::states::States;
use crate::stay::Stay;
use crate::stream;
use crate::turns::{Beats, Plan};
use crate::waiting::Waiting;

/// How long states are gone through for one page: where few pass a filter, it has fewer than it has room for, and says where to go on.
const STATES_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn head(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    // What cannot be read cannot be asked about either.
    let Read { reading, .. } = reading(&asked)?;
    let head = asked.edge.core().head(asked.grant(), reading.filter);
    let head = head.await?;
    let mut answer = Response::new(Body::empty());
    let headers = answer.headers_mut();
    headers.insert(
        HeaderName::from_static(HEAD_HEADER),
        HeaderValue::from(head.get()),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

pub(super) async fn read(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let Read {
        reading,
        states,
        form,
    } = reading(&asked)?;
    let edge = asked.edge.clone();
    match form {
        Form::Page(poll) => {
            let conditions = Conditions::of(asked.headers())?;
            if let Some(states) = states {
                let page = page_of_states(&asked, reading, states, poll).await?;
                return Ok(answered_states(page, &conditions, &edge)?);
            }
            let page = page(asked, reading, poll).await?;
            Ok(answered(poll.kind, page, &conditions, &edge)?)
        }
        Form::Stream(how) => match Stay::of(&asked) {
            Ok(stay) => follow(&edge, asked.grant(), (reading, states), how, stay).await,
            Err(refusal) => Ok(answer::refusal(refusal, asked.head())),
        },
    }
}

fn reading(asked: &Asked) -> Result<Read, Refused> {
    let parts = Parts {
        feed: &refuse::variable(asked, FEED)?,
        query: asked.query(),
        accept: head::text(asked.headers(), ACCEPT),
        last_event_id: head::text(asked.headers(), LAST_EVENT_ID),
    };
    Ok(request::read(parts, asked.edge.clock().now())?)
}

async fn page(asked: Asked, reading: Reading, poll: Poll) -> Result<framing::Page, Refused> {
    let (edge, grant) = (&asked.edge, asked.grant());
    let bytes = poll.bytes.min(edge.limits().page_bytes);
    let limit = Limit {
        records: poll.limit,
        bytes,
    };
    let mut reader = edge.core().follow(grant, reading).await?;
    let mut delivery = reader.present(limit).await?;
    if !delivery.events.is_empty() || poll.wait.is_zero() || reader.is_over() {
        return Ok(framing::page(poll.kind, grant.project(), &delivery, bytes)?);
    }
    let project = grant.project().clone();
    let waiting = Waiting::of(asked)?;
    delivery = match waiting
        .next::<Refused>(&mut reader, limit, poll.wait)
        .await?
    {
        Some(delivery) => delivery,
        // Read once more, so that events and head are from one moment: a client may take an empty page for "nothing up to the head".
        None => reader.present(limit).await?,
    };
    Ok(framing::page(poll.kind, &project, &delivery, bytes)?)
}

/// The answer that is `page`, unless the client has that one. Nothing of it is kept on the way: what is erased here would stay there.
fn answered(
    kind: Page,
    page: framing::Page,
    conditions: &Conditions,
    edge: &Edge,
) -> Result<Answer, Refusal> {
    let mut room = Room::sent(edge);
    room.cover(page.bytes.len())?;
    let Cursor(cursor) = page.cursor;
    let tag = Tag::weak(&page.bytes[..page.lasting]);
    let content_type = match kind {
        Page::Object => "application/json",
        Page::Array => CLOUDEVENTS_BATCH,
    };
    let mut answer = answer::page(content_type, page.bytes, room);
    for (name, position) in [(HEAD_HEADER, page.head), (CURSOR_HEADER, cursor)] {
        let name = HeaderName::from_static(name);
        answer.headers_mut().insert(name, position.get().into());
    }
    conditions.meet(&tag, answer)
}

/// The states that `reading` begins with, from where `from` says; it goes on behind the position at which they began.
async fn snapshot(
    edge: &Edge,
    grant: &Grant,
    reading: &mut Reading,
    from: StatesFrom,
) -> Result<Snapshot, Refused> {
    let at = match from {
        StatesFrom::First => None,
        StatesFrom::Behind(cursor) => Some(cursor),
    };
    let filter = reading.filter.clone();
    let snapshot = edge.core().snapshot(grant, filter, at).await;
    let snapshot = snapshot.map_err(behind_states)?;
    reading.start = Start::After(Cursor(snapshot.start()));
    Ok(snapshot)
}

/// Why nothing can be read behind states: whoever began with them begins with them anew.
fn behind_states(error: read::Error) -> Refused {
    match error {
        read::Error::Expired(expired) => Refused(error::states_expired(&expired)),
        error => error.into(),
    }
}

async fn page_of_states(
    asked: &Asked,
    mut reading: Reading,
    from: StatesFrom,
    poll: Poll,
) -> Result<(state_framing::Page, Position), Refused> {
    let (edge, grant) = (&asked.edge, asked.grant());
    let bytes = poll.bytes.min(edge.limits().page_bytes);
    let mut snapshot = snapshot(edge, grant, &mut reading, from).await?;
    // What follows the states has to be there, or they are not worth being read.
    let reader = edge.core().follow(grant, reading).await;
    let head = reader.map_err(behind_states)?.head();
    let mut left = Limit {
        records: poll.limit,
        bytes,
    };
    let mut records = Vec::new();
    let mut is_over = false;
    let within = Instant::now() + STATES_WITHIN;
    while left.records > 0 && left.bytes > 0 {
        let Ok(found) = timeout_at(within, snapshot.next(left)).await else {
            break;
        };
        let Some(found) = found? else {
            is_over = true;
            break;
        };
        for record in &found {
            left.records = left.records.saturating_sub(1);
            left.bytes = left.bytes.saturating_sub(record.bytes());
        }
        records.extend(found);
    }
    let states = state_framing::States {
        cursor: state_framing::reached(snapshot.cursor(), records.last()),
        records,
        is_over,
        head,
    };
    let page = state_framing::page(grant.project(), &states, bytes)?;
    Ok((page, head))
}

/// The answer that is a page of states, unless the client has that one.
fn answered_states(
    (page, head): (state_framing::Page, Position),
    conditions: &Conditions,
    edge: &Edge,
) -> Result<Answer, Refusal> {
    let mut room = Room::sent(edge);
    room.cover(page.bytes.len())?;
    let tag = Tag::weak(&page.bytes[..page.lasting]);
    let cursor = HeaderValue::from_str(&page.cursor).expect("digits and base64 are ASCII");
    let mut answer = answer::page("application/json", page.bytes, room);
    for (name, value) in [(HEAD_HEADER, head.get().into()), (CURSOR_HEADER, cursor)] {
        let name = HeaderName::from_static(name);
        answer.headers_mut().insert(name, value);
    }
    conditions.meet(&tag, answer)
}

async fn follow(
    edge: &Edge,
    grant: &Grant,
    (mut reading, states): (Reading, Option<StatesFrom>),
    asked: Follow,
    stay: Stay,
) -> Result<Answer, Refused> {
    let Follow {
        kind,
        limit,
        heartbeat,
        is_resumed,
    } = asked;
    let has_end = reading.until.is_some();
    let snapshot = match states {
        Some(from) => Some(snapshot(edge, grant, &mut reading, from).await?),
        None => None,
    };
    let reader = edge.core().follow(grant, reading).await;
    let mut reader = match &snapshot {
        Some(_) => reader.map_err(behind_states)?,
        None => reader?,
    };
    let cursor = reader.cursor();
    let mut first = Vec::new();
    if is_resumed && has_end && snapshot.is_none() {
        let limit = Limit {
            records: usize::MAX,
            bytes: edge.limits().frame_bytes,
        };
        first = reader.present(limit).await?.events;
        if first.is_empty() && reader.is_over() {
            // An EventSource comes back after every end of a stream, except this one.
            return Ok(answer::nothing());
        }
    }
    let framing = framing::stream(kind, grant.project());
    let states = snapshot.map(|snapshot| {
        let framing = StateFraming::new(kind, grant.project());
        Box::new(States::new(snapshot, framing))
    });
    let plan = Plan {
        sources: Sources::new(vec![Source { reader, framing }]),
        limit,
        beats: Beats::WhenIdle(heartbeat),
        lifetime: None,
        states,
        cursor,
        stay,
        first,
    };
    Ok(stream::answer(plan, edge))
}
