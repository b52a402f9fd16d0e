//! What Aria's feeds answer beside events: that it is not the moment.

use super::error::Failure;
use super::framing::write_comment;
use crate::digits;

/// A stream that says `failure`, and when to come again, and ends; `None` where that would help nobody.
///
/// The vendor's own client ends its whole program at every status that is not 200, also where it comes again after a stream has ended.
pub fn come_again(failure: &Failure) -> Option<Vec<u8>> {
    let seconds = failure.retry_after?;
    let mut out = Vec::with_capacity(128);
    write_comment(&failure.message, &mut out);
    // A field for itself: behind a blank line it would be an event without data to that client.
    out.extend_from_slice(b"retry: ");
    digits::write(seconds.saturating_mul(1_000), &mut out);
    out.push(b'\n');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{bad_request, unavailable};

    #[test]
    fn what_time_mends_is_told_in_a_stream_without_an_event() {
        let failure = Failure {
            retry_after: Some(7),
            ..unavailable("it is not\nthe moment")
        };
        let told = come_again(&failure).map(|told| String::from_utf8(told).expect("ASCII"));
        let expected = ": it is not the moment\nretry: 7000\n";
        assert_eq!(told.as_deref(), Some(expected));
        assert_eq!(come_again(&bad_request("it will never be")), None);
    }
}
