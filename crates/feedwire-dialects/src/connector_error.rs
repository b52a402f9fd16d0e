//! Why something is not done with a connector, as the native API tells it.

use feedwire_api::Problem;
use feedwire_core::connectors::Error;
use http::StatusCode;

use crate::native::error::{self, problem};
use crate::{connector_body as body, stream_error};

/// There is no such connector.
pub fn unknown() -> Problem {
    error::not_found("there is no such connector")
}

/// Something that is not done with a connector.
pub fn connector(told: &Error) -> Problem {
    match told {
        Error::Unknown(_) => unknown(),
        Error::Exists(_) | Error::StreamExists(_) => error::already_exists(told),
        Error::Taken { .. } => stream_error::pushed(told),
        Error::TooMany(_) => problem(
            StatusCode::CONFLICT,
            "too-many-connectors",
            "There are as many connectors as there may be",
            told,
        ),
        Error::Setting { name, has_to_be } => error::body(&body::bad(name, has_to_be)),
        Error::Refused { name, .. } => error::invalid(name, told),
        Error::NotItsOwn(_) => error::invalid("filter", told),
        Error::NotExplicit(_) => stream_error::not_acknowledged(told),
        Error::Done => problem(
            StatusCode::CONFLICT,
            "connector-done",
            "The connector has pushed all that it was made for",
            told,
        ),
        Error::Unfit(_) => problem(
            StatusCode::CONFLICT,
            "connector-unfit",
            "The connector is of another kind",
            told,
        ),
        // It has no words of a secret: they say what is the matter with the master key.
        Error::Secret(_) => error::unavailable(told),
        Error::Stream(stream) => stream_error::stream(stream),
        Error::Store(store) => error::store(store),
    }
}

#[cfg(test)]
mod tests {
    use feedwire_core::{Forbidden, Right, read, store, stream};
    use feedwire_event::{ConnectorName, StreamName};
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn every_reason_has_its_words() {
        let name = ConnectorName::new("c").expect("a name");
        let stream = StreamName::new("s").expect("a name");
        let problems = [
            Error::Unknown(name.clone()),
            Error::Exists(name.clone()),
            Error::StreamExists(stream.clone()),
            Error::Taken {
                stream: stream.clone(),
                by: name,
            },
            Error::TooMany(100),
            Error::Setting {
                name: "concurrency",
                has_to_be: "1 to 64".to_owned(),
            },
            Error::Refused {
                name: "url",
                why: "the URL begins with https://".to_owned(),
            },
            Error::NotItsOwn(stream.clone()),
            Error::NotExplicit(stream.clone()),
            Error::Done,
            Error::Unfit("it pushes no readings"),
            Error::Secret("the secrets of the connector cannot be opened".to_owned()),
            Error::Stream(stream::Error::Unknown(stream)),
            Error::Store(store::Error::Read(read::Error::Forbidden(
                Forbidden::Right(Right::Connectors),
            ))),
        ];
        let told = problems
            .map(|problem| String::from_utf8(error::json(&connector(&problem))).expect("ASCII"));
        assert_snapshot!(told.join("\n"), @r#"
        {"type":"urn:feedwire:problem:not-found","title":"Not found","status":404,"detail":"there is no such connector"}
        {"type":"urn:feedwire:problem:already-exists","title":"It is there already","status":409,"detail":"there is a connector c already"}
        {"type":"urn:feedwire:problem:already-exists","title":"It is there already","status":409,"detail":"there is a stream s already: name it as \"stream\" to push what it is of, or take another name"}
        {"type":"urn:feedwire:problem:stream-pushed","title":"A connector pushes what the stream is of","status":409,"detail":"connector c pushes stream s: two would each push a part"}
        {"type":"urn:feedwire:problem:too-many-connectors","title":"There are as many connectors as there may be","status":409,"detail":"there are 100 connectors, which is as many as there may be"}
        {"type":"urn:feedwire:problem:invalid-parameter","title":"A parameter cannot be meant","status":400,"detail":"concurrency: it has to be 1 to 64","parameter":"concurrency"}
        {"type":"urn:feedwire:problem:invalid-parameter","title":"A parameter cannot be meant","status":400,"detail":"url: the URL begins with https://","parameter":"url"}
        {"type":"urn:feedwire:problem:invalid-parameter","title":"A parameter cannot be meant","status":400,"detail":"stream s is not the connector's own: which events it is of is changed there","parameter":"filter"}
        {"type":"urn:feedwire:problem:not-acknowledged","title":"Nothing is acknowledged in this stream","status":409,"detail":"stream s is in mode delivered, and a connector acknowledges what was delivered"}
        {"type":"urn:feedwire:problem:connector-done","title":"The connector has pushed all that it was made for","status":409,"detail":"everything is pushed that it was made for: make another replay"}
        {"type":"urn:feedwire:problem:connector-unfit","title":"The connector is of another kind","status":409,"detail":"it pushes no readings"}
        {"type":"urn:feedwire:problem:unavailable","title":"Not available at present","status":503,"detail":"the secrets of the connector cannot be opened"}
        {"type":"urn:feedwire:problem:not-found","title":"Not found","status":404,"detail":"there is no such stream"}
        {"type":"urn:feedwire:problem:forbidden","title":"Not granted","status":403,"detail":"the right to connectors is needed in this project"}
        "#);
    }
}
