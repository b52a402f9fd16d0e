"""The vendor's own client follows devices with every filter that it has, and through a restart of the server."""

import disruptive as dt
import pytest
from disruptive import events

from disruptive_sdk import PROJECT, STREAM_ENDED, emulate, follow, publish

TEMPERATURE, TOUCH = "temperature", "touch"
# Each with what it is and its labels. The last one passes every filter.
DEVICES = {
    "kitchen": ("temperature", {"room": "kitchen", "floor": "1"}),
    "hall": ("touch", {"room": "hall"}),
    "attic": ("temperature", {"floor": "", "note": "room=hall"}),
    "last": ("temperature", {"room": "hall", "floor": ""}),
}
PUBLISHED = [
    ("kitchen", TEMPERATURE),
    ("kitchen", TOUCH),
    ("hall", TOUCH),
    ("attic", TEMPERATURE),
    ("last", TEMPERATURE),
]
DATA = {TEMPERATURE: events.Temperature(21.5), TOUCH: events.Touch()}


def of(*devices):
    return [published for published in PUBLISHED if published[0] in devices]


FILTERS = {
    "nothing": ({}, PUBLISHED),
    "a device": ({"device_ids": ["last"]}, of("last")),
    "devices": ({"device_ids": ["hall", "last", "none"]}, of("hall", "last")),
    "a device type": ({"device_types": ["temperature"]}, of("kitchen", "attic", "last")),
    "device types": ({"device_types": ["temperature", "touch"]}, PUBLISHED),
    "an event type": ({"event_types": [TEMPERATURE]}, [one for one in PUBLISHED if one[1] == TEMPERATURE]),
    "event types": ({"event_types": [TEMPERATURE, TOUCH]}, PUBLISHED),
    "a label": ({"label_filters": {"room": None}}, of("kitchen", "hall", "last")),
    "a label with a value": ({"label_filters": {"room": "hall"}}, of("hall", "last")),
    "a label with the empty value": ({"label_filters": {"floor": ""}}, of("attic", "last")),
    "one of two labels": ({"label_filters": {"room": "kitchen", "floor": ""}}, of("kitchen", "attic", "last")),
    "all at once": (
        {
            "device_ids": ["kitchen", "attic", "last"],
            "device_types": ["temperature"],
            "event_types": [TEMPERATURE],
            "label_filters": {"room": None},
        },
        [("kitchen", TEMPERATURE), ("last", TEMPERATURE)],
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_stream_has_what_its_filters_let_pass_and_nothing_else(sdk, name):
    asked, expected = FILTERS[name]
    ids = {device: emulate(ty, dict(labels)) for device, (ty, labels) in DEVICES.items()}
    if "device_ids" in asked:
        asked = asked | {"device_ids": [ids.get(device, device) for device in asked["device_ids"]]}
    stream = follow(sdk, **asked)
    for device, ty in PUBLISHED:
        publish(ids[device], DATA[ty])
    told = stream.until(ids["last"])
    assert [(event.device_id, event.event_type) for event in told] == [(ids[device], ty) for device, ty in expected]
    assert {event.project_id for event in told} == {PROJECT}


def test_a_stream_is_live_and_goes_by_the_labels_that_a_device_has_then(sdk):
    device = emulate("touch")
    publish(device, events.Touch())
    stream = follow(sdk, label_filters={"room": "attic"})
    publish(device, events.Touch())
    assert dt.Device.set_label(device, PROJECT, "room", "attic") == []
    publish(device, events.Touch())
    assert [stream.next().event_type, stream.next().event_type] == ["labelsChanged", "touch"]


def test_a_planned_restart_is_no_error_to_whoever_follows(guarded_server, sdk):
    device = emulate("temperature")
    stream = follow(sdk, event_types=["temperature"])
    before = [21, 21.5, 22]
    for celsius in before:
        publish(device, events.Temperature(celsius))
    assert guarded_server.stop() == 0
    guarded_server.start()
    sdk.await_open()
    after = [22.5, 23]
    for celsius in after:
        publish(device, events.Temperature(celsius))
    assert [stream.next().data.celsius for _ in before + after] == before + after
    # It was told the end, and not cut off.
    assert sdk.errors == [STREAM_ENDED]
