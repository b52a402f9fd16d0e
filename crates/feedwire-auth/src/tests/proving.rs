//! Proofs, good and bad.

use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use feedwire_core::{Clock, Right};
use proptest::prelude::*;

use super::world::{World, project};
use crate::jwt::{Compact, decode, encode};
use crate::limits::{PROOF_BYTES_MAX, SIGNING_EPOCH, TOKEN_LIFETIME};
use crate::{CredentialChange, Denied, KeyId, Proof};

const READ: &[(&str, &[Right])] = &[("acme", &[Right::Read])];

#[tokio::test]
async fn key_id_and_secret_prove_a_credential_in_either_way() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let key_id = made.credential.key_id;
    assert_eq!(world.basic(&made).map(|who| who.key_id()), Ok(key_id));
    let token = made.secret.token();
    assert!(token.starts_with(&format!("fwk_{key_id}_")));
    assert_eq!(world.bearer(&token).map(|who| who.key_id()), Ok(key_id));
}

#[tokio::test]
async fn an_unknown_key_and_a_wrong_secret_are_told_alike() {
    let world = World::new().await;
    let (made, other) = (
        world.credential("acme", READ).await,
        world.credential("acme", READ).await,
    );
    let (key_id, secret) = (made.credential.key_id, made.secret.as_str());
    let unknown = KeyId::random();
    for (key_id, secret) in [
        (unknown.as_str(), secret),
        (key_id.as_str(), other.secret.as_str()),
        (key_id.as_str(), ""),
        (key_id.as_str(), &secret[1..]),
        (key_id.as_str(), &format!("{secret}=")),
        ("", secret),
        (&key_id.as_str().to_uppercase(), secret),
        ("", ""),
    ] {
        let basic = world.auth.prove(Proof::Basic { key_id, secret });
        assert_eq!(basic.err(), Some(Denied::Invalid), "{key_id} {secret}");
        let bearer = world.bearer(&format!("fwk_{key_id}_{secret}"));
        assert_eq!(bearer.err(), Some(Denied::Invalid), "{key_id} {secret}");
    }
}

#[tokio::test]
async fn a_credential_that_is_disabled_expired_or_revoked_proves_nothing() {
    let world = World::new().await;
    let home = project("acme");
    let mut wanted = super::world::new("acme", READ);
    let hour = Duration::from_hours(1);
    wanted.expires_at = Some(world.clock.now().after(hour));
    let (expiring, other) = (
        world.auth.create(wanted).await.expect("it is valid"),
        world.credential("acme", READ).await,
    );
    let tokens = [
        world.token(&expiring, None).await,
        world.token(&other, None).await,
    ];
    world
        .clock
        .advance(hour.saturating_sub(Duration::from_micros(1)));
    assert!(world.basic(&expiring).is_ok());
    assert!(world.bearer(&tokens[0].token).is_ok());
    world.clock.advance(Duration::from_micros(1));
    assert_eq!(world.basic(&expiring).err(), Some(Denied::Invalid));

    let token = world.token(&other, None).await;
    let key_id = other.credential.key_id;
    for enabled in [false, true] {
        let change = CredentialChange {
            enabled: Some(enabled),
            ..CredentialChange::default()
        };
        let changed = world.auth.change(&home, key_id, change, None).await;
        changed.expect("it is there");
        assert_eq!(world.basic(&other).is_ok(), enabled);
        assert_eq!(world.bearer(&token.token).is_ok(), enabled);
    }
    world
        .auth
        .revoke(&home, key_id, None)
        .await
        .expect("it is there");
    assert_eq!(world.basic(&other).err(), Some(Denied::Invalid));
    assert_eq!(world.bearer(&token.token).err(), Some(Denied::Invalid));
}

#[tokio::test]
async fn a_change_counts_with_the_next_proof_of_a_token_that_is_remembered() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let token = world.token(&made, None).await;
    let rights = || {
        let who = world.bearer(&token.token).expect("it is valid");
        let grant = who.grant(&project("acme")).expect("it has one");
        grant.rights().iter().collect::<Vec<_>>()
    };
    assert_eq!(rights(), [Right::Read]);
    let change = CredentialChange {
        grants: Some(vec![super::world::grant("acme", &[Right::Publish])]),
        ..CredentialChange::default()
    };
    let home = project("acme");
    let changed = world
        .auth
        .change(&home, made.credential.key_id, change, None);
    changed.await.expect("it is there");
    assert_eq!(rights(), [Right::Publish]);
}

