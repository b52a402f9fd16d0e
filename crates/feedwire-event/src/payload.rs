//! What of an event goes into a record beside its tags and times, as bytes.
//!
//! | offset | size | what |
//! |---|---|---|
//! | 0 | 1 | format, 1 |
//! | 1 | 1 | bits 0 to 3: kind of data: 0 none, 1 JSON, 2 base64, 3 the state of an entity. Bit 4: known by its id. Bit 5: its batch is known by a key. Bit 6: for those alone who are there |
//! | 2 | 2 | length of the id |
//! | 4 | 2 | length of the source; 0 is the feed's own address |
//! | 6 | 4 | length of the extensions |
//! | 10 | | with bit 5: the length of the key (1 byte) and the key |
//! | | | id, source, extensions, data: the data runs to the end |
//!
//! With the state of an entity, which is JSON, or nothing where the entity is gone, there stands before the id what is said of it: 0 create,
//! 1 update, 2 delete, 3 load (1 byte); of a load the position of the change that made the state, otherwise 0 (8 bytes); the lengths of
//! the ids, of what changed and of what was removed (4 bytes each). These three, which are JSON, stand between extensions and data.
//!
//! Integers are little-endian. Id and source are UTF-8 as the producer sent them, extensions and data canonical JSON. An event
//! whose id is the producer's can be marked as known by it, and the first one of a batch by the key of its request: by these
//! marks a repetition is known for what it is. They stand in the record because they have to last as long as it does. Bit 7 is 0.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::{
    Attribute, Change, ChangeKind, ChangeText, Data, Event, EventId, IdempotencyKey, Ids, Position,
};

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 10;
const CHANGE_BYTES: usize = 21;
const KIND: u8 = 0x0f;
const ENTITY: u8 = 3;
const CREATE: u8 = 0;
const UPDATE: u8 = 1;
const DELETE: u8 = 2;
const LOAD: u8 = 3;
const BY_ID: u8 = 0x10;
const BY_KEY: u8 = 0x20;
const LIVE_ONLY: u8 = 0x40;

/// By what a repetition of an event is to be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks<'a> {
    /// By its feed, source, id and subject, if its producer gave the id.
    pub id: bool,
    /// By its feed and the key of the request whose first event it is.
    pub key: Option<&'a IdempotencyKey>,
}

/// The content of a record, borrowed from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Whether a repetition is known by feed, source, id and subject.
    pub by_id: bool,
    /// The key by which, in its feed, a repetition of the batch that starts here is known.
    pub key: Option<&'a str>,
    /// Whether it is for those alone who were there before it.
    pub live_only: bool,
    /// What tells the event from the others of its source.
    pub id: &'a str,
    /// Where it happened; `None` is the feed's own address.
    pub source: Option<&'a str>,
    /// Further attributes: the members of a JSON object without its braces; may be empty.
    pub extensions: &'a str,
    /// What happened; of an entity its whole state.
    pub data: DataText<'a>,
    /// What it says of an entity, where it is of one.
    pub change: Option<ChangeText<'a>>,
}

/// The data of an event as canonical text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataText<'a> {
    /// There is none.
    None,
    /// A JSON value.
    Json(&'a str),
    /// A quoted string of base64.
    Base64(&'a str),
}

/// The bytes are not a payload that this version can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Written by a later version.
    #[error("payload format {0}, this version reads {FORMAT}")]
    Format(u8),
    /// Too short, or not text where text belongs.
    #[error("not a payload")]
    Malformed,
}

/// The bytes of what `event` carries, marked with `marks`; `give_id` names it where it has no id.
pub fn encode(event: &Event, marks: Marks<'_>, give_id: impl FnOnce() -> EventId) -> Bytes {
    encode_with(event, None, marks, give_id)
}

/// The bytes of `change`, told by `event`, whose data is the whole state.
pub fn encode_change(event: &Event, change: &Change, give_id: impl FnOnce() -> EventId) -> Bytes {
    encode_with(event, Some(change), Marks::default(), give_id)
}

