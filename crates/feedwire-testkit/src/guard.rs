//! Credentials for tests.

use std::sync::Arc;
use std::time::Duration;

use feedwire_auth::limits::TOKEN_LIFETIME;
use feedwire_auth::{Auth, Created, CredentialGrant, KeyId, MasterKey, NewCredential, Options};
use feedwire_core::{Allowance, Clock, RateLimits, Right};
use feedwire_engine::Engine;
use feedwire_event::ProjectName;

/// The credentials of an engine that is new.
pub(crate) async fn auth(
    engine: &dyn Engine,
    clock: Arc<dyn Clock>,
    lifetime: Option<Duration>,
) -> Auth {
    let (primary, master) = (engine.primary(), MasterKey::generate());
    let made = Auth::init(&*primary, &master).await;
    made.expect("the store is new");
    let options = Options {
        issuer: "feedwire".to_owned(),
        token_lifetime: lifetime.unwrap_or(TOKEN_LIFETIME),
    };
    let opened = Auth::open(primary, &master, clock, options).await;
    opened.expect("memory is there")
}

/// A credential with these grants: projects, rights and feeds.
pub(crate) async fn credential(auth: &Auth, home: &str, grants: &[(&str, &str, &str)]) -> Created {
    let grants = grants.iter().map(|(projects, rights, feeds)| {
        let rights = rights
            .split(',')
            .map(|right| right.parse::<Right>().expect("a right"));
        let feeds = feeds.split(',').filter(|feed| !feed.is_empty());
        let feeds = feeds.map(|feed| feed.parse().expect("a pattern"));
        CredentialGrant {
            projects: projects.parse().expect("a pattern"),
            allowance: Arc::new(Allowance {
                rights: rights.collect(),
                feeds: feeds.collect(),
                confinement: None,
            }),
        }
    });
    let new = NewCredential {
        key_id: KeyId::random(),
        home: ProjectName::new(home).expect("a name"),
        display_name: "of a test".to_owned(),
        email: None,
        grants: grants.collect(),
        expires_at: None,
        enabled: true,
        limits: RateLimits::default(),
    };
    auth.create(new).await.expect("memory is there")
}