#[tokio::test]
async fn an_access_token_is_valid_to_the_second_and_then_told_to_be_over() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let token = world.token(&made, None).await;
    let expires_at = world.bearer(&token.token).expect("it is new").expires_at();
    assert_eq!(expires_at, Some(world.clock.now().after(TOKEN_LIFETIME)));
    world
        .clock
        .advance(TOKEN_LIFETIME.saturating_sub(Duration::from_micros(1)));
    assert!(world.bearer(&token.token).is_ok());
    world.clock.advance(Duration::from_micros(1));
    assert_eq!(world.bearer(&token.token).err(), Some(Denied::Expired));
    let world = world.restarted().await;
    assert_eq!(world.bearer(&token.token).err(), Some(Denied::Expired));
}

#[tokio::test]
async fn a_token_outlives_the_change_of_the_signing_key_and_no_longer() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let kids = || {
        let keys = world.auth.jwks();
        let keys = keys["keys"].as_array().expect("a list").clone();
        keys.into_iter()
            .map(|key| key["kid"].clone())
            .collect::<Vec<_>>()
    };
    let before = kids();
    let into_epoch =
        world.clock.now().as_micros().cast_unsigned() / 1_000_000 % SIGNING_EPOCH.as_secs();
    let left = SIGNING_EPOCH.saturating_sub(Duration::from_secs(into_epoch));
    world
        .clock
        .advance(left.saturating_sub(Duration::from_mins(1)));
    let token = world.token(&made, None).await;
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(kids()[..2], before[1..]);
    let world = world.restarted().await;
    assert!(world.bearer(&token.token).is_ok());
    world.clock.advance(SIGNING_EPOCH);
    assert_eq!(world.bearer(&token.token).err(), Some(Denied::Expired));
    world.clock.advance(SIGNING_EPOCH);
    let world = world.restarted().await;
    assert_eq!(world.bearer(&token.token).err(), Some(Denied::Invalid));
}

#[tokio::test]
async fn the_token_of_a_server_with_another_master_key_is_refused() {
    let (world, other) = (World::new().await, World::new().await);
    let made = other.credential("acme", READ).await;
    let token = other.token(&made, None).await;
    assert_eq!(world.bearer(&token.token).err(), Some(Denied::Invalid));
    assert_eq!(
        world.bearer(&made.secret.token()).err(),
        Some(Denied::Invalid)
    );
}

/// The key that signs at this time, or so many epochs before.
fn signing_key(world: &World, before: u64) -> Ed25519KeyPair {
    let seconds = world.clock.now().as_micros().cast_unsigned() / 1_000_000;
    let epoch = seconds / SIGNING_EPOCH.as_secs() - before;
    let seed = world.auth.derivation().signing_seed(epoch);
    Ed25519KeyPair::from_seed_unchecked(&*seed).expect("a seed")
}

