//! What is sent about connectors: how they are to be, their secrets, what is to be pushed once more.
//!
//! URLs, the values of headers and secrets are taken as they are: what is allowed in them the outbound edge says, which uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use feedwire_core::connectors::{
    self, Draft, Form, Revised, SecretText, Secrets, Settings, Source,
};
use feedwire_core::stream::{Origin, Selection};
use feedwire_event::{ConnectorName, StreamName, Timestamp};
use serde::Deserialize;
use serde_json::Number;

use crate::digits::whole;
use crate::native::body::{Error, object};
use crate::object::Texts;
use crate::span;
use crate::stream_body::{Filter, origin};

/// How many events a request of format `batch` has at most, where it is not said.
pub const BATCH_SIZE: usize = 100;

/// How long two secrets sign at most.
pub const OVERLAP_MAX: Duration = Duration::from_hours(7 * 24);

/// How long they do where it is not said.
pub const OVERLAP: Duration = Duration::from_hours(24);

/// How a connector is to be, as it is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    name: Option<String>,
    url: Option<String>,
    display_name: Option<String>,
    stream: Option<String>,
    filter: Option<Filter>,
    start: Option<String>,
    format: Option<String>,
    batch_size: Option<Number>,
    linger: Option<String>,
    concurrency: Option<Number>,
    timeout: Option<String>,
    retry_first: Option<String>,
    retry_most: Option<String>,
    retry_age: Option<String>,
    disable_after: Option<String>,
    redirects: Option<Number>,
    headers: Option<Texts<Option<String>>>,
    secret: Option<String>,
    paused: Option<bool>,
}

/// What of a connector is to be another; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    url: Option<String>,
    display_name: Option<String>,
    selection: Option<Selection>,
    form: Option<Form>,
    batch_events: Option<usize>,
    linger: Option<Duration>,
    concurrency: Option<usize>,
    timeout: Option<Duration>,
    retry_first: Option<Duration>,
    retry_most: Option<Duration>,
    retry_age: Option<Duration>,
    disable_after: Option<Duration>,
    redirects: Option<u8>,
    /// `None` is one that is taken away.
    headers: BTreeMap<String, Option<SecretText>>,
}

/// What is to be pushed once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// What it is to be named by.
    pub name: Option<ConnectorName>,
    /// From where.
    pub from: Origin,
    /// To where.
    pub until: Option<Origin>,
    /// Where to.
    pub url: Option<String>,
}

/// The connector that `body` asks for, at the time `now`.
pub fn draft(body: &[u8], now: Timestamp) -> Result<Draft, Error> {
    let given: Given = object(body)?;
    let Some(name) = &given.name else {
        return Err(Error::member("name", "a connector has a name"));
    };
    let name = ConnectorName::new(name).map_err(|error| Error::member("name", &error))?;
    let Some(url) = given.url.clone() else {
        return Err(Error::member("url", "a connector pushes to a URL"));
    };
    let signing = given.secret.clone().map(SecretText::new);
    let change = given.change()?;
    let source = given.source(change.selection.clone(), now)?;
    let settings = Settings::new(name, url);
    let revised = change.merged(Revised {
        settings,
        selection: None,
        secrets: Secrets {
            signing,
            ..Secrets::default()
        },
        is_active: given.paused != Some(true),
        skips: false,
    });
    checked(&revised.settings)?;
    Ok(Draft {
        settings: revised.settings,
        secrets: revised.secrets,
        source,
        replay: None,
        is_active: revised.is_active,
    })
}

