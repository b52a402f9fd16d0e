"""The vendor's own client gets, lists, labels and transfers devices, and lists the projects that they are in."""

import disruptive as dt
import pytest
import requests
from disruptive import events

from disruptive_sdk import CELLAR, PROJECT, emulate, follow, publish

# An organization is asked for; there is one.
ORGANIZATION = "feedwire"


@pytest.fixture
def cellar(guarded_server, sdk):
    """A second project."""
    made = requests.post(
        f"{guarded_server.url}/v1/projects", json={"name": CELLAR}, headers=guarded_server.proof(), timeout=30
    )
    made.raise_for_status()
    return CELLAR


@pytest.fixture
def ids(sdk):
    """By its name, the id of each device in the project."""
    devices = {
        "kitchen": ("temperature", {"room": "Kitchen", "floor": "1"}),
        "hall": ("touch", {"room": "Hall", "floor": ""}),
        "attic": ("temperature", {"floor": "2"}),
    }
    return {name: emulate(ty, labels | {"name": name}) for name, (ty, labels) in devices.items()}


def names(listed):
    return [device.display_name for device in listed]


def test_a_device_is_got_in_its_project_and_in_whichever_it_is_found(ids):
    for project in [{"project_id": PROJECT}, {}]:
        device = dt.Device.get_device(ids["kitchen"], **project)
        assert (device.device_id, device.project_id) == (ids["kitchen"], PROJECT)
        assert (device.device_type, device.display_name) == ("temperature", "kitchen")
        assert device.labels.items() >= {"room": "Kitchen", "floor": "1"}.items()
        with pytest.raises(dt.errors.NotFound):
            dt.Device.get_device("none", **project)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"kitchen", "hall", "attic"}),
        ({"device_types": ["temperature"]}, {"kitchen", "attic"}),
        ({"device_types": ["touch", "temperature"]}, {"kitchen", "hall", "attic"}),
        ({"device_types": ["ccon"]}, set()),
        ({"label_filters": {"floor": "2"}}, {"attic"}),
        ({"label_filters": {"floor": ""}}, {"hall"}),
        ({"label_filters": {"floor": "2", "room": "Hall"}}, {"attic", "hall"}),
        ({"device_types": ["temperature"], "label_filters": {"room": "Kitchen"}}, {"kitchen"}),
        ({"query": "kitch"}, {"kitchen"}),
        ({"query": "TEMPERATURE"}, {"kitchen", "attic"}),
        ({"query": "floor", "label_filters": {"floor": "1"}}, {"kitchen"}),
        ({"query": "cellar"}, set()),
    ],
    ids=str,
)
def test_devices_are_listed_by_what_they_are(ids, asked, expected):
    listed = dt.Device.list_devices(PROJECT, **asked)
    assert len(listed) == len(expected) and set(names(listed)) == expected


def test_devices_are_listed_by_their_ids(ids):
    asked = [ids["attic"], ids["hall"], "none"]
    assert {device.device_id for device in dt.Device.list_devices(PROJECT, device_ids=asked)} == {ids["attic"], ids["hall"]}
    assert names(dt.Device.list_devices(PROJECT, query=ids["hall"])) == ["hall"]


def test_devices_are_put_in_order(ids):
    for name, celsius in [("attic", 9.5), ("kitchen", 21)]:
        publish(ids[name], events.Temperature(celsius))

    def ordered(by):
        return names(dt.Device.list_devices(PROJECT, order_by=by))

    # What has no value is last either way.
    assert ordered("reported.temperature.value") == ["attic", "kitchen", "hall"]
    assert ordered("-reported.temperature.value") == ["kitchen", "attic", "hall"]
    assert ordered("labels.name") == ["attic", "hall", "kitchen"]
    assert ordered("-labels.name") == ["kitchen", "hall", "attic"]
    by_id = [device for _, device in sorted((device, name) for name, device in ids.items())]
    assert names(dt.Device.list_devices(PROJECT)) == by_id
    assert dt.Device.list_devices(PROJECT, order_by="type")[2].device_type == "touch"


@pytest.mark.parametrize("order_by", [None, "-reported.temperature.value"])
def test_a_long_list_of_devices_is_read_to_its_end(guarded_server, sdk, order_by):
    count = 201
    batch = [
        {"type": "temperature", "subject": f"sensor-{number:03}", "data": {"value": number}} for number in range(count)
    ]
    guarded_server.settle("POST", "feeds/devices/events", batch)
    listed = dt.Device.list_devices(PROJECT, order_by=order_by)
    numbers = [device.reported.temperature.celsius for device in listed]
    assert numbers == (list(reversed(range(count))) if order_by else list(range(count)))


def test_devices_of_all_projects_and_of_some_are_listed(ids, cellar):
    below = dt.Emulator.create_device(cellar, "ccon", labels={"name": "cellar"})
    assert (below.project_id, names(dt.Device.list_devices(cellar))) == (cellar, ["cellar"])

    def listed(*projects, **asked):
        projects = list(projects) or None
        found = dt.Device.list_devices("-", organization_id=ORGANIZATION, project_ids=projects, **asked)
        return {(device.project_id, device.display_name) for device in found}

    here = {(PROJECT, name) for name in ids}
    assert listed() == listed(PROJECT, cellar) == here | {(cellar, "cellar")}
    assert listed(PROJECT) == here
    assert listed(cellar) == listed(device_types=["ccon"]) == {(cellar, "cellar")}
    assert dt.Device.get_device(below.device_id).project_id == cellar


