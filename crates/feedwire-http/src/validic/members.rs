//! Connections to streams.

use feedwire_dialects::validic::framing;
use hyper::body::Incoming;

use super::refuse::Refused;
use super::streams::{find, id};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::member_turns::MemberPlan;
use crate::stay::Stay;
use crate::stream;

pub(super) async fn connect(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let name = id(&asked)?;
    find(&asked, &name).await?;
    let stay = Stay::of(&asked)?;
    let member = asked.edge.core().join(asked.grant(), &name).await?;
    let plan = MemberPlan {
        framing: framing::member(&name),
        patience: asked.patience_with(&member),
        member,
        stay,
    };
    Ok(stream::member(plan, &asked.edge))
}
