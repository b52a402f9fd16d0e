//! Telling that something is tried again.

use feedwire_client::Retry;

/// What is said of a try that failed, on a line of stderr.
pub(crate) fn words(retry: &Retry<'_>) -> String {
    let wait = retry.wait.as_secs_f32();
    format!("feedwire: {}; trying again in {wait:.1} s", retry.error)
}
