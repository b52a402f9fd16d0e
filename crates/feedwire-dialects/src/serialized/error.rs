//! Each error as Serialized's API tells it: `{"code":404,"message":"…"}`, with `errors` where a body is refused.

use std::fmt::Display;

use feedwire_core::projects::create;
use feedwire_core::{history, publish, read, store, tenants};
use feedwire_engine::{BatchError, Expired, Head};
use feedwire_event::{FeedName, Subject, Version};
use http::StatusCode;
use serde::Serialize;

use super::{body, request};
use crate::ascii;
use crate::failure::{
    self, bad_request, conflict, failure, forbidden, no_space, not_found, stopping, too_large,
    unavailable,
};
pub use crate::failure::{Failure, audit, damaged, unanswered};

/// The body of `failure` as one line of ASCII.
pub fn json(failure: &Failure) -> Vec<u8> {
    #[derive(Serialize)]
    struct Answer<'a> {
        code: u16,
        message: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        errors: &'a [String],
    }
    ascii::json(&Answer {
        code: failure.status.as_u16(),
        message: &failure.message,
        errors: &failure.errors,
    })
}

fn unprocessable(message: &(impl Display + ?Sized), errors: Vec<String>) -> Failure {
    let failure = failure(StatusCode::UNPROCESSABLE_ENTITY, message);
    Failure { errors, ..failure }
}

/// There is no such tenant, or it is deleted.
pub fn unknown_tenant() -> Failure {
    not_found("there is no such tenant")
}

/// Nothing was ever saved of this type.
pub fn unknown_feed(feed: &FeedName) -> Failure {
    not_found(&format!("there is no feed {feed}"))
}

/// There is no aggregate of this type and id.
pub fn unknown_aggregate(feed: &FeedName, id: &Subject) -> Failure {
    not_found(&format!("there is no aggregate {id} of type {feed}"))
}

/// A deletion is confirmed by a token that does not.
pub fn bad_delete_token() -> Failure {
    forbidden(
        "deleteToken: it confirms no deletion of this: it is another's, used, or too old; ask again without one",
    )
}

/// An aggregate that is not loaded.
pub fn history(error: &history::Error) -> Failure {
    match error {
        history::Error::Read(error) => read(error),
        history::Error::Expired(Version(version)) => failure(
            StatusCode::GONE,
            &format!(
                "since: the versions up to {version} are no longer retained; ask with since={version} for what there is"
            ),
        ),
        history::Error::TooLarge { batches, .. } => {
            let limit = batches.saturating_sub(1).max(1);
            too_large(&format!(
                "limit: these versions are too large for one answer; ask for {limit} at a time"
            ))
        }
    }
}

/// A request that was refused before its body was looked at.
pub fn request(error: &request::Error) -> Failure {
    match error {
        request::Error::Parameter { .. }
        | request::Error::AggregateType(_)
        | request::Error::AggregateId
        | request::Error::TenantId => bad_request(error),
        request::Error::MediaType(_) | request::Error::ContentEncoding(_) => {
            failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, error)
        }
    }
}

/// A body that was refused.
pub fn body(error: &body::Error) -> Failure {
    match error {
        body::Error::Json(_) => {
            let errors = vec![error.to_string()];
            let message = format!("the body is not JSON as it is asked for: {error}");
            unprocessable(&message, errors)
        }
        body::Error::Members(faults) => {
            let errors = faults.iter().map(ToString::to_string);
            let message = format!("the body cannot be meant: {error}");
            unprocessable(&message, errors.collect())
        }
        body::Error::TooMany => too_large(error),
    }
}

/// Events that were not saved.
pub fn publish(error: &publish::Error) -> Failure {
    match error {
        publish::Error::Forbidden(_) => forbidden(error),
        publish::Error::UnknownProject(_) => unknown_tenant(),
        publish::Error::Batch(batch) => self::batch(batch),
        publish::Error::Conflict {
            feed,
            subject,
            head,
        } => unexpected(feed, subject, *head),
        publish::Error::PartlyKnown { .. } => conflict(error),
        publish::Error::KeyReused { .. } => unprocessable(error, vec![error.to_string()]),
        publish::Error::NoSpace(_) => no_space(error),
        publish::Error::Closing => stopping(),
        publish::Error::Damaged(_) => damaged(error),
        publish::Error::Unavailable(_) => {
            unavailable("the log cannot be written to; the events may have been saved or not")
        }
    }
}

