"""What the vendor's own client publishes of emulated devices, and what others publish natively, is told to it in every way."""

from datetime import datetime, timedelta, timezone

import disruptive as dt
import pytest
from disruptive import events

from disruptive_sdk import PROJECT, emulate, follow, publish

TIME = datetime(2021, 5, 16, 8, 13, 15, 361624, tzinfo=timezone.utc)
TOLD_TIME = "2021-05-16T08:13:15.361624Z"
SAMPLED = {"sampleTime": TOLD_TIME}


def at(name, *given, **more):
    """The data of an event at the time that all of them have here."""
    return getattr(events, name)(*given, timestamp=TIME, **more)


TEMPERATURE = {"value": 21.5, "isBackfilled": False}
HUMIDITY = {"temperature": 20, "relativeHumidity": 30.5}
CONNECTORS = [events.NetworkStatusCloudConnector("c1", 50, -80), events.NetworkStatusCloudConnector("c2", 40, -90)]
TOLD_CONNECTORS = [{"id": "c1", "signalStrength": 50, "rssi": 0}, {"id": "c2", "signalStrength": 40, "rssi": 0}]
SAMPLES = [events.TemperatureSample(21, TIME - timedelta(minutes=15)), events.TemperatureSample(21.5, TIME)]
TOLD_SAMPLES = [{"value": 21, "sampleTime": "2021-05-16T07:58:15.361624Z"}, {"value": 21.5} | SAMPLED]
LOW_POWER, BOOST = "LOW_POWER_STANDARD_MODE", "HIGH_POWER_BOOST_MODE"

# Which kind of device publishes what, and what is told of it beside the time.
PUBLISHED = [
    ("touch", at("Touch"), {}),
    ("temperature", at("Temperature", 21.5), TEMPERATURE | {"samples": [{"value": 21.5} | SAMPLED]}),
    (
        "temperature",
        at("Temperature", 21.5, samples=SAMPLES, is_backfilled=True),
        {"value": 21.5, "isBackfilled": True, "samples": TOLD_SAMPLES},
    ),
    ("humidity", at("Humidity", 20, 30.5), HUMIDITY | {"isBackfilled": False, "samples": [HUMIDITY | SAMPLED]}),
    ("humidity", at("Humidity", 20, 30.5, is_backfilled=True), HUMIDITY | {"isBackfilled": True, "samples": [HUMIDITY | SAMPLED]}),
    ("proximity", at("ObjectPresent", "PRESENT"), {"state": "PRESENT"}),
    ("proximity", at("ObjectPresent", "NOT_PRESENT"), {"state": "NOT_PRESENT"}),
    ("proximityCounter", at("ObjectPresentCount", 4711), {"total": 4711}),
    ("touchCounter", at("TouchCount", 0), {"total": 0}),
    ("waterDetector", at("WaterPresent", "PRESENT"), {"state": "PRESENT"}),
    (
        "motion",
        at("NetworkStatus", 50, -80, BOOST, CONNECTORS),
        {"signalStrength": 50, "rssi": -80, "transmissionMode": BOOST, "cloudConnectors": TOLD_CONNECTORS},
    ),
    (
        "motion",
        at("NetworkStatus", 50),
        {"signalStrength": 50, "rssi": 0, "transmissionMode": LOW_POWER, "cloudConnectors": []},
    ),
    ("touch", at("BatteryStatus", 99), {"percentage": 99}),
    (
        "ccon",
        at("ConnectionStatus", "ETHERNET", ["ETHERNET", "CELLULAR"]),
        {"connection": "ETHERNET", "available": ["ETHERNET", "CELLULAR"]},
    ),
    (
        "ccon",
        at("EthernetStatus", "f0:b5:b7:00:0a:08", "10.0.0.1"),
        {"macAddress": "f0:b5:b7:00:0a:08", "ipAddress": "10.0.0.1", "errors": []},
    ),
    ("ccon", at("CellularStatus", 80), {"signalStrength": 80, "errors": []}),
    ("co2", at("Co2", 638), {"ppm": 638}),
    ("co2", at("Pressure", 101325.5), {"pascal": 101325.5}),
    ("motion", at("Motion", "MOTION_DETECTED"), {"state": "MOTION_DETECTED"}),
    ("deskOccupancy", at("DeskOccupancy", "OCCUPIED", remarks=["MOTION"]), {"state": "OCCUPIED", "remarks": ["MOTION"]}),
    ("deskOccupancy", at("DeskOccupancy", "NOT_OCCUPIED"), {"state": "NOT_OCCUPIED", "remarks": []}),
    ("contact", at("Contact", "OPEN"), {"state": "OPEN"}),
    ("contact", at("Contact", "CLOSED"), {"state": "CLOSED"}),
    ("temperature", at("ProbeWireStatus", "THREE_WIRE"), {"state": "THREE_WIRE"}),
]


