//! What a proof costs, good and bad: `cargo run --release -p feedwire-auth --example cost`.
//!
//! Ten thousand credentials in memory, one thread. Each figure is the middle one of eleven rounds.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feedwire_auth::{
    Auth, Client, CredentialGrant, KeyId, MasterKey, NewCredential, Options, Proof, TokenRequest,
};
use feedwire_core::{Allowance, Clock, RateLimits, Right};
use feedwire_engine::Engine;
use feedwire_engine::memory::Memory;
use feedwire_event::{ProjectName, Timestamp};

const CREDENTIALS: usize = 10_000;
const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
        let micros = since.map_or(0, |since| since.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (engine, master) = (Memory::new(), MasterKey::generate());
    Auth::init(&*engine.primary(), &master).await?;
    let open = async || {
        let clock = Arc::new(SystemClock);
        Auth::open(engine.primary(), &master, clock, Options::default()).await
    };
    let auth = open().await?;
    let made = auth.create(credential()?).await?;
    for _ in 1..CREDENTIALS {
        auth.create(credential()?).await?;
    }
    let before = now();
    drop(open().await?);
    println!("opening {CREDENTIALS} credentials: {:?}", before.elapsed());

    let (key_id, secret) = (made.credential.key_id, made.secret.as_str());
    let client = Some(Client {
        key_id: key_id.as_str(),
        secret,
    });
    let request = TokenRequest {
        grant_type: "client_credentials",
        client,
        ..TokenRequest::default()
    };
    let access = auth.exchange(request).await?.token;
    let project = ProjectName::new("acme")?;
    let grant = |proof: Proof<'_>| {
        let who = auth.prove(proof);
        who.ok().and_then(|who| who.grant(&project))
    };
    let end = access.len() - 86;
    let forged = format!("{}{}", &access[..end], "A".repeat(86));
    let token = made.secret.token();
    let basic = |key_id, secret| Proof::Basic { key_id, secret };
    println!("an access token of {} bytes", access.len());
    cost("the clock alone", || SystemClock.now());
    cost("access token that is remembered", || {
        grant(Proof::Bearer(&access))
    });
    cost("long-lived token", || grant(Proof::Bearer(&token)));
    cost("key id and secret", || {
        grant(basic(key_id.as_str(), secret))
    });
    cost("wrong secret", || grant(basic(key_id.as_str(), "x")));
    cost("unknown key id", || {
        grant(basic("abcdefghij0123456789", secret))
    });
    cost("access token with a wrong signature", || {
        grant(Proof::Bearer(&forged))
    });
    Ok(())
}

fn credential() -> Result<NewCredential, Box<dyn std::error::Error>> {
    let allowance = Allowance {
        rights: [Right::Read].into_iter().collect(),
        feeds: Vec::new(),
        confinement: None,
    };
    let home = ProjectName::new("acme")?;
    Ok(NewCredential {
        key_id: KeyId::random(),
        display_name: String::new(),
        email: None,
        grants: vec![CredentialGrant {
            projects: home.clone().into(),
            allowance: Arc::new(allowance),
        }],
        home,
        expires_at: None,
        enabled: true,
        limits: RateLimits::default(),
    })
}

fn cost<T>(what: &str, mut act: impl FnMut() -> T) {
    let mut rounds: Vec<_> = (0..ROUNDS).map(|_| round(&mut act)).collect();
    rounds.sort_unstable();
    println!("{what:<40}{:>8} ns", rounds[ROUNDS / 2]);
}

/// Nanoseconds of one time.
fn round<T>(act: &mut impl FnMut() -> T) -> u128 {
    let (start, mut times) = (now(), 0);
    while start.elapsed() < ROUND {
        for _ in 0..100 {
            black_box(act());
        }
        times += 100;
    }
    start.elapsed().as_nanos() / times
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long something takes"
)]
fn now() -> Instant {
    Instant::now()
}
