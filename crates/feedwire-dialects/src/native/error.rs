//! Each error as the native API tells it: a problem document (RFC 9457).

use std::fmt::Display;

use feedwire_api::{KIND_PREFIX, Problem};
use feedwire_core::{publish, read, store};
use feedwire_engine::{BatchError, Expired, Head};
use feedwire_event::{Position, Subject};
use http::StatusCode;
use serde_json::{Map, Value};

use super::answer::{self, Progress};
use super::{body, request};
use crate::Unreadable;
use crate::lines::TooLong;

/// The problem of `kind`, told as `title` with `detail`.
pub fn problem(
    status: StatusCode,
    kind: &str,
    title: &str,
    detail: &(impl Display + ?Sized),
) -> Problem {
    Problem {
        ty: format!("{KIND_PREFIX}{kind}"),
        title: title.to_owned(),
        status: status.as_u16(),
        detail: detail.to_string(),
        members: Map::new(),
    }
}

pub(crate) fn with(mut problem: Problem, name: &str, value: impl Into<Value>) -> Problem {
    problem.members.insert(name.to_owned(), value.into());
    problem
}

/// A problem as one line of ASCII.
pub fn json(problem: &Problem) -> Vec<u8> {
    answer::json(problem)
}

/// There is nothing at this address.
pub fn not_found(detail: &(impl Display + ?Sized)) -> Problem {
    problem(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
}

/// The request cannot be met at present.
pub fn unavailable(detail: &(impl Display + ?Sized)) -> Problem {
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "Not available at present",
        detail,
    )
}

pub(crate) fn too_large(kind: &str, title: &str, detail: &(impl Display + ?Sized)) -> Problem {
    problem(StatusCode::PAYLOAD_TOO_LARGE, kind, title, detail)
}

pub(super) fn invalid_parameter(detail: &(impl Display + ?Sized), name: &str) -> Problem {
    let title = "A parameter cannot be meant";
    let problem = problem(StatusCode::BAD_REQUEST, "invalid-parameter", title, detail);
    with(problem, "parameter", name)
}

fn invalid_event(detail: &(impl Display + ?Sized), attribute: &str) -> Problem {
    with(invalid_batch(detail), "attribute", attribute)
}

fn invalid_batch(detail: &(impl Display + ?Sized)) -> Problem {
    problem(
        StatusCode::BAD_REQUEST,
        "invalid-event",
        "Not an event",
        detail,
    )
}

fn no_space(detail: &(impl Display + ?Sized)) -> Problem {
    problem(
        StatusCode::INSUFFICIENT_STORAGE,
        "no-space",
        "The disk is full",
        detail,
    )
}

fn damaged(detail: &(impl Display + ?Sized)) -> Problem {
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "damaged",
        "Stored events are damaged",
        detail,
    )
}

/// A request that was refused before its body was looked at.
pub fn request(error: &request::Error) -> Problem {
    match error {
        request::Error::Parameter { name, .. } => invalid_parameter(error, name),
        request::Error::NotAcceptable => problem(
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            "Nothing acceptable can be sent",
            error,
        ),
        request::Error::UnsupportedMediaType { .. } | request::Error::UnsupportedEncoding(_) => {
            problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body cannot be read as it is sent",
                error,
            )
        }
    }
}

/// A body that was refused.
pub fn body(error: &body::Error) -> Problem {
    match error {
        body::Error::Json { line, column, .. } => invalid_json(error, *line as u64, *column),
        body::Error::Event {
            index, attribute, ..
        } => {
            let problem = invalid_event(&format!("event {index}: {error}"), attribute);
            with(problem, "index", *index)
        }
        body::Error::TooMany(_) => too_large("batch-too-large", "The batch is too large", error),
        body::Error::Empty => invalid_batch(error),
        body::Error::Member { name, .. } => invalid_parameter(error, name),
    }
}

/// A line, one of many in a body, that was refused.
pub fn line(error: &body::Error, line: u64) -> Problem {
    match error {
        body::Error::Json { column, .. } => invalid_json(error, line, *column),
        body::Error::Event { attribute, .. } => with(
            invalid_event(&format!("line {line}: {error}"), attribute),
            "line",
            line,
        ),
        body::Error::TooMany(_) | body::Error::Empty | body::Error::Member { .. } => {
            with_line(body(error), line)
        }
    }
}