def attribute(event_type):
    """Where the client has the latest event of this type."""
    return dt.transforms.camel_to_snake_case(event_type)


def in_history(device, event_type):
    return dt.EventHistory.list_events(device, PROJECT, event_types=[event_type], start_time=TIME, end_time=TIME)


def test_every_type_of_event_of_this_version_of_the_client_is_published_here():
    types = {data.event_type for _, data, _ in PUBLISHED}
    # Only the server tells of a change of labels.
    assert types == set(events.EVENT_TYPES) - {events.LABELS_CHANGED}
    assert {device_type for device_type, _, _ in PUBLISHED} == set(dt.Device.DEVICE_TYPES)


@pytest.mark.parametrize(("device_type", "data", "told"), PUBLISHED, ids=lambda one: getattr(one, "event_type", None))
def test_an_event_is_streamed_kept_and_reported_as_it_was_published(sdk, device_type, data, told):
    device = emulate(device_type)
    stream = follow(sdk, device_ids=[device])
    publish(device, data)
    streamed = stream.next()
    assert (streamed.device_id, streamed.project_id, streamed.event_type) == (device, PROJECT, data.event_type)
    assert streamed.raw["data"] == {data.event_type: told | {"updateTime": TOLD_TIME}}
    assert (streamed.raw["timestamp"], streamed.data.timestamp) == (TOLD_TIME, TIME)
    assert type(streamed.data) is type(data)
    [kept] = in_history(device, data.event_type)
    assert kept.raw == streamed.raw
    shown = dt.Device.get_device(device, PROJECT)
    assert shown.reported.raw == streamed.raw["data"]
    assert getattr(shown.reported, attribute(data.event_type)).raw == streamed.data.raw


def test_an_event_is_of_now_where_it_does_not_say_when_it_was(sdk):
    device = emulate("temperature")
    before = datetime.now(timezone.utc)
    publish(device, events.Temperature(21.5))
    after = datetime.now(timezone.utc)
    [event] = dt.EventHistory.list_events(device, PROJECT)
    [sample] = event.data.samples
    assert before <= event.data.timestamp == sample.timestamp <= after


def test_a_device_reports_the_latest_event_of_each_type(sdk):
    device = emulate("temperature")
    publish(device, events.Temperature(21.5))
    publish(device, events.Touch())
    publish(device, events.Temperature(22))
    reported = dt.Device.get_device(device, PROJECT).reported
    assert set(reported.raw) == {"temperature", "touch"}
    assert (reported.temperature.celsius, reported.co2) == (22, None)


def test_an_emulated_device_is_made_with_its_labels_and_deleted_with_what_it_told(sdk):
    made = dt.Emulator.create_device(PROJECT, "humidity", display_name="Küche", labels={"room": "7"})
    assert (made.device_type, made.project_id, made.is_emulated) == ("humidity", PROJECT, True)
    assert (made.display_name, made.labels) == ("Küche", {"name": "Küche", "room": "7", "virtual-sensor": ""})
    assert (made.product_number, made.reported.raw) == ("", {})
    other = emulate("humidity")
    for device in [made.device_id, other]:
        publish(device, events.Humidity(20, 30))
    assert dt.Emulator.delete_device(made.device_id, PROJECT) is None
    for ask in [dt.Device.get_device, dt.EventHistory.list_events, dt.Emulator.delete_device]:
        with pytest.raises(dt.errors.NotFound):
            ask(made.device_id, PROJECT)
    assert [device.device_id for device in dt.Device.list_devices(PROJECT)] == [other]
    assert len(dt.EventHistory.list_events(other, PROJECT)) == 1


def test_what_cannot_be_published_is_a_bad_request(sdk):
    device = emulate("temperature")
    for data in [events.ObjectPresent("AWAY"), events.TouchCount(-1), events.LabelsChanged({}, {}, [])]:
        with pytest.raises(dt.errors.BadRequest):
            publish(device, data)
    with pytest.raises(dt.errors.BadRequest):
        emulate("toaster")
    assert dt.EventHistory.list_events(device, PROJECT) == []


