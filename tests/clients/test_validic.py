"""Clients that the vendor names read a stream of Validic's API, through restarts of the server: every record arrives, in order."""

import datetime
import itertools
import json
import signal
import subprocess

import pytest
import requests

import validic_consumers as consumers
from steps import Steps


@pytest.fixture(autouse=True)
def programs():
    yield
    consumers.end_programs()


def make(server, **members):
    """Makes a stream, and returns its id."""
    answer = requests.post(f"{server.url}/validic/streams", json={"name": "one"} | members, headers=server.proof(), timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def address(server, stream):
    return f"{server.url}/validic/streams/{stream}/connect"


def record(server, numbers, user="u1"):
    """Publishes a summary for each number."""
    for number in numbers:
        data = {"id": f"{user}-{number}", "number": number, "user": {"user_id": user}}
        server.settle("POST", "feeds/data/events", {"type": "summary", "subject": user, "data": data})


def records(steps, numbers):
    """Takes records of a stream until all `numbers` were there; returns them as they came first, each once."""
    seen = []
    while not set(numbers) <= set(seen):
        name, data = steps.next()
        if name in ("data", "stream") and data["number"] not in seen:
            seen.append(data["number"])
    return seen


@pytest.mark.parametrize("consumer", consumers.LIBRARIES, ids=lambda consumer: consumer.__name__)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["restarted", "killed"])
def test_every_record_arrives_in_order_while_the_server_is(server, consumer, how):
    url = address(server, make(server))
    record(server, range(10))
    steps = Steps(lambda: consumer(url))
    assert records(steps, range(10)) == list(range(10))
    record(server, range(10, 20))
    server.stop(how)
    server.start()
    record(server, range(20, 30))
    assert [number for number in records(steps, range(10, 30)) if number >= 10] == list(range(10, 30))


@pytest.mark.parametrize("consumer", consumers.LIBRARIES, ids=lambda consumer: consumer.__name__)
def test_there_is_a_poke_at_once_that_tells_how_many_connections_there_are(server, consumer):
    stream = make(server)
    name, poke = Steps(lambda: consumer(address(server, stream))).next()
    assert name == "poke"
    assert poke["stream"] == stream
    assert poke["members"] == {"count": 1, "max": 3}


def test_pokes_go_on_and_tell_how_many_connections_there_are_then(server):
    url = address(server, make(server))
    one = Steps(lambda: consumers.sseclient_py(url))
    assert one.next()[1]["members"]["count"] == 1
    other = Steps(lambda: consumers.sseclient_py(url))
    assert other.next()[1]["members"]["count"] == 2
    assert one.next()[1]["members"]["count"] == 2


@pytest.mark.parametrize("consumer", consumers.LIBRARIES, ids=lambda consumer: consumer.__name__)
def test_two_connections_share_what_there_is(server, consumer):
    url = address(server, make(server))

    def told_by(name):
        return lambda: ((name, *event) for event in consumer(url))

    steps = Steps(told_by("one"), told_by("other"))
    # Both are there.
    there = set()
    while there != {"one", "other"}:
        there.add(steps.next()[0])
    users = {f"u{number}-0" for number in range(40)}
    for number in range(40):
        record(server, [0], f"u{number}")
    seen = []
    while {record for _, record in seen} != users:
        name, event, data = steps.next()
        if event == "data":
            seen.append((name, data["id"]))
    assert len(seen) == len(users), "each goes to one of them"
    assert {name for name, _ in seen} == {"one", "other"}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["restarted", "killed"])
def test_a_program_that_calls_as_the_vendors_quickstart_does_has_every_record(secure_server, how):
    server = secure_server
    # Before anything is recorded, in case that midnight passes.
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    record(server, range(5))
    connection = {"type": "create", "subject": "u1", "data": {"id": "c1"}}
    server.settle("POST", "feeds/connection/events", connection)
    steps = Steps(lambda: consumers.quickstart(server, today))
    replayed = [steps.next() for _ in range(5)]
    assert [(source, data["number"]) for source, data in replayed] == [("replay", number) for number in range(5)]
    # It ends, and has no connection events; nor has the stream, when nobody was there.
    assert steps.next() == ("replay", None)
    assert records(steps, range(5)) == list(range(5))
    server.settle("POST", "feeds/connection/events", connection)
    source, told = steps.next()
    assert (source, told["connection"]["id"]) == ("stream", "c1")
    record(server, range(5, 10))
    server.stop(how)
    server.start()
    record(server, range(10, 15))
    assert [number for number in records(steps, range(5, 15)) if number >= 5] == list(range(5, 15))


def test_curl_makes_and_reads_as_the_pages_say(guarded_server):
    token = guarded_server.token
    api = f"{guarded_server.url}/validic"

    def curl(path, *arguments):
        command = ["curl", "-sS", f"{api}{path}token={token}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    is_json = ["-H", "Content-Type: application/json", "-d"]
    made = json.loads(curl("/streams?", "-X", "POST", *is_json, '{"name":"one","resource_filter":["summary","sleep"]}'))
    assert made["group"] == f"stream_{made['id']}"
    assert (made["resource_filter"], made["event_type_filter"]) == (["summary", "sleep"], None)
    stream = f"/streams/{made['id']}"
    assert json.loads(curl(f"{stream}/?", "-X", "PUT", *is_json, '{"name":"two"}'))["name"] == "two"
    # Some clients send a body with everything.
    assert json.loads(curl(f"{stream}?", "-X", "GET", *is_json, "{}"))["event_type_filter"] == []
    listed = json.loads(curl("/streams/?q=name~TW&sort=-name&"))
    assert listed["meta"] == {"total": 1, "sort": ["-name"]}
    assert [told["id"] for told in listed["streams"]] == [made["id"]]
    record(guarded_server, range(3))
    replayed = curl("/replay?resources=summary,sleep&event_types=data&")
    assert replayed.count("event: data\ndata: {") == 3
    command = ["curl", "-sSN", f"{api}{stream}/connect?token={token}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            names = (line for line in process.stdout if line.startswith("event: "))
            assert next(names) == "event: poke\n"
            others = (name for name in names if name != "event: poke\n")
            assert list(itertools.islice(others, 3)) == ["event: data\n"] * 3
            assert json.loads(curl(f"{stream}?"))["members"] == 1
            refused = json.loads(curl(f"{stream}?", "-X", "DELETE"))
            assert refused["errors"] == ["this stream has connections: it is deleted once they have ended"]
        finally:
            process.kill()
    other = json.loads(curl("/streams?", *is_json, '{"name":"three"}'))
    assert json.loads(curl(f"/streams/{other['id']}?", "-X", "DELETE", *is_json, "{}"))["deleted_at"]
    assert json.loads(curl(f"/streams/{other['id']}?"))["errors"] == ["there is no such stream"]
    token = "none"
    assert json.loads(curl("/streams?"))["errors"] == ["Invalid authentication credentials"]