/// `problem`, which is that of the line `line`.
pub fn with_line(problem: Problem, line: u64) -> Problem {
    let detail = format!("line {line}: {}", problem.detail);
    with(Problem { detail, ..problem }, "line", line)
}

fn invalid_json(error: &body::Error, line: u64, column: usize) -> Problem {
    let detail = format!("line {line} column {column}: {error}");
    let title = "Not JSON as it is asked for";
    let problem = problem(StatusCode::BAD_REQUEST, "invalid-json", title, &detail);
    with(with(problem, "line", line), "column", column)
}

/// It is not granted.
pub fn forbidden(detail: &(impl Display + ?Sized)) -> Problem {
    problem(StatusCode::FORBIDDEN, "forbidden", "Not granted", detail)
}

/// A batch that was not published.
pub fn publish(error: &publish::Error) -> Problem {
    match error {
        publish::Error::Forbidden(_) => forbidden(error),
        publish::Error::UnknownProject(_) => not_found(error),
        publish::Error::Batch(batch) => self::batch(batch),
        publish::Error::Conflict { subject, head, .. } => conflict(error, subject, *head),
        publish::Error::PartlyKnown { known } => partly_known(known),
        publish::Error::KeyReused { first } => {
            let problem = problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The key is that of another request",
                error,
            );
            with(problem, "position", first.get())
        }
        publish::Error::NoSpace(_) => no_space(error),
        publish::Error::Closing => unavailable(error),
        publish::Error::Damaged(_) => damaged(error),
        publish::Error::Unavailable(_) => {
            unavailable("the log cannot be written to; the events may have been published or not")
        }
    }
}

fn batch(error: &BatchError) -> Problem {
    match error {
        BatchError::Empty | BatchError::ExpectedTwice(_) => invalid_batch(error),
        BatchError::TooMany(_) | BatchError::TooLarge(_) => {
            too_large("batch-too-large", "The batch is too large", error)
        }
        BatchError::SameId { index, .. } => with(invalid_event(error, "id"), "index", *index),
        BatchError::EventTooLarge { index, .. } => with(
            too_large("event-too-large", "An event is too large", error),
            "index",
            *index,
        ),
    }
}

/// Some events are there already: `known` is not empty.
fn partly_known(known: &[(u16, Position)]) -> Problem {
    let first = known.first().copied();
    let (index, position) = first.map_or((0, 0), |(index, position)| (index, position.get()));
    let count = known.len();
    let detail = format!(
        "{count} of the events are there already, the first of them event {index} at position {position}; nothing was published"
    );
    let problem = problem(
        StatusCode::CONFLICT,
        "partly-known",
        "Some of the events are there already",
        &detail,
    );
    with(
        with(with(problem, "known", count), "index", index),
        "position",
        position,
    )
}

fn conflict(error: &publish::Error, subject: &Subject, head: Option<Head>) -> Problem {
    let (version, position) = head.map_or((0, 0), |head| (head.version.0, head.position.get()));
    let detail =
        format!("{error}: it is at version {version}, its last event at position {position}");
    let problem = problem(
        StatusCode::CONFLICT,
        "conflict",
        "Not where it was expected",
        &detail,
    );
    with(
        with(
            with(problem, "subject", subject.as_str()),
            "version",
            version,
        ),
        "position",
        position,
    )
}

/// A reading that is not begun, or not gone on with.
pub fn read(error: &read::Error) -> Problem {
    match error {
        read::Error::Forbidden(_) => forbidden(error),
        read::Error::UnknownProject(_) => not_found(error),
        read::Error::Expired(expired) => self::expired(expired),
        read::Error::CursorAhead { head, .. } => {
            let problem = problem(
                StatusCode::BAD_REQUEST,
                "cursor-ahead",
                "The cursor is past the end",
                error,
            );
            with(problem, "head", head.get())
        }
        read::Error::Damaged(_) => damaged(error),
        read::Error::Unavailable(_) => unavailable("the log cannot be read"),
    }
}

/// What was asked for is partly no longer retained.
pub fn expired(expired: &Expired) -> Problem {
    gone(expired, "ask with from=start for what there is")
}

/// What is behind the states of a reading is partly no longer retained.
pub fn states_expired(expired: &Expired) -> Problem {
    gone(expired, "ask with from=state for how all is now")
}

