"""Plain pollers of Serialized's API see every batch once and in order, however they poll, while others write."""

import signal
import threading

import pytest

from serialized_pollers import Pollers, Writer, all_saved, batches, poller

BATCHES = 120
SECONDS = 60
PARTITIONS = 3


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["restarted", "killed"])
def test_pollers_miss_nothing_while_the_server_is(guarded_server, serialized, how):
    half = threading.Barrier(4 + 1)
    writers = [Writer(*serialized, "order", BATCHES, half) for _ in range(4)]
    pollers = {
        "polls": poller("order"),
        "polls small pages": poller("order", ("limit", "2")),
        "waits": poller("order", ("waitTime", "60000")),
        "waits and jumps": poller("order", ("waitTime", "10"), jumps=True),
    }
    pollers = Pollers(*serialized, pollers)
    for writer in writers:
        writer.start()
    half.wait(SECONDS)
    guarded_server.stop(how)
    guarded_server.start()
    saved = all_saved(writers)
    seen = pollers.seen()
    for entries in seen.values():
        assert batches(entries) == saved
        assert entries == seen["polls"]


def test_a_poller_that_jumps_to_the_current_number_jumps_over_nothing(serialized):
    """A feed, all of them and some of them, each as a whole and in partitions: where one is told nothing, others have something."""
    feeds = ["order", "payment", "refund"]
    asked = {
        "order": poller("order", jumps=True),
        "all": poller("_all", jumps=True),
        "two": poller("_all", ("filterType", "order"), ("filterType", "refund"), jumps=True),
    }
    for name, whole in list(asked.items()):
        for number in range(PARTITIONS):
            partition = [("partitionCount", str(PARTITIONS)), ("partitionNumber", str(number))]
            asked[f"{name} {number}"] = whole | {"query": [*whole["query"], *partition]}
    writers = [Writer(*serialized, feed, BATCHES) for feed in feeds * 2]
    pollers = Pollers(*serialized, asked)
    for writer in writers:
        writer.start()
    saved = all_saved(writers)
    seen = {name: batches(entries) for name, entries in pollers.seen().items()}

    def of(*feeds):
        return {place: batches for place, batches in saved.items() if place[0] in feeds}

    assert (seen["order"], seen["all"], seen["two"]) == (of("order"), saved, of("order", "refund"))
    for name in ["order", "all", "two"]:
        parts = [seen[f"{name} {number}"] for number in range(PARTITIONS)]
        assert sum(map(len, parts)) == len(seen[name])
        assert dict(place for part in parts for place in part.items()) == seen[name]
    for number in range(PARTITIONS):
        # An aggregate is in the same partition, whatever feed is asked for.
        part = seen[f"order {number}"]
        assert part == {place: batches for place, batches in seen[f"all {number}"].items() if place[0] == "order"}
        assert part == {place: batches for place, batches in seen[f"two {number}"].items() if place[0] == "order"}
