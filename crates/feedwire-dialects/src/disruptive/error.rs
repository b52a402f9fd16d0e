//! Each error as Disruptive's API tells it: `{"error":"…","code":404,"help":"…"}`, and in another shape to whom asked for a stream of lines.

use feedwire_core::{connectors, publish, read, store, stream};
use feedwire_engine::BatchError;
use feedwire_event::{LabelsError, Subject};
use http::StatusCode;
use serde::Serialize;

use super::{body, request};
use crate::ascii;
use crate::failure::{
    self, bad_request, conflict, failure, forbidden, no_space, not_found, stopping, too_large,
    unavailable,
};
pub use crate::failure::{Failure, audit, damaged};

/// Where the vendor explains its codes; each has a place there.
const HELP: &str = "https://docs.d21s.com/error/#";

/// The body of `failure` as one line of ASCII.
pub fn json(failure: &Failure) -> Vec<u8> {
    #[derive(Serialize)]
    struct Answer<'a> {
        error: &'a str,
        code: u16,
        help: String,
    }
    ascii::json(&Answer {
        error: &failure.message,
        code: failure.status.as_u16(),
        help: help(failure),
    })
}

/// The body where a stream of lines was asked for, as one line of ASCII without its end. The vendor's client takes such a body for the
/// lines of the stream, whatever the status is, and dies of any other shape. It comes again after what gRPC says, and dies of the code 429.
pub fn stream_json(failure: &Failure) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Error<'a> {
        code: u16,
        grpc_code: u8,
        http_code: u16,
        message: &'a str,
        http_status: &'static str,
        details: [(); 0],
    }
    #[derive(Serialize)]
    struct Answer<'a> {
        error: Error<'a>,
        code: u16,
        help: String,
    }
    let code = failure.status.as_u16();
    let grpc_code = grpc_code(code);
    ascii::json(&Answer {
        error: Error {
            code: if failure.status == StatusCode::TOO_MANY_REQUESTS {
                u16::from(grpc_code)
            } else {
                code
            },
            grpc_code,
            http_code: code,
            message: &failure.message,
            http_status: failure.status.canonical_reason().unwrap_or_default(),
            details: [],
        },
        code,
        help: help(failure),
    })
}

fn help(failure: &Failure) -> String {
    format!("{HELP}{}", failure.status.as_u16())
}

/// What gRPC calls a failure of this status (google.rpc.Code).
const fn grpc_code(status: u16) -> u8 {
    match status {
        408 => 1,
        404 | 410 => 5,
        409 => 10,
        403 => 7,
        401 => 16,
        405 | 501 => 12,
        412 => 9,
        429 | 507 => 8,
        503 => 14,
        400..=499 => 3,
        _ => 13,
    }
}

/// There is no such project.
pub fn unknown_project() -> Failure {
    not_found("there is no such project")
}

/// There is no such device.
pub fn unknown_device(device: &Subject) -> Failure {
    not_found(&format!("there is no device {device}"))
}

/// Devices are looked for in more projects than that.
pub fn too_many_projects(most: usize) -> Failure {
    bad_request(&format!(
        "project: devices are looked for in at most {most} projects at once; name the one"
    ))
}

/// More devices than these are to be put in order.
pub fn too_many_to_order(most: usize) -> Failure {
    bad_request(&format!(
        "orderBy: at most {most} devices are put in order; ask for fewer of them"
    ))
}

/// The device that a page was to begin behind is not there.
pub fn unknown_page() -> Failure {
    bad_request("pageToken: the last device of that page is no longer there")
}

/// A device is moved to where it is.
pub fn not_moved(device: &Subject) -> Failure {
    conflict(&format!("device {device} is in this project already"))
}

/// There is another device of this id where one is moved to.
pub fn already_there(device: &Subject) -> Failure {
    conflict(&format!("there is another device {device} in this project"))
}

/// Labels that a device cannot have.
pub fn labels(error: &LabelsError) -> Failure {
    bad_request(&format!("labels: {error}"))
}

