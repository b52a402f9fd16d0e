//! Credentials on the embedded engine: what was told is on disk.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use feedwire_auth::{
    Auth, Client, CredentialGrant, KeyId, MasterKey, NewCredential, Proof, TokenRequest,
};
use feedwire_core::{Allowance, Clock, RateLimits};
use feedwire_engine::Engine;
use feedwire_engine_local::Local;
use feedwire_event::{ProjectName, Timestamp};

#[derive(Debug)]
struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_795_248_000_000_000)
    }
}

async fn open(folder: &Path, master: &MasterKey) -> (Local, Auth) {
    let engine = Local::open(folder, feedwire_engine_local::Options::default());
    let engine = engine.expect("nobody else is there");
    let (primary, clock) = (engine.primary(), Arc::new(StandingClock));
    let auth = Auth::open(primary, master, clock, feedwire_auth::Options::default());
    let auth = auth.await.expect("it is the same master key");
    (engine, auth)
}

#[tokio::test]
async fn credentials_are_there_when_the_folder_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let master = MasterKey::generate();
    {
        let engine = Local::open(folder.path(), feedwire_engine_local::Options::default());
        let engine = engine.expect("it is new");
        let init = Auth::init(&*engine.primary(), &master).await;
        init.expect("it is new");
        engine.close().await;
    }
    let home = ProjectName::system();
    let (engine, auth) = open(folder.path(), &master).await;
    let new = || NewCredential {
        key_id: KeyId::random(),
        home: home.clone(),
        display_name: "first".to_owned(),
        email: None,
        grants: vec![CredentialGrant {
            projects: "*".parse().expect("a pattern"),
            allowance: Arc::new(Allowance::whole()),
        }],
        expires_at: None,
        enabled: true,
        limits: RateLimits::default(),
    };
    let first = auth.create(new()).await.expect("it is valid");
    let revoked = auth.create(new()).await.expect("it is valid");
    let rotated = auth.rotate(&home, first.credential.key_id, Duration::ZERO, None);
    let rotated = rotated.await.expect("it is there");
    let revoke = auth.revoke(&home, revoked.credential.key_id, None).await;
    revoke.expect("it is there");
    let request = TokenRequest {
        grant_type: "client_credentials",
        client: Some(Client {
            key_id: rotated.credential.key_id.as_str(),
            secret: rotated.secret.as_str(),
        }),
        ..TokenRequest::default()
    };
    let token = auth.exchange(request).await.expect("the secret is right");
    auth.close().await;
    engine.close().await;
    drop((auth, engine));

    let (engine, auth) = open(folder.path(), &master).await;
    assert_eq!(auth.list(&home, None, 10), [rotated.credential]);
    for token in [&token.token, &rotated.secret.token()] {
        let who = auth.prove(Proof::Bearer(token)).expect("it is valid");
        assert!(who.is_server_admin());
    }
    for created in [first, revoked] {
        let token = created.secret.token();
        assert!(auth.prove(Proof::Bearer(&token)).is_err());
    }
    engine.close().await;
}
