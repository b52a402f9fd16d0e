//! How Serialized frames events: a feed by entries, an aggregate by its history.

use feedwire_core::{Delivered, Delivery};
use feedwire_engine::{Limit, Record};
use feedwire_event::{FeedName, Position, Subject, Timestamp, Version};

use super::answer::millis;
use super::event;
use crate::{Unreadable, digits, uuids};

/// What of an encoded event is neither tags nor payload, with its share of an entry, for buffers that are to be large enough at once.
const ENVELOPE_BYTES: usize = 160;

/// What stands before the first entry.
const START: &[u8] = b"{\"entries\":[";

/// A page of a feed, which takes what a reader hands out until it has enough.
///
/// ```text
/// loop {
///     let delivery = reader.present(page.wants()).await?;
///     page.take(&delivery)?;
///     if page.is_full() || !delivery.more { break page.finish(delivery.more, current) }
/// }
/// ```
#[derive(Debug)]
pub struct Page {
    out: Vec<u8>,
    limit: usize,
    bytes_max: usize,
    entries: usize,
    events: usize,
    last: Option<Position>,
    /// It was given something that it has not.
    is_cut: bool,
}

impl Page {
    /// A page of at most `limit` entries, which ends with the one that reaches `bytes_max`. However large, it takes one.
    pub fn new(limit: usize, bytes_max: usize) -> Self {
        Self {
            out: Vec::new(),
            limit,
            bytes_max,
            entries: 0,
            events: 0,
            last: None,
            is_cut: false,
        }
    }

    /// How much the reader is to be asked for next. It counts events, so this goes by how many an entry has had so far. Of a page that has
    /// its entries, it is the one event that says whether there are more.
    pub fn wants(&self) -> Limit {
        let left = self.limit.saturating_sub(self.entries);
        let events_of_entry = self.events.div_ceil(self.entries.max(1)).max(1);
        Limit {
            records: left.saturating_mul(events_of_entry).max(1),
            bytes: self.bytes_max.saturating_sub(self.out.len()).max(1),
        }
    }

    /// Takes as much of `delivery` as it has room for. No run goes on in the next delivery: batches are whole.
    pub fn take(&mut self, delivery: &Delivery) -> Result<(), Unreadable> {
        if !self.is_full() && !self.has_its_entries() {
            let bytes = delivery.events.iter();
            let bytes = bytes.map(|event| event.record().bytes() + ENVELOPE_BYTES);
            let bytes = START.len() + bytes.sum::<usize>();
            self.out.reserve(bytes.min(self.bytes_max));
        }
        for run in delivery.events.chunk_by(goes_on) {
            self.is_cut |= self.is_full() || self.has_its_entries();
            if self.is_cut {
                break;
            }
            self.entry(run)?;
        }
        Ok(())
    }

    fn entry(&mut self, run: &[Delivered]) -> Result<(), Unreadable> {
        let [first, ..] = run else { return Ok(()) };
        let last = run.last().unwrap_or(first).record().position();
        let start = self.out.len();
        let written = self.write_entry(first.record(), last, run);
        if let Err(unreadable) = written {
            self.out.truncate(start);
            return Err(unreadable);
        }
        self.entries += 1;
        self.events += run.len();
        self.last = Some(last);
        Ok(())
    }

    fn write_entry(
        &mut self,
        first: &Record,
        last: Position,
        run: &[Delivered],
    ) -> Result<(), Unreadable> {
        let out = &mut self.out;
        out.extend_from_slice(if self.entries == 0 { START } else { b"," });
        out.extend_from_slice(b"{\"sequenceNumber\":");
        digits::write(last.get(), out);
        out.extend_from_slice(b",\"aggregateId\":\"");
        uuids::write(first.subject().unwrap_or_default(), out);
        out.extend_from_slice(b"\",\"timestamp\":");
        write_millis(first.stamp().recorded_at, out);
        // Names are ASCII without quotes.
        out.extend_from_slice(b",\"feedName\":\"");
        out.extend_from_slice(first.feed().as_bytes());
        out.extend_from_slice(b"\",\"events\":[");
        write_events(run.iter().map(Delivered::record), out)?;
        out.extend_from_slice(b"]}");
        Ok(())
    }

    fn has_its_entries(&self) -> bool {
        self.entries > 0 && self.entries >= self.limit
    }