/// Only what was made by the emulator is deleted and published to by it.
pub fn not_emulated(device: &Subject) -> Failure {
    bad_request(&format!("device {device} is no emulated one"))
}

/// A request that was refused before its body was looked at.
pub fn request(error: &request::Error) -> Failure {
    match error {
        request::Error::Parameter { .. } => bad_request(error),
        request::Error::ContentEncoding(_) | request::Error::OfPage => {
            failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, error)
        }
    }
}

/// A body that was refused.
pub fn body(error: &body::Error) -> Failure {
    match error {
        body::Error::Json(_) => {
            bad_request(&format!("the body is not JSON as it is asked for: {error}"))
        }
        body::Error::Members(_) => bad_request(&format!("the body cannot be meant: {error}")),
    }
}

/// Events that were not published.
pub fn publish(error: &publish::Error) -> Failure {
    match error {
        publish::Error::Forbidden(_) => forbidden(error),
        publish::Error::UnknownProject(_) => unknown_project(),
        publish::Error::Batch(batch) => self::batch(batch),
        publish::Error::Conflict { .. } | publish::Error::PartlyKnown { .. } => conflict(error),
        publish::Error::KeyReused { .. } => bad_request(error),
        publish::Error::NoSpace(_) => no_space(error),
        publish::Error::Closing => stopping(),
        publish::Error::Damaged(_) => damaged(error),
        publish::Error::Unavailable(_) => {
            unavailable("the log cannot be written to; the event may have been published or not")
        }
    }
}

fn batch(error: &BatchError) -> Failure {
    match error {
        BatchError::Empty | BatchError::ExpectedTwice(_) | BatchError::SameId { .. } => {
            bad_request(error)
        }
        BatchError::TooMany(_) | BatchError::TooLarge(_) | BatchError::EventTooLarge { .. } => {
            too_large(error)
        }
    }
}

/// A reading that is not begun, or not gone on with.
pub fn read(error: &read::Error) -> Failure {
    match error {
        read::Error::Forbidden(_) => forbidden(error),
        read::Error::UnknownProject(_) => unknown_project(),
        // A stream is live and a history ends where there is nothing more: neither asks for what is gone, but retention may overtake both.
        read::Error::Expired(_) => unavailable("it was let go of while it was read"),
        read::Error::CursorAhead { .. } => {
            bad_request("pageToken: no page was told with this token")
        }
        read::Error::Damaged(_) => damaged(error),
        read::Error::Unavailable(_) => unavailable("the log cannot be read"),
    }
}

/// Something that is kept beside the events and was not stored.
pub fn store(error: &store::Error) -> Failure {
    failure::store(error, read)
}

/// There is no such Data Connector.
pub fn unknown_connector(name: &str) -> Failure {
    not_found(&format!("there is no data connector {name}"))
}

/// Something that is not done with a Data Connector.
pub fn connector(error: &connectors::Error) -> Failure {
    use connectors::Error;
    match error {
        Error::Unknown(name) => unknown_connector(name.as_str()),
        Error::Exists(_)
        | Error::StreamExists(_)
        | Error::Taken { .. }
        | Error::TooMany(_)
        | Error::NotItsOwn(_)
        | Error::NotExplicit(_)
        | Error::Done
        | Error::Unfit(_) => conflict(error),
        Error::Setting { name, has_to_be } => {
            bad_request(&format!("{}: it has to be {has_to_be}", member(name)))
        }
        Error::Refused { name, why } => bad_request(&format!("{}: {why}", member(name))),
        // It says what is the matter with the master key.
        Error::Secret(_) => unavailable(error),
        Error::Stream(error) => stream(error),
        Error::Store(error) => store(error),
    }
}

/// Where in a body the setting `name` of a connector stands.
fn member(name: &str) -> &str {
    match name {
        "display_name" => "displayName",
        "url" => "httpConfig.url",
        "secret" => "httpConfig.signatureSecret",
        "headers" => "httpConfig.headers",
        name => name,
    }
}

