//! What is sent about Disruptive's Data Connectors: how one is to be, and what of it is to be another.
//!
//! Members are read as those of the dialect's other bodies. Answers tell of a secret that it is there, by an empty text. So an empty text
//! that comes back with a change stands for what there is. URLs, the values of headers and secrets are taken as they are: what is allowed in
//! them the outbound edge says.

use std::collections::BTreeMap;

use feedwire_core::connectors::{Draft, Form, Revised, SecretText, Secrets, Settings, Source};
use feedwire_core::stream::{Origin, Selection};
use feedwire_event::limits::LABEL_BYTES_MAX;
use feedwire_event::{ConnectorName, TypeName};
use serde_json::value::RawValue;

use crate::data_connector_request::Mask;
use crate::disruptive::body::{Body, Error, id, kept};
use crate::disruptive::request;
use crate::document::Malformed;
use crate::faults::Place;
use crate::members;
use crate::object::Texts;
use crate::readings::is_spelling;

/// The kind of Data Connector that there is here.
pub(crate) const HTTP_PUSH: &str = "HTTP_PUSH";
/// The status of one that pushes.
pub(crate) const ACTIVE: &str = "ACTIVE";
/// That of one which somebody has wait.
pub(crate) const USER_DISABLED: &str = "USER_DISABLED";
/// That of one which the server has wait.
pub(crate) const SYSTEM_DISABLED: &str = "SYSTEM_DISABLED";

const MEMBERS: &[&str] = &[
    "type",
    "status",
    "events",
    "labels",
    "displayName",
    "httpConfig",
];
const HTTP_MEMBERS: [&str; 3] = ["url", "signatureSecret", "headers"];

/// How a Data Connector is to be, as far as it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    is_active: Option<bool>,
    events: Option<Vec<TypeName>>,
    labels: Option<Vec<String>>,
    display_name: Option<String>,
    url: Option<String>,
    secret: Option<SecretText>,
    /// By names in lower case.
    headers: Option<BTreeMap<String, SecretText>>,
}

/// The name of a Data Connector that is made of `random`.
pub fn name(random: u128) -> ConnectorName {
    ConnectorName::new(&id(random)).expect("it is short and plain")
}

/// The Data Connector that `bytes` ask for:
/// `{"type":"HTTP_PUSH","status":"ACTIVE","events":[…],"labels":[…],"displayName":"…","httpConfig":{"url":"…","signatureSecret":"…","headers":{…}}}`.
pub fn create(bytes: &[u8]) -> Result<Given, Error> {
    let mut body = Body::of(bytes, MEMBERS)?;
    body.required("type");
    let given = Given::read(&mut body, &Mask::default());
    if body.required("httpConfig").is_some() && given.url.is_none() {
        let place = Place::Whole.member("httpConfig");
        body.faults.required(place, "url", None);
    }
    body.finish(given)
}

/// What `bytes` ask to be another, as far as `mask` has it count.
pub fn change(bytes: &[u8], mask: &Mask) -> Result<Given, Error> {
    let mut body = Body::of(bytes, MEMBERS)?;
    let given = Given::read(&mut body, mask);
    body.finish(given)
}

impl Given {
    fn read(body: &mut Body<'_>, mask: &Mask) -> Self {
        let ty = body.value("type");
        body.faults.text(Place::Whole, "type", ty, kind);
        let status = counted(body, mask, "status");
        let is_active = body.faults.text(Place::Whole, "status", status, is_active);
        let display_name = counted(body, mask, "displayName");
        let own = |text: &str| Ok::<_, String>(text.to_owned());
        let display_name = body
            .faults
            .text(Place::Whole, "displayName", display_name, own);
        let events = counted(body, mask, "events");
        let events = list(body, "events", events, |text| {
            TypeName::new(text).map_err(|error| error.to_string())
        });
        let labels = counted(body, mask, "labels");
        let labels = list(body, "labels", labels, label);
        let mut given = Self {
            is_active,
            events,
            labels,
            display_name,
            ..Self::default()
        };
        if let Some(config) = body.value("httpConfig") {
            given.read_config(body, config, mask);
        }
        given
    }

    fn read_config(&mut self, body: &mut Body<'_>, config: &RawValue, mask: &Mask) {
        let place = Place::Whole.member("httpConfig");
        let faults = &mut body.faults;
        let mut values = [None; HTTP_MEMBERS.len()];
        let find = |name: &str| {
            let mut names = HTTP_MEMBERS.iter();
            names.position(|camel| is_spelling(name, camel))
        };
        let name = |at: usize| HTTP_MEMBERS[at];
        if !faults.members(place, config, find, name, &mut values) {
            return;
        }
        let [url, secret, headers] = values;
        let url = url.filter(|_| mask.has("httpConfig.url"));
        let own = |text: &str| Ok::<_, String>(text.to_owned());
        self.url = faults.text(place, "url", url, own);
        let secret = secret.filter(|_| mask.has("httpConfig.signatureSecret"));
        let hidden = |text: &str| Ok::<_, String>(SecretText::new(text));
        self.secret = faults.text(place, "signatureSecret", secret, hidden);
        let headers = headers.filter(|_| mask.has("httpConfig.headers"));
        let headers = headers.map(self::headers).transpose();
        match headers {
            Ok(headers) => self.headers = headers,
            Err(reason) => faults.add(place, "headers", reason),
        }
    }