    fn has_its_bytes(&self) -> bool {
        self.entries > 0 && self.out.len() >= self.bytes_max
    }

    /// Whether it takes nothing more. One that has its entries does not know yet whether there are others: it is asked to be given one.
    pub fn is_full(&self) -> bool {
        self.is_cut || self.has_its_bytes()
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The sequence number of its last entry.
    pub fn last(&self) -> Option<Position> {
        self.last
    }

    /// The page. `has_more` says whether there may be something behind what it was given, `current` the last sequence number that the
    /// feed has had: clients go on behind it when the page is empty.
    pub fn finish(self, has_more: bool, current: Position) -> Vec<u8> {
        let mut out = self.out;
        if self.entries == 0 {
            out.extend_from_slice(START);
        }
        out.push(b']');
        write_has_more(has_more || self.is_cut, &mut out);
        out.extend_from_slice(b",\"currentSequenceNumber\":");
        let current = self.last.map_or(current, |last| last.max(current));
        digits::write(current.get(), &mut out);
        out.push(b'}');
        out
    }
}

/// An aggregate at `version`, with `records` out of its history.
pub fn history<'r>(
    feed: &FeedName,
    id: &Subject,
    version: Version,
    records: impl IntoIterator<Item = &'r Record>,
    has_more: bool,
) -> Result<Vec<u8>, Unreadable> {
    let mut out = Vec::with_capacity(4 * ENVELOPE_BYTES);
    out.extend_from_slice(b"{\"aggregateId\":\"");
    uuids::write(id.as_str(), &mut out);
    out.extend_from_slice(b"\",\"aggregateVersion\":");
    digits::write(version.0, &mut out);
    out.extend_from_slice(b",\"aggregateType\":\"");
    out.extend_from_slice(feed.as_str().as_bytes());
    out.extend_from_slice(b"\",\"events\":[");
    write_events(records, &mut out)?;
    out.push(b']');
    write_has_more(has_more, &mut out);
    out.push(b'}');
    Ok(out)
}

/// Whether the second one is of the run of the first one.
fn goes_on(before: &Delivered, event: &Delivered) -> bool {
    event.record().goes_on(before.record())
}

fn write_events<'r>(
    records: impl IntoIterator<Item = &'r Record>,
    out: &mut Vec<u8>,
) -> Result<(), Unreadable> {
    let start = out.len();
    for record in records {
        if out.len() > start {
            out.push(b',');
        }
        let position = record.position();
        let written = event::write(record, out).ok();
        written.ok_or(Unreadable { position })?;
    }
    Ok(())
}

fn write_has_more(has_more: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"hasMore\":");
    out.extend_from_slice(if has_more { b"true" } else { b"false" });
}

/// Appends whole milliseconds since 1970.
fn write_millis(time: Timestamp, out: &mut Vec<u8>) {
    let millis = millis(time);
    if millis < 0 {
        out.push(b'-');
    }
    digits::write(millis.unsigned_abs(), out);
}

#[cfg(test)]
mod tests {
    use feedwire_engine::Place;
    use feedwire_event::Cursor;
    use insta::assert_snapshot;
    use proptest::prelude::*;
    use serde::Deserialize;
    use uuid::Uuid;

    use super::super::event::tests::{ORDER, Stand, bare, position, record, with_data};
    use super::*;

    fn delivery(records: &[Record], more: bool) -> Delivery {
        let last = records.last().map_or(Position::ZERO, Record::position);
        Delivery {
            events: records.iter().cloned().map(Delivered::Logged).collect(),
            cursor: Cursor(last),
            more,
            head: last,
        }
    }

    fn told(bytes: Vec<u8>) -> String {
        assert!(bytes.iter().all(|byte| matches!(byte, b' '..=b'~')));
        String::from_utf8(bytes).expect("ASCII")
    }

    /// The two orders of the vendor's documentation.
    fn orders() -> [Record; 2] {
        let placed = bare("127b80b5-4a05-4774-b870-1c9a2e2a27a3", "OrderPlacedEvent");
        let placed = with_data(
            placed,
            r#"{"customerId":"some-test-id-1","orderAmount":12345}"#,
        );
        let paid = bare("c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5", "OrderPaidEvent");
        [
            (placed, 1, 1_504_023_145_574_000),
            (paid, 2, 1_504_023_255_370_999),
        ]
        .map(|(event, position, micros)| {
            record("order", ORDER, &event, Stand::alone(position, micros))
        })
    }