fn gone(expired: &Expired, advice: &str) -> Problem {
    let lost = expired.lost_at_most;
    let detail = format!("{expired}: at most {lost} were lost; {advice}");
    let problem = problem(
        StatusCode::GONE,
        "cursor-expired",
        "No longer retained",
        &detail,
    );
    let problem = with(problem, "first_position", expired.first.get());
    let first_at = expired.first_at.map(|time| time.to_string());
    with(with(problem, "first_time", first_at), "lost_at_most", lost)
}

/// Something that is kept beside the events and was not stored.
pub fn store(error: &store::Error) -> Problem {
    match error {
        store::Error::Read(error) => read(error),
        store::Error::Changed => changed(error),
        store::Error::NoSpace(_) => no_space(error),
        store::Error::Unavailable(_) => unavailable("it cannot be stored"),
    }
}

/// What a request takes for granted does not hold.
pub fn changed(detail: &(impl Display + ?Sized)) -> Problem {
    problem(
        StatusCode::PRECONDITION_FAILED,
        "precondition-failed",
        "Not as it was expected",
        detail,
    )
}

/// There is no such project.
pub fn no_project() -> Problem {
    not_found("there is no such project")
}

/// A deletion is confirmed by a token that does not.
pub fn no_deletion() -> Problem {
    let problem = changed(
        "the token confirms no deletion of this project: it is another's, used, or too old",
    );
    Problem {
        detail: format!("{}; ask again without one", problem.detail),
        ..problem
    }
}

/// There is one of that name.
pub fn already_exists(detail: &(impl Display + ?Sized)) -> Problem {
    let title = "It is there already";
    problem(StatusCode::CONFLICT, "already-exists", title, detail)
}

/// A project is not deleted before its children are.
pub fn has_children(detail: &(impl Display + ?Sized)) -> Problem {
    let title = "There are projects below it";
    problem(StatusCode::CONFLICT, "has-children", title, detail)
}

/// There are as many projects below one as there may be.
pub fn too_many_projects(detail: &(impl Display + ?Sized)) -> Problem {
    let title = "There are as many projects as there may be";
    problem(StatusCode::CONFLICT, "too-many-projects", title, detail)
}

/// There are as many credentials as there may be.
pub fn too_many_credentials(detail: &(impl Display + ?Sized)) -> Problem {
    let title = "There are as many credentials as there may be";
    problem(StatusCode::CONFLICT, "too-many-credentials", title, detail)
}

/// A member `name` of what was sent, or a parameter, is not as it has to be.
pub fn invalid(name: &str, detail: &(impl Display + ?Sized)) -> Problem {
    invalid_parameter(detail, name)
}

/// The store has no room.
pub fn store_full(detail: &(impl Display + ?Sized)) -> Problem {
    no_space(detail)
}

/// There is no such receipt.
pub fn no_erasure() -> Problem {
    not_found("there is no erasure of this id")
}

/// The server takes nothing more: it stops.
pub fn stopping() -> Problem {
    unavailable("the server is stopping")
}

/// An event that was stored by a later version.
pub fn unreadable(error: Unreadable) -> Problem {
    damaged(&error)
}

/// A line that is too long to be an event.
pub fn line_too_long(error: &TooLong) -> Problem {
    with(
        too_large("event-too-large", "An event is too large", error),
        "line",
        error.line,
    )
}

/// The problem of a body of many batches: how far it came.
pub fn after(problem: Problem, progress: Option<&Progress>) -> Problem {
    let problem = with(
        problem,
        "appended",
        progress.map_or(0, |progress| progress.count),
    );
    with(
        problem,
        "last",
        progress.map(|progress| progress.last.get()),
    )
}

#[cfg(test)]
mod tests {
    use feedwire_event::{Cursor, FeedName, ProjectName, Version};
    use insta::assert_snapshot;

    use super::*;

    fn told(problem: &Problem) -> String {
        String::from_utf8(json(problem)).expect("ASCII")
    }

