//! When a certificate expires, read out of its DER: rustls checks dates of others, and tells none.
//!
//! Of X.509 (RFC 5280, 4.1) only the way to `notAfter` is walked:
//! `Certificate { tbs { [0] version?, serial, signature, issuer, validity { notBefore, notAfter } .. } .. }`.

use feedwire_event::Timestamp;

const SEQUENCE: u8 = 0x30;
/// `[0]`, in which the version stands.
const VERSION: u8 = 0xa0;
/// `YYMMDDHHMMSSZ`: years to 2049.
const UTC_TIME: u8 = 0x17;
/// `YYYYMMDDHHMMSSZ`: the years after it.
const GENERALIZED_TIME: u8 = 0x18;
/// The first two-digit year of the last century.
const LAST_CENTURY: &str = "50";

/// When the certificate `der` expires; `None` where it is not one.
pub(super) fn expires_at(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = within(SEQUENCE, der)?;
    let (mut fields, _) = within(SEQUENCE, certificate)?;
    if fields.first() == Some(&VERSION) {
        (_, fields) = within(VERSION, fields)?;
    }
    for _before_validity in ["serial", "signature", "issuer"] {
        (_, _, fields) = element(fields)?;
    }
    let (validity, _) = within(SEQUENCE, fields)?;
    let (_, _, end) = element(validity)?;
    let (tag, text, _) = element(end)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let text = match tag {
        UTC_TIME if text.get(..2)? >= LAST_CENTURY => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let digits = text.strip_suffix('Z')?;
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let two = |at: usize| &digits[at..at + 2];
    let (date, clock) = ([&digits[..4], two(4), two(6)], [two(8), two(10), two(12)]);
    let text = format!("{}T{}Z", date.join("-"), clock.join(":"));
    text.parse().ok()
}

/// What is in the element with `tag` that `der` begins with, and what is behind it.
fn within(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

/// The tag and the content of the element that `der` begins with, and what is behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = der.split_first_chunk()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        // So many bytes of length follow. Without any it would have to be looked for, and more than four no certificate has.
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(short - 0x80))?;
            let length = length
                .iter()
                .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        }
        0x80 | 0x85.. => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    const SERVER: &[u8] = include_bytes!("../../../feedwire-testkit/certificates/server.pem");
    const RENEWED: &[u8] = include_bytes!("../../../feedwire-testkit/certificates/renewed.pem");

    fn der(pem: &[u8]) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem).expect("a certificate")
    }

    #[test]
    fn the_end_is_read_in_both_ways_that_dates_are_written() {
        let check = |pem, text: &str| {
            let found = expires_at(&der(pem)).expect("it has an end");
            assert_eq!(found.to_text(), text);
        };
        check(SERVER, "2049-12-31T23:59:59Z");
        check(RENEWED, "2100-01-01T00:00:00Z");
    }

    #[test]
    fn years_of_two_digits_are_of_the_century_that_x_509_says() {
        let check = |tag, text: &str, time_: Option<&str>| {
            let found = time(tag, text).map(Timestamp::to_text);
            assert_eq!(found.as_deref(), time_, "{text}");
        };
        check(UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00Z"));
        check(UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59Z"));
        check(UTC_TIME, "4912312359Z", None);
        check(UTC_TIME, "491231235959+0100", None);
        check(UTC_TIME, "é", None);
        check(GENERALIZED_TIME, "20500230000000Z", None);
        check(GENERALIZED_TIME, "2050010100000éZ", None);
        check(SEQUENCE, "20500130000000Z", None);
    }

    #[test]
    fn a_certificate_that_was_cut_or_changed_anywhere_harms_nobody() {
        let whole = der(SERVER);
        for end in 0..whole.len() {
            assert_eq!(expires_at(&whole[..end]), None);
        }
        for at in 0..whole.len() {
            let mut changed = whole.to_vec();
            for byte in [0, 0x7f, 0x80, 0x84, 0xff] {
                changed[at] = byte;
                // Only that it comes back.
                let _either = expires_at(&changed);
            }
        }
    }
}
