//! Who asks, and what they may do: from a credential to a principal to a grant.
//!
//! Knows no HTTP, no header, no file and no environment. Credentials are kept in the engine's primary store, and all of them in
//! memory; no secret is kept anywhere, for each is derived from the [`MasterKey`]. Start reading at [`Auth`]; every derivation and
//! every format at rest stands in `docs/internals/secrets.md`.
#![warn(missing_docs)]

mod access;
mod assertion;
mod auth;
mod change;
mod credential;
mod derive;
mod entry;
mod exchange;
mod forget;
mod invalid;
mod jwt;
mod keep;
mod key_id;
pub mod limits;
mod master_check;
mod master_key;
mod pattern;
mod principal;
mod proof;
mod rules;
mod seal;
mod secret;
mod signing;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod used;

pub use access::TokenStats;
pub use assertion::AssertionFault;
pub use auth::{Auth, OpenError, Options};
pub use change::{ChangeError, CreateError, Created, RevokeError, RotateError};
pub use credential::{Credential, CredentialChange, CredentialGrant, Expiry, NewCredential};
pub use exchange::{AccessToken, CLIENT_CREDENTIALS, Client, JWT_BEARER, TokenError, TokenRequest};
pub use forget::{ForgetError, Forgotten};
pub use invalid::Invalid;
pub use key_id::{KeyId, KeyIdError};
pub use master_check::{InitError, ReplaceError};
pub use master_key::{MasterKey, MasterKeyError};
pub use pattern::{PatternError, ProjectPattern};
pub use principal::{NotYours, Principal};
pub use proof::{Denied, Proof};
pub use seal::{Seal, Unsealable};
pub use secret::Secret;
