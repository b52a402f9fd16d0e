//! Why something is not done with an entity, as the native API tells it.

use feedwire_api::Problem;
use feedwire_core::entities::Error;
use feedwire_core::limits::LOAD_ROOM_BYTES;
use feedwire_core::publish;
use feedwire_engine::BatchError;
use feedwire_event::limits::EVENT_BYTES_MAX;
use http::StatusCode;

use crate::entity_answer::Progress;
use crate::native::error::{self, problem, with};

/// There is no such entity.
pub fn unknown() -> Problem {
    error::not_found("there is no such entity")
}

/// What could not be made of an entity.
pub fn entity(told: &Error) -> Problem {
    match told {
        Error::Publish(publish::Error::Batch(BatchError::EventTooLarge { bytes, .. })) => {
            too_large(*bytes)
        }
        Error::Publish(publish) => error::publish(publish),
        Error::Unexpected { position, .. } => {
            let position = position.map(feedwire_event::Position::get);
            with(error::changed(told), "position", position)
        }
        Error::NotThere(_) => error::not_found(told),
        Error::PatchedState { .. } => error::invalid("data", told),
        Error::PatchedIds { .. } => error::invalid("ids", told),
        Error::Twice(_) => error::invalid("subject", told),
    }
}

/// It is larger than what a load event of it has room for.
fn too_large(bytes: usize) -> Problem {
    let most = EVENT_BYTES_MAX - LOAD_ROOM_BYTES;
    let detail = format!("an entity has at most {most} bytes with its ids, this one {bytes}");
    error::too_large("event-too-large", "An entity is too large", &detail)
}

/// A body of lines, of which this one has no lines at all.
pub fn empty() -> Problem {
    let title = "Nothing to be put";
    let detail = "there is no line in it";
    let problem = problem(StatusCode::BAD_REQUEST, "invalid-parameter", title, detail);
    with(problem, "parameter", "body")
}

/// The problem of a body of many entities: how far it came.
pub fn after(problem: Problem, progress: &Progress) -> Problem {
    let put = progress.answer();
    let problem = with(problem, "put", put.count);
    let problem = with(problem, "created", put.created);
    let problem = with(problem, "updated", put.updated);
    let problem = with(problem, "unchanged", put.unchanged);
    with(problem, "last", put.last)
}
