//! Requests of one connector: put together, signed, sent, and what came of them.

use std::sync::Arc;
use std::time::Duration;

use feedwire_core::connectors::{
    Answered, Attempt, Connector, Error, Form, Occasion, SecretText, Secrets,
};
use feedwire_core::{Clock, Core, Grant, read};
use feedwire_dialects::{Unreadable, disruptive, pushed};
use feedwire_engine::{Incarnation, Record};
use feedwire_event::{Labels, Position, ProjectName, Subject, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

use crate::limits::WHY_BYTES;
use crate::outgoing::{
    Delivery, Outgoing, SigningSecret, Target, check_header, dt_signature, standard_webhooks,
};

/// What stands in an answer that is shown for what it may not tell.
const REDACTED: &str = "***";
/// Shorter values of headers are no secrets, and would be found everywhere.
const SECRET_CHARS_MIN: usize = 4;

/// Where a connector sends, and what its requests have in common.
#[derive(Debug)]
pub(crate) struct Wire {
    core: Arc<Core>,
    clock: Arc<dyn Clock>,
    outgoing: Outgoing,
    project: ProjectName,
    connector: Arc<Connector>,
    target: Target,
    custom: HeaderMap,
    signers: Signers,
    /// What no answer that is shown may tell.
    secrets: Vec<SecretText>,
    /// What the connectors of the project share.
    room: Arc<Semaphore>,
}

/// What requests are signed by.
#[derive(Debug)]
enum Signers {
    /// Standard Webhooks: a secret, and the one before until then.
    Webhooks(SigningSecret, Option<(SigningSecret, Timestamp)>),
    /// A token with checksums of the body; `None` is not at all.
    Checksums(Option<SecretText>),
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was sent, and this is what came of it; and how long the receiver asks to be left alone.
    Sent(Attempt, Option<Duration>),
    /// There is nothing to be sent of the event in this form.
    Nothing,
    /// The event cannot be read.
    Unreadable(String),
}

/// Names a request: the same whenever the same events are sent.
pub(crate) fn id(incarnation: Incarnation, records: &[&Record]) -> Arc<str> {
    let Incarnation(life) = incarnation;
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        return format!("evt_{life:032x}").into();
    };
    let (first, last) = (first.position(), last.position());
    if records.len() == 1 {
        return format!("evt_{life:032x}_{first}").into();
    }
    let positions: Vec<u8> = records
        .iter()
        .flat_map(|record| record.position().get().to_le_bytes())
        .collect();
    let hash = xxh3_64(&positions);
    format!("evt_{life:032x}_{first}_{last}_{hash:016x}").into()
}

impl Wire {
    /// That of `connector`, which is of `project` and has these `secrets`.
    pub(crate) fn new(
        (core, clock, outgoing): (&Arc<Core>, &Arc<dyn Clock>, &Outgoing),
        room: Arc<Semaphore>,
        project: &ProjectName,
        connector: &Arc<Connector>,
        secrets: &Secrets,
    ) -> Result<Self, Error> {
        Ok(Self {
            core: core.clone(),
            clock: clock.clone(),
            outgoing: outgoing.clone(),
            project: project.clone(),
            connector: connector.clone(),
            target: target(outgoing, &connector.settings.url)?,
            custom: headers(secrets)?,
            signers: Signers::new(&connector.settings.form, secrets)?,
            secrets: unshown(secrets),
            room,
        })
    }

    /// Sends `records` as the request `id`, for the `number`th time.
    pub(crate) async fn send(
        &self,
        occasion: Occasion,
        id: Arc<str>,
        records: &[&Record],
        number: u32,
    ) -> Outcome {
        let _room = self.room.acquire().await;
        let at = self.clock.now();
        let (mut headers, body) = match self.body(records).await {
            Ok(Ok(Some(request))) => request,
            Ok(Ok(None)) => return Outcome::Nothing,
            Ok(Err(unreadable)) => return Outcome::Unreadable(unreadable.to_string()),
            Err(unavailable) => {
                let why = Answered::Nothing(cut(&unavailable.to_string()).into());
                let attempt = attempt((occasion, at), id, records, number, (why, Duration::ZERO));
                return Outcome::Sent(attempt, None);
            }
        };
        self.sign(at, &id, &body, &mut headers);
        let settings = &self.connector.settings;
        let delivery = Delivery {
            target: self.target.clone(),
            headers,
            custom: self.custom.clone(),
            body: body.into(),
            timeout: settings.timeout,
            redirects: settings.redirects,
        };
        let began = Instant::now();
        let (answered, latency, retry_after) = match self.outgoing.send(delivery).await {
            Ok(answer) => {
                let excerpt = self.redacted(answer.excerpt);
                let answered = Answered::Status(answer.status.as_u16(), excerpt.into());
                (answered, answer.latency, answer.retry_after)
            }
            Err(failure) => {
                let why = cut(&failure.to_string()).into();
                (Answered::Nothing(why), began.elapsed(), None)
            }
        };
        let attempt = attempt((occasion, at), id, records, number, (answered, latency));
        Outcome::Sent(attempt, retry_after)
    }

