//! Where a reading begins: at events, or at states that come before them.

use feedwire_core::entities::StateCursor;
use feedwire_core::{Filter, Start};
use feedwire_event::{ChangeKind, Cursor, Timestamp, TypeName};

use crate::native::request::Error;
use crate::query::Query;
use crate::span;

/// What a cursor of states begins with.
const STATES: &str = "state:";

/// Where states are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum States {
    /// From the first one.
    First,
    /// From behind the one that a client was sent last.
    Behind(StateCursor),
}

/// Where a reading begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// At events.
    Events(Start),
    /// At states.
    States(States),
}

/// What `Last-Event-ID` says.
pub(crate) fn last_event_id(header: Option<&str>) -> Result<Option<Beginning>, Error> {
    // A client that was sent an empty id sends the header empty; both mean that it has none.
    let text = header.filter(|text| !text.is_empty());
    text.map(|text| behind("Last-Event-ID", text)).transpose()
}

/// What goes on behind the cursor `text`, which the parameter or header `name` has: one of events, or of states.
fn behind(name: &str, text: &str) -> Result<Beginning, Error> {
    if text.starts_with(STATES) {
        let cursor = text.parse::<StateCursor>();
        let cursor = cursor.map_err(|error| Error::parameter(name, &error))?;
        return Ok(Beginning::States(States::Behind(cursor)));
    }
    let cursor = text.parse::<Cursor>();
    let cursor = cursor.map_err(|error| Error::parameter(name, &error))?;
    Ok(Beginning::Events(Start::After(cursor)))
}

/// What `after` or `from` says; `None` where neither is there.
pub(crate) fn asked(query: &mut Query<'_>, now: Timestamp) -> Result<Option<Beginning>, Error> {
    let after = query.one("after")?;
    let after = after.map(|text| behind("after", &text)).transpose()?;
    let Some(from) = query.one("from")? else {
        return Ok(after);
    };
    if after.is_some() {
        return Err(Error::parameter(
            "from",
            "either `after` or `from` says where to start, not both",
        ));
    }
    match &*from {
        "start" => Ok(Some(Beginning::Events(Start::Beginning))),
        "now" => Ok(Some(Beginning::Events(Start::Now))),
        "state" => Ok(Some(Beginning::States(States::First))),
        text => match span::time_or_ago(text, now) {
            Some(time) => Ok(Some(Beginning::Events(Start::At(time)))),
            None => Err(Error::parameter(
                "from",
                "it has to be `start`, `now`, `state`, a time in RFC 3339 or a span such as 5hours",
            )),
        },
    }
}

/// Refuses what an array of events cannot be gone on from.
pub(crate) fn in_array(from: &Beginning) -> Result<(), Error> {
    let reason = match from {
        Beginning::Events(Start::Now) => {
            "an empty array does not say where to go on, so what comes before the next request would be lost; a page does"
        }
        Beginning::States(_) => "an array does not say where to go on among states; a page does",
        Beginning::Events(Start::Beginning | Start::After(_) | Start::Past(..) | Start::At(_)) => {
            return Ok(());
        }
    };
    Err(Error::parameter("from", reason))
}

/// Refuses a filter that lets no state through, and a cursor among the states of a feed that it is not about: none would be told.
pub(crate) fn tells_states(from: &Beginning, filter: &Filter) -> Result<(), Error> {
    if let Beginning::States(States::Behind(StateCursor {
        after: Some(key), ..
    })) = from
        && !filter.feeds.is_empty()
        && !filter.feeds.contains(&key.feed)
    {
        let reason = format!(
            "this cursor is of a reading of feed {}, which is not read here",
            key.feed
        );
        return Err(Error::parameter("after", &reason));
    }
    let load = |ty: &TypeName| ty.as_str() == ChangeKind::Load.as_str();
    if filter.types.is_empty() || filter.types.iter().any(load) {
        return Ok(());
    }
    let reason = "states are told as events of the type load: name it beside those that are to follow, or name none";
    Err(Error::parameter("types", reason))
}

#[cfg(test)]
mod tests {
    use feedwire_core::entities::EntityKey;
    use feedwire_event::{FeedName, Position, Subject};

    use super::*;

    #[test]
    fn a_cursor_among_the_states_of_another_feed_is_refused() {
        let name = |text: &str| FeedName::new(text).expect("a name");
        let subject = Subject::new("s").expect("a subject");
        let after = Some(EntityKey {
            feed: name("a"),
            subject,
        });
        let start = Position::ZERO;
        let from = Beginning::States(States::Behind(StateCursor { start, after }));
        let told = |feeds: &[&str]| {
            let feeds = feeds.iter().copied().map(name).collect();
            let filter = Filter {
                feeds,
                ..Filter::default()
            };
            tells_states(&from, &filter).map_err(|error| error.to_string())
        };
        assert_eq!((told(&[]), told(&["b", "a"])), (Ok(()), Ok(())));
        let refused = told(&["b"]).expect_err("another feed");
        assert!(refused.starts_with("after: "), "{refused}");
        let first = Beginning::States(States::First);
        assert_eq!(tells_states(&first, &Filter::default()), Ok(()));
    }
}
