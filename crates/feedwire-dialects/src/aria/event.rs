//! A record as Aria tells it: its name, and data of one line or two, compact and in ASCII.

use feedwire_core::EntityFeed;
use feedwire_engine::Record;
use feedwire_event::json::write_string;
use feedwire_event::payload::{self, DataText, Payload};
use feedwire_event::{ChangeKind, ChangeText, FeedName};

use super::request;
use crate::digits;
use crate::zone::Zone;

/// How many members deep an update tells what changed: a member of the state that is another, it tells whole.
const UPDATE_DEPTH: usize = 1;

/// What goes behind one line and before the next.
const NEXT_LINE: &[u8] = b"\ndata: ";

/// Appends the id, the name and the data of `record`, which is of an entity; nothing where its payload cannot be read.
pub(super) fn write(zone: &Zone, record: &Record, out: &mut Vec<u8>) -> Result<(), payload::Error> {
    let payload = record.payload()?;
    let change = payload.change.ok_or(payload::Error::Malformed)?;
    let told = Told {
        record,
        payload: &payload,
        change: &change,
    };
    out.extend_from_slice(b"id: ");
    told.write_id(out);
    out.extend_from_slice(b"\nevent: ");
    out.extend_from_slice(change.kind.as_str().as_bytes());
    out.extend_from_slice(NEXT_LINE);
    told.write_header(zone, out);
    told.write_state(out);
    out.push(b'\n');
    Ok(())
}

/// What is told.
struct Told<'r> {
    record: &'r Record,
    payload: &'r Payload<'r>,
    change: &'r ChangeText<'r>,
}

