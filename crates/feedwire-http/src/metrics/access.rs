//! Credentials, and the access tokens that they are exchanged for.

use std::fmt;

use feedwire_auth::{Auth, TokenStats};

use super::families::{Families, Family, PLAIN, number};
use crate::access::Access;

const CREDENTIALS: Family = number(
    "feedwire_credentials",
    "Credentials that there are; nothing where nobody is asked for one",
);
const TOKENS: Family = number(
    "feedwire_access_tokens",
    "Access tokens that were looked at, by what they were found to be",
);

pub(super) fn tell(families: &mut Families<'_>, access: &Access) -> fmt::Result {
    let auth = match access {
        Access::Guarded(auth) => Some(auth),
        Access::Open { .. } => None,
    };
    let credentials = auth.map(|auth| (PLAIN, auth.count() as u64));
    families.levels(&CREDENTIALS, credentials)?;
    let TokenStats {
        remembered,
        verified,
        refused,
    } = auth.map(Auth::token_stats).unwrap_or_default();
    let outcomes = [
        ("remembered", remembered),
        ("verified", verified),
        ("refused", refused),
    ];
    families.counts(
        &TOKENS,
        outcomes.map(|(name, count)| ([("outcome", name)], count)),
    )
}
