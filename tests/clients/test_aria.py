"""Clients read Aria's feeds through restarts of the server and new tokens: every change arrives, in order and once."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import aria_consumers as consumers
from programs import Program
from server import Server, init

HERE = Path(__file__).parent
PYTHON = os.environ["FEEDWIRE_EXAMPLES_PYTHON"]
CLOSE_DELIMITED = "--aria-close-delimited"
FRAMINGS = pytest.mark.parametrize("options", [[], [CLOSE_DELIMITED]], ids=["chunked", "close-delimited"])
# Each client with what it reads as it comes.
READS = [pytest.param(consumer, [], id=consumer.__name__) for consumer in consumers.LIBRARIES] + [
    pytest.param(consumer, [CLOSE_DELIMITED], id=f"{consumer.__name__}-close-delimited") for consumer in consumers.OF_ANY_FRAMING
]
READ = [{"project": "default", "rights": ["read"]}]


@pytest.fixture
def start(tmp_path):
    """Starts a server with further options; one that asks who calls, or one that is open."""
    started = []

    def start(options, is_guarded=True):
        folder = tmp_path / "data"
        server = Server(folder, init(folder) if is_guarded else None)
        server.options += options
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


def feed(server, query="", name="change"):
    return f"{server.url}/aria/feeds/{name}?{query}"


def credential(server, **more):
    return server.settle("POST", "credentials", {"grants": READ} | more)


def client(server, made, query="", last_id=None, name="change"):
    """The program that is written as Aria's documentation shows."""
    proof = [f"{server.url}/oauth2/token", made["key_id"], made["secret"]]
    last_ids = [] if last_id is None else [last_id]
    return Program(PYTHON, HERE / "aria_client.py", feed(server, query, name), *proof, *last_ids)


def put(server, numbers):
    """Puts an account for each number; returns the events that are to come of it."""
    events = []
    for number in numbers:
        subject, ids = f"Zoë {number}", {"account_no": number, "userid": "Zoë"}
        for event, data in [("create", {"number": number, "note": None}), ("update", {"number": number, "note": "Ångström\u2028\x85"})]:
            position = server.put(subject, data, ids=ids)
            changed = data if event == "create" else {"note": data["note"]}
            events.append((f"C{position}", event, ids, position, changed))
    gone = server.settle("DELETE", f"feeds/Account/entities/Zo%C3%AB%20{numbers[-1]}")["position"]
    events.append((f"C{gone}", "delete", {"account_no": numbers[-1], "userid": "Zoë"}, gone, None))
    return events


def told(message):
    """An event as `put` has it."""
    header, *payload = message["data"]
    assert header["ref"]["type"] == "Account"
    return (message["id"], message["event"], header["ref"]["ids"], header["tick"], payload[0] if payload else None)


class Reader:
    """What the program sees: events, the tokens it got, and messages without data."""

    def __init__(self, program):
        self.program, self.tokens, self.empty = program, 0, 0

    def next(self):
        while True:
            seen = self.program.next()
            if seen == "token":
                self.tokens += 1
            elif seen["data"]:
                return told(seen)
            else:
                self.empty += 1

    def take(self, count):
        return [self.next() for _ in range(count)]


@FRAMINGS
def test_the_vendors_way_of_reading_misses_nothing_through_restarts_and_new_tokens(start, options):
    server = start(options)
    expected = put(server, range(3))
    with client(server, credential(server), "from=5hours") as program:
        reader = Reader(program)
        assert reader.take(len(expected)) == expected
        for number, how in [(10, signal.SIGTERM), (20, signal.SIGTERM), (30, signal.SIGKILL)]:
            live = put(server, range(number, number + 3))
            assert reader.take(len(live)) == live
            server.stop(how)
            server.start()
            # While it waits to come back.
            missed = put(server, range(number + 3, number + 6))
            assert reader.take(len(missed)) == missed
        assert reader.tokens == 4
        # What ends a body in chunks is a message without data to it, as the documentation says; whoever is killed sends no end.
        assert reader.empty == (0 if CLOSE_DELIMITED in options else 2)


@FRAMINGS
def test_the_vendors_way_of_reading_goes_on_behind_the_id_that_it_saved(start, options):
    server = start(options)
    made = credential(server)
    first = put(server, range(3))
    with client(server, made, "from=2019-01-15T14:30:45.4321-05:00") as program:
        assert Reader(program).take(2) == first[:2]
    server.stop(signal.SIGKILL)
    server.start()
    second = put(server, range(3, 6))
    with client(server, made, "from=5hours", last_id=first[1][0]) as program:
        expected = first[2:] + second
        assert Reader(program).take(len(expected)) == expected


def test_the_vendors_way_of_reading_waits_where_there_is_no_room(start):
    server = start([])
    made = credential(server, limits={"readers": 1})
    with client(server, made) as first:
        assert first.next() == "token"
        with client(server, made, "last_id=C0") as second:
            # It has come twice, and was not refused.
            assert second.take(2) == ["token", "token"]
            expected = put(server, range(1))
            first.__exit__()
            assert Reader(second).take(len(expected)) == expected


@pytest.mark.parametrize(("consumer", "options"), READS)
def test_other_clients_miss_nothing_through_a_restart(start, consumer, options):
    server = start(options, is_guarded=False)
    expected = put(server, range(3))
    events = consumer(feed(server, "last_id=C0"))
    assert [told(next(events)) for _ in expected] == expected
    assert server.stop() == 0
    server.start()
    expected = put(server, range(3, 6))
    assert [told(next(events)) for _ in expected] == expected
    events.close()


def test_times_are_told_in_the_zone_that_the_server_is_given(start):
    server = start(["--aria-zone", "America/St_Johns"], is_guarded=False)
    for time in ["2026-07-01T00:00:00Z", "2026-01-01T00:00:00Z"]:
        server.put(time, {}, time=time)
    command = ["curl", "-sSN", "--max-time", "2", feed(server, "from=1hour")]
    body = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    assert body.count("\n\n") == 2
    assert '"tstamp":"2026-06-30T21:30:00-02:30"' in body
    assert '"tstamp":"2025-12-31T20:30:00-03:30"' in body


def test_the_load_feed_tells_what_a_load_job_writes_and_the_change_feed_does_not(start):
    server = start([])
    changes = put(server, range(3))
    states = {told[2]["account_no"]: told for told in changes if told[1] == "update"}
    made = credential(server)
    with client(server, made, "last_id=L0", name="load") as loads, client(server, made, "last_id=C0") as program:
        server.settle("POST", "feeds/Account/loads", {})
        reader = Reader(loads)
        loaded = reader.take(2)
        # The last of the three is gone.
        assert [event for _, event, *_ in loaded] == ["load", "load"]
        for _, _, ids, tick, data in loaded:
            _, _, _, position, changed = states[ids["account_no"]]
            assert (tick, data) == (position, {"number": ids["account_no"]} | changed)
        after = put(server, range(3, 4))
        assert Reader(program).take(len(changes) + len(after)) == changes + after
