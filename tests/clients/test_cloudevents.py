"""What CloudEvents' own SDKs publish is told to them again as it was."""

import json
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cloudevents.core.v1.event import CloudEvent

import cloudevents_sdk

HERE = Path(__file__).parent
ATTRIBUTES = {
    "id": "a 1%",
    "source": "https://example.com/planes?a=b#c",
    "type": "flight.departed",
    "subject": 'N14228 "ø" €',
    "time": datetime(2013, 1, 1, 10, 17, 0, 500000, tzinfo=timezone.utc),
    "dataschema": "https://example.com/schema.json",
    "traceid": "4f",
}
DATA = {
    "json": ("application/json", {"dest": "IAH", "delay": 2.5, "ø": [None, True]}),
    "json by its suffix": ("application/vnd.example+json", {"dest": "IAH"}),
    "text": ("text/plain", "late, \"ø\"\n"),
    "bytes": ("image/png", b"\x89PNG\r\n\x1a\n\x00\xff"),
    "none": ("application/json", None),
    "json that is not declared": (None, {"dest": "IAH"}),
    "bytes that are not declared": (None, b"\xff\x00"),
}


@pytest.mark.parametrize("mode", ["binary", "structured"])
@pytest.mark.parametrize("kind", DATA)
def test_an_event_comes_back_as_it_was_published(server, mode, kind):
    content_type, data = DATA[kind]
    attributes = dict(ATTRIBUTES, **({"datacontenttype": content_type} if content_type else {}))
    position = cloudevents_sdk.publish(server.feed(), CloudEvent(dict(attributes), data), mode)
    [event] = cloudevents_sdk.read(server.feed())
    told = event.get_attributes()
    assert told.pop("publishedid") == ATTRIBUTES["id"]
    assert told["id"] == str(told["position"]) == str(position)
    for given in ["feed", "position", "recordedat", "version"]:
        assert told.pop(given)
    assert dict(told, id=ATTRIBUTES["id"]) == dict(attributes, specversion="1.0")
    assert event.get_data() == data


def test_a_batch_is_published_whole_and_an_empty_one_is_none(server):
    events = [CloudEvent({"source": "/a", "type": "t"}, {"number": n}) for n in range(3)]
    assert cloudevents_sdk.publish_batch(server.feed(), events).json()["count"] == 3
    assert cloudevents_sdk.publish_batch(server.feed(), []).status_code == 204
    read = cloudevents_sdk.read(server.feed())
    assert [event.get_data()["number"] for event in read] == [0, 1, 2]
    assert cloudevents_sdk.read(server.feed(), lastEventId=read[-1].get_id()) == []


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_an_event_of_the_sdk_for_javascript_comes_back_as_it_was_published(server, mode):
    command = ["node", str(HERE / "cloudevents_sdk.mjs"), server.feed(), mode]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    sent, told = map(json.loads, lines)
    assert told.pop("publishedid") == sent["id"]
    assert told.pop("id") == str(told["position"])
    for name, value in sent.items():
        assert name == "id" or told[name] == value, name
