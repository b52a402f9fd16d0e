"""The vendor's own client reads feeds in all the ways that it has."""

from datetime import datetime, timedelta

import pytest

from serialized_pollers import Writer, all_saved, batches

NOTHING = {"entries": [], "hasMore": False}


@pytest.fixture
def saved(serialized):
    """By feed and aggregate, what two feeds have."""
    writers = [Writer(*serialized, feed, 6) for feed in ["order", "payment"]]
    for writer in writers:
        writer.start()
    return all_saved(writers)


def of(saved, feed):
    return {place: batches for place, batches in saved.items() if place[0] == feed}


def load_feed(client, feed, options):
    return client.feeds("loadFeed", {"feedName": feed}, options).value


def load_all(client, _, options):
    return client.feeds("loadAllFeed", {"options": options}).value


# Of one feed and of all of them; of all of them there is a call that sends what it is given in another way.
WAYS = pytest.mark.parametrize(
    ("load", "feed"), [(load_feed, "order"), (load_feed, "_all"), (load_all, "_all")], ids=["order", "all", "loadAllFeed"]
)


def time(milliseconds):
    return (datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds") + "Z"


def test_feeds_are_listed_with_what_they_have(client, saved):
    listed = {feed["aggregateType"]: feed for feed in client.feeds("loadOverview").value["feeds"]}
    assert set(listed) == {"order", "payment"}
    for name, feed in listed.items():
        events = sum(len(batch) for batches in of(saved, name).values() for batch in batches)
        last = load_feed(client, name, None)["currentSequenceNumber"]
        counts = {"aggregateCount": 3, "batchCount": 6, "eventCount": events}
        assert feed == {"aggregateType": name, "currentSequenceNumber": last} | counts


@WAYS
def test_a_feed_is_read_whole_and_in_pages(client, saved, load, feed):
    whole = load(client, feed, {})
    entries = whole["entries"]
    assert batches(entries) == (saved if feed == "_all" else of(saved, feed))
    last = entries[-1]["sequenceNumber"]
    assert (whole["hasMore"], whole["currentSequenceNumber"]) == (False, last)
    paged, since = [], 0
    for _ in range(0, len(entries), 2):
        page = load(client, feed, {"since": since, "limit": 2})
        since = page["entries"][-1]["sequenceNumber"]
        assert (len(page["entries"]), page["hasMore"], page["currentSequenceNumber"]) == (2, since < last, last)
        paged += page["entries"]
    assert paged == entries
    for beyond in [last, last + 1000]:
        assert load(client, feed, {"since": beyond}) == NOTHING | {"currentSequenceNumber": last}


@WAYS
def test_a_feed_is_read_between_times(client, saved, load, feed):
    entries = load(client, feed, {})["entries"]
    begin, end = entries[1]["timestamp"], entries[4]["timestamp"]
    between = load(client, feed, {"from": time(begin), "to": time(end)})
    assert between["entries"] == [entry for entry in entries if begin <= entry["timestamp"] < end]
    later = load(client, feed, {"from": time(begin), "since": entries[2]["sequenceNumber"]})
    assert later["entries"] == entries[3:]


@WAYS
def test_every_entry_is_in_one_partition_and_each_aggregate_as_a_whole(client, saved, load, feed):
    entries = load(client, feed, {})["entries"]
    assert load(client, feed, {"partitionCount": 1, "partitionNumber": 0})["entries"] == entries
    parts = [load(client, feed, {"partitionCount": 2, "partitionNumber": number})["entries"] for number in range(2)]
    assert sorted(sum(parts, []), key=lambda entry: entry["sequenceNumber"]) == entries
    one, other = ({entry["aggregateId"] for entry in part} for part in parts)
    assert not one & other


@pytest.mark.parametrize("load", [load_feed, load_all])
def test_of_all_feeds_some_are_read(client, saved, load):
    entries = load(client, "_all", {})["entries"]
    for feed in ["order", "payment"]:
        some = load(client, "_all", {"types": [feed]})
        assert some["entries"] == [entry for entry in entries if entry["feedName"] == feed]
        assert some["entries"] == load_feed(client, feed, {})["entries"]
    assert load(client, "_all", {"types": ["order", "payment"]})["entries"] == entries
    assert load(client, "_all", {"types": ["refund"]})["entries"] == []
    number = {"partitionCount": 2, "partitionNumber": 1}
    some = load(client, "_all", {"types": ["order", "refund"], "limit": 4} | number)["entries"]
    assert some == load_feed(client, "order", number)["entries"][:4]


@WAYS
def test_a_poll_waits_for_the_next_entry(client, saved, serialized, load, feed):
    last = load(client, feed, {})["currentSequenceNumber"]
    assert load(client, feed, {"since": last, "waitTime": 50}) == NOTHING | {"currentSequenceNumber": last}
    options = {"since": last, "waitTime": 60_000}
    if load is load_all:
        client.begin("feeds", "loadAllFeed", {"options": options})
    else:
        client.begin("feeds", "loadFeed", {"feedName": feed}, options)
    writer = Writer(*serialized, "order", 1)
    page = client.outcome().value
    assert batches(page["entries"]) == writer.saved
    [entry] = page["entries"]
    assert page["currentSequenceNumber"] == entry["sequenceNumber"] > last


def test_the_last_number_of_a_feed_is_in_a_header_which_the_client_looks_for_under_another_name(client, saved):
    calls = {"order": ("getCurrentSequenceNumber", {"feedName": "order"}), "_all": ("getGlobalSequenceNumber",)}
    for feed, call in calls.items():
        outcome = client.feeds(*call)
        # It makes NaN of nothing, which JSON does not have.
        assert outcome.value is None
        last = load_feed(client, feed, {})["currentSequenceNumber"]
        assert outcome.answer.headers["serialized-sequencenumber-current"] == str(last)
        assert (outcome.answer.status, outcome.answer.data) == (200, "")


def test_there_is_no_feed_before_its_first_event_but_all_of_them_is_one(client):
    assert client.feeds("loadOverview").value == {"feeds": []}
    assert client.feeds("loadFeed", {"feedName": "order"}).error.statusCode == 404
    assert client.feeds("getCurrentSequenceNumber", {"feedName": "order"}).error.statusCode == 404
    assert client.feeds("loadAllFeed", {}).value == NOTHING | {"currentSequenceNumber": 0}
    assert client.feeds("getGlobalSequenceNumber").answer.headers["serialized-sequencenumber-current"] == "0"