/// What of a connector `body` changes.
pub fn change(body: &[u8]) -> Result<Change, Error> {
    let given: Given = object(body)?;
    let elsewhere = [
        ("name", given.name.is_some(), FOR_GOOD),
        ("stream", given.stream.is_some(), FOR_GOOD),
        ("start", given.start.is_some(), FOR_GOOD),
        (
            "secret",
            given.secret.is_some(),
            "it is changed at /secret, so that two can sign for a while",
        ),
        (
            "paused",
            given.paused.is_some(),
            "it is paused and resumed at /pause and /resume",
        ),
    ];
    if let Some((name, _, why)) = elsewhere.into_iter().find(|(_, is_given, _)| *is_given) {
        return Err(Error::member(name, why));
    }
    let change = given.change()?;
    // What is wrong whatever the connector is told before it is looked at.
    checked(&change.clone().merged(any()).settings)?;
    Ok(change)
}

const FOR_GOOD: &str = "it is for good: make another connector";

/// A connector that takes every change which can be: what of it is bound to another setting gives way.
fn any() -> Revised {
    let name = ConnectorName::new("c").expect("it is a name");
    let mut settings = Settings::new(name, String::new());
    settings.form = Form::Batch;
    settings.retry.first = *connectors::RETRY_WAIT.start();
    settings.retry.most = *connectors::RETRY_WAIT.end();
    Revised {
        settings,
        selection: None,
        secrets: Secrets::default(),
        is_active: true,
        skips: false,
    }
}

impl Change {
    /// Where it pushes to, if that is changed.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// `revised` with what is changed of it.
    pub fn apply(self, revised: Revised) -> Result<Revised, connectors::Error> {
        let is_reading = matches!(revised.settings.form, Form::Reading { .. });
        if is_reading && self.form.is_some() {
            return Err(connectors::Error::Unfit(
                "a connector of readings pushes no other format: make another connector",
            ));
        }
        Ok(self.merged(revised))
    }

    fn merged(self, mut revised: Revised) -> Revised {
        let settings = &mut revised.settings;
        let set = |place: &mut Duration, span: Option<Duration>| {
            *place = span.unwrap_or(*place);
        };
        if let Some(url) = self.url {
            settings.url = url;
        }
        if let Some(display_name) = self.display_name {
            settings.display_name = display_name;
        }
        if let Some(form) = self.form
            && form != settings.form
        {
            settings.batch_events = if form == Form::Batch { BATCH_SIZE } else { 1 };
            settings.form = form;
        }
        settings.batch_events = self.batch_events.unwrap_or(settings.batch_events);
        settings.concurrency = self.concurrency.unwrap_or(settings.concurrency);
        settings.redirects = self.redirects.unwrap_or(settings.redirects);
        set(&mut settings.linger, self.linger);
        set(&mut settings.timeout, self.timeout);
        set(&mut settings.retry.first, self.retry_first);
        set(&mut settings.retry.most, self.retry_most);
        set(&mut settings.retry.age, self.retry_age);
        set(&mut settings.disable_after, self.disable_after);
        if self.selection.is_some() {
            revised.selection = self.selection;
        }
        let headers = &mut revised.secrets.headers;
        headers.retain(|(name, _)| !self.headers.contains_key(name));
        let added = self.headers.into_iter();
        headers.extend(added.filter_map(|(name, value)| Some((name, value?))));
        headers.sort_by(|(one, _), (other, _)| one.cmp(other));
        revised
    }
}

impl Given {
    fn change(&self) -> Result<Change, Error> {
        let form = self.format.as_deref().map(|text| match text {
            "structured" => Ok(Form::Structured),
            "binary" => Ok(Form::Binary),
            "batch" => Ok(Form::Batch),
            _ => Err(Error::member(
                "format",
                "it is `structured`, `binary` or `batch`",
            )),
        });
        let redirects = number("redirects", self.redirects.as_ref())?;
        Ok(Change {
            url: self.url.clone(),
            display_name: self.display_name.clone(),
            selection: self.filter.as_ref().map(Filter::selection).transpose()?,
            form: form.transpose()?,
            batch_events: number("batch_size", self.batch_size.as_ref())?,
            linger: duration("linger", self.linger.as_deref())?,
            concurrency: number("concurrency", self.concurrency.as_ref())?,
            timeout: duration("timeout", self.timeout.as_deref())?,
            retry_first: duration("retry_first", self.retry_first.as_deref())?,
            retry_most: duration("retry_most", self.retry_most.as_deref())?,
            retry_age: duration("retry_age", self.retry_age.as_deref())?,
            disable_after: duration("disable_after", self.disable_after.as_deref())?,
            // What is more than fits is more than may be.
            redirects: redirects.map(|count| u8::try_from(count).unwrap_or(u8::MAX)),
            headers: self.headers()?,
        })
    }