fn encode_with(
    event: &Event,
    change: Option<&Change>,
    marks: Marks<'_>,
    give_id: impl FnOnce() -> EventId,
) -> Bytes {
    let by_id = if marks.id && event.id.is_some() {
        BY_ID
    } else {
        0
    };
    let live_only = if event.live_only { LIVE_ONLY } else { 0 };
    let (by_key, key) = marks.key.map_or((0, ""), |key| (BY_KEY, key.as_str()));
    let given;
    let id = if let Some(id) = &event.id {
        id.as_str()
    } else {
        given = give_id();
        given.as_str()
    };
    let source = event.source.as_ref().map_or("", |source| source.as_str());
    let extensions = event.extensions.members();
    let (kind, data) = match &event.data {
        None => (0, &[][..]),
        Some(Data::Json(json)) => (1, &json.bytes()[..]),
        Some(Data::Base64(text)) => (2, &text.bytes()[..]),
    };
    let kind = if change.is_some() { ENTITY } else { kind };
    let change = change.map(ChangeBytes::of).unwrap_or_default();
    let len =
        |bytes: usize| u16::try_from(bytes).expect("an id and a source are shorter than 64 KiB");
    let key_bytes = if by_key == 0 { 0 } else { 1 + key.len() };
    // No more than that: what is left over would cost another allocation when it is frozen.
    let texts = id.len() + source.len() + extensions.len() + data.len();
    let whole = HEADER_BYTES + key_bytes + change.head.len() + change.texts.len() + texts;
    let mut out = BytesMut::with_capacity(whole);
    out.put_u8(FORMAT);
    out.put_u8(kind | by_id | by_key | live_only);
    out.put_u16_le(len(id.len()));
    out.put_u16_le(len(source.len()));
    out.put_u32_le(u32::try_from(extensions.len()).expect("64 extensions of one event fit 4 GiB"));
    if by_key != 0 {
        out.put_u8(u8::try_from(key.len()).expect("a key has at most 255 characters"));
        out.put_slice(key.as_bytes());
    }
    out.put_slice(&change.head);
    out.put_slice(id.as_bytes());
    out.put_slice(source.as_bytes());
    out.put_slice(extensions);
    out.put_slice(&change.texts);
    out.put_slice(data);
    out.freeze()
}

/// The bytes that tell again the state which the change at `at`, encoded as `bytes`, made.
pub fn encode_load(bytes: &[u8], at: Position) -> Result<Bytes, Error> {
    let Payload {
        id,
        source,
        extensions,
        data,
        change,
        ..
    } = Payload::decode(bytes)?;
    let (Some(ChangeText { ids, .. }), DataText::Json(state)) = (change, data) else {
        return Err(Error::Malformed);
    };
    let source = source.unwrap_or_default();
    let texts = [id, source, extensions, ids, state];
    let len = texts.iter().map(|text| text.len()).sum::<usize>();
    let mut out = BytesMut::with_capacity(HEADER_BYTES + CHANGE_BYTES + len);
    // The lengths of id, source and extensions stay as they are.
    out.put_slice(&[FORMAT, ENTITY]);
    out.put_slice(&bytes[2..HEADER_BYTES]);
    out.put_u8(LOAD);
    out.put_u64_le(at.get());
    for len in [ids.len(), 0, 0] {
        out.put_u32_le(u32::try_from(len).expect("an event is shorter than 4 GiB"));
    }
    for text in texts {
        out.put_slice(text.as_bytes());
    }
    Ok(out.freeze())
}

/// What stands of a change before the id, and before the data.
#[derive(Default)]
struct ChangeBytes {
    head: Vec<u8>,
    texts: Vec<u8>,
}

impl ChangeBytes {
    fn of(change: &Change) -> Self {
        let ids = change.ids.as_ref().map_or("", Ids::as_str);
        let [changed, removed] = change.difference.lists();
        let mut head = Vec::with_capacity(CHANGE_BYTES);
        head.put_u8(match change.kind {
            ChangeKind::Create => CREATE,
            ChangeKind::Update => UPDATE,
            ChangeKind::Delete => DELETE,
            ChangeKind::Load => LOAD,
        });
        head.put_u64_le(change.at.map_or(0, Position::get));
        for text in [ids.as_bytes(), &changed, &removed] {
            head.put_u32_le(u32::try_from(text.len()).expect("an event is shorter than 4 GiB"));
        }
        Self {
            head,
            texts: [ids.as_bytes(), &changed, &removed].concat(),
        }
    }
}

