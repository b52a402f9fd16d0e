//! The credentials of a project.

use std::sync::Arc;

use feedwire_auth::{
    Auth, Created, Credential, CredentialChange, CredentialGrant, Expiry, KeyId, NewCredential,
};
use feedwire_core::store::Check;
use feedwire_dialects::credential::{self, Ends, Granted};
use feedwire_dialects::native::{body, error, request};
use hyper::body::Incoming;
use serde_json::json;

use super::refuse::{self, Refused};
use super::{ID, paging};
use crate::access::Access;
use crate::answer::{self, Answer, created, replaced, tagged};
use crate::asked::Asked;
use crate::audit::Change;
use crate::conditions::{Conditions, Tag};
use crate::intake;

pub(super) async fn create(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let auth = auth(&asked)?;
    let draft = credential::draft(&intake::whole(body, &asked).await?.bytes)?;
    let grants = grants(draft.grants)?;
    given(&asked, &grants)?;
    let home = asked.grant().project().clone();
    let new = NewCredential {
        key_id: KeyId::random(),
        home: home.clone(),
        display_name: draft.display_name,
        email: draft.email,
        grants,
        expires_at: draft.expires_at,
        enabled: true,
        limits: draft.limits,
    };
    new.check(asked.edge.clock().now())?;
    let _settling = asked.settling().await?;
    if !asked.edge.core().project_exists(&home) {
        return Err(Refused(error::no_project()));
    }
    let record = Change {
        ty: "credential.create",
        subject: format!("credentials/{}", new.key_id),
        details: json!({
            "project": home.as_str(),
            "display_name": new.display_name,
            "grants": told_grants(&new.grants),
            "expires_at": new.expires_at.map(|at| at.to_string()),
        }),
    };
    let made = record.make(&asked, auth.create(new)).await??;
    let address = format!("/v1/projects/{home}/credentials/{}", made.credential.key_id);
    Ok(created(&with_secret(&made), &address))
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (after, limit) = paging::asked::<KeyId>(asked.query())?;
    let auth = auth(&asked)?;
    let mut found = auth.list(asked.grant().project(), after, limit + 1);
    let next = paging::cut(&mut found, limit).map(|last| last.key_id.to_string());
    let list = feedwire_api::Credentials {
        credentials: found.iter().map(|credential| told(credential)).collect(),
        next,
    };
    Ok(answer::json(&list))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let auth = auth(&asked)?;
    let found = auth.show(asked.grant().project(), key_id(&asked)?);
    let found = found.ok_or_else(unknown)?;
    let conditions = Conditions::of(asked.headers())?;
    Ok(tagged(&told(&found), &conditions)?)
}

pub(super) async fn change(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let conditions = Conditions::of(asked.headers())?;
    let (auth, key_id) = (auth(&asked)?, key_id(&asked)?);
    let wanted = credential::change(&intake::whole(body, &asked).await?.bytes)?;
    let grants = wanted.grants.map(grants).transpose()?;
    given(&asked, grants.as_deref().unwrap_or_default())?;
    let wanted = CredentialChange {
        display_name: wanted.display_name,
        email: wanted.email,
        grants,
        expires_at: wanted.expires_at.map(|ends| match ends {
            Ends::Never => Expiry::Never,
            Ends::At(at) => Expiry::At(at),
        }),
        enabled: wanted.enabled,
        limits: wanted.limits,
    };
    let home = asked.grant().project();
    wanted.check(home, asked.edge.clock().now())?;
    let check = conditions.check(|present| Tag::of(&told(present)));
    let _settling = asked.settling().await?;
    let present = auth.show(home, key_id).ok_or_else(unknown)?;
    if wanted.grants.is_none() && is_longer(&wanted, &present) {
        given(&asked, &present.grants)?;
    }
    let mut record = named("credential.change", &present);
    record.details["change"] = json!(told_change(&wanted));
    let change = auth.change(home, key_id, wanted, check);
    let changed = record.make(&asked, change).await??;
    Ok(replaced(&told(&changed)))
}

pub(super) async fn rotate(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let (auth, key_id) = (auth(&asked)?, key_id(&asked)?);
    let body = intake::whole(body, &asked).await?;
    if !body.bytes.is_empty() {
        refuse::other_than_json(&asked)?;
    }
    let overlap = credential::overlap(&body.bytes)?;
    let home = asked.grant().project();
    let _settling = asked.settling().await?;
    let present = auth.show(home, key_id).ok_or_else(unknown)?;
    // Whoever is told the secret may do what the credential may.
    given(&asked, &present.grants)?;
    let grants = present.grants.clone();
    let check: Check<Credential> = Box::new(move |now| now.grants == grants);
    let mut record = named("credential.rotate", &present);
    record.details["overlap_seconds"] = overlap.as_secs().into();
    let rotate = auth.rotate(home, key_id, overlap, Some(check));
    let rotated = record.make(&asked, rotate).await??;
    Ok(answer::json(&with_secret(&rotated)))
}