    fn position(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    #[test]
    fn a_conflict_says_where_the_subject_is() {
        let subject = Subject::new("Ærø").expect("a subject");
        let feed = FeedName::new("orders").expect("a name");
        let head = Some(Head {
            version: Version(3),
            position: position(77),
        });
        assert_snapshot!(told(&publish(&publish::Error::Conflict { feed, subject, head })), @r#"{"type":"urn:feedwire:problem:conflict","title":"Not where it was expected","status":409,"detail":"subject \"\u00c6r\u00f8\" of feed orders is not where it was expected: it is at version 3, its last event at position 77","position":77,"subject":"\u00c6r\u00f8","version":3}"#);
    }

    #[test]
    fn a_partly_known_batch_says_what_of_it_is_where() {
        let known = vec![(2, position(77)), (5, position(70))];
        assert_snapshot!(told(&publish(&publish::Error::PartlyKnown { known })), @r#"{"type":"urn:feedwire:problem:partly-known","title":"Some of the events are there already","status":409,"detail":"2 of the events are there already, the first of them event 2 at position 77; nothing was published","index":2,"known":2,"position":77}"#);
        assert_snapshot!(told(&publish(&publish::Error::KeyReused { first: position(77) })), @r#"{"type":"urn:feedwire:problem:idempotency-key-reused","title":"The key is that of another request","status":422,"detail":"the key is that of another request, whose first event is at position 77","position":77}"#);
        assert_snapshot!(told(&publish(&publish::Error::Batch(BatchError::SameId { first: 1, index: 3 }))), @r#"{"type":"urn:feedwire:problem:invalid-event","title":"Not an event","status":400,"detail":"event 3 of the batch has the source, the id and the subject of event 1","attribute":"id","index":3}"#);
    }

    #[test]
    fn an_expired_cursor_is_told_what_it_lost() {
        let first_at = "2026-11-21T08:00:00Z".parse().ok();
        let expired = Expired {
            first: position(200),
            first_at,
            lost_at_most: 49,
        };
        assert_snapshot!(told(&read(&read::Error::Expired(expired))), @r#"{"type":"urn:feedwire:problem:cursor-expired","title":"No longer retained","status":410,"detail":"events before position 200 are no longer retained: at most 49 were lost; ask with from=start for what there is","first_position":200,"first_time":"2026-11-21T08:00:00Z","lost_at_most":49}"#);
    }

    #[test]
    fn a_cursor_of_another_log_is_told_the_head() {
        let error = read::Error::CursorAhead {
            cursor: Cursor(position(9)),
            head: position(3),
        };
        assert_snapshot!(told(&read(&error)), @r#"{"type":"urn:feedwire:problem:cursor-ahead","title":"The cursor is past the end","status":400,"detail":"the cursor 9 is past the last event, which is at 3","head":3}"#);
    }

    #[test]
    fn a_bad_line_says_which_and_how_far_it_came() {
        let error = body::Error::Event {
            index: 0,
            attribute: "type".into(),
            reason: "it is missing".into(),
        };
        assert_snapshot!(told(&after(line(&error, 1007), None)), @r#"{"type":"urn:feedwire:problem:invalid-event","title":"Not an event","status":400,"detail":"line 1007: type: it is missing","appended":0,"attribute":"type","last":null,"line":1007}"#);
    }

    #[test]
    fn each_error_has_its_kind_and_status() {
        let project = ProjectName::new("other").expect("a name");
        let problems = [
            request(&request::Error::NotAcceptable),
            request(&request::Error::Parameter {
                name: "limit".into(),
                reason: "odd".into(),
            }),
            body(&body::Error::TooMany(1001)),
            body(&body::Error::Json {
                line: 2,
                column: 7,
                reason: "odd".into(),
            }),
            publish(&publish::Error::UnknownProject(project)),
            publish(&publish::Error::NoSpace(feedwire_engine::MinFree(None))),
            publish(&publish::Error::Closing),
            publish(&publish::Error::Batch(BatchError::EventTooLarge {
                index: 3,
                bytes: 9,
            })),
            read(&read::Error::Damaged("page 7".into())),
            line_too_long(&TooLong {
                line: 4,
                line_bytes_max: 9,
            }),
        ];
        let kinds: Vec<String> = problems
            .iter()
            .map(|p| format!("{} {} {:?}", p.status, p.kind(), p.members))
            .collect();
        assert_snapshot!(kinds.join("\n"), @r#"
        406 not-acceptable {}
        400 invalid-parameter {"parameter": String("limit")}
        413 batch-too-large {}
        400 invalid-json {"column": Number(7), "line": Number(2)}
        404 not-found {}
        507 no-space {}
        503 unavailable {}
        413 event-too-large {"index": Number(3)}
        500 damaged {}
        413 event-too-large {"line": Number(4)}
        "#);
    }
}