/// Whether these bytes of a record bear a mark; cheaper than decoding them.
pub fn is_marked(bytes: &[u8]) -> bool {
    matches!(bytes, [FORMAT, kind, ..] if kind & (BY_ID | BY_KEY) != 0)
}

/// Whether these bytes of a record are of an entity; cheaper than decoding them.
pub fn is_entity(bytes: &[u8]) -> bool {
    matches!(bytes, [FORMAT, kind, ..] if kind & KIND == ENTITY)
}

/// Whether these bytes of a record are of an event for those alone who were there before it; cheaper than decoding them.
pub fn is_live_only(bytes: &[u8]) -> bool {
    matches!(bytes, [FORMAT, kind, ..] if kind & LIVE_ONLY != 0)
}

impl<'a> Payload<'a> {
    /// Reads what [`encode`] wrote.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let (header, rest) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or(Error::Malformed)?;
        if header[0] != FORMAT {
            return Err(Error::Format(header[0]));
        }
        let short = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let extensions_len = u32::from_le_bytes([header[6], header[7], header[8], header[9]]);
        let (key, rest) = if header[1] & BY_KEY == 0 {
            (None, rest)
        } else {
            let (len, rest) = rest.split_first().ok_or(Error::Malformed)?;
            let (key, rest) = rest
                .split_at_checked(usize::from(*len))
                .ok_or(Error::Malformed)?;
            let key = std::str::from_utf8(key).ok().ok_or(Error::Malformed)?;
            (Some(key), rest)
        };
        let (head, rest) = if header[1] & KIND == ENTITY {
            let (head, rest) = rest.split_first_chunk().ok_or(Error::Malformed)?;
            (Some(change_head(head)?), rest)
        } else {
            (None, rest)
        };
        let mut rest = std::str::from_utf8(rest).ok().ok_or(Error::Malformed)?;
        let id = take(&mut rest, short(2))?;
        let source = take(&mut rest, short(4))?;
        let extensions = take(
            &mut rest,
            usize::try_from(extensions_len).unwrap_or(usize::MAX),
        )?;
        let change = match head {
            Some((kind, at, [ids, changed, removed])) => Some(ChangeText {
                kind,
                at,
                ids: take(&mut rest, ids)?,
                changed: take(&mut rest, changed)?,
                removed: take(&mut rest, removed)?,
            }),
            None => None,
        };
        let data = match header[1] & KIND {
            0 => DataText::None,
            ENTITY if rest.is_empty() => DataText::None,
            1 | ENTITY => DataText::Json(rest),
            2 => DataText::Base64(rest),
            _ => return Err(Error::Malformed),
        };
        Ok(Self {
            by_id: header[1] & BY_ID != 0,
            key,
            live_only: header[1] & LIVE_ONLY != 0,
            id,
            source: Some(source).filter(|s| !s.is_empty()),
            extensions,
            data,
            change,
        })
    }
}

/// What stands of a change before the id: what it says, the position, and the lengths of its texts.
type ChangeHead = (ChangeKind, Option<Position>, [usize; 3]);

fn change_head(bytes: &[u8; CHANGE_BYTES]) -> Result<ChangeHead, Error> {
    let kind = match bytes[0] {
        CREATE => ChangeKind::Create,
        UPDATE => ChangeKind::Update,
        DELETE => ChangeKind::Delete,
        LOAD => ChangeKind::Load,
        _ => return Err(Error::Malformed),
    };
    let mut rest = &bytes[1..];
    let at = Position::new(rest.get_u64_le()).ok_or(Error::Malformed)?;
    let lens = [(); 3].map(|()| usize::try_from(rest.get_u32_le()).unwrap_or(usize::MAX));
    Ok((kind, Some(at).filter(|at| *at != Position::ZERO), lens))
}