# What is published natively, and what is told of it.
NATIVE = {
    "keyed": ("temperature", {"temperature": {"value": 21.5}}, TEMPERATURE | {"samples": [{"value": 21.5} | SAMPLED]}),
    "without its key": ("humidity", HUMIDITY, HUMIDITY | {"isBackfilled": False, "samples": [HUMIDITY | SAMPLED]}),
    "empty": ("touch", {}, {}),
    "null": ("touch", None, {}),
    "as the vendor has it": (
        "temperature",
        {"temperature": {"value": 21, "updateTime": TOLD_TIME, "samples": [], "isBackfilled": True}},
        {"value": 21, "samples": [], "isBackfilled": True},
    ),
}


@pytest.mark.parametrize("kind", NATIVE)
def test_an_event_that_is_published_natively_is_told_as_one_of_the_emulator(guarded_server, sdk, kind):
    event_type, data, told = NATIVE[kind]
    stream = follow(sdk, event_types=[event_type])
    event = {"type": event_type, "subject": "sensor-7", "id": "reading-1", "time": TOLD_TIME, "data": data}
    guarded_server.settle("POST", "feeds/devices/events", event)
    streamed = stream.next()
    assert (streamed.device_id, streamed.event_id, streamed.data.timestamp) == ("sensor-7", "reading-1", TIME)
    assert streamed.raw["data"] == {event_type: told | {"updateTime": TOLD_TIME}}
    [kept] = in_history("sensor-7", event_type)
    assert kept.raw == streamed.raw
    shown = dt.Device.get_device("sensor-7", PROJECT)
    assert (shown.device_type, shown.is_emulated, shown.reported.raw) == (event_type, False, streamed.raw["data"])


def test_an_event_of_a_type_that_the_client_does_not_know_has_no_data_to_it(guarded_server, sdk):
    stream = follow(sdk)
    for event_type, data in [("door.opened", {"by": "key"}), ("door.closed", "by key"), ("touch", {"touch": {}})]:
        event = {"type": event_type, "subject": "door-1", "data": data}
        guarded_server.settle("POST", "feeds/devices/events", event)
    told = [stream.next() for _ in range(3)]
    assert [event.raw["data"] for event in told[:2]] == [{"door.opened": {"by": "key"}}, None]
    assert [event.data for event in told[:2]] == [None, None]
    assert [event.event_type for event in told] == ["door.opened", "door.closed", "touch"]
    # The client passes over what it does not know there, too.
    assert dt.Device.get_device("door-1", PROJECT).reported.touch.raw == told[2].data.raw


def test_what_a_device_is_can_be_set_natively(guarded_server, sdk):
    labels = {"device-type": "co2", "product-number": "102534", "room": "7"}
    guarded_server.settle("PUT", "subjects/sensor-7/labels", {"labels": labels})
    stream = follow(sdk, device_types=["co2"], label_filters={"room": "7"})
    for subject in ["sensor-8", "sensor-7"]:
        event = {"type": "pressure", "subject": subject, "data": {"pascal": 101325}}
        guarded_server.settle("POST", "feeds/devices/events", event)
    assert stream.next().device_id == "sensor-7"
    [shown] = dt.Device.list_devices(PROJECT, device_types=["co2"])
    assert (shown.device_id, shown.device_type, shown.product_number) == ("sensor-7", "co2", "102534")
    assert shown.labels == {"room": "7"}
    assert shown.reported.pressure.pascal == 101325


def test_a_device_whose_type_is_not_set_is_what_its_events_say(guarded_server, sdk):
    stream = follow(sdk, device_types=["temperature"])
    for event_type, data in [
        ("batteryStatus", {"percentage": 99}),
        ("temperature", {"value": 21.5}),
        ("touch", {}),
        ("temperature", {"value": 22}),
    ]:
        event = {"type": event_type, "subject": "sensor-7", "data": data}
        guarded_server.settle("POST", "feeds/devices/events", event)
    # Every kind of device has a battery, and may be touched.
    assert [stream.next().data.celsius for _ in range(2)] == [21.5, 22]
    [shown] = dt.Device.list_devices(PROJECT, device_types=["temperature"])
    assert (shown.device_id, shown.device_type) == ("sensor-7", "temperature")
