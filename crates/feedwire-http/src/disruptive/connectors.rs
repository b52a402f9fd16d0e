//! Data Connectors: connectors whose bodies are readings, as the vendor's clients manage them.

use feedwire_core::Grant;
use feedwire_core::connectors::{Phase, Revised, Shown};
use feedwire_core::stream::Origin;
use feedwire_dialects::Refusal;
use feedwire_dialects::disruptive::{answer as told, error};
use feedwire_dialects::{
    data_connector_answer as connector, data_connector_body as body,
    data_connector_request as request,
};
use feedwire_event::{Attribute, ConnectorName};
use hyper::body::Incoming;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_128;

use super::CONNECTOR;
use super::refuse::{self, Refused};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::audit::Change;
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
    let change = changed("connector.create", &asked, &name);
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
    // Who has it go on twice at a time has nothing left out the second time.
    let _turn = asked.settling().await?;
    let shown = found(&asked).await?;
    let change = changed("connector.change", &asked, named(&shown));
    let is_woken = given.is_active() == Some(true);
    let revise = async {
        if is_woken {
            skip(&asked, &shown).await?;
        }
        let revision = Box::new(move |revised: Revised| Ok(given.apply(revised)));
        let push = asked.edge.push();
        push.change(asked.grant(), named(&shown), revision).await
    };
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

/// Has a connector that waits leave out what came meanwhile, as the vendor does. A stream that it merely is the member of is left where it
/// is: others may have that.
async fn skip(asked: &Asked, shown: &Shown) -> Result<(), feedwire_core::connectors::Error> {
    let connector = &shown.overview.connector;
    let is_waiting = matches!(connector.phase, Phase::Paused | Phase::Disabled(_));
    if is_waiting && connector.owns_stream {
        // Whoever may change the connector may have all that its stream is of.
        let whole = Grant::whole(asked.grant().project().clone());
        let core = asked.edge.core();
        core.seek_stream(&whole, &connector.stream, Origin::Now)
            .await?;
    }
    Ok(())
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

/// A change of the connector `name`, to be put on record. Where it pushes to, its headers and its secrets are not.
fn changed(ty: &'static str, asked: &Asked, name: &ConnectorName) -> Change {
    let project = asked.grant().project();
    Change {
        ty,
        subject: format!("projects/{project}"),
        details: json!({ "project": project.as_str(), "connector": name.as_str() }),
    }
}
