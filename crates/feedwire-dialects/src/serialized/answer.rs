//! What Serialized answers beside events: feeds, counts, aggregates, what a deletion is confirmed by, tenants.

use feedwire_core::tenants::Tenant;
use feedwire_core::{Feeds, ListedSubject, Listing};
use feedwire_event::{FeedName, Timestamp};
use serde::Serialize;

use crate::ascii::json;
use crate::uuids;

/// Whole milliseconds from 1970 to `time`; the rest is cut off towards the past, so that times stay in order.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(1_000)
}

/// The feeds of a project that have events. What was erased does not count.
pub fn feeds(feeds: &Feeds) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Feed<'a> {
        aggregate_type: &'a str,
        aggregate_count: u64,
        batch_count: u64,
        event_count: u64,
        current_sequence_number: u64,
    }
    #[derive(Serialize)]
    struct Answer<'a> {
        feeds: Vec<Feed<'a>>,
    }
    let told = feeds.feeds.iter().map(|count| {
        let erased = count.erased;
        Feed {
            aggregate_type: count.name.as_str(),
            aggregate_count: count.subjects.saturating_sub(erased.subjects),
            batch_count: count.runs.saturating_sub(erased.runs),
            event_count: count.events.saturating_sub(erased.events),
            current_sequence_number: count.last.get(),
        }
    });
    json(&Answer {
        feeds: told.filter(|feed| feed.event_count > 0).collect(),
    })
}

/// How many entries there are.
pub fn count(total: u64) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        total_count: u64,
    }
    json(&Answer { total_count: total })
}

/// Aggregates of the type that `feed` is. When one was updated is left out where that is no longer known.
pub fn aggregates(feed: &FeedName, listing: &Listing) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Listed<'a> {
        aggregate_id: String,
        aggregate_type: &'a str,
        aggregate_version: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_updated_at: Option<i64>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        aggregates: Vec<Listed<'a>>,
        has_more: bool,
    }
    let listed = |subject: &ListedSubject| Listed {
        aggregate_id: uuids::shown(subject.name.as_str()),
        aggregate_type: feed.as_str(),
        aggregate_version: subject.head.version.0,
        last_updated_at: subject.updated_at.map(millis),
    };
    json(&Answer {
        aggregates: listing.subjects.iter().map(listed).collect(),
        has_more: listing.more,
    })
}

/// By what a deletion is confirmed.
pub fn deletion(token: &str) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        delete_token: &'a str,
    }
    json(&Answer {
        delete_token: token,
    })
}

/// The tenants of a project. A child whose name does not end in a UUID is no tenant.
pub fn tenants(tenants: &[Tenant]) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Listed<'a> {
        tenant_id: &'a str,
        tenant_number: String,
        added_at: i64,
        #[serde(skip_serializing_if = "str::is_empty")]
        reference: &'a str,
        deleted: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        deleted_at: Option<i64>,
    }
    #[derive(Serialize)]
    struct Answer<'a> {
        tenants: Vec<Listed<'a>>,
    }
    let listed = tenants.iter().filter_map(|tenant| {
        let (_, id) = tenant.name.as_str().rsplit_once('.')?;
        uuids::is_canonical(id).then(|| Listed {
            tenant_id: id,
            tenant_number: tenant.number.to_string(),
            added_at: millis(tenant.added_at),
            reference: &tenant.reference,
            deleted: tenant.away_since.is_some(),
            deleted_at: tenant.away_since.map(millis),
        })
    });
    json(&Answer {
        tenants: listed.collect(),
    })
}

#[cfg(test)]
mod tests {
    use feedwire_core::{Erased, FeedCount};
    use feedwire_engine::Head;
    use feedwire_event::{Position, ProjectName, Subject, Version};
    use insta::assert_snapshot;

    use super::super::event::tests::{ORDER, position};
    use super::*;

    fn told(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("ASCII")
    }