    /// A record of a batch that begins at position 11, named by where it stands.
    fn of_batch(feed: &str, subject: &str, (index, count): (u16, u16)) -> Record {
        let stand = Stand {
            position: 11 + u64::from(index),
            place: Place { index, count },
            recorded_at_micros: 0,
        };
        record(feed, subject, &bare(&id(stand.position), "t"), stand)
    }

    fn id(position: u64) -> String {
        Uuid::from_u128(position.into()).to_string()
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        entries: Vec<Entry>,
        has_more: bool,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        sequence_number: u64,
        events: Vec<Named>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        event_id: String,
    }

    /// The entries of a page, the number of each and the positions that its events are named by, and whether it says that there are more.
    fn read(page: &[u8]) -> (Vec<(u64, Vec<u64>)>, bool) {
        let told: Told = serde_json::from_slice(page).expect("a page");
        let position = |event: Named| {
            let id = Uuid::try_parse(&event.event_id).expect("a UUID");
            id.as_u64_pair().1
        };
        let entries = told.entries.into_iter().map(|entry| {
            let positions = entry.events.into_iter().map(position);
            (entry.sequence_number, positions.collect())
        });
        (entries.collect(), told.has_more)
    }

    fn paged(limit: usize, bytes_max: usize, records: &[Record]) -> (Vec<(u64, Vec<u64>)>, bool) {
        let mut page = Page::new(limit, bytes_max);
        page.take(&delivery(records, false)).expect("payloads");
        read(&page.finish(false, Position::ZERO))
    }