fn batch(error: &BatchError) -> Failure {
    match error {
        BatchError::Empty | BatchError::ExpectedTwice(_) | BatchError::SameId { .. } => {
            let message = format!("the body cannot be meant: {error}");
            unprocessable(&message, vec![error.to_string()])
        }
        BatchError::TooMany(_) | BatchError::TooLarge(_) | BatchError::EventTooLarge { .. } => {
            too_large(error)
        }
    }
}

fn unexpected(feed: &FeedName, subject: &Subject, head: Option<Head>) -> Failure {
    let version = head.map_or(0, |head| head.version.0);
    conflict(&format!(
        "aggregate {subject} of type {feed} is not at the version that is expected: it is at {version}"
    ))
}

/// A reading that is not begun, or not gone on with.
pub fn read(error: &read::Error) -> Failure {
    match error {
        read::Error::Forbidden(_) => forbidden(error),
        read::Error::UnknownProject(_) => unknown_tenant(),
        read::Error::Expired(expired) => self::expired(expired),
        read::Error::CursorAhead { .. } => bad_request(error),
        read::Error::Damaged(_) => damaged(error),
        read::Error::Unavailable(_) => unavailable("the log cannot be read"),
    }
}

fn expired(expired: &Expired) -> Failure {
    let (first, lost) = (expired.first, expired.lost_at_most);
    let message = format!(
        "since: what came before sequence number {first} is no longer retained, at most {lost} events; ask with since=0 for what there is"
    );
    failure(StatusCode::GONE, &message)
}

/// Something that is kept beside the events and was not stored.
pub fn store(error: &store::Error) -> Failure {
    failure::store(error, read)
}

/// A tenant that is not made.
pub fn create(error: &create::Error) -> Failure {
    match error {
        create::Error::Exists(_) => conflict("there is a tenant of this id"),
        create::Error::TooMany(_) => conflict("there are as many tenants as there may be"),
        create::Error::NoParent(_) | create::Error::Reserved(_) => {
            bad_request("the project of this credential has no tenants")
        }
        create::Error::NoSpace(min_free) => {
            no_space(&format!("no space left for another tenant{min_free}"))
        }
        create::Error::Unavailable(_) => unavailable("the tenant cannot be made"),
    }
}

