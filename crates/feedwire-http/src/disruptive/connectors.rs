//! Data Connectors: connectors whose bodies are readings, as the vendor's clients manage them.

use feedwire_core::connectors::{Revised, Shown};
use feedwire_dialects::Refusal;
use feedwire_dialects::disruptive::{answer as told, error};
use feedwire_dialects::{
    data_connector_answer as connector, data_connector_body as body,
    data_connector_request as request,
};
use feedwire_event::{Attribute, ConnectorName};
use hyper::body::Incoming;
use xxhash_rust::xxh3::xxh3_128;

use super::CONNECTOR;
use super::refuse::{self, Refused};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::native::connectors::{changed, changed_to};
use crate::room::Room;

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let query = request::list(asked.query())?;
    let all = asked.edge.push().list(asked.grant()).await?.into_iter();
    let is_behind = |shown: &Shown| {
        query
            .after
            .as_ref()
            .is_none_or(|after| named(shown) > after)
    };
    let behind = all.filter(|shown| connector::is_told(shown) && is_behind(shown));
    let mut page: Vec<Shown> = behind.take(query.page_size + 1).collect();
    let is_more = page.len() > query.page_size;
    page.truncate(query.page_size);
    let next = page.last().filter(|_| is_more).map(named);
    let bytes = connector::connectors(asked.grant().project(), &page, next);
    let mut room = Room::sent(&asked.edge);
    room.cover(bytes.len())?;
    Ok(answer::page("application/json", bytes, room))
}

pub(super) async fn create(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let given = body::create(&refuse::taken_in(&asked, body).await?.bytes)?;
    let name = body::name(xxh3_128(asked.edge.core().new_id().as_str().as_bytes()));
    let change = changed_to("connector.create", &asked, &name, given.url());
    let create = asked.edge.push().create(asked.grant(), given.draft(name));
    let made = change.make(&asked, create).await??;
    let project = asked.grant().project();
    Ok(answer::json_text(connector::connector(
        project,
        &made.shown,
    )))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let shown = found(&asked).await?;
    let project = asked.grant().project();
    Ok(answer::json_text(connector::connector(project, &shown)))
}

pub(super) async fn change(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let mask = request::mask(asked.query())?;
    let given = body::change(&refuse::taken_in(&asked, body).await?.bytes, &mask)?;
    let shown = found(&asked).await?;
    let change = changed_to("connector.change", &asked, named(&shown), given.url());
    let revision = Box::new(move |revised: Revised| {
        // As the vendor does: what came while it waited is left out.
        Ok(Revised {
            skips: true,
            ..given.apply(revised)
        })
    });
    let revise = asked
        .edge
        .push()
        .change(asked.grant(), named(&shown), revision);
    let shown = change.make(&asked, revise).await??;
    let project = asked.grant().project();
    Ok(answer::json_text(connector::connector(project, &shown)))
}

pub(super) async fn delete(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let shown = found(&asked).await?;
    let change = changed("connector.delete", &asked, named(&shown));
    let delete = asked.edge.push().delete(asked.grant(), named(&shown));
    change.make(&asked, delete).await??;
    Ok(answer::json_text(told::done()))
}

pub(super) async fn metrics(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let shown = found(&asked).await?;
    let push = asked.edge.push();
    let numbers = push.numbers(asked.grant(), named(&shown)).await?;
    Ok(answer::json_text(connector::metrics(&numbers)))
}

pub(super) async fn sync(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let shown = found(&asked).await?;
    let change = changed("connector.sync", &asked, named(&shown));
    let sync = asked.edge.push().sync(asked.grant(), named(&shown));
    change.make(&asked, sync).await??;
    Ok(answer::json_text(told::done()))
}

/// The Data Connector that the path names. What is no name names none.
async fn found(asked: &Asked) -> Result<Shown, Refused> {
    let text = asked.variable(CONNECTOR);
    let text = text.ok_or_else(|| Refused::from(Refusal::NotFound))?;
    let name = ConnectorName::new(&text).ok();
    let name = name.ok_or_else(|| Refused(error::unknown_connector(&text)))?;
    let shown = asked.edge.push().show(asked.grant(), &name).await?;
    if connector::is_told(&shown) {
        Ok(shown)
    } else {
        Err(Refused(error::unknown_connector(&text)))
    }
}

fn named(shown: &Shown) -> &ConnectorName {
    &shown.overview.connector.settings.name
}
