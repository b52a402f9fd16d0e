//! What the native API refuses, as answers; what is ours to mend is logged here, once.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use feedwire_api::Problem;
use feedwire_auth::{ChangeError, CreateError, ForgetError, Invalid, RevokeError, RotateError};
use feedwire_core::projects::{create, delete};
use feedwire_core::{audit, connectors, entities, loads, publish, read, store, stream};
use feedwire_dialects::native::{body, error, refusal, request};
use feedwire_dialects::{
    Refusal, Unreadable, connector_error, entity_error, load_answer, stream_error,
};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::head::{self, IDEMPOTENCY_KEY};

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Problem);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl From<Refused> for Answer {
    fn from(Refused(problem): Refused) -> Self {
        answer::problem(&problem)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal::refused(refusal))
    }
}

impl From<request::Error> for Refused {
    fn from(error: request::Error) -> Self {
        Self(error::request(&error))
    }
}

impl From<body::Error> for Refused {
    fn from(error: body::Error) -> Self {
        Self(error::body(&error))
    }
}

impl From<publish::Error> for Refused {
    fn from(error: publish::Error) -> Self {
        logged(error::publish(&error), &error)
    }
}

impl From<read::Error> for Refused {
    fn from(error: read::Error) -> Self {
        logged(error::read(&error), &error)
    }
}

impl From<entities::Error> for Refused {
    fn from(error: entities::Error) -> Self {
        logged(entity_error::entity(&error), &error)
    }
}

impl From<loads::Error> for Refused {
    fn from(error: loads::Error) -> Self {
        logged(load_answer::refused(&error), &error)
    }
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        logged(error::store(&error), &error)
    }
}

impl From<stream::Error> for Refused {
    fn from(error: stream::Error) -> Self {
        logged(stream_error::stream(&error), &error)
    }
}

impl From<connectors::Error> for Refused {
    fn from(error: connectors::Error) -> Self {
        logged(connector_error::connector(&error), &error)
    }
}

impl From<audit::Error> for Refused {
    fn from(error: audit::Error) -> Self {
        let problem = match &error {
            audit::Error::NoSpace(_) => error::store_full(&error),
            audit::Error::Closing => error::stopping(),
            audit::Error::Event(_) | audit::Error::Damaged(_) | audit::Error::Unavailable(_) => {
                error::unavailable("it cannot be put on record, and so it is not done")
            }
        };
        logged(problem, &error)
    }
}

impl From<create::Error> for Refused {
    fn from(error: create::Error) -> Self {
        let problem = match &error {
            create::Error::Exists(_) => error::already_exists(&error),
            create::Error::TooMany(_) => error::too_many_projects(&error),
            create::Error::NoParent(_) | create::Error::Reserved(_) => {
                error::invalid("name", &error)
            }
            create::Error::NoSpace(_) => error::store_full(&error),
            create::Error::Unavailable(_) => error::unavailable("the project cannot be made"),
        };
        logged(problem, &error)
    }
}

impl From<delete::Error> for Refused {
    fn from(error: delete::Error) -> Self {
        let problem = match &error {
            delete::Error::Unknown(_) => error::no_project(),
            delete::Error::HasChildren(_) => error::has_children(&error),
            delete::Error::Reserved(_) => error::forbidden(&error),
            delete::Error::Unavailable(_) => {
                error::unavailable("the project cannot be deleted; it is still there")
            }
        };
        logged(problem, &error)
    }
}

impl From<ForgetError> for Refused {
    fn from(error: ForgetError) -> Self {
        let problem = match &error {
            ForgetError::NoSpace(_) => error::store_full(&error),
            ForgetError::Unavailable(_) => error::unavailable(
                "the project's credentials cannot all be revoked; it is still there",
            ),
        };
        logged(problem, &error)
    }
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        Self(error::invalid(member(&invalid), &invalid))
    }
}

