"""Disruptive's API as people type it: curl posts JSON and says that it is a form, and prints a stream as it comes."""

import contextlib
import json
import subprocess

import pytest

from programs import Program
from disruptive_sdk import PROJECT, base_url

DEVICES = f"/projects/{PROJECT}/devices"
TIME = "2021-05-16T08:13:15.360000Z"
CURL = ["curl", "--silent", "--show-error"]


class Curl:
    """curl with the key id and the secret of a credential."""

    def __init__(self, url, credential):
        self.url = url
        self.proof = ["--user", f"{credential['key_id']}:{credential['secret']}"]

    def ask(self, path, *arguments):
        """The status, the headers and the JSON that it is answered with."""
        command = [*CURL, "--include", "--max-time", "30", *self.proof, *arguments, f"{self.url}{path}"]
        done = subprocess.run(command, check=True, capture_output=True)
        head, _, body = done.stdout.decode("ascii").partition("\r\n\r\n")
        status, *headers = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in headers)
        assert headers["content-type"] == "application/json"
        return int(status.split()[1]), headers, json.loads(body)

    def told(self, path, *arguments):
        status, _, told = self.ask(path, *arguments)
        assert status == 200, told
        return told

    def emulate(self, device_type, **labels):
        made = self.told(DEVICES, "-d", json.dumps({"type": device_type, "labels": labels}))
        return made["name"].removeprefix(f"projects/{PROJECT}/devices/")

    def stream(self, query="", *arguments):
        """A stream of the project, which is being printed."""
        return Program(*CURL, "-N", *self.proof, *arguments, f"{self.url}{DEVICES}:stream{query}")


@pytest.fixture
def curl(guarded_server, administrator):
    return Curl(base_url(guarded_server), administrator)


def event_of(line):
    """The event that a line of a stream tells."""
    text = line.decode("ascii")
    assert text.endswith("}\n")
    told = json.loads(text)
    assert list(told) == ["result"] and list(told["result"]) == ["event"]
    event = told["result"]["event"]
    assert list(event) == ["eventId", "targetName", "eventType", "data", "timestamp"]
    return event


def is_ping(event):
    return (event["eventType"], event["targetName"], event["data"]) == ("ping", f"projects/{PROJECT}", None)


def events(lines, count):
    """The next `count` events which are no pings."""
    told = []
    while len(told) < count:
        event = event_of(lines())
        if not is_ping(event):
            told.append(event)
    return told


@pytest.mark.parametrize("colon", [":", "%3A"])
def test_a_device_is_made_and_tells_something_without_a_word_about_json(curl, colon):
    made = curl.told(DEVICES, "-d", '{"type":"temperature","labels":{"name":"Küche"}}')
    assert made["name"].startswith(f"projects/{PROJECT}/devices/emu")
    assert (made["type"], made["labels"]) == ("temperature", {"name": "Küche", "virtual-sensor": ""})
    device = f"/{made['name']}"
    reading = {"temperature": {"value": 21.5, "updateTime": TIME}}
    assert curl.told(f"{device}{colon}publish", "-d", json.dumps(reading)) == {}
    sample = {"value": 21.5, "sampleTime": TIME}
    reported = {"temperature": reading["temperature"] | {"samples": [sample], "isBackfilled": False}}
    assert curl.told(device) == made | {"reported": reported}
    assert curl.told(DEVICES) == {"devices": [made | {"reported": reported}], "nextPageToken": ""}
    page = curl.told(f"{device}/events?start_time=2021-05-16T00:00:00Z")
    assert [event["data"] for event in page["events"]] == [reported]
    update = {"devices": [made["name"]], "addLabels": {"room": "7"}, "removeLabels": ["name"]}
    assert curl.told(f"{DEVICES}{colon}batchUpdate", "-d", json.dumps(update)) == {"batchErrors": []}
    assert curl.told(device)["labels"] == {"room": "7", "virtual-sensor": ""}
    assert curl.told(device, "-X", "DELETE") == {}
    assert curl.ask(device)[0] == 404


def test_members_are_taken_in_either_spelling(curl):
    device = curl.emulate("motion")
    connectors = [{"id": "c1", "signal_strength": 50, "rssi": -80}]
    statuses = [
        {"networkStatus": {"signalStrength": 50, "transmissionMode": "HIGH_POWER_BOOST_MODE", "cloudConnectors": connectors}},
        {"network_status": {"signal_strength": 50, "transmission_mode": "HIGH_POWER_BOOST_MODE", "cloud_connectors": connectors}},
    ]
    told = []
    for status in statuses:
        assert curl.told(f"{DEVICES}/{device}:publish", "-d", json.dumps(status)) == {}
        [reported] = curl.told(f"{DEVICES}/{device}")["reported"].items()
        told.append((reported[0], reported[1] | {"updateTime": TIME}))
    assert told[0] == told[1]
    assert told[0][1]["cloudConnectors"] == [{"id": "c1", "signalStrength": 50, "rssi": -80}]


