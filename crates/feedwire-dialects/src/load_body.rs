//! What is sent about load jobs: what is to be loaded.

use std::fmt::Display;

use feedwire_api::ALL_FEEDS;
use feedwire_core::Expression;
use feedwire_core::limits::FILTER_VALUES_MAX;
use feedwire_core::loads::Settings;
use feedwire_event::{FeedName, Position, Subject};
use serde::Deserialize;
use serde_json::Number;

use crate::credential::label;
use crate::digits::whole;
use crate::native::body::{Error, object};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    feeds: Option<Vec<String>>,
    subjects: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    filter: Option<String>,
    max_bytes: Option<Number>,
}

/// What of the entities of `feed`, as the path names it, `body` asks to be loaded.
pub fn settings(body: &[u8], feed: &str) -> Result<Settings, Error> {
    let given: Given = object(body)?;
    let feeds = if feed == ALL_FEEDS {
        each("feeds", given.feeds, FeedName::new)?
    } else if given.feeds.is_some() {
        let reason = "the path names the feed; many are loaded at _all";
        return Err(Error::member("feeds", reason));
    } else {
        vec![FeedName::new(feed).map_err(|error| Error::member("feed", &error))?]
    };
    let expression = given.filter.as_deref().map(Expression::new).transpose();
    Ok(Settings {
        feeds,
        subjects: each("subjects", given.subjects, Subject::new)?,
        labels: each("labels", given.labels, label)?,
        expression: expression.map_err(|error| Error::member("filter", &error))?,
        bytes_max: given.max_bytes.as_ref().map(bytes).transpose()?,
    })
}

fn bytes(number: &Number) -> Result<u64, Error> {
    let most = Position::MAX.get();
    let bytes = whole(number).filter(|bytes| (1..=most).contains(bytes));
    let refused = || {
        let reason = format!("it has to be a whole number from 1 to {most}");
        Error::member("max_bytes", &reason)
    };
    bytes.ok_or_else(refused)
}

fn each<T, E: Display>(
    name: &'static str,
    texts: Option<Vec<String>>,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, Error> {
    let texts = texts.unwrap_or_default();
    if texts.len() > FILTER_VALUES_MAX {
        let reason = format!("there are at most {FILTER_VALUES_MAX} of them");
        return Err(Error::member(name, &reason));
    }
    let all = texts.iter().map(|text| read(text));
    all.collect::<Result<_, _>>()
        .map_err(|error| Error::member(name, &error))
}

#[cfg(test)]
mod tests {
    use insta::assert_debug_snapshot;

    use super::*;

    #[test]
    fn a_load_is_of_a_feed_or_of_those_that_are_named() {
        let all = r#"{"subjects":["N1"],"labels":["base=EWR","big"],"filter":"data.delay > 60","max_bytes":1000}"#;
        assert_debug_snapshot!([
            settings(all.as_bytes(), "planes"),
            settings(br#"{"feeds":["planes","gates"]}"#, "_all"),
            settings(b"{}", "_all"),
        ], @r#"
        [
            Ok(
                Settings {
                    feeds: [
                        "planes",
                    ],
                    subjects: [
                        "N1",
                    ],
                    labels: [
                        LabelFilter {
                            key: "base",
                            value: Some(
                                "EWR",
                            ),
                        },
                        LabelFilter {
                            key: "big",
                            value: None,
                        },
                    ],
                    expression: Some(
                        Expression(
                            "data.delay > 60",
                        ),
                    ),
                    bytes_max: Some(
                        1000,
                    ),
                },
            ),
            Ok(
                Settings {
                    feeds: [
                        "planes",
                        "gates",
                    ],
                    subjects: [],
                    labels: [],
                    expression: None,
                    bytes_max: None,
                },
            ),
            Ok(
                Settings {
                    feeds: [],
                    subjects: [],
                    labels: [],
                    expression: None,
                    bytes_max: None,
                },
            ),
        ]
        "#);
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let many = format!(r#"{{"subjects":{:?}}}"#, vec!["a"; FILTER_VALUES_MAX + 1]);
        for (body, feed, told) in [
            (r#"{"feeds":["a"]}"#, "planes", "feeds: the path names"),
            ("{}", "pla nes", "feed: a name is made of"),
            (r#"{"feeds":["_all"]}"#, "_all", "feeds: a name does not"),
            (r#"{"max_bytes":0}"#, "_all", "max_bytes: it has to be"),
            (r#"{"labels":["=x"]}"#, "_all", "labels: a label"),
            (r#"{"bytes":1}"#, "_all", "unknown field `bytes`"),
            (r#"{"filter":"data.a +"}"#, "_all", "filter: "),
            (&many, "_all", "subjects: there are at most"),
        ] {
            let error = settings(body.as_bytes(), feed).expect_err(body).to_string();
            assert!(error.starts_with(told), "{body}: {error}");
        }
    }
}