impl From<CreateError> for Refused {
    fn from(error: CreateError) -> Self {
        let problem = match &error {
            CreateError::Invalid(invalid) => error::invalid(member(invalid), invalid),
            CreateError::ProjectFull | CreateError::ServerFull => {
                error::too_many_credentials(&error)
            }
            CreateError::NoSpace(_) => error::store_full(&error),
            // Its name is random: the store has one that it should not have.
            CreateError::Taken(_) | CreateError::Unavailable(_) => {
                error::unavailable("the credential cannot be kept")
            }
        };
        logged(problem, &error)
    }
}

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        let problem = match &error {
            ChangeError::Unknown(_) => error::not_found(&error),
            ChangeError::Invalid(invalid) => error::invalid(member(invalid), invalid),
            ChangeError::Changed => error::changed(&error),
            ChangeError::NoSpace(_) => error::store_full(&error),
            ChangeError::Unavailable(_) => error::unavailable("the credential cannot be changed"),
        };
        logged(problem, &error)
    }
}

impl From<RotateError> for Refused {
    fn from(error: RotateError) -> Self {
        let problem = match &error {
            RotateError::Unknown(_) => error::not_found(&error),
            RotateError::Overlap => error::invalid("overlap", &error),
            RotateError::Changed => error::changed(&error),
            RotateError::NoSpace(_) => error::store_full(&error),
            RotateError::Unavailable(_) => error::unavailable(
                "it is not known whether the secret has changed: rotate it again",
            ),
        };
        logged(problem, &error)
    }
}

impl From<RevokeError> for Refused {
    fn from(error: RevokeError) -> Self {
        let problem = match &error {
            RevokeError::Unknown(_) => error::not_found(&error),
            RevokeError::Changed => error::changed(&error),
            RevokeError::NoSpace(_) => error::store_full(&error),
            RevokeError::Unavailable(_) => {
                error::unavailable("it is not known whether the credential is revoked: ask again")
            }
        };
        logged(problem, &error)
    }
}

/// The member of a credential that is wrong.
fn member(invalid: &Invalid) -> &'static str {
    match invalid {
        Invalid::DisplayName => "display_name",
        Invalid::Email => "email",
        Invalid::Expiry => "expires_at",
        Invalid::Limit => "limits",
        Invalid::Grants(_)
        | Invalid::GrantsBytes(_)
        | Invalid::Twice(_)
        | Invalid::OutsideHome { .. }
        | Invalid::NoRights(_)
        | Invalid::AdminConfined(_)
        | Invalid::Feeds { .. }
        | Invalid::Confinement { .. }
        | Invalid::Label { .. } => "grants",
    }
}

impl From<Unreadable> for Refused {
    fn from(error: Unreadable) -> Self {
        logged(error::unreadable(error), &error)
    }
}

/// The client is told what it can do; whoever runs the server is told why.
fn logged(problem: Problem, error: &(dyn Error + 'static)) -> Refused {
    if problem.status >= 500 {
        tracing::error!(error, kind = problem.kind(), "a request failed");
    }
    Refused(problem)
}

/// The segment of the path where the route has its variable `place`.
pub(super) fn variable(asked: &Asked, place: usize) -> Result<Cow<'_, str>, Refused> {
    let refused = || Refused(error::not_found("the address is not percent-encoded UTF-8"));
    asked.variable(place).ok_or_else(refused)
}

/// Refuses a key by which a repetition would not be known.
pub(super) fn key(asked: &Asked) -> Result<(), Refused> {
    match asked.headers().get(IDEMPOTENCY_KEY) {
        Some(_) => Err(body::no_key().into()),
        None => Ok(()),
    }
}

/// Refuses a body that is not one JSON document as it is.
pub(super) fn other_than_json(asked: &Asked) -> Result<(), Refused> {
    body::encoding(head::text(asked.headers(), CONTENT_ENCODING))?;
    Ok(body::json_content(head::text(
        asked.headers(),
        CONTENT_TYPE,
    ))?)
}