def test_labels_are_set_and_removed_and_each_change_is_told(sdk, ids):
    device = ids["kitchen"]
    stream = follow(sdk, device_ids=[device])

    def told(errors):
        assert errors == []
        event = stream.next()
        assert event.event_type == "labelsChanged"
        return event.data.added, event.data.modified, event.data.removed

    assert told(dt.Device.set_label(device, PROJECT, "alias", "Küche")) == ({"alias": "Küche"}, {}, [])
    assert told(dt.Device.set_label(device, PROJECT, "floor", "")) == ({}, {"floor": ""}, [])
    assert told(dt.Device.remove_label(device, PROJECT, "room")) == ({}, {}, ["room"])
    several = dt.Device.batch_update_labels([device], PROJECT, {"floor": "3", "group": "a"}, ["alias", "never"])
    assert told(several) == ({"group": "a"}, {"floor": "3"}, ["alias"])
    labels = {"name": "kitchen", "floor": "3", "group": "a", "virtual-sensor": ""}
    assert dt.Device.get_device(device).labels == labels
    # What changes nothing is not told.
    assert dt.Device.set_label(device, PROJECT, "group", "a") == []
    publish(device, events.Touch())
    assert stream.next().event_type == "touch"


def test_a_device_whose_labels_cannot_be_changed_is_told_and_the_others_are_changed(ids):
    many = {f"key-{number}": "" for number in range(55)}
    assert dt.Device.batch_update_labels([ids["hall"]], PROJECT, many) == []
    more = {f"more-{number}": "" for number in range(8)}
    errors = dt.Device.batch_update_labels([ids["kitchen"], "none", ids["hall"]], PROJECT, more)
    assert [(error.device_id, error.project_id) for error in errors] == [("none", PROJECT), (ids["hall"], PROJECT)]
    assert [error.status_code for error in errors] == ["NOT_FOUND", "INVALID_ARGUMENT"]
    assert all(error.message for error in errors)
    assert dt.Device.get_device(ids["kitchen"]).labels.items() >= more.items()
    assert not dt.Device.get_device(ids["hall"]).labels.keys() & more.keys()


@pytest.mark.parametrize(
    ("added", "removed"),
    [(None, None), ({"device-type": "ccon"}, None), (None, ["product-number"]), ({"floor": "1"}, ["floor"]), ({"": "1"}, None)],
    ids=str,
)
def test_a_change_of_labels_that_cannot_be_meant_is_a_bad_request(ids, added, removed):
    before = dt.Device.get_device(ids["hall"]).raw
    with pytest.raises(dt.errors.BadRequest):
        dt.Device.batch_update_labels([ids["hall"]], PROJECT, added, removed)
    assert dt.Device.get_device(ids["hall"]).raw == before


def test_a_device_is_transferred_with_what_it_is_and_its_labels(ids, cellar):
    moved = ids["kitchen"]
    before = dt.Device.get_device(moved)
    [error] = dt.Device.transfer_devices([moved, "none"], PROJECT, cellar)
    assert (error.device_id, error.project_id, error.status_code) == ("none", PROJECT, "NOT_FOUND")
    assert error.message
    for project in [{"project_id": cellar}, {}]:
        there = dt.Device.get_device(moved, **project)
        assert (there.project_id, there.device_type, there.labels) == (cellar, before.device_type, before.labels)
    with pytest.raises(dt.errors.NotFound):
        dt.Device.get_device(moved, PROJECT)
    assert set(names(dt.Device.list_devices(PROJECT))) == {"hall", "attic"}
    dt.Emulator.publish_event(moved, cellar, events.Temperature(12))
    assert dt.Device.get_device(moved).reported.temperature.celsius == 12
    assert dt.Device.transfer_devices([moved], cellar, PROJECT) == []
    assert dt.Device.get_device(moved).project_id == PROJECT
    assert dt.Device.list_devices(cellar) == []


def test_projects_are_got_and_listed_with_how_many_devices_they_have(ids, cellar):
    emulate("ccon")
    project = dt.Project.get_project(PROJECT)
    assert (project.project_id, project.display_name, project.is_inventory) == (PROJECT, PROJECT, False)
    assert (project.organization_id, project.organization_display_name) == (ORGANIZATION, "Feedwire")
    assert (project.sensor_count, project.cloud_connector_count) == (3, 1)

    def listed(**asked):
        return [project.raw for project in dt.Project.list_projects(**asked)]

    below = dt.Project.get_project(cellar)
    assert (below.sensor_count, below.cloud_connector_count) == (0, 0)
    assert listed() == listed(organization_id=ORGANIZATION) == [project.raw, below.raw]
    assert listed(query="Cellar") == [below.raw]
    with pytest.raises(dt.errors.NotFound):
        dt.Project.get_project("default.none")