pub(super) async fn revoke(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let conditions = Conditions::of(asked.headers())?;
    let check = conditions.check(|present| Tag::of(&told(present)));
    let (auth, key_id) = (auth(&asked)?, key_id(&asked)?);
    let home = asked.grant().project();
    let _settling = asked.settling().await?;
    let present = auth.show(home, key_id).ok_or_else(unknown)?;
    let record = named("credential.revoke", &present);
    let revoke = auth.revoke(home, key_id, check);
    record.make(&asked, revoke).await??;
    Ok(answer::nothing())
}

/// Where credentials are kept.
fn auth(asked: &Asked) -> Result<Auth, Refused> {
    match asked.edge.access() {
        Access::Guarded(auth) => Ok(auth.clone()),
        Access::Open { .. } => Err(Refused(error::not_found(
            "this server is open to everybody and has no credentials",
        ))),
    }
}

fn key_id(asked: &Asked) -> Result<KeyId, Refused> {
    let named = refuse::variable(asked, ID)?;
    named.parse().ok().ok_or_else(unknown)
}

fn unknown() -> Refused {
    Refused(error::not_found("there is no such credential here"))
}

/// Whoever gives something has it: the right to admin, in each project that is granted.
fn given(asked: &Asked, grants: &[CredentialGrant]) -> Result<(), Refused> {
    let Some(principal) = asked.principal() else {
        return Ok(());
    };
    let refused = |error| Refused(error::forbidden(&error));
    principal.may_give(grants).map_err(refused)
}

/// Whether `change` has a credential taken that would not be: that gives what it may, again or for longer.
fn is_longer(change: &CredentialChange, present: &Credential) -> bool {
    let is_later = match (change.expires_at, present.expires_at) {
        (None, _) | (_, None) => false,
        (Some(Expiry::Never), Some(_)) => true,
        (Some(Expiry::At(end)), Some(present)) => present < end,
    };
    is_later || (change.enabled == Some(true) && !present.enabled)
}

fn grants(granted: Vec<Granted>) -> Result<Vec<CredentialGrant>, Refused> {
    let grants = granted.into_iter().enumerate().map(|(index, granted)| {
        let projects = granted.projects.parse().map_err(|error| {
            let reason = format!("grant {index}: project: {error}");
            body::Error::member("grants", &reason)
        })?;
        Ok(CredentialGrant {
            projects,
            allowance: Arc::new(granted.allowance),
        })
    });
    grants.collect()
}

/// What `change` says, as it is told.
fn told_change(change: &CredentialChange) -> feedwire_api::CredentialChange {
    feedwire_api::CredentialChange {
        display_name: change.display_name.clone(),
        email: change.email.clone(),
        grants: change.grants.as_deref().map(told_grants),
        expires_at: change.expires_at.map(|expiry| match expiry {
            Expiry::Never => feedwire_api::Expiry::Never,
            Expiry::At(at) => feedwire_api::Expiry::At(at.to_string()),
        }),
        enabled: change.enabled,
        limits: change.limits.map(credential::rate_limits),
    }
}

fn named(ty: &'static str, credential: &Credential) -> Change {
    Change {
        ty,
        subject: format!("credentials/{}", credential.key_id),
        details: json!({ "project": credential.home.as_str() }),
    }
}

fn told_grants(grants: &[CredentialGrant]) -> Vec<feedwire_api::CredentialGrant> {
    let told =
        |grant: &CredentialGrant| credential::grant(&grant.projects.to_string(), &grant.allowance);
    grants.iter().map(told).collect()
}

fn told(credential: &Credential) -> feedwire_api::Credential {
    feedwire_api::Credential {
        key_id: credential.key_id.to_string(),
        project: credential.home.to_string(),
        display_name: credential.display_name.clone(),
        email: credential.email.clone(),
        grants: told_grants(&credential.grants),
        enabled: credential.enabled,
        created_at: credential.created_at.to_string(),
        expires_at: credential.expires_at.map(|at| at.to_string()),
        old_secret_until: credential.older_secret_until.map(|at| at.to_string()),
        limits: credential::rate_limits(credential.limits),
    }
}

fn with_secret(made: &Created) -> feedwire_api::CredentialWithSecret {
    feedwire_api::CredentialWithSecret {
        credential: told(&made.credential),
        secret: made.secret.as_str().to_owned(),
        token: made.secret.token().to_string(),
    }
}