    /// What is sent of `records`, if something is and they can be read; an error where what belongs to it cannot be had now.
    async fn body(
        &self,
        records: &[&Record],
    ) -> Result<Result<Option<pushed::Request>, Unreadable>, read::Error> {
        let project = &self.project;
        let one = records[0];
        let made = match &self.connector.settings.form {
            Form::Structured => pushed::structured(project, one).map(Some),
            Form::Binary => pushed::binary(project, one).map(Some),
            Form::Batch => pushed::batch(project, records.iter().copied()).map(Some),
            Form::Reading { labels: keys } => {
                let labels = self.labels(one).await?;
                let body = disruptive::framing::pushed(project, one, &labels, keys);
                let json = HeaderValue::from_static("application/json");
                let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, json)]);
                body.map(|body| body.map(|body| (headers, body)))
            }
        };
        Ok(made)
    }

    async fn labels(&self, record: &Record) -> Result<Labels, read::Error> {
        let Some(subject) = record.subject().and_then(|text| Subject::new(text).ok()) else {
            return Ok(Labels::default());
        };
        let grant = Grant::whole(self.project.clone());
        self.core.labels(&grant, &subject).await
    }

    /// What a receiver says, without what it was sent in confidence: some tell what they were asked.
    fn redacted(&self, mut excerpt: String) -> String {
        for secret in &self.secrets {
            let secret = secret.reveal();
            excerpt = excerpt.replace(secret, REDACTED);
            // One that the excerpt cuts.
            let begins = (SECRET_CHARS_MIN..secret.len()).rev();
            let cut = begins
                .filter_map(|len| secret.get(..len))
                .find(|begin| excerpt.ends_with(begin));
            if let Some(cut) = cut {
                excerpt.truncate(excerpt.len() - cut.len());
                excerpt.push_str(REDACTED);
            }
        }
        excerpt
    }

    fn sign(&self, at: Timestamp, id: &str, body: &[u8], headers: &mut HeaderMap) {
        let seconds = at.as_micros().div_euclid(1_000_000);
        match &self.signers {
            Signers::Webhooks(secret, previous) => {
                let previous = previous.as_ref().filter(|(_, until)| at < *until);
                let secrets: Vec<_> = [secret]
                    .into_iter()
                    .chain(previous.map(|(secret, _)| secret))
                    .collect();
                let signed = standard_webhooks(id, seconds, body, &secrets);
                headers.extend(signed.expect("ids of ours are of letters, digits and `_`"));
            }
            Signers::Checksums(Some(secret)) => {
                let token = dt_signature(secret.reveal().as_bytes(), body, seconds, id);
                let token = HeaderValue::from_str(&token).expect("a token is base64url and dots");
                headers.insert(HeaderName::from_static("x-dt-signature"), token);
            }
            Signers::Checksums(None) => {}
        }
    }
}

impl Signers {
    fn new(form: &Form, secrets: &Secrets) -> Result<Self, Error> {
        if let Form::Reading { .. } = form {
            return Ok(Self::Checksums(secrets.signing.clone()));
        }
        let Some(secret) = &secrets.signing else {
            return Err(Error::Secret("there is no secret to sign by".into()));
        };
        let previous = match &secrets.previous {
            Some((secret, until)) => Some((signing(secret)?, *until)),
            None => None,
        };
        Ok(Self::Webhooks(signing(secret)?, previous))
    }
}

/// The secrets of a connector, and of what headers say the words beside the first: of `Bearer abc` it is those that count.
fn unshown(secrets: &Secrets) -> Vec<SecretText> {
    let previous = secrets.previous.as_ref().map(|(secret, _)| secret);
    let headers = secrets.headers.iter().map(|(_, value)| value);
    let words = headers.clone().flat_map(|value| {
        let words = value.reveal().split(' ').skip(1);
        words.map(SecretText::new).collect::<Vec<_>>()
    });
    let whole = secrets.signing.iter().chain(previous).chain(headers);
    let all = whole.cloned().chain(words);
    let mut all: Vec<_> = all
        .filter(|secret| secret.reveal().len() >= SECRET_CHARS_MIN)
        .collect();
    // Those that others are within come first.
    all.sort_by_key(|secret| std::cmp::Reverse(secret.reveal().len()));
    all
}

/// As much of `why` as is kept.
fn cut(why: &str) -> &str {
    &why[..why.floor_char_boundary(WHY_BYTES)]
}

/// A request, of which this has come.
fn attempt(
    (occasion, at): (Occasion, Timestamp),
    id: Arc<str>,
    records: &[&Record],
    number: u32,
    (answered, latency): (Answered, Duration),
) -> Attempt {
    let events = records.first().zip(records.last());
    let is_of_log = |record: &Record| record.position() > Position::ZERO;
    Attempt {
        occasion,
        at,
        id,
        events: events
            .filter(|(first, _)| is_of_log(first))
            .map(|(first, last)| (first.position(), last.position(), records.len())),
        number,
        answered,
        latency,
    }
}

/// Where `url` is, if it may be sent to.
pub(crate) fn target(outgoing: &Outgoing, url: &str) -> Result<Target, Error> {
    let target = outgoing.guard().check_url(url);
    target.map_err(|bad| Error::Refused {
        name: "url",
        why: bad.to_string(),
    })
}

/// A secret of Standard Webhooks.
pub(crate) fn signing(text: &SecretText) -> Result<SigningSecret, Error> {
    let secret = text.reveal().parse::<SigningSecret>();
    secret.map_err(|bad| Error::Refused {
        name: "secret",
        why: bad.to_string(),
    })
}

/// The headers among `secrets`, if all of them may be sent.
pub(crate) fn headers(secrets: &Secrets) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &secrets.headers {
        let checked = check_header(name, value.reveal());
        let (name, value) = checked.map_err(|bad| Error::Refused {
            name: "headers",
            why: bad.to_string(),
        })?;
        headers.insert(name, value);
    }
    Ok(headers)
}