    /// Where it is to push, if that is said.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The connector `name` that is like this. It pushes what comes from now on.
    pub fn draft(self, name: ConnectorName) -> Draft {
        let mut settings = Settings::new(name, self.url.unwrap_or_default());
        settings.display_name = self.display_name.unwrap_or_default();
        settings.form = Form::Reading {
            labels: self.labels.unwrap_or_default(),
        };
        let secrets = Secrets {
            signing: self.secret.filter(|secret| !secret.reveal().is_empty()),
            previous: None,
            headers: self.headers.into_iter().flatten().collect(),
        };
        Draft {
            settings,
            secrets,
            source: Source::Own(selection(self.events.unwrap_or_default()), Origin::Now),
            replay: None,
            is_active: self.is_active.unwrap_or(true),
        }
    }

    /// What `revised` is with this.
    pub fn apply(self, mut revised: Revised) -> Revised {
        let settings = &mut revised.settings;
        settings.url = self.url.unwrap_or_else(|| settings.url.clone());
        if let Some(display_name) = self.display_name {
            settings.display_name = display_name;
        }
        if let Some(labels) = self.labels {
            settings.form = Form::Reading { labels };
        }
        if let Some(events) = self.events {
            let there = revised.selection.take();
            revised.selection = Some(Selection {
                types: events,
                ..there.unwrap_or_else(|| selection(Vec::new()))
            });
        }
        let secrets = &mut revised.secrets;
        if let Some(secret) = self.secret.filter(|secret| !secret.reveal().is_empty()) {
            // The vendor has no two at once: what is sent from now on is signed by this one.
            secrets.signing = Some(secret);
            secrets.previous = None;
        }
        if let Some(headers) = self.headers {
            let before = std::mem::take(&mut secrets.headers);
            let told = |(name, value): (String, SecretText)| {
                let mut before = before.iter().filter(|_| value.reveal().is_empty());
                let same = before.find(|(there, _)| *there == name);
                let value = same.map_or(value, |(_, value)| value.clone());
                (name, value)
            };
            secrets.headers = headers.into_iter().map(told).collect();
        }
        revised.is_active = self.is_active.unwrap_or(revised.is_active);
        revised
    }
}

/// The value of the member `name`, where `mask` has it count.
fn counted<'b>(body: &Body<'b>, mask: &Mask, name: &str) -> Option<&'b RawValue> {
    body.value(name).filter(|_| mask.has(name))
}

/// Events of these types, or of any where there are none, of devices.
fn selection(types: Vec<TypeName>) -> Selection {
    Selection {
        feeds: vec![request::feed()],
        types,
        ..Selection::default()
    }
}

fn kind(text: &str) -> Result<(), String> {
    let words = || format!("what is pushed here is pushed by HTTP: it has to be {HTTP_PUSH}");
    (text == HTTP_PUSH).then_some(()).ok_or_else(words)
}

fn is_active(text: &str) -> Result<bool, String> {
    match text {
        ACTIVE => Ok(true),
        USER_DISABLED => Ok(false),
        SYSTEM_DISABLED => Err(format!("{SYSTEM_DISABLED} is for the server to say")),
        _ => Err(format!("it is one of {ACTIVE}, {USER_DISABLED}")),
    }
}

fn label(text: &str) -> Result<String, String> {
    let len = text.len();
    if !(1..=LABEL_BYTES_MAX).contains(&len) {
        return Err(format!(
            "the key of a label has 1 to {LABEL_BYTES_MAX} bytes, this one {len}"
        ));
    }
    kept(text).map_or_else(|| Ok(text.to_owned()), Err)
}

fn headers(value: &RawValue) -> Result<BTreeMap<String, SecretText>, String> {
    let Texts(texts) = serde_json::from_str::<Texts>(value.get())
        .map_err(|error| Malformed::from(error).reason)?;
    let mut headers = BTreeMap::new();
    for (name, value) in texts {
        let name = name.to_ascii_lowercase();
        if headers.contains_key(&name) {
            return Err(format!("{name:?} is given twice"));
        }
        headers.insert(name, SecretText::new(value));
    }
    Ok(headers)
}

/// What `read` reads out of each text of the array `value`, once.
fn list<T: PartialEq>(
    body: &mut Body<'_>,
    name: &'static str,
    value: Option<&RawValue>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let value = value?;
    if matches!(members::of_array(value, 0), Ok((_, 0))) {
        return Some(Vec::new());
    }
    let mut once = Vec::new();
    for one in body.elements(name, Some(value), read) {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    Some(once)
}