/// Something that is not done with the stream of a Data Connector.
pub fn stream(error: &stream::Error) -> Failure {
    use stream::Error;
    match error {
        Error::Read(error) => read(error),
        Error::Unknown(_) => not_found(error),
        Error::Exists(_)
        | Error::Called(_)
        | Error::TooMany(_)
        | Error::TooManyPartitions { .. }
        | Error::Connected(_)
        | Error::Pushed(_)
        | Error::NotExplicit => conflict(error),
        Error::Setting(_) | Error::Ahead(_) => bad_request(error),
        Error::Full { .. } => unavailable(error),
        Error::NoSpace(_) => no_space(error),
        Error::Closing => stopping(),
        Error::Unavailable(_) => {
            unavailable("what is kept of data connectors cannot be read or written")
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use feedwire_core::{Forbidden, Right, audit};
    use feedwire_engine::{Expired, Head, MinFree, Unavailable};
    use feedwire_event::{
        ConnectorName, Cursor, FeedName, Position, ProjectName, StreamName, Version,
    };
    use insta::assert_snapshot;

    use super::super::event::tests::device;
    use super::*;
    use crate::{Malformed, Unreadable};

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

    fn position(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    fn broken() -> Unavailable {
        Unavailable::new("the path of a file")
    }

    fn secret() -> ProjectName {
        ProjectName::new("secret").expect("a name")
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let fault = |path: &str| body::Fault {
            path: path.into(),
            reason: "it is \u{f6}dd".into(),
        };
        let failures = [
            request(&request::Error::parameter("pingInterval", "it is odd")),
            request(&request::Error::ContentEncoding("gzip".into())),
            request(&request::Error::OfPage),
            body(&body::Error::Json(Malformed {
                line: 2,
                column: 7,
                reason: "it is odd".into(),
            })),
            body(&body::Error::Members(vec![
                fault("touch"),
                fault("motion.state"),
            ])),
            too_many_projects(1_000),
            too_many_to_order(10_000),
            unknown_page(),
            labels(&LabelsError::EmptyKey),
            not_moved(&device()),
            already_there(&device()),
            not_emulated(&device()),
            unknown_device(&device()),
        ];
        assert_snapshot!(told(&failures), @r#"
        {"error":"pingInterval: it is odd","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"Content-Encoding: bodies are taken as they are; this one is in gzip","code":415,"help":"https://docs.d21s.com/error/#415"}
        {"error":"Content-Type: a web page has to say application/json","code":415,"help":"https://docs.d21s.com/error/#415"}
        {"error":"the body is not JSON as it is asked for: line 2 column 7: it is odd","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"the body cannot be meant: touch: it is \u00f6dd; motion.state: it is \u00f6dd","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"project: devices are looked for in at most 1000 projects at once; name the one","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"orderBy: at most 10000 devices are put in order; ask for fewer of them","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"pageToken: the last device of that page is no longer there","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"labels: a label's key has 1 to 256 bytes, here is one with none","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"device emu7\u00e9 is in this project already","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"there is another device emu7\u00e9 in this project","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"device emu7\u00e9 is no emulated one","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"there is no device emu7\u00e9","code":404,"help":"https://docs.d21s.com/error/#404"}
        "#);
    }

    #[test]
    fn a_stream_of_lines_is_told_in_the_shape_that_its_client_survives() {
        let lines = |failure: &Failure| String::from_utf8(stream_json(failure)).expect("ASCII");
        let statuses = [
            400, 401, 403, 404, 408, 409, 410, 412, 413, 429, 500, 501, 503, 507,
        ];
        let failures = statuses.map(|status| {
            let status = StatusCode::from_u16(status).expect("a status");
            lines(&failure(status, "it is \u{f6}dd"))
        });
        assert_snapshot!(failures.join("\n"), @r#"
        {"error":{"code":400,"grpcCode":3,"httpCode":400,"message":"it is \u00f6dd","httpStatus":"Bad Request","details":[]},"code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":{"code":401,"grpcCode":16,"httpCode":401,"message":"it is \u00f6dd","httpStatus":"Unauthorized","details":[]},"code":401,"help":"https://docs.d21s.com/error/#401"}
        {"error":{"code":403,"grpcCode":7,"httpCode":403,"message":"it is \u00f6dd","httpStatus":"Forbidden","details":[]},"code":403,"help":"https://docs.d21s.com/error/#403"}
        {"error":{"code":404,"grpcCode":5,"httpCode":404,"message":"it is \u00f6dd","httpStatus":"Not Found","details":[]},"code":404,"help":"https://docs.d21s.com/error/#404"}
        {"error":{"code":408,"grpcCode":1,"httpCode":408,"message":"it is \u00f6dd","httpStatus":"Request Timeout","details":[]},"code":408,"help":"https://docs.d21s.com/error/#408"}
        {"error":{"code":409,"grpcCode":10,"httpCode":409,"message":"it is \u00f6dd","httpStatus":"Conflict","details":[]},"code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":{"code":410,"grpcCode":5,"httpCode":410,"message":"it is \u00f6dd","httpStatus":"Gone","details":[]},"code":410,"help":"https://docs.d21s.com/error/#410"}
        {"error":{"code":412,"grpcCode":9,"httpCode":412,"message":"it is \u00f6dd","httpStatus":"Precondition Failed","details":[]},"code":412,"help":"https://docs.d21s.com/error/#412"}
        {"error":{"code":413,"grpcCode":3,"httpCode":413,"message":"it is \u00f6dd","httpStatus":"Payload Too Large","details":[]},"code":413,"help":"https://docs.d21s.com/error/#413"}
        {"error":{"code":8,"grpcCode":8,"httpCode":429,"message":"it is \u00f6dd","httpStatus":"Too Many Requests","details":[]},"code":429,"help":"https://docs.d21s.com/error/#429"}
        {"error":{"code":500,"grpcCode":13,"httpCode":500,"message":"it is \u00f6dd","httpStatus":"Internal Server Error","details":[]},"code":500,"help":"https://docs.d21s.com/error/#500"}
        {"error":{"code":501,"grpcCode":12,"httpCode":501,"message":"it is \u00f6dd","httpStatus":"Not Implemented","details":[]},"code":501,"help":"https://docs.d21s.com/error/#501"}
        {"error":{"code":503,"grpcCode":14,"httpCode":503,"message":"it is \u00f6dd","httpStatus":"Service Unavailable","details":[]},"code":503,"help":"https://docs.d21s.com/error/#503"}
        {"error":{"code":507,"grpcCode":8,"httpCode":507,"message":"it is \u00f6dd","httpStatus":"Insufficient Storage","details":[]},"code":507,"help":"https://docs.d21s.com/error/#507"}
        "#);
    }

    #[test]
    fn what_is_not_published_is_told_with_its_reason() {
        let head = Head {
            version: Version(3),
            position: position(77),
        };
        let min_free = MinFree(Some(128 << 20));
        let published = [
            publish::Error::Forbidden(Forbidden::Right(Right::Publish)),
            publish::Error::UnknownProject(secret()),
            publish::Error::Batch(BatchError::Empty),
            publish::Error::Batch(BatchError::EventTooLarge { index: 0, bytes: 9 }),
            publish::Error::Conflict {
                feed: FeedName::new("devices").expect("a name"),
                subject: device(),
                head: Some(head),
            },
            publish::Error::PartlyKnown { known: Vec::new() },
            publish::Error::KeyReused { first: position(7) },
            publish::Error::NoSpace(min_free),
            publish::Error::Closing,
            publish::Error::Damaged("page 7".into()),
            publish::Error::Unavailable(broken()),
        ];
        let told = told(&published.map(|error| publish(&error)));
        assert!(!told.contains("secret") && !told.contains("path"));
        assert_snapshot!(told, @r#"
        {"error":"the right to publish is needed in this project","code":403,"help":"https://docs.d21s.com/error/#403"}
        {"error":"there is no such project","code":404,"help":"https://docs.d21s.com/error/#404"}
        {"error":"a batch has at least one event","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"an event has at most 524288 bytes, event 0 of the batch 9","code":413,"help":"https://docs.d21s.com/error/#413"}
        {"error":"subject \"emu7\u00e9\" of feed devices is not where it was expected","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"0 of the events are there already","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"the key is that of another request, whose first event is at position 7","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"no space left for events: 128 MiB have to stay free on the disk","code":507,"help":"https://docs.d21s.com/error/#507"}
        {"error":"the server is stopping","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"events are damaged on disk: page 7","code":500,"help":"https://docs.d21s.com/error/#500"}
        {"error":"the log cannot be written to; the event may have been published or not","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        "#);
    }

    #[test]
    fn what_is_not_done_with_a_data_connector_is_told_with_its_reason() {
        use connectors::Error;
        let name = ConnectorName::new("c7").expect("a name");
        let stream_name = StreamName::new("s").expect("a name");
        let setting = |name| Error::Setting {
            name,
            has_to_be: "another".into(),
        };
        let forbidden = Forbidden::Right(Right::Connectors);
        let connectors = [
            Error::Unknown(name.clone()),
            Error::Exists(name.clone()),
            Error::StreamExists(stream_name.clone()),
            Error::Taken {
                stream: stream_name.clone(),
                by: name,
            },
            Error::TooMany(100),
            setting("url"),
            setting("headers"),
            setting("secret"),
            setting("display_name"),
            setting("labels"),
            Error::Refused {
                name: "url",
                why: "the URL begins with https://".into(),
            },
            Error::NotItsOwn(stream_name.clone()),
            Error::NotExplicit(stream_name),
            Error::Done,
            Error::Unfit("it pushes no readings"),
            Error::Secret("the master key is another".into()),
            Error::Store(store::Error::Read(forbidden.into())),
        ];
        assert_snapshot!(told(&connectors.map(|error| connector(&error))), @r#"
        {"error":"there is no data connector c7","code":404,"help":"https://docs.d21s.com/error/#404"}
        {"error":"there is a connector c7 already","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"there is a stream s already: name it as \"stream\" to push what it is of, or take another name","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"connector c7 pushes stream s: two would each push a part","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"there are 100 connectors, which is as many as there may be","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"httpConfig.url: it has to be another","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"httpConfig.headers: it has to be another","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"httpConfig.signatureSecret: it has to be another","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"displayName: it has to be another","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"labels: it has to be another","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"httpConfig.url: the URL begins with https://","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"stream s is not the connector's own: which events it is of is changed there","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"stream s is in mode delivered, and a connector acknowledges what was delivered","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"everything is pushed that it was made for: make another replay","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"it pushes no readings","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"the master key is another","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"the right to connectors is needed in this project","code":403,"help":"https://docs.d21s.com/error/#403"}
        "#);
    }

    #[test]
    fn what_is_not_done_with_its_stream_is_told_with_its_reason() {
        let stream_name = StreamName::new("s").expect("a name");
        let forbidden = Forbidden::Right(Right::Connectors);
        let streams = [
            stream::Error::Read(read::Error::Forbidden(forbidden)),
            stream::Error::Unknown(stream_name.clone()),
            stream::Error::Exists(stream_name),
            stream::Error::Called("a".into()),
            stream::Error::TooMany(100),
            stream::Error::TooManyPartitions {
                there: 8_192,
                more: 1,
                max: 8_192,
            },
            stream::Error::Setting(stream::BadSetting::Filter),
            stream::Error::Ahead(position(7)),
            stream::Error::Full {
                members_max: 1,
                retry_after: Duration::from_secs(7),
            },
            stream::Error::Connected(1),
            stream::Error::Pushed(ConnectorName::new("c7").expect("a name")),
            stream::Error::NotExplicit,
            stream::Error::NoSpace(MinFree::default()),
            stream::Error::Closing,
            stream::Error::Unavailable(broken()),
        ];
        let told = told(&streams.map(|error| connector(&error.into())));
        assert!(!told.contains("path"));
        assert_snapshot!(told, @r#"
        {"error":"the right to connectors is needed in this project","code":403,"help":"https://docs.d21s.com/error/#403"}
        {"error":"there is no stream s","code":404,"help":"https://docs.d21s.com/error/#404"}
        {"error":"there is a stream s already","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"there is a stream called \"a\" already","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"there are 100 streams, which is as many as there may be","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"the streams have 8192 partitions together, and with 1 more they would have more than the 8192 that they may have","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"a setting has to be at most 1000 feeds, types, subjects or labels","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"a stream starts at a time that is past, or at a position up to the last one, which is 7","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"the stream has its 1 members","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"the stream has 1 members","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"connector c7 pushes what the stream is of: delete the connector first","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"the stream is in mode delivered: nothing is acknowledged","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"no space left in the store","code":507,"help":"https://docs.d21s.com/error/#507"}
        {"error":"the server is stopping","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"what is kept of data connectors cannot be read or written","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        "#);
    }

    #[test]
    fn what_is_not_done_is_told_with_its_reason() {
        let expired = Expired {
            first: position(200),
            first_at: None,
            lost_at_most: 49,
        };
        let ahead = read::Error::CursorAhead {
            cursor: Cursor(position(9)),
            head: position(3),
        };
        let others = [
            read(&read::Error::Forbidden(Forbidden::Right(Right::Read))),
            read(&read::Error::UnknownProject(secret())),
            read(&read::Error::Expired(expired)),
            read(&ahead),
            read(&read::Error::Damaged("page 7".into())),
            read(&read::Error::Unavailable(broken())),
            store(&store::Error::Read(Forbidden::Right(Right::Admin).into())),
            store(&store::Error::Changed),
            store(&store::Error::NoSpace(MinFree::default())),
            store(&store::Error::Unavailable(broken())),
            audit(&audit::Error::Event(BatchError::Empty)),
            audit(&audit::Error::NoSpace(MinFree::default())),
            audit(&audit::Error::Closing),
            audit(&audit::Error::Unavailable(broken())),
            damaged(&Unreadable {
                position: position(7),
            }),
        ];
        let told = told(&others);
        assert!(!told.contains("secret") && !told.contains("path"));
        assert_snapshot!(told, @r#"
        {"error":"the right to read is needed in this project","code":403,"help":"https://docs.d21s.com/error/#403"}
        {"error":"there is no such project","code":404,"help":"https://docs.d21s.com/error/#404"}
        {"error":"it was let go of while it was read","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"pageToken: no page was told with this token","code":400,"help":"https://docs.d21s.com/error/#400"}
        {"error":"events are damaged on disk: page 7","code":500,"help":"https://docs.d21s.com/error/#500"}
        {"error":"the log cannot be read","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"the right to admin is needed in this project","code":403,"help":"https://docs.d21s.com/error/#403"}
        {"error":"it was changed meanwhile: read it again, and decide anew","code":409,"help":"https://docs.d21s.com/error/#409"}
        {"error":"no space left in the store","code":507,"help":"https://docs.d21s.com/error/#507"}
        {"error":"it cannot be stored","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"it cannot be put on record, and so it is not done","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"no space left for the audit feed","code":507,"help":"https://docs.d21s.com/error/#507"}
        {"error":"the server is stopping","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"it cannot be put on record, and so it is not done","code":503,"help":"https://docs.d21s.com/error/#503"} after 1 s
        {"error":"the payload of the event at position 7 cannot be read","code":500,"help":"https://docs.d21s.com/error/#500"}
        "#);
    }
}
