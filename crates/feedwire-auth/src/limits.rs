//! The limits of credentials, of what proves them, and of what is kept in memory for that.

use std::time::Duration;

/// Most credentials whose home is one project.
pub const PROJECT_CREDENTIALS_MAX: usize = 10_000;

/// Most credentials of a server. All of them are in memory, at about a kilobyte each with a few grants.
pub const CREDENTIALS_MAX: usize = 1_000_000;

/// Most credentials that one list returns: the largest part of a list that is told, and one more, by which it is seen that it goes on.
pub const LIST_MAX: usize = 1_001;

/// Longest display name, in bytes of UTF-8.
pub const DISPLAY_NAME_BYTES_MAX: usize = 128;

/// Longest e-mail address, in bytes; mail itself takes no longer one.
pub const EMAIL_BYTES_MAX: usize = 254;

/// Most grants of one credential.
pub const GRANTS_MAX: usize = 100;

/// Most feed patterns of one grant.
pub const GRANT_FEEDS_MAX: usize = 1_000;

/// Most subjects that one grant is confined to.
pub const GRANT_SUBJECTS_MAX: usize = 1_000;

/// Most labels that one grant is confined to.
pub const GRANT_LABELS_MAX: usize = 32;

/// Most bytes that all grants of one credential name: projects, feeds, subjects and labels, with [`GRANT_NAME_BYTES`] for each of them.
/// All credentials are in memory, and what one grants has to fit into an event of the audit feed.
pub const GRANTS_BYTES_MAX: usize = 64 * 1024;

/// What a name in a grant takes beside its text.
pub const GRANT_NAME_BYTES: usize = 8;

/// How long an older secret may stay valid beside the new one.
pub const OVERLAP_MAX: Duration = Duration::from_hours(90 * 24);

/// Longest proof: a token, or key id and secret together. Anything longer is refused unread.
pub const PROOF_BYTES_MAX: usize = 4 * 1024;

/// Longest signed assertion.
pub const ASSERTION_BYTES_MAX: usize = 8 * 1024;

/// Longest list of rights that a token is asked for.
pub const SCOPE_BYTES_MAX: usize = 256;

/// How far another's clock may be away from ours.
pub const SKEW: Duration = Duration::from_mins(1);

/// How far in the future an assertion may expire: for so long it is known that it was used.
pub const ASSERTION_LIFETIME_MAX: Duration = Duration::from_hours(24);

/// Most used assertions that are remembered at once. Beyond it those that bear a `jti` are refused until some expire.
pub const ASSERTIONS_MAX: usize = 1_000_000;

/// Most of them of one credential: one in nine seconds, all day.
pub const CREDENTIAL_ASSERTIONS_MAX: usize = 10_000;

/// How long an access token is valid, unless the caller says otherwise.
pub const TOKEN_LIFETIME: Duration = Duration::from_hours(1);

/// How long an access token is valid at most: far below an epoch of the signing keys, so that two of them are enough.
pub const TOKEN_LIFETIME_MAX: Duration = Duration::from_hours(24);

/// Access tokens that are remembered as verified, about 700 B each. One that is not costs a verification, about 100 µs.
pub const TOKENS_CACHED: usize = 50_000;

/// How long one signing key is used.
pub const SIGNING_EPOCH: Duration = Duration::from_hours(30 * 24);

/// How often it is looked whether a credential or an older secret has come to its end.
pub const KEEP_INTERVAL: Duration = Duration::from_millis(500);

/// How often used assertions that have expired are let go of.
pub const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// How many entries are taken from the store in one go.
pub(crate) const STORE_SCAN: usize = 1_000;