/// A tenant that is not added.
pub fn tenant(error: &tenants::Error) -> Failure {
    match error {
        tenants::Error::Store(error) => store(error),
        tenants::Error::Create(error) => create(error),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use feedwire_core::{Forbidden, Right, audit};
    use feedwire_engine::{MinFree, Unavailable};
    use feedwire_event::{Cursor, ProjectName};
    use insta::assert_snapshot;

    use super::super::event::tests::{ORDER, position};
    use super::*;
    use crate::{Malformed, Unreadable};

    const MIN_FREE: MinFree = MinFree(Some(128 << 20));

    pub(crate) fn told(failures: &[Failure]) -> String {
        let told = failures.iter().map(|failure| {
            let json = String::from_utf8(json(failure)).expect("ASCII");
            match failure.retry_after {
                Some(seconds) => format!("{json} after {seconds} s"),
                None => json,
            }
        });
        told.collect::<Vec<_>>().join("\n")
    }

    fn feed() -> FeedName {
        FeedName::new("order").expect("a name")
    }

    fn project() -> ProjectName {
        ProjectName::new("default.secret").expect("a name")
    }

    fn order() -> Subject {
        Subject::new(ORDER).expect("a subject")
    }

    fn broken() -> Unavailable {
        Unavailable::new("the path of a file")
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let failures = [
            request(&request::Error::parameter("limit", "it is odd")),
            request(&request::Error::AggregateType("it is odd".into())),
            request(&request::Error::AggregateId),
            request(&request::Error::TenantId),
            request(&request::Error::MediaType("text/plain".into())),
            request(&request::Error::ContentEncoding("gzip".into())),
        ];
        assert_snapshot!(told(&failures), @r#"
        {"code":400,"message":"limit: it is odd"}
        {"code":400,"message":"aggregateType: it is odd"}
        {"code":400,"message":"aggregateId: it has to be a UUID such as 723ecfce-14e9-4889-98d5-a3d0ad54912f"}
        {"code":400,"message":"tenantId: it has to be a UUID such as 723ecfce-14e9-4889-98d5-a3d0ad54912f"}
        {"code":415,"message":"Content-Type: it has to be application/json in UTF-8; it is text/plain"}
        {"code":415,"message":"Content-Encoding: bodies are taken as they are; this one is in gzip"}
        "#);
        let fault = |path: &str| body::Fault {
            path: path.into(),
            reason: "it is \u{f6}dd".into(),
        };
        let failures = [
            body(&body::Error::Json(Malformed {
                line: 2,
                column: 7,
                reason: "it is odd".into(),
            })),
            body(&body::Error::Members(vec![
                fault("events"),
                fault("expectedVersion"),
            ])),
            body(&body::Error::TooMany),
        ];
        assert_snapshot!(told(&failures), @r#"
        {"code":422,"message":"the body is not JSON as it is asked for: line 2 column 7: it is odd","errors":["line 2 column 7: it is odd"]}
        {"code":422,"message":"the body cannot be meant: events: it is \u00f6dd","errors":["events: it is \u00f6dd","expectedVersion: it is \u00f6dd"]}
        {"code":413,"message":"at most 1000 events are saved at once, in however many batches"}
        "#);
    }

    #[test]
    fn what_is_not_saved_is_told_with_its_reason() {
        let conflict = |head| publish::Error::Conflict {
            feed: feed(),
            subject: order(),
            head,
        };
        let head = Head {
            version: Version(3),
            position: position(77),
        };
        let failures = [
            publish::Error::Forbidden(Forbidden::Feed(feed())),
            publish::Error::UnknownProject(project()),
            publish::Error::Batch(BatchError::ExpectedTwice(order())),
            publish::Error::Batch(BatchError::EventTooLarge { index: 3, bytes: 9 }),
            conflict(Some(head)),
            conflict(None),
            publish::Error::PartlyKnown { known: Vec::new() },
            publish::Error::KeyReused { first: position(7) },
            publish::Error::NoSpace(MIN_FREE),
            publish::Error::Closing,
            publish::Error::Damaged("page 7".into()),
            publish::Error::Unavailable(broken()),
        ];
        assert_snapshot!(told(&failures.map(|error| publish(&error))), @r#"
        {"code":403,"message":"feed order is not granted"}
        {"code":404,"message":"there is no such tenant"}
        {"code":422,"message":"the body cannot be meant: a batch has at most one expectation of a subject, this one more of \"723ecfce-14e9-4889-98d5-a3d0ad54912f\"","errors":["a batch has at most one expectation of a subject, this one more of \"723ecfce-14e9-4889-98d5-a3d0ad54912f\""]}
        {"code":413,"message":"an event has at most 524288 bytes, event 3 of the batch 9"}
        {"code":409,"message":"aggregate 723ecfce-14e9-4889-98d5-a3d0ad54912f of type order is not at the version that is expected: it is at 3"}
        {"code":409,"message":"aggregate 723ecfce-14e9-4889-98d5-a3d0ad54912f of type order is not at the version that is expected: it is at 0"}
        {"code":409,"message":"0 of the events are there already"}
        {"code":422,"message":"the key is that of another request, whose first event is at position 7","errors":["the key is that of another request, whose first event is at position 7"]}
        {"code":507,"message":"no space left for events: 128 MiB have to stay free on the disk"}
        {"code":503,"message":"the server is stopping"} after 1 s
        {"code":500,"message":"events are damaged on disk: page 7"}
        {"code":503,"message":"the log cannot be written to; the events may have been saved or not"} after 1 s
        "#);
    }

    #[test]
    fn what_is_not_read_is_told_with_its_reason() {
        let expired = Expired {
            first: position(200),
            first_at: None,
            lost_at_most: 49,
        };
        let ahead = read::Error::CursorAhead {
            cursor: Cursor(position(9)),
            head: position(3),
        };
        let failures = [
            read(&read::Error::Forbidden(Forbidden::Right(Right::Read))),
            read(&read::Error::UnknownProject(project())),
            read(&read::Error::Expired(expired)),
            read(&ahead),
            read(&read::Error::Damaged("page 7".into())),
            read(&read::Error::Unavailable(broken())),
            damaged(&Unreadable {
                position: position(7),
            }),
            unknown_feed(&feed()),
            unknown_aggregate(&feed(), &order()),
            history(&read::Error::Damaged("page 7".into()).into()),
            history(&history::Error::Expired(Version(4))),
            history(&history::Error::TooLarge {
                batches: 18,
                bytes: 9,
            }),
            bad_delete_token(),
        ];
        assert_snapshot!(told(&failures), @r#"
        {"code":403,"message":"the right to read is needed in this project"}
        {"code":404,"message":"there is no such tenant"}
        {"code":410,"message":"since: what came before sequence number 200 is no longer retained, at most 49 events; ask with since=0 for what there is"}
        {"code":400,"message":"the cursor 9 is past the last event, which is at 3"}
        {"code":500,"message":"events are damaged on disk: page 7"}
        {"code":503,"message":"the log cannot be read"} after 1 s
        {"code":500,"message":"the payload of the event at position 7 cannot be read"}
        {"code":404,"message":"there is no feed order"}
        {"code":404,"message":"there is no aggregate 723ecfce-14e9-4889-98d5-a3d0ad54912f of type order"}
        {"code":500,"message":"events are damaged on disk: page 7"}
        {"code":410,"message":"since: the versions up to 4 are no longer retained; ask with since=4 for what there is"}
        {"code":413,"message":"limit: these versions are too large for one answer; ask for 17 at a time"}
        {"code":403,"message":"deleteToken: it confirms no deletion of this: it is another's, used, or too old; ask again without one"}
        "#);
    }

    #[test]
    fn what_is_not_settled_is_told_with_its_reason() {
        let failures = [
            store(&store::Error::Read(Forbidden::Right(Right::Admin).into())),
            store(&store::Error::Changed),
            store(&store::Error::NoSpace(MIN_FREE)),
            store(&store::Error::Unavailable(broken())),
            audit(&audit::Error::Event(BatchError::Empty)),
            audit(&audit::Error::NoSpace(MinFree::default())),
            audit(&audit::Error::Closing),
            audit(&audit::Error::Damaged("page 7".into())),
            audit(&audit::Error::Unavailable(broken())),
            create(&create::Error::Exists(project())),
            create(&create::Error::NoParent(project())),
            create(&create::Error::TooMany(project())),
            create(&create::Error::Reserved(project())),
            create(&create::Error::NoSpace(MIN_FREE)),
            create(&create::Error::Unavailable(broken())),
            tenant(&store::Error::Changed.into()),
            tenant(&create::Error::NoSpace(MIN_FREE).into()),
        ];
        let told = told(&failures);
        assert!(!told.contains("secret") && !told.contains("path"));
        assert_snapshot!(told, @r#"
        {"code":403,"message":"the right to admin is needed in this project"}
        {"code":409,"message":"it was changed meanwhile: read it again, and decide anew"}
        {"code":507,"message":"no space left in the store: 128 MiB have to stay free on the disk"}
        {"code":503,"message":"it cannot be stored"} after 1 s
        {"code":503,"message":"it cannot be put on record, and so it is not done"} after 1 s
        {"code":507,"message":"no space left for the audit feed"}
        {"code":503,"message":"the server is stopping"} after 1 s
        {"code":503,"message":"it cannot be put on record, and so it is not done"} after 1 s
        {"code":503,"message":"it cannot be put on record, and so it is not done"} after 1 s
        {"code":409,"message":"there is a tenant of this id"}
        {"code":400,"message":"the project of this credential has no tenants"}
        {"code":409,"message":"there are as many tenants as there may be"}
        {"code":400,"message":"the project of this credential has no tenants"}
        {"code":507,"message":"no space left for another tenant: 128 MiB have to stay free on the disk"}
        {"code":503,"message":"the tenant cannot be made"} after 1 s
        {"code":409,"message":"it was changed meanwhile: read it again, and decide anew"}
        {"code":507,"message":"no space left for another tenant: 128 MiB have to stay free on the disk"}
        "#);
    }
}
