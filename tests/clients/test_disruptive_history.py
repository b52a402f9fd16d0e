"""The vendor's own client reads what a device told: within windows, by type, page by page."""

from datetime import datetime, timedelta, timezone

import disruptive as dt
import pytest
from disruptive import events
from disruptive.requests import DTRequest

from disruptive_sdk import PROJECT, emulate, publish

NOON = datetime(2021, 5, 16, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
# A page has so many where it is not said how many.
PAGE = 100


def history(device, *types, start=None, end=None):
    types = list(types) or None
    return dt.EventHistory.list_events(device, PROJECT, event_types=types, start_time=start, end_time=end)


def celsius(told):
    return [event.data.celsius for event in told]


@pytest.fixture
def readings(sdk):
    """A device with a temperature of each hour: as many degrees as it is hours from noon."""
    device = emulate("temperature")
    for hour in [-1, 1, 0]:
        publish(device, events.Temperature(hour, timestamp=NOON + hour * HOUR))
    return device


def test_a_window_is_of_the_time_of_the_events_and_has_both_its_ends(readings):
    # In the order in which they came, the newest first.
    assert celsius(history(readings, start=NOON - HOUR, end=NOON + HOUR)) == [0, 1, -1]
    assert celsius(history(readings, start=NOON, end=NOON + HOUR)) == [0, 1]
    assert celsius(history(readings, start=NOON, end=NOON)) == [0]
    moment = timedelta(microseconds=1)
    assert celsius(history(readings, start=NOON - HOUR + moment, end=NOON + HOUR - moment)) == [0]
    assert celsius(history(readings, start="2021-05-16T14:00:00+02:00", end="2021-05-16T13:00:00Z")) == [0, 1]
    assert celsius(history(readings, start=NOON - HOUR)) == [0, 1, -1]


def test_a_window_is_of_a_day_where_nothing_is_said(readings):
    assert history(readings) == []
    assert celsius(history(readings, end=NOON + 23 * HOUR)) == [0, 1, -1]
    assert celsius(history(readings, end=NOON + 24 * HOUR)) == [0, 1]
    publish(readings, events.Temperature(7))
    assert celsius(history(readings)) == [7]


def test_a_window_that_ends_before_it_begins_is_a_bad_request(readings):
    with pytest.raises(dt.errors.BadRequest, match="startTime"):
        history(readings, start=NOON, end=NOON - HOUR)


def test_a_history_is_of_one_device_and_of_the_types_that_are_asked_for(sdk):
    device, other = emulate("temperature"), emulate("temperature")
    for data in [events.Temperature(21), events.Touch(), events.BatteryStatus(99)]:
        publish(device, data)
        publish(other, data)
    assert dt.Device.set_label(device, PROJECT, "room", "7") == []
    told = history(device)
    # Changes of labels are in it if they are asked for.
    assert [event.event_type for event in told] == ["batteryStatus", "touch", "temperature"]
    assert {event.device_id for event in told} == {device}
    assert history(device, "labelsChanged")[0].data.added == {"room": "7"}
    for types in [["touch"], ["touch", "temperature"], ["humidity"]]:
        assert [event.event_type for event in history(device, *types)] == [ty for ty in ["touch", "temperature"] if ty in types]


def published(server, device, numbers):
    """Has a device tell these temperatures, all at once."""
    data = [{"temperature": {"value": number}} for number in numbers]
    batch = [{"type": "temperature", "subject": device, "data": data} for data in data]
    server.settle("POST", "feeds/devices/events", batch)


def test_a_long_history_is_read_to_its_end(guarded_server, sdk):
    for count in [2 * PAGE, 2 * PAGE + 1]:
        published(guarded_server, f"sensor-{count}", range(count))
        assert celsius(history(f"sensor-{count}")) == list(reversed(range(count)))


def test_pages_stay_as_they_are_while_events_arrive(guarded_server, sdk):
    published(guarded_server, "sensor-7", range(10))
    told, token = [], ""
    for newer in range(10, 14):
        asked = {"pageSize": 3, "pageToken": token, "eventTypes": ["temperature"]}
        page = DTRequest.get(f"/projects/{PROJECT}/devices/sensor-7/events", params=asked)
        told.append([event["data"]["temperature"]["value"] for event in page["events"]])
        token = page["nextPageToken"]
        published(guarded_server, "sensor-7", [newer])
    assert told == [[9, 8, 7], [6, 5, 4], [3, 2, 1], [0]]
    assert token == ""


@pytest.mark.parametrize("token", ["next", "-1", "1000000"])
def test_a_token_of_no_page_is_a_bad_request(readings, token):
    with pytest.raises(dt.errors.BadRequest, match="pageToken"):
        DTRequest.get(f"/projects/{PROJECT}/devices/{readings}/events", params={"pageToken": token})


def test_a_history_in_a_project_that_is_found_is_that_of_the_device(sdk):
    device = emulate("touch")
    publish(device, events.Touch())
    [event] = dt.EventHistory.list_events(device, "-")
    assert (event.device_id, event.project_id) == (device, PROJECT)