    fn feed(name: &str) -> FeedName {
        FeedName::new(name).expect("a name")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn counted(name: &str, erased: Erased) -> FeedCount {
        FeedCount {
            name: feed(name),
            events: 9,
            batches: 3,
            runs: 5,
            subjects: 4,
            last: position(101),
            erased,
        }
    }

    #[test]
    fn feeds_are_told_without_what_was_erased() {
        let some = Erased {
            events: 3,
            runs: 2,
            subjects: 1,
        };
        let all = Erased {
            events: 9,
            runs: 5,
            subjects: 4,
        };
        let counts = [
            ("order", Erased::default()),
            ("payment", some),
            ("gone", all),
        ];
        let counts = counts.map(|(name, erased)| counted(name, erased));
        let head = position(101);
        let answer = feeds(&Feeds {
            feeds: counts.to_vec(),
            head,
        });
        assert_snapshot!(told(answer), @r#"{"feeds":[{"aggregateType":"order","aggregateCount":4,"batchCount":5,"eventCount":9,"currentSequenceNumber":101},{"aggregateType":"payment","aggregateCount":3,"batchCount":3,"eventCount":6,"currentSequenceNumber":101}]}"#);
        let none = Feeds {
            feeds: Vec::new(),
            head: Position::ZERO,
        };
        assert_snapshot!(told(feeds(&none)), @r#"{"feeds":[]}"#);
    }

    #[test]
    fn aggregates_are_told_with_their_versions_and_when_they_changed() {
        let updated_at = Some(at("2017-08-29T16:14:15.370999Z"));
        let listed = |(subject, version, updated_at)| ListedSubject {
            name: Subject::new(subject).expect("a subject"),
            head: Head {
                version: Version(version),
                position: position(101),
            },
            updated_at,
        };
        let two = Listing {
            subjects: [(ORDER, 2, updated_at), ("N14228", 1, None)]
                .map(listed)
                .into(),
            more: true,
        };
        assert_snapshot!(told(aggregates(&feed("order"), &two)), @r#"{"aggregates":[{"aggregateId":"723ecfce-14e9-4889-98d5-a3d0ad54912f","aggregateType":"order","aggregateVersion":2,"lastUpdatedAt":1504023255370},{"aggregateId":"dc71bcc6-cd57-5a73-a020-7874520b189a","aggregateType":"order","aggregateVersion":1}],"hasMore":true}"#);
        let none = Listing {
            subjects: Vec::new(),
            more: false,
        };
        assert_snapshot!(told(aggregates(&feed("order"), &none)), @r#"{"aggregates":[],"hasMore":false}"#);
    }

    #[test]
    fn counts_and_tokens_are_told() {
        assert_snapshot!(told(count(12)), @r#"{"totalCount":12}"#);
        assert_snapshot!(told(deletion("12c3780f-2dcb-340f-5532-5693be83f21c")), @r#"{"deleteToken":"12c3780f-2dcb-340f-5532-5693be83f21c"}"#);
    }

    #[test]
    fn tenants_are_told_with_what_they_have() {
        let tenant = |id: &str, number, reference: &str, away_since| Tenant {
            name: ProjectName::new(&format!("acme.eu.{id}")).expect("a name"),
            number,
            added_at: at("2017-08-29T16:12:25.574Z"),
            reference: reference.to_owned(),
            away_since,
        };
        let away_since = Some(at("2017-08-29T16:14:15.37Z"));
        let answer = tenants(&[
            tenant("5d3a2c4e-0000-4000-8000-000000000001", 1, "", None),
            tenant(
                "5d3a2c4e-0000-4000-8000-000000000002",
                3,
                "\u{c6}r\u{f8}",
                away_since,
            ),
            tenant("5D3A2C4E-0000-4000-8000-000000000003", 4, "", None),
            tenant("other", 5, "", None),
        ]);
        assert!(answer.is_ascii());
        assert_snapshot!(told(answer), @r#"{"tenants":[{"tenantId":"5d3a2c4e-0000-4000-8000-000000000001","tenantNumber":"1","addedAt":1504023145574,"deleted":false},{"tenantId":"5d3a2c4e-0000-4000-8000-000000000002","tenantNumber":"3","addedAt":1504023145574,"reference":"\u00c6r\u00f8","deleted":true,"deletedAt":1504023255370}]}"#);
        assert_snapshot!(told(tenants(&[])), @r#"{"tenants":[]}"#);
    }
}