    #[test]
    fn a_feed_is_told_as_the_vendor_tells_it() {
        let mut page = Page::new(1_000, usize::MAX);
        page.take(&delivery(&orders(), false)).expect("payloads");
        assert_eq!((page.last(), page.is_empty()), (Some(position(2)), false));
        assert_snapshot!(told(page.finish(false, position(2))), @r#"{"entries":[{"sequenceNumber":1,"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","timestamp":1504023145574,"feedName":"order","events":[{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"OrderPlacedEvent","data":{"customerId":"some-test-id-1","orderAmount":12345}}]},{"sequenceNumber":2,"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","timestamp":1504023255370,"feedName":"order","events":[{"eventId":"c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5","eventType":"OrderPaidEvent"}]}],"hasMore":false,"currentSequenceNumber":2}"#);
        let none = Page::new(1_000, usize::MAX);
        assert_eq!((none.last(), none.is_empty()), (None, true));
        assert_snapshot!(told(none.finish(false, position(9))), @r#"{"entries":[],"hasMore":false,"currentSequenceNumber":9}"#);
    }

    #[test]
    fn what_has_no_uuid_is_told_by_one_that_it_has_for_good() {
        let [_, paid] = orders();
        let odd = [
            record(
                "Flights.eu",
                "N14228",
                &bare("a-1", "flight.departed"),
                Stand::alone(3, -1),
            ),
            record("Flights.eu", "", &bare("a-2", "tick"), Stand::alone(4, 0)),
            paid,
        ];
        let mut page = Page::new(1_000, usize::MAX);
        page.take(&delivery(&odd, false)).expect("payloads");
        assert_snapshot!(told(page.finish(true, position(9))), @r#"{"entries":[{"sequenceNumber":3,"aggregateId":"dc71bcc6-cd57-5a73-a020-7874520b189a","timestamp":-1,"feedName":"Flights.eu","events":[{"eventId":"d1cb94c7-b70d-5f21-9248-089b40fb1d30","eventType":"flight.departed"}]},{"sequenceNumber":4,"aggregateId":"8316762c-c3db-566b-aea8-a6f9dca7f660","timestamp":0,"feedName":"Flights.eu","events":[{"eventId":"efb1e1de-a34f-5153-880c-0c0f50c7df40","eventType":"tick"}]},{"sequenceNumber":2,"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","timestamp":1504023255370,"feedName":"order","events":[{"eventId":"c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5","eventType":"OrderPaidEvent"}]}],"hasMore":true,"currentSequenceNumber":9}"#);
    }

    #[test]
    fn an_entry_is_a_run_of_one_batch_with_one_feed_and_one_subject() {
        let runs = [
            of_batch("a", "x", (0, 8)),
            of_batch("a", "x", (1, 8)),
            of_batch("a", "y", (2, 8)),
            of_batch("b", "y", (3, 8)),
            of_batch("b", "", (4, 8)),
            of_batch("b", "", (5, 8)),
            // Another feed stood between, which a filter took out.
            of_batch("b", "", (7, 8)),
            record("b", "", &bare(&id(19), "t"), Stand::alone(19, 0)),
        ];
        let numbers = [
            (12, vec![11, 12]),
            (13, vec![13]),
            (14, vec![14]),
            (16, vec![15, 16]),
            (18, vec![18]),
            (19, vec![19]),
        ];
        assert_eq!(paged(1_000, usize::MAX, &runs), (numbers.to_vec(), false));
        assert_eq!(paged(2, usize::MAX, &runs), (numbers[..2].to_vec(), true));
        assert_eq!(paged(6, usize::MAX, &runs), (numbers.to_vec(), false));
    }

    #[test]
    fn a_page_ends_with_the_entry_that_reaches_its_bytes_and_has_one_at_least() {
        let records: Vec<Record> = (1..=3)
            .map(|at| record("f", ORDER, &bare(&id(at), "t"), Stand::alone(at, 0)))
            .collect();
        let count = |bytes_max| {
            let (entries, has_more) = paged(1_000, bytes_max, &records);
            (entries.len(), has_more)
        };
        let [one, two] = [1, 2].map(|count| {
            let mut page = Page::new(1_000, usize::MAX);
            page.take(&delivery(&records[..count], false))
                .expect("payloads");
            page.out.len()
        });
        assert_eq!(count(0), (1, true));
        assert_eq!(count(one), (1, true));
        assert_eq!(count(one + 1), (2, true));
        assert_eq!(count(two), (2, true));
        assert_eq!(count(two + 1), (3, false));
        let mut page = Page::new(1_000, one);
        page.take(&delivery(&records[..1], true)).expect("payloads");
        assert!(page.is_full());
        assert!(!read(&page.finish(false, Position::ZERO)).1);
    }

    #[test]
    fn a_page_asks_for_what_it_has_room_for() {
        let mut page = Page::new(3, 10_000);
        let wants = |page: &Page| (page.wants().records, page.wants().bytes);
        assert_eq!(wants(&page), (3, 10_000));
        let five = [0, 1, 2, 3, 4].map(|index| of_batch("a", "x", (index, 5)));
        page.take(&delivery(&five, true)).expect("payloads");
        assert_eq!(wants(&page), (10, 10_000 - page.out.len()));
        for at in [20, 21] {
            let next = record("f", "", &bare(&id(at), "t"), Stand::alone(at, 0));
            page.take(&delivery(&[next], true)).expect("payloads");
        }
        assert_eq!((page.wants().records, page.is_full()), (1, false));
        let [placed, _] = orders();
        page.take(&delivery(&[placed], true)).expect("payloads");
        assert!(page.is_full());
        assert_eq!(read(&page.finish(false, Position::ZERO)).0.len(), 3);
    }

    #[test]
    fn a_history_is_told_with_the_version_of_the_aggregate() {
        let subject = Subject::new(ORDER).expect("a subject");
        let feed = FeedName::new("order").expect("a name");
        let told = |records: &[Record], has_more| {
            told(history(&feed, &subject, Version(2), records, has_more).expect("payloads"))
        };
        assert_snapshot!(told(&orders(), false), @r#"{"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","aggregateVersion":2,"aggregateType":"order","events":[{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"OrderPlacedEvent","data":{"customerId":"some-test-id-1","orderAmount":12345}},{"eventId":"c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5","eventType":"OrderPaidEvent"}],"hasMore":false}"#);
        assert_snapshot!(told(&[], true), @r#"{"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","aggregateVersion":2,"aggregateType":"order","events":[],"hasMore":true}"#);
    }

    #[test]
    fn an_event_that_cannot_be_read_is_told_and_leaves_nothing_behind() {
        let [placed, paid] = orders();
        let bytes = b"ft\x09aaaaaaaaaaaa"[..].to_vec();
        let broken = Record::new(*paid.stamp(), [1, 1, 0], bytes.into()).expect("a record");
        let mut page = Page::new(1_000, usize::MAX);
        let taken = page.take(&delivery(&[placed.clone(), broken.clone()], false));
        let unreadable = Unreadable {
            position: position(2),
        };
        assert_eq!(taken, Err(unreadable));
        assert_eq!(read(&page.finish(false, Position::ZERO)).0.len(), 1);
        let subject = Subject::new(ORDER).expect("a subject");
        let feed = FeedName::new("f").expect("a name");
        let told = history(&feed, &subject, Version(2), &[placed, broken], false);
        assert_eq!(told, Err(unreadable));
    }

    /// A log whose batches have events in some of two feeds about some of two subjects, with gaps between them.
    fn logs() -> impl Strategy<Value = Vec<Record>> {
        let tags = (
            prop::sample::select(vec!["a", "b"]),
            prop::sample::select(vec!["x", "y"]),
        );
        let batches = prop::collection::vec((prop::collection::vec(tags, 1..6), 0_u64..3), 0..12);
        batches.prop_map(|batches| {
            let mut next = 1;
            let mut log = Vec::new();
            for (tags, gap) in batches {
                let count = u16::try_from(tags.len()).expect("a short batch");
                for (index, (feed, subject)) in (0..count).zip(tags) {
                    let place = Place { index, count };
                    let stand = Stand {
                        position: next,
                        place,
                        recorded_at_micros: 0,
                    };
                    log.push(record(feed, subject, &bare(&id(next), "t"), stand));
                    next += 1;
                }
                next += gap;
            }
            log
        })
    }

    /// What a reader of `log` at `cursor` hands out for `limit`, and where it is then: it stops behind a batch, and looks through what
    /// does not pass as an engine does.
    fn next(
        log: &[Record],
        cursor: &mut Position,
        limit: Limit,
        passes: impl Fn(&Record) -> bool,
    ) -> Delivery {
        let rest: Vec<&Record> = log
            .iter()
            .filter(|record| record.position() > *cursor)
            .collect();
        let mut bytes = 0;
        let reached = rest.iter().enumerate().position(|(index, record)| {
            bytes += record.bytes();
            (index + 1 >= limit.records || bytes >= limit.bytes) && record.stamp().place.is_last()
        });
        let read = reached.map_or(rest.len(), |last| last + 1);
        *cursor = rest[..read]
            .last()
            .map_or(*cursor, |record| record.position());
        let passing: Vec<Record> = rest[..read]
            .iter()
            .filter(|record| passes(record))
            .copied()
            .cloned()
            .collect();
        if passing.is_empty() && read < rest.len() {
            return next(log, cursor, limit, passes);
        }
        delivery(&passing, read < rest.len())
    }

    proptest! {
        #[test]
        fn pages_one_after_the_other_show_each_event_once_and_in_order(
            log in logs(), feed in prop::sample::select(vec!["a", "b", "_all"]), subject in prop::sample::select(vec![None, Some("x")]),
            limit in 1_usize..6, bytes_max in 0_usize..4_000,
        ) {
            let passes = |record: &Record| {
                (feed == "_all" || record.feed() == feed) && (subject.is_none() || record.subject() == subject)
            };
            let passing: Vec<&Record> = log.iter().filter(|record| passes(record)).collect();
            let runs: Vec<(u64, Vec<u64>)> = passing.chunk_by(|before, record| record.goes_on(before)).map(|run| {
                let positions: Vec<u64> = run.iter().map(|record| record.position().get()).collect();
                (positions[positions.len() - 1], positions)
            }).collect();
            let (mut shown, mut since) = (Vec::new(), Position::ZERO);
            loop {
                let (mut page, mut cursor) = (Page::new(limit, bytes_max), since);
                let more = loop {
                    let delivery = next(&log, &mut cursor, page.wants(), passes);
                    page.take(&delivery).expect("payloads");
                    if page.is_full() || !delivery.more {
                        break delivery.more;
                    }
                };
                let is_small = page.out.len() < bytes_max;
                let last = page.last();
                let (entries, has_more) = read(&page.finish(more, Position::ZERO));
                prop_assert!(entries.len() <= limit);
                prop_assert_eq!(last.map(Position::get), entries.last().map(|(number, _)| *number));
                shown.extend(entries);
                let is_all = shown.len() == runs.len();
                prop_assert!(has_more || is_all, "what is behind is told");
                prop_assert!(!has_more || !is_all || !is_small, "what is not behind is not");
                since = last.unwrap_or(since);
                if !has_more {
                    break;
                }
                prop_assert!(last.is_some(), "a page that has more has an entry");
            }
            prop_assert_eq!(shown, runs);
        }
    }
}
