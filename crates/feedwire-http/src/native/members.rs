//! Members of streams: they join, and say what they have done.

use feedwire_dialects::native::request;
use feedwire_dialects::{
    stream_answer as answer, stream_body as body, stream_error as error, stream_framing as framing,
};
use http::header::ACCEPT;
use hyper::body::Incoming;

use super::refuse::{self, Refused};
use super::streams::name;
use crate::answer::{self as answers, Answer, json};
use crate::asked::Asked;
use crate::member_turns::MemberPlan;
use crate::stay::Stay;
use crate::{head, intake, stream};

pub(super) async fn connect(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let kind = request::member(asked.query(), head::text(asked.headers(), ACCEPT))?;
    let name = name(&asked)?;
    let stay = match Stay::of(&asked) {
        Ok(stay) => stay,
        Err(refusal) => return Ok(answers::refusal(refusal, asked.head())),
    };
    let grant = asked.grant();
    let member = match asked.edge.core().join(grant, &name).await {
        Ok(member) => member,
        Err(full @ feedwire_core::stream::Error::Full { .. }) => {
            return Ok(answers::come_again(&error::stream(&full), asked.head()));
        }
        Err(error) => return Err(error.into()),
    };
    let plan = MemberPlan {
        framing: framing::member(kind, grant.project()),
        patience: asked.patience_with(&member),
        member,
        stay,
    };
    Ok(stream::member(plan, &asked.edge))
}

pub(super) async fn ack(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let verdicts = body::ack(&intake::whole(body, &asked).await?.bytes)?;
    let (mut count, mut refused) = (0, Vec::new());
    for (receipts, verdict) in verdicts.iter().rev() {
        let core = asked.edge.core();
        let settled = core
            .settle(asked.grant(), &name, receipts, *verdict)
            .await?;
        count += settled.0;
        refused.extend(settled.1);
    }
    Ok(json(&answer::settled(count, &refused)))
}

pub(super) async fn nack(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let (receipts, verdict) = body::nack(&intake::whole(body, &asked).await?.bytes)?;
    let core = asked.edge.core();
    let (count, refused) = core
        .settle(asked.grant(), &name, &receipts, verdict)
        .await?;
    Ok(json(&answer::settled(count, &refused)))
}
