//! Saving events of aggregates.

use feedwire_core::Repetition;
use feedwire_dialects::Refusal;
use feedwire_dialects::serialized::body::{self, Save};
use feedwire_dialects::serialized::request;
use hyper::body::Incoming;

use super::refuse::{self, Refused};
use super::{ID, TYPE};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::intake::{self, Whole};

pub(super) async fn one(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let feed = request::aggregate_type(&refuse::variable(&asked, TYPE)?)?;
    let subject = request::aggregate_id(&refuse::variable(&asked, ID)?)?;
    let whole = taken_in(&asked, body).await?;
    save(&asked, body::batch(&feed, &subject, &whole.bytes)?).await
}

pub(super) async fn bulk(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    let feed = request::aggregate_type(&refuse::variable(&asked, TYPE)?)?;
    let whole = taken_in(&asked, body).await?;
    save(&asked, body::bulk(&feed, &whole.bytes)?).await
}

async fn taken_in(asked: &Asked, body: Incoming) -> Result<Whole, Refused> {
    refuse::other_than_json(asked)?;
    let whole = intake::whole(body, asked).await?;
    let counted = asked.metered().publish(whole.bytes.len());
    counted.map_err(Refusal::from)?;
    Ok(whole)
}

async fn save(asked: &Asked, save: Save) -> Result<Answer, Refused> {
    let Save {
        events,
        expectations,
    } = save;
    let (core, grant) = (asked.edge.core(), asked.grant());
    core.publish(grant, &events, expectations, &Repetition::Unknown)
        .await?;
    Ok(refuse::empty())
}
