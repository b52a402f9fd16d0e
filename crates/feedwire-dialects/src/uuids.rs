//! UUIDs as texts: read in their usual spelling, and made of texts that are none.

use feedwire_event::{Attribute, EventId, Subject};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// Within this, each text has a UUID of its own. Consumers keep what they have by these: it is never to change.
const NAMESPACE: Uuid = Uuid::from_u128(0xf9f6_7591_dedb_4086_809a_ee6e_4c07_fb4f);

/// The UUID that `text` is, with its four hyphens; its letters may be large.
pub(crate) fn parse(text: &str) -> Option<Uuid> {
    // Braces, a prefix or hyphens that are left out make it another length.
    let is_hyphenated = text.len() == Hyphenated::LENGTH;
    is_hyphenated.then(|| Uuid::try_parse(text).ok()).flatten()
}

/// The subject whose text is the canonical one of `uuid`: with hyphens, in small letters.
pub(crate) fn subject(uuid: &Uuid) -> Subject {
    let mut text = Uuid::encode_buffer();
    Subject::new(uuid.hyphenated().encode_lower(&mut text)).expect("a UUID is short and plain")
}

/// The event id whose text is the canonical one of `uuid`.
pub(crate) fn event_id(uuid: &Uuid) -> EventId {
    let mut text = Uuid::encode_buffer();
    EventId::new(uuid.hyphenated().encode_lower(&mut text)).expect("a UUID is short and plain")
}

/// Appends `text` where it is a canonical UUID, and otherwise the one that this text has for good (version 5).
pub(crate) fn write(text: &str, out: &mut Vec<u8>) {
    if is_canonical(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        let mut buffer = Uuid::encode_buffer();
        let made = Uuid::new_v5(&NAMESPACE, text.as_bytes());
        let made = made.hyphenated().encode_lower(&mut buffer);
        out.extend_from_slice(made.as_bytes());
    }
}

/// As [`write`], as a text of its own.
pub(crate) fn shown(text: &str) -> String {
    let mut out = Vec::with_capacity(Hyphenated::LENGTH);
    write(text, &mut out);
    String::from_utf8(out).expect("a UUID is written in ASCII")
}

/// Whether `text` is a UUID with hyphens and in small letters. Every event that is sent is asked this, so it takes no branch for a byte.
pub(crate) fn is_canonical(text: &str) -> bool {
    let Ok(bytes) = <&[u8; Hyphenated::LENGTH]>::try_from(text.as_bytes()) else {
        return false;
    };
    // One question of all bytes alike is one that the processor asks of many at once.
    let is_digit = |byte: u8| (byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6);
    let others = bytes.iter().map(|byte| u8::from(!is_digit(*byte)));
    let others: u8 = others.sum();
    others == 4 && [8, 13, 18, 23].map(|place| bytes[place]) == [b'-'; 4]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "723ecfce-14e9-4889-98d5-a3d0ad54912f";

    #[test]
    fn a_uuid_has_its_hyphens_and_nothing_around_it() {
        let read = |text: &str| parse(text).map(|uuid| subject(&uuid).to_string());
        assert_eq!(read(ID).as_deref(), Some(ID));
        assert_eq!(read(&ID.to_uppercase()).as_deref(), Some(ID));
        for odd in [
            "",
            "7",
            "723ecfce14e9488998d5a3d0ad54912f",
            "{723ecfce-14e9-4889-98d5-a3d0ad54912f}",
            "urn:uuid:723ecfce-14e9-4889-98d5-a3d0ad54912f",
            "723ecfce-14e9-4889-98d5-a3d0ad54912",
            "723ecfce-14e9-4889-98d5a3d0ad54912f1",
            "723ecfce-14e9-4889-98d5-a3d0ad54912g",
            " 23ecfce-14e9-4889-98d5-a3d0ad54912f",
            "723ecfce-14e9-4889-98d5-a3d0ad5491\u{e9}",
        ] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }

    /// Consumers keep what they have by these ids: they are never to change.
    #[test]
    fn the_uuid_of_a_text_is_the_same_for_good() {
        let made = ["", "N14228", "\u{c6}r\u{f8}", &ID.to_uppercase()].map(shown);
        insta::assert_debug_snapshot!(made, @r#"
        [
            "8316762c-c3db-566b-aea8-a6f9dca7f660",
            "dc71bcc6-cd57-5a73-a020-7874520b189a",
            "154c4103-466a-5c38-8bd5-c7d7fbe9bbd5",
            "0c5b68b4-2c9e-56ad-ad85-174cd87c5e8b",
        ]
        "#);
    }

    proptest! {
        #[test]
        fn a_canonical_uuid_is_shown_as_it_is(bits in any::<u128>()) {
            let text = Uuid::from_u128(bits).to_string();
            prop_assert_eq!(shown(&text), text);
        }

        #[test]
        fn anything_else_is_shown_as_another_uuid(text in "[-0-9a-fA-F]{36}|.{0,40}") {
            let shown = shown(&text);
            prop_assert!(is_canonical(&shown));
            let parsed = parse(&text).map(|uuid| uuid.to_string());
            prop_assert_eq!(shown == text, parsed.as_ref() == Some(&text));
        }
    }
}
