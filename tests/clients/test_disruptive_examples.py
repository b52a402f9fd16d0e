"""Programs that call as the vendor's examples do, with the packages that these ask for, follow devices through restarts."""

import os
from pathlib import Path

import pytest
import requests

from programs import Program
from disruptive_sdk import PROJECT, base_url

HERE = Path(__file__).parent
PYTHON = os.environ["FEEDWIRE_EXAMPLES_PYTHON"]
TIME = "2021-05-16T08:13:15.360000Z"
EVENT_SOURCES = ["eventsource1", "eventsource2", "eventsource5"]
DEVICES = ["sensor-7", "Küche"]


@pytest.fixture
def reader(guarded_server):
    """The credential of who may read devices, and nothing else."""
    grants = [{"project": PROJECT, "rights": ["read"], "feeds": ["devices"]}]
    return guarded_server.settle("POST", "credentials", {"grants": grants})


@pytest.fixture
def stream_url(guarded_server):
    return f"{base_url(guarded_server)}/projects/{PROJECT}/devices:stream"


@pytest.fixture
def token_url(guarded_server):
    return f"{guarded_server.url}/oauth2/token"


@pytest.fixture
def access_token(reader, token_url):
    proof = (reader["key_id"], reader["secret"])
    answer = requests.post(token_url, data={"grant_type": "client_credentials"}, auth=proof, timeout=30)
    return answer.json()["access_token"]


def publish(server, values):
    """Has devices tell these temperatures, in turn, and something else; returns the temperatures."""
    told = [(DEVICES[place % len(DEVICES)], value) for place, value in enumerate(values)]
    for device, value in told:
        for event_type, data in [("touch", {}), ("temperature", {"value": value})]:
            event = {"type": event_type, "subject": device, "time": TIME, "data": data}
            server.settle("POST", "feeds/devices/events", event)
    return told


def check_through_restarts(server, program):
    """That `program`, whose stream is open, sees the temperatures of before, between and after two restarts, each once."""
    for values in [[21, 21.5, -3.25], [0], [22]]:
        told = publish(server, values)
        assert program.take(len(values)) == [[device, value, TIME] for device, value in told]
        assert server.stop() == 0
        server.start()
        assert program.next() == "open"


def test_what_the_example_for_python_does_follows_through_restarts(guarded_server, reader, stream_url):
    program = HERE / "disruptive_example.py"
    with Program(PYTHON, program, stream_url, reader["key_id"], reader["secret"]) as example:
        assert example.take(2) == ["2.25.1", "open"]
        check_through_restarts(guarded_server, example)


def test_what_the_example_for_node_does_follows_through_restarts(guarded_server, reader, stream_url, token_url):
    program = HERE / "disruptive_example.mjs"
    proof = [reader["key_id"], reader["secret"], reader["email"]]
    with Program("node", program, stream_url, token_url, *proof) as example:
        assert example.next() == "open"
        check_through_restarts(guarded_server, example)


@pytest.mark.parametrize("package", EVENT_SOURCES)
def test_an_event_source_hears_all_that_is_published_while_it_is_connected(guarded_server, access_token, stream_url, package):
    url = f"{stream_url}?eventTypes=temperature&pingInterval=10s&token={access_token}"
    with Program("node", HERE / "disruptive_events.mjs", package, url) as source:
        assert source.next() == "open"
        before = publish(guarded_server, [21, 21.5, 22])
        heard = source.take(3)
        assert guarded_server.stop() == 0
        guarded_server.start()
        assert source.next() == "open"
        after = publish(guarded_server, [22.5, 23])
        heard += source.take(2)
    assert [(event["targetName"], event["data"]["temperature"]["value"]) for event in heard] == [
        (f"projects/{PROJECT}/devices/{device}", value) for device, value in before + after
    ]
    # Without an id there is none to go on from: a stream is live.
    assert {event["lastEventId"] for event in heard} == {""}