#[tokio::test]
async fn only_the_one_header_is_taken_whoever_signed() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let token = world.token(&made, None).await;
    let parts = Compact::split(&token.token).expect("three parts");
    let header = String::from_utf8(decode(parts.header).expect("base64url")).expect("text");
    let key = signing_key(&world, 0);
    let signed = |header: &str| {
        let signed = format!("{}.{}", encode(header), parts.claims);
        format!("{signed}.{}", encode(key.sign(signed.as_bytes())))
    };
    assert!(world.bearer(&signed(&header)).is_ok());
    for (from, to) in [
        ("at+jwt", "JWT"),
        ("at+jwt", "AT+JWT"),
        (r#","typ":"at+jwt""#, ""),
        ("EdDSA", "Ed25519"),
        ("EdDSA", "HS256"),
        ("EdDSA", "none"),
        (r#""alg""#, r#""crit":["x"],"x":1,"alg""#),
        (r#""alg""#, r#""jwk":{},"alg""#),
        ("{", "{ "),
    ] {
        let other = header.replacen(from, to, 1);
        assert_ne!(other, header);
        assert_eq!(
            world.bearer(&signed(&other)).err(),
            Some(Denied::Invalid),
            "{other}"
        );
    }
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let token = world.token(&made, None).await;
    let parts = Compact::split(&token.token).expect("three parts");
    let public = signing_key(&world, 0);
    let public = public.public_key().as_ref();
    for algorithm in ["HS256", "none", "EdDSA"] {
        let header = encode(format!(r#"{{"alg":"{algorithm}","typ":"at+jwt"}}"#));
        for header in [&*header, parts.header] {
            let signed = format!("{header}.{}", parts.claims);
            for secret in [public, encode(public).as_bytes()] {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                let tag = hmac::sign(&key, signed.as_bytes());
                let forged = format!("{signed}.{}", encode(tag));
                assert_eq!(world.bearer(&forged).err(), Some(Denied::Invalid));
            }
            assert_eq!(
                world.bearer(&format!("{signed}.")).err(),
                Some(Denied::Invalid)
            );
        }
    }
}

#[tokio::test]
async fn a_key_of_long_ago_signs_nothing() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let token = world.token(&made, None).await;
    let claims = Compact::split(&token.token).expect("three parts").claims;
    for (before, is_taken) in [(0, true), (1, true), (2, false)] {
        let ring = crate::signing::Signing::new(
            world.auth.derivation(),
            world
                .clock
                .now()
                .before(SIGNING_EPOCH * u32::try_from(before).expect("small")),
        );
        let ring = ring.ring(
            world.auth.derivation(),
            world
                .clock
                .now()
                .before(SIGNING_EPOCH * u32::try_from(before).expect("small")),
        );
        let token = ring.present().sign(&decode(claims).expect("base64url"));
        assert_eq!(
            world.bearer(&token).is_ok(),
            is_taken,
            "{before} epochs before"
        );
    }
}

#[tokio::test]
async fn a_token_that_was_cut_or_changed_anywhere_is_refused() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let access = world.token(&made, None).await;
    for token in [&*access.token, &*made.secret.token()] {
        assert!(world.bearer(token).is_ok());
        for at in 0..token.len() {
            assert!(world.bearer(&token[..at]).is_err(), "cut at {at}");
            let mut changed = token.as_bytes().to_vec();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).expect("it stays ASCII");
            assert!(world.bearer(&changed).is_err(), "changed at {at}");
            let longer = format!("{}A{}", &token[..at], &token[at..]);
            assert!(world.bearer(&longer).is_err(), "longer at {at}");
        }
        for end in ["=", "A", "\n", " ", ".", ".A"] {
            assert!(world.bearer(&format!("{token}{end}")).is_err(), "{end:?}");
        }
    }
}

#[tokio::test]
async fn a_proof_that_is_too_long_is_refused_unread() {
    let world = World::new().await;
    let made = world.credential("acme", READ).await;
    let long = "a".repeat(PROOF_BYTES_MAX + 1);
    assert_eq!(world.bearer(&long).err(), Some(Denied::Invalid));
    let key_id = made.credential.key_id;
    for (key_id, secret) in [(key_id.as_str(), &*long), (&*long, made.secret.as_str())] {
        let basic = world.auth.prove(Proof::Basic { key_id, secret });
        assert_eq!(basic.err(), Some(Denied::Invalid));
    }
}

#[test]
fn no_text_makes_a_proof_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let world = runtime.block_on(World::new());
    let made = runtime.block_on(world.credential("acme", READ));
    let access = runtime.block_on(world.token(&made, None));
    let good = [access.token.to_string(), made.secret.token().to_string()];
    let text = prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9_.-]{0,80}",
        "fwk_[a-z0-9]{19,21}_[A-Za-z0-9_-]{42,44}",
        "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{86}",
        (
            prop::sample::select(good.to_vec()),
            any::<prop::sample::Index>(),
            any::<char>()
        )
            .prop_map(|(token, at, c)| {
                let at = at.index(token.len());
                format!("{}{c}{}", &token[..at], &token[at + 1..])
            }),
    ];
    proptest!(|(one in text.clone(), other in text)| {
        let is_good = |text: &String| good.contains(text);
        if !is_good(&one) {
            prop_assert!(world.bearer(&one).is_err());
        }
        let basic = world.auth.prove(Proof::Basic { key_id: &one, secret: &other });
        prop_assert!(basic.is_err());
        prop_assert!(crate::assertion::Unproven::read(&one).is_none() || one.contains('.'));
        prop_assert!(one.parse::<crate::MasterKey>().is_err());
        if let Ok(pattern) = one.parse::<crate::ProjectPattern>() {
            prop_assert_eq!(pattern.to_string(), one);
        }
    });
}