fn take<'a>(rest: &mut &'a str, len: usize) -> Result<&'a str, Error> {
    let (head, tail) = rest.split_at_checked(len).ok_or(Error::Malformed)?;
    *rest = tail;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Canonical;
    use crate::{Extensions, Source, TypeName};

    fn event() -> Event {
        let mut extensions = Extensions::default();
        extensions
            .push("traceid", &Canonical::string("4f"))
            .expect("an extension");
        Event {
            id: Some(EventId::new("ä-1").expect("an id")),
            source: Some(Source::new("/planes").expect("a source")),
            ty: TypeName::new("flight.departed").expect("a name"),
            subject: None,
            time: None,
            live_only: false,
            extensions,
            data: Some(Data::Json(Canonical::string("late"))),
        }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let bytes = encode(&event(), Marks::default(), given);
        let payload = Payload {
            by_id: false,
            key: None,
            live_only: false,
            id: "ä-1",
            source: Some("/planes"),
            extensions: "\"traceid\":\"4f\"",
            data: DataText::Json("\"late\""),
            change: None,
        };
        assert_eq!(Payload::decode(&bytes), Ok(payload));
    }

    #[test]
    fn an_event_for_those_who_are_there_says_so_beside_its_marks() {
        let event = Event {
            live_only: true,
            ..event()
        };
        let key = IdempotencyKey::new("k-1").expect("a key");
        let all = Marks {
            id: true,
            key: Some(&key),
        };
        for marks in [Marks::default(), all] {
            let bytes = encode(&event, marks, given);
            let payload = Payload::decode(&bytes).expect("a payload");
            assert!(payload.live_only && is_live_only(&bytes));
            assert_eq!(is_marked(&bytes), marks.id);
            let for_all = Event {
                live_only: false,
                ..event.clone()
            };
            let others = encode(&for_all, marks, given);
            assert!(!is_live_only(&others));
            let same = Payload {
                live_only: false,
                ..payload
            };
            assert_eq!(Payload::decode(&others), Ok(same));
        }
        assert!(!is_live_only(&[9; 20]) && !is_live_only(&[FORMAT]) && !is_live_only(&[]));
    }

    #[test]
    fn a_record_that_was_written_before_there_was_the_bit_is_for_everybody() {
        let bytes = b"\x01\x31\x01\0\x02\0\0\0\0\0\x02k7a/s7";
        let payload = Payload {
            by_id: true,
            key: Some("k7"),
            live_only: false,
            id: "a",
            source: Some("/s"),
            extensions: "",
            data: DataText::Json("7"),
            change: None,
        };
        assert_eq!(Payload::decode(bytes), Ok(payload));
        assert!(!is_live_only(bytes));
    }

    fn given() -> EventId {
        EventId::new("given").expect("an id")
    }

    #[test]
    fn marks_are_kept_beside_the_rest() {
        let key = IdempotencyKey::new("k-1").expect("a key");
        let marks = Marks {
            id: true,
            key: Some(&key),
        };
        let bytes = encode(&event(), marks, given);
        let marked = Payload::decode(&bytes).expect("a payload");
        assert_eq!((marked.by_id, marked.key), (true, Some("k-1")));
        assert!(is_marked(&bytes));
        let bytes = encode(&event(), Marks::default(), given);
        let plain = Payload {
            by_id: true,
            key: Some("k-1"),
            ..Payload::decode(&bytes).expect("a payload")
        };
        assert_eq!(marked, plain);
    }

    #[test]
    fn what_the_server_named_is_not_known_by_that_name() {
        let event = Event {
            id: None,
            ..event()
        };
        let marks = Marks {
            id: true,
            key: None,
        };
        let bytes = encode(&event, marks, given);
        assert!(!Payload::decode(&bytes).expect("a payload").by_id);
        assert!(!is_marked(&bytes));
    }

    #[test]
    fn an_event_without_id_source_and_data_gets_the_servers_id() {
        let event = Event {
            id: None,
            source: None,
            data: None,
            extensions: Extensions::default(),
            ..event()
        };
        let bytes = encode(&event, Marks::default(), given);
        let payload = Payload {
            by_id: false,
            key: None,
            live_only: false,
            id: "given",
            source: None,
            extensions: "",
            data: DataText::None,
            change: None,
        };
        assert_eq!(Payload::decode(&bytes), Ok(payload));
    }

    fn change(kind: ChangeKind, at: Option<Position>) -> Change {
        let difference = crate::Difference {
            changed: vec!["/a".to_owned()],
            removed: vec!["/b/c".to_owned(), "/d".to_owned()],
        };
        Change {
            kind,
            at,
            ids: Ids::written(r#"{"no":7}"#),
            difference,
        }
    }

    #[test]
    fn a_change_stands_beside_the_whole_state() {
        let at = Position::new(5);
        let told = ChangeText {
            kind: ChangeKind::Load,
            at,
            ids: r#"{"no":7}"#,
            changed: r#"["/a"]"#,
            removed: r#"["/b/c","/d"]"#,
        };
        let bytes = encode_change(&event(), &change(ChangeKind::Load, at), given);
        let payload = Payload::decode(&bytes).expect("a payload");
        assert_eq!(payload.change, Some(told));
        assert_eq!(payload.data, DataText::Json("\"late\""));
        assert_eq!((payload.id, payload.source), ("ä-1", Some("/planes")));
        assert_eq!(payload.extensions, "\"traceid\":\"4f\"");
        assert!(is_entity(&bytes) && !is_marked(&bytes) && !is_live_only(&bytes));
        assert!(!is_entity(&encode(&event(), Marks::default(), given)));
    }

    #[test]
    fn a_state_is_told_again_as_the_change_left_it() {
        let at = Position::new(9).expect("a position");
        let bytes = encode_change(&event(), &change(ChangeKind::Update, None), given);
        let told = encode_load(&bytes, at).expect("a payload");
        let before = Payload::decode(&bytes).expect("a payload");
        let change = ChangeText {
            kind: ChangeKind::Load,
            at: Some(at),
            changed: "",
            removed: "",
            ..before.change.expect("a change")
        };
        let loaded = Payload {
            change: Some(change),
            ..before
        };
        assert_eq!(Payload::decode(&told), Ok(loaded));
        let plain = encode(&event(), Marks::default(), given);
        assert_eq!(encode_load(&plain, at), Err(Error::Malformed));
    }

    #[test]
    fn an_entity_that_is_gone_has_no_data() {
        let event = Event {
            data: None,
            ..event()
        };
        for kind in [ChangeKind::Create, ChangeKind::Update, ChangeKind::Delete] {
            let none = Change {
                kind,
                at: None,
                ids: None,
                difference: crate::Difference::default(),
            };
            let bytes = encode_change(&event, &none, given);
            let payload = Payload::decode(&bytes).expect("a payload");
            let told = ChangeText {
                kind,
                at: None,
                ids: "",
                changed: "",
                removed: "",
            };
            assert_eq!((payload.change, payload.data), (Some(told), DataText::None));
        }
    }

    #[test]
    fn every_cut_of_a_change_is_read_without_panic() {
        let bytes = encode_change(&event(), &change(ChangeKind::Update, None), given);
        let data = "\"late\"".len();
        for len in 0..bytes.len() - data {
            assert!(Payload::decode(&bytes[..len]).is_err(), "cut at {len}");
        }
        let mut odd = bytes.to_vec();
        odd[HEADER_BYTES] = 9;
        assert_eq!(Payload::decode(&odd), Err(Error::Malformed));
    }

    #[test]
    fn every_cut_of_a_payload_is_read_without_panic() {
        let key = IdempotencyKey::new("k").expect("a key");
        let marks = Marks {
            id: true,
            key: Some(&key),
        };
        let bytes = encode(&event(), marks, given);
        for len in 0..HEADER_BYTES {
            assert_eq!(Payload::decode(&bytes[..len]), Err(Error::Malformed));
        }
        for len in HEADER_BYTES..bytes.len() {
            let cut = Payload::decode(&bytes[..len]);
            assert!(cut.is_err() || len > bytes.len() - "\"late\"".len() - 1);
        }
        assert_eq!(Payload::decode(&[9; 20]), Err(Error::Format(9)));
    }
}