impl Told<'_> {
    fn write_id(&self, out: &mut Vec<u8>) {
        let feed = match FeedName::loaded(self.record.feed()) {
            None => EntityFeed::Change,
            Some(_) => EntityFeed::Load,
        };
        out.push(request::letter(feed));
        digits::write(self.record.position().get(), out);
    }

    /// Which entity, when, and in which order what has the same time was. A state is of when it came to be, not of when it is loaded.
    fn write_header(&self, zone: &Zone, out: &mut Vec<u8>) {
        let feed = self.record.feed();
        out.extend_from_slice(b"{\"ref\":{\"type\":\"");
        // Names are ASCII without quotes.
        out.extend_from_slice(FeedName::loaded(feed).unwrap_or(feed).as_bytes());
        out.extend_from_slice(b"\",\"ids\":");
        if self.change.ids.is_empty() {
            out.extend_from_slice(b"{\"id\":");
            write_string(self.record.subject().unwrap_or_default(), out);
            out.push(b'}');
        } else {
            out.extend_from_slice(self.change.ids.as_bytes());
        }
        out.extend_from_slice(b"},\"tstamp\":\"");
        zone.write(self.record.stamp().time, out);
        out.extend_from_slice(b"\",\"tick\":");
        let position = self.record.position();
        digits::write(self.change.at.unwrap_or(position).get(), out);
        out.push(b'}');
    }

    /// The second line; of what is no longer there, there is none.
    fn write_state(&self, out: &mut Vec<u8>) {
        let state = match self.payload.data {
            DataText::Json(json) => json,
            DataText::None | DataText::Base64(_) => "{}",
        };
        match self.change.kind {
            ChangeKind::Create | ChangeKind::Load => {
                out.extend_from_slice(NEXT_LINE);
                out.extend_from_slice(state.as_bytes());
            }
            ChangeKind::Update => {
                out.extend_from_slice(NEXT_LINE);
                self.change.write_changed(state, UPDATE_DEPTH, out);
            }
            ChangeKind::Delete => {}
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::Bytes;
    use feedwire_engine::{Place, Stamp};
    use feedwire_event::{
        Attribute, Change, Data, Difference, Event, EventId, Extensions, Ids, Position, State,
        Subject, Timestamp, TypeName, Version,
    };
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::zone::tests::zone;

    pub(in crate::aria) const POSITION: u64 = 19_691_361_295;

    fn time() -> Timestamp {
        "2020-07-01T04:12:31.9999Z".parse().expect("a time")
    }

    fn state(json: &str) -> State {
        State::new(serde_json::from_str(json).expect("JSON")).expect("a state")
    }

    /// What happened to an entity.
    pub(in crate::aria) struct Happened<'a> {
        pub(in crate::aria) kind: ChangeKind,
        pub(in crate::aria) ids: &'a str,
        pub(in crate::aria) before: &'a str,
        pub(in crate::aria) after: &'a str,
        pub(in crate::aria) time: Timestamp,
    }

    impl Happened<'_> {
        pub(in crate::aria) fn of(kind: ChangeKind) -> Self {
            Happened {
                kind,
                ids: "",
                before: "{}",
                after: "{}",
                time: time(),
            }
        }

        /// The record of it.
        pub(in crate::aria) fn record(&self) -> Record {
            let subject = Subject::new("a\u{e9} 1").expect("a subject");
            let (before, after) = (state(self.before), state(self.after));
            let is_load = self.kind == ChangeKind::Load;
            let difference = match self.kind {
                ChangeKind::Update => Difference::between(&before, &after),
                ChangeKind::Create | ChangeKind::Delete | ChangeKind::Load => Difference::default(),
            };
            let ids = (!self.ids.is_empty())
                .then(|| Ids::new(serde_json::from_str(self.ids).expect("JSON")).expect("ids"));
            let change = Change {
                kind: self.kind,
                at: is_load.then(|| Position::new(7).expect("a position")),
                ids,
                difference,
            };
            let data = (self.kind != ChangeKind::Delete).then(|| Data::Json(after.into_json()));
            let ty = self.kind.as_str();
            let event = Event {
                id: EventId::new("a-1").ok(),
                source: None,
                ty: TypeName::new(ty).expect("a name"),
                subject: Some(subject.clone()),
                time: None,
                live_only: false,
                extensions: Extensions::default(),
                data,
            };
            let payload = payload::encode_change(&event, &change, || unreachable!("it has one"));
            let feed = if is_load { "_load.Account" } else { "Account" };
            let tags = [feed, ty, subject.as_str()];
            let bytes = [tags.concat().as_bytes(), &payload].concat();
            let stamp = Stamp {
                position: Position::new(POSITION).expect("a position"),
                recorded_at: Timestamp::MAX,
                time: self.time,
                version: Version(1),
                place: Place { index: 0, count: 1 },
            };
            Record::new(stamp, tags.map(str::len), bytes.into()).expect("a record")
        }

        fn told(&self, zone: &Zone) -> String {
            let mut out = Vec::new();
            write(zone, &self.record(), &mut out).expect("a payload");
            let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
            assert!(out.iter().all(is_plain), "ASCII");
            String::from_utf8(out).expect("ASCII")
        }
    }

    /// A record of no entity.
    pub(in crate::aria) fn other() -> Record {
        let stamp = *Happened::of(ChangeKind::Create).record().stamp();
        let bytes = Bytes::from_static(b"Accountcreate\x01\0\x01\0\0\0\0\0\0\0x");
        Record::new(stamp, [7, 6, 0], bytes).expect("a record")
    }

    const ACCOUNT: &str = r#"{"account_no":1845601,"userid":"Zo\u00eb","status":{"type":"Account_Status","ids":{"status_no":-99}},"balance":12.50,"note":null,"items":[]}"#;
    const IDS: &str = r#"{"account_no":1845601,"userid":"Zo\u00eb","client_account_id":"c-1"}"#;

    #[test]
    fn what_came_to_be_is_told_whole_and_its_nulls_with_it() {
        let created = Happened {
            ids: IDS,
            after: ACCOUNT,
            ..Happened::of(ChangeKind::Create)
        };
        assert_snapshot!(created.told(&Zone::UTC), @r#"
        id: C19691361295
        event: create
        data: {"ref":{"type":"Account","ids":{"account_no":1845601,"userid":"Zo\u00eb","client_account_id":"c-1"}},"tstamp":"2020-07-01T04:12:31Z","tick":19691361295}
        data: {"account_no":1845601,"userid":"Zo\u00eb","status":{"type":"Account_Status","ids":{"status_no":-99}},"balance":12.50,"note":null,"items":[]}
        "#);
    }

    #[test]
    fn what_changed_is_told_with_nested_members_whole_and_what_was_removed_as_null() {
        let updated = Happened {
            ids: IDS,
            before: ACCOUNT,
            after: r#"{"account_no":1845601,"status":{"type":"Account_Status","ids":{"status_no":1}},"balance":12.5,"note":null,"plan":null,"items":[1]}"#,
            ..Happened::of(ChangeKind::Update)
        };
        assert_snapshot!(updated.told(&zone("Europe/Berlin")), @r#"
        id: C19691361295
        event: update
        data: {"ref":{"type":"Account","ids":{"account_no":1845601,"userid":"Zo\u00eb","client_account_id":"c-1"}},"tstamp":"2020-07-01T06:12:31+02:00","tick":19691361295}
        data: {"status":{"type":"Account_Status","ids":{"status_no":1}},"plan":null,"items":[1],"userid":null}
        "#);
    }

    #[test]
    fn what_went_is_told_in_one_line_and_what_has_no_ids_by_its_subject() {
        let deleted = Happened::of(ChangeKind::Delete);
        assert_snapshot!(deleted.told(&zone("America/St_Johns")), @r#"
        id: C19691361295
        event: delete
        data: {"ref":{"type":"Account","ids":{"id":"a\u00e9 1"}},"tstamp":"2020-07-01T01:42:31-02:30","tick":19691361295}
        "#);
    }

    #[test]
    fn what_is_loaded_has_an_id_of_its_own_and_the_place_of_its_state() {
        let loaded = Happened {
            after: ACCOUNT,
            time: "2020-12-01T04:12:31Z".parse().expect("a time"),
            ..Happened::of(ChangeKind::Load)
        };
        assert_snapshot!(loaded.told(&zone("Europe/Berlin")), @r#"
        id: L19691361295
        event: load
        data: {"ref":{"type":"Account","ids":{"id":"a\u00e9 1"}},"tstamp":"2020-12-01T05:12:31+01:00","tick":7}
        data: {"account_no":1845601,"userid":"Zo\u00eb","status":{"type":"Account_Status","ids":{"status_no":-99}},"balance":12.50,"note":null,"items":[]}
        "#);
    }

    #[test]
    fn what_is_of_no_entity_is_not_told() {
        let mut out = Vec::new();
        let told = write(&Zone::UTC, &other(), &mut out);
        assert_eq!((told, out.len()), (Err(payload::Error::Malformed), 0));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i64>().prop_map(serde_json::Value::from),
            ".{0,6}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[a-c\n\u{e9}]{0,2}", inner, 0..3)
                    .prop_map(|members| { members.into_iter().collect::<serde_json::Value>() }),
            ]
        })
    }

    fn object() -> impl Strategy<Value = String> {
        let members = prop::collection::btree_map("[a-c\r\n\u{2028}]{0,2}", json(), 0..4);
        members.prop_map(|members| serde_json::to_string(&members).expect("JSON"))
    }

    proptest! {
        #[test]
        fn every_line_of_data_is_a_line_of_json_in_ascii(
            before in object(), after in object(),
            kind in prop::sample::select(vec![ChangeKind::Create, ChangeKind::Update, ChangeKind::Delete, ChangeKind::Load]),
        ) {
            let happened = Happened { before: &before, after: &after, ..Happened::of(kind) };
            let told = happened.told(&Zone::UTC);
            let told = told.strip_suffix('\n').expect("the end of a line");
            let data = told.lines().skip(2).map(|line| line.strip_prefix("data: ").expect("data"));
            let data: Vec<serde_json::Value> = data.map(|line| serde_json::from_str(line).expect("JSON")).collect();
            let lines = if kind == ChangeKind::Delete { 1 } else { 2 };
            prop_assert_eq!(data.len(), lines);
            prop_assert!(data.iter().all(serde_json::Value::is_object));
            if kind == ChangeKind::Update {
                // Whoever puts the parts into what it has, has what there is; null is as good as nothing.
                let mut state: serde_json::Map<_, _> = serde_json::from_str(&before).expect("JSON");
                state.extend(data[1].as_object().expect("an object").clone());
                let mut after: serde_json::Map<_, _> = serde_json::from_str(&after).expect("JSON");
                for members in [&mut state, &mut after] {
                    members.retain(|_, value| !value.is_null());
                }
                prop_assert_eq!(state, after);
            }
        }
    }
}
