//! What is changed of a folder without a server: it is on record as what a server changes.

use std::sync::Arc;

use anyhow::Context as _;
use feedwire_auth::{Auth, KeyId, NewCredential, ProjectPattern};
use feedwire_client::{Credential, CredentialWithSecret};
use feedwire_core::{Allowance, Core, RateLimits, Right, audit};
use feedwire_event::json::Canonical;
use feedwire_event::{Data, Event, Extensions, ProjectName, Subject, TypeName};
use serde_json::{Value, json};

use crate::credential::whole;
use crate::seams;

/// The type of a record that a credential is made.
const CREATE: &str = "credential.create";

/// Makes a credential that may do everything. That it is made is on record before.
pub(crate) async fn made(
    auth: &Auth,
    core: &Core,
    name: &str,
) -> anyhow::Result<CredentialWithSecret> {
    let new = NewCredential {
        key_id: KeyId::random(),
        home: ProjectName::system(),
        display_name: name.to_owned(),
        email: None,
        grants: vec![feedwire_auth::CredentialGrant {
            projects: ProjectPattern::all(),
            allowance: Arc::new(Allowance {
                rights: [Right::Admin].into_iter().collect(),
                ..Allowance::whole()
            }),
        }],
        expires_at: None,
        enabled: true,
        limits: RateLimits::default(),
    };
    new.check(seams::system().clock.now())
        .context("cannot make the credential")?;
    let subject = format!("credentials/{}", new.key_id);
    let mut details = json!({
        "project": new.home.as_str(),
        "display_name": new.display_name,
        "grants": [whole()],
        "expires_at": null,
    });
    let recorded = record(core, CREATE, &subject, &details).await;
    recorded.context("cannot put on record that a credential is made")?;
    let created = match auth.create(new).await {
        Ok(created) => created,
        Err(error) => {
            // What is on record says too much then; that it does is said where that can be.
            details["failed"] = error.to_string().into();
            let words = match record(core, CREATE, &subject, &details).await {
                Ok(()) => "cannot make the credential",
                Err(_) => "cannot make the credential, though it is on record",
            };
            return Err(error).context(words);
        }
    };
    Ok(CredentialWithSecret {
        credential: Credential {
            key_id: created.credential.key_id.to_string(),
            project: created.credential.home.to_string(),
            display_name: created.credential.display_name.clone(),
            email: created.credential.email.clone(),
            grants: vec![whole()],
            enabled: true,
            created_at: created.credential.created_at.to_string(),
            expires_at: None,
            old_secret_until: None,
            limits: feedwire_client::RateLimits::default(),
        },
        secret: created.secret.as_str().to_owned(),
        token: created.secret.token().to_string(),
    })
}

/// Writes down that `subject` is changed.
pub(crate) async fn record(
    core: &Core,
    ty: &str,
    subject: &str,
    details: &Value,
) -> Result<(), audit::Error> {
    let mut data = json!({ "by": { "command": "feedwire init" } });
    if let (Value::Object(data), Value::Object(details)) = (&mut data, details) {
        data.extend(details.clone());
    }
    let raw = serde_json::value::to_raw_value(&data).expect("values have texts for keys");
    let data = Canonical::new(&raw).expect("what holds strings of ours has whole characters");
    let event = Event {
        id: None,
        source: None,
        ty: TypeName::new(ty).expect("it is a name"),
        subject: Subject::new(subject).ok(),
        time: None,
        live_only: false,
        extensions: Extensions::default(),
        data: Some(Data::Json(data)),
    };
    core.audit(&event).await
}