    /// Where its events are from.
    fn source(&self, selection: Option<Selection>, now: Timestamp) -> Result<Source, Error> {
        let start = self.start.as_deref();
        match &self.stream {
            Some(_) if selection.is_some() || start.is_some() => Err(Error::member(
                "stream",
                "either `stream` names one that is there, or `filter` and `start` say what its own is of",
            )),
            Some(name) => {
                let name = StreamName::new(name);
                let name = name.map_err(|error| Error::member("stream", &error))?;
                Ok(Source::Stream(name))
            }
            None => {
                let origin = origin("start", start.unwrap_or("start"), now)?;
                Ok(Source::Own(selection.unwrap_or_default(), origin))
            }
        }
    }

    fn headers(&self) -> Result<BTreeMap<String, Option<SecretText>>, Error> {
        let mut headers = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (name, value) in self.headers.iter().flat_map(|Texts(headers)| headers) {
            let lower = name.to_ascii_lowercase();
            if !seen.insert(lower.clone()) {
                let reason = format!("{lower:?} is given twice");
                return Err(Error::member("headers", &reason));
            }
            headers.insert(lower, value.clone().map(SecretText::new));
        }
        Ok(headers)
    }
}

/// The secret that `body` gives, if it does, and for how long the one before signs too.
pub fn secret(body: &[u8]) -> Result<(Option<SecretText>, Duration), Error> {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        secret: Option<String>,
        overlap: Option<String>,
    }
    let Body { secret, overlap } = if body.is_empty() {
        Body::default()
    } else {
        object(body)?
    };
    let refused = || Error::member("overlap", "it has to be a span such as 1d, of at most 7d");
    let overlap = match &overlap {
        None => OVERLAP,
        Some(text) => span::parse(text)
            .filter(|overlap| *overlap <= OVERLAP_MAX)
            .ok_or_else(refused)?,
    };
    Ok((secret.map(SecretText::new), overlap))
}

/// What `body` has pushed once more, at the time `now`.
pub fn replay(body: &[u8], now: Timestamp) -> Result<Replay, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        from: String,
        until: Option<String>,
        url: Option<String>,
        name: Option<String>,
    }
    let Body {
        from,
        until,
        url,
        name,
    } = object(body)?;
    let name = name.map(|text| ConnectorName::new(&text)).transpose();
    let until = until.map(|text| origin("until", &text, now)).transpose()?;
    Ok(Replay {
        name: name.map_err(|error| Error::member("name", &error))?,
        from: origin("from", &from, now)?,
        until,
        url,
    })
}

fn duration(name: &'static str, text: Option<&str>) -> Result<Option<Duration>, Error> {
    let refused = || Error::member(name, "it has to be a span such as 10s or 500ms");
    let read = |text| span::parse(text).ok_or_else(refused);
    text.map(read).transpose()
}

fn number(name: &'static str, number: Option<&Number>) -> Result<Option<usize>, Error> {
    let refused = || Error::member(name, "it has to be a whole number");
    let read = |number| {
        let count = whole(number).and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(refused)
    };
    number.map(read).transpose()
}

fn checked(settings: &Settings) -> Result<(), Error> {
    settings.check().map_err(|error| match error {
        connectors::Error::Setting { name, has_to_be } => bad(name, &has_to_be),
        error => Error::member("name", &error),
    })
}

/// A setting that cannot be, as a member of the body.
pub(crate) fn bad(name: &'static str, has_to_be: &str) -> Error {
    Error::member(name, &format!("it has to be {has_to_be}"))
}