def test_a_stream_is_printed_line_by_line_as_it_comes_and_ends_in_good_order(guarded_server, curl):
    device = curl.emulate("touch", name="Küche")
    with curl.stream("?pingInterval=1s") as stream:
        first = event_of(stream.line())
        assert is_ping(first)
        for _ in range(3):
            curl.told(f"{DEVICES}/{device}:publish", "-d", json.dumps({"touch": {"updateTime": TIME}}))
        for event in events(stream.line, 3):
            assert (event["targetName"], event["eventType"]) == (f"projects/{PROJECT}/devices/{device}", "touch")
            assert (event["data"], event["timestamp"]) == ({"touch": {"updateTime": TIME}}, TIME)
        # Pings come whether anything else does or not.
        pings = [event_of(stream.line()) for _ in range(2)]
        assert all(map(is_ping, pings))
        assert len({ping["eventId"] for ping in [first, *pings]}) == 3
        assert guarded_server.stop() == 0
        # It would be 18 for a stream that is cut off, and 56 for a reset.
        assert stream.process.wait(30) == 0


def test_server_sent_events_have_data_and_nothing_else(guarded_server, curl):
    device = curl.emulate("touch")
    with curl.stream("", "--header", "Accept: text/event-stream") as stream:

        def line():
            field, _, data = stream.line().partition(b" ")
            assert (field, stream.line()) == (b"data:", b"\n")
            return data

        assert is_ping(event_of(line()))
        assert curl.told(f"{DEVICES}/{device}:publish", "-d", '{"touch":{}}') == {}
        [event] = events(line, 1)
        assert (event["eventType"], event["targetName"]) == ("touch", f"projects/{PROJECT}/devices/{device}")
        assert guarded_server.stop() == 0
        assert stream.process.wait(30) == 0


def test_filters_are_taken_in_either_spelling_and_repeated_or_parted_by_commas(curl):
    ids = [curl.emulate("touch", room="7"), curl.emulate("temperature", room="8", floor=""), curl.emulate("co2", room="7")]
    last = curl.emulate("touch", room="7", floor="", note="a=b,c")
    queries = {
        f"?device_ids={ids[0]}&deviceIds={last}": ids[:1],
        f"?deviceIds={ids[0]},{ids[1]},{last}": ids[:2],
        "?device_types=touch": ids[:1],
        "?deviceTypes=touch,temperature": ids[:2],
        "?event_types=touch,ping": ids,
        "?eventTypes=humidity&event_types=touch": ids,
        "?label_filters=room%3D7": [ids[0], ids[2]],
        "?labelFilters=room=7&label_filters=room=8": ids,
        "?label_filters=floor%3D": ids[1:2],
        "?labelFilters=note%3Da%3Db%2Cc": [],
        "?unheard=of&ping_interval=1.5s": ids,
    }
    with contextlib.ExitStack() as running:
        streams = {query: running.enter_context(curl.stream(query)) for query in queries}
        for stream in streams.values():
            assert is_ping(event_of(stream.line()))
        for device in [*ids, last]:
            assert curl.told(f"{DEVICES}/{device}:publish", "-d", '{"touch":{}}') == {}
        for query, stream in streams.items():
            told = [event["targetName"].rpartition("/")[2] for event in events(stream.line, len(queries[query]) + 1)]
            assert told == [*queries[query], last], query


REFUSED = {
    "?ping_interval=soon": (400, 3, "Bad Request", "ping_interval: "),
    "?eventTypes=_hidden": (400, 3, "Bad Request", "eventTypes: "),
}


@pytest.mark.parametrize("query", REFUSED)
def test_a_refusal_has_the_shape_that_is_read_where_it_is_asked(curl, query):
    code, grpc_code, http_status, start = REFUSED[query]
    path = f"{DEVICES}:stream{query}"
    rest = {"code": code, "help": f"https://docs.d21s.com/error/#{code}"}
    status, _, lines = curl.ask(path)
    message = lines["error"]["message"]
    inner = {"code": code, "grpcCode": grpc_code, "httpCode": code, "message": message, "httpStatus": http_status, "details": []}
    assert (status, lines) == (code, {"error": inner} | rest)
    assert message.startswith(start)
    status, _, plain = curl.ask(path, "--header", "Accept: text/event-stream")
    assert (status, plain) == (code, {"error": message} | rest)


def test_whoever_asks_too_often_or_is_nobody_is_told_so(guarded_server, curl):
    status, headers, told = Curl(curl.url, {"key_id": "none", "secret": "none"}).ask(DEVICES)
    assert (status, told["code"]) == (401, 401)
    assert headers["www-authenticate"].startswith("bearer ")
    grants = [{"project": PROJECT, "rights": ["read"]}]
    limits = {"readers": 1}
    limited = guarded_server.settle("POST", "credentials", {"grants": grants, "limits": limits})
    limited = Curl(curl.url, limited)
    with limited.stream() as stream:
        assert is_ping(event_of(stream.line()))
        status, headers, told = limited.ask(f"{DEVICES}:stream")
    assert (status, told["code"], told["error"]["httpCode"]) == (429, 429, 429)
    assert int(headers["retry-after"]) > 0
