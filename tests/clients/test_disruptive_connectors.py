"""The vendor's own client and command line manage Data Connectors, and its own receiver takes what they push."""

import json
import os
import subprocess
import sys

import disruptive as dt
import pytest
from disruptive import errors, events

from disruptive_receiver import SECRET, Receiver, verified
from disruptive_sdk import PROJECT, base_url, emulate, publish
from server import PUSHING, Server, init

TYPES = [events.TEMPERATURE, events.TOUCH]


@pytest.fixture
def guarded_server(tmp_path):
    """One that may push to this machine."""
    folder = tmp_path / "data"
    server = Server(folder, init(folder))
    server.options += PUSHING
    server.start()
    yield server
    server.close()


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def config(url, **more):
    return dt.DataConnector.HttpPushConfig(url, **({"signature_secret": SECRET} | more))


def create(receiver, **more):
    return dt.DataConnector.create_data_connector(PROJECT, config(receiver.url), **more)


def update(connector, **change):
    return dt.DataConnector.update_data_connector(connector.data_connector_id, PROJECT, **change)


def test_a_connector_is_made_looked_at_changed_and_deleted(sdk, receiver):
    made = dt.DataConnector.create_data_connector(
        PROJECT,
        config(receiver.url, headers={"X-Key": "hush"}),
        display_name="Küche",
        status="USER_DISABLED",
        event_types=TYPES,
        labels=["name", "room"],
    )
    assert (made.project_id, made.display_name, made.status) == (PROJECT, "Küche", "USER_DISABLED")
    assert (made.data_connector_type, made.event_types, made.labels) == ("HTTP_PUSH", TYPES, ["name", "room"])
    # What is secret is told to nobody.
    assert (made.config.url, made.config.signature_secret, made.config.headers) == (receiver.url, "", {"x-key": ""})
    got = dt.DataConnector.get_data_connector(made.data_connector_id, PROJECT)
    [listed] = dt.DataConnector.list_data_connectors(PROJECT)
    assert got.raw == listed.raw == made.raw
    changed = update(made, display_name="Flur", event_types=[], labels=["z"])
    assert changed.raw == made.raw | {"displayName": "Flur", "events": [], "labels": ["z"]}
    assert update(made, config=made.config).raw == changed.raw
    metrics = dt.DataConnector.get_metrics(made.data_connector_id, PROJECT)
    assert (metrics.success_count, metrics.error_count, metrics.latency) == (0, 0, "0.000s")
    dt.DataConnector.delete_data_connector(made.data_connector_id, PROJECT)
    assert dt.DataConnector.list_data_connectors(PROJECT) == []
    with pytest.raises(errors.NotFound):
        dt.DataConnector.get_data_connector(made.data_connector_id, PROJECT)


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/", "http://169.254.169.254/latest", "ftp://example.com/", "example.com"]
)
def test_an_address_of_the_inside_or_of_nothing_is_a_bad_request(sdk, url):
    with pytest.raises(errors.BadRequest):
        dt.DataConnector.create_data_connector(PROJECT, config(url))


def test_each_event_is_received_once_in_order_with_the_labels_that_are_asked_for(sdk, receiver):
    device = emulate("temperature", {"name": "kitchen", "room": "7"})
    publish(device, events.Temperature(19))
    create(receiver, event_types=TYPES, labels=["room", "floor"])
    publish(device, events.BatteryStatus(99))
    for celsius in [20, 21, 22]:
        publish(device, events.Temperature(celsius))
    publish(device, events.Touch())
    got = [receiver.next() for _ in range(4)]
    assert [pushed.event.event_type for pushed in got] == ["temperature"] * 3 + ["touch"]
    assert [pushed.event.data.celsius for pushed in got[:3]] == [20, 21, 22]
    assert len({pushed.event.event_id for pushed in got}) == 4
    for pushed in got:
        assert (pushed.labels, pushed.event.device_id) == ({"room": "7"}, device)
        metadata = pushed.get_device_metadata()
        assert (metadata.device_id, metadata.project_id) == (device, PROJECT)
        assert (metadata.device_type, metadata.product_number) == ("temperature", "")
    kept = dt.EventHistory.list_events(device, PROJECT, event_types=TYPES)
    assert [event.raw for event in kept[:4]] == [pushed.event.raw for pushed in reversed(got)]
    # One more shows that nothing else was on its way.
    publish(device, events.Touch())
    assert receiver.next().event.event_id not in {pushed.event.event_id for pushed in got}


def test_a_headers_value_is_sent_and_one_that_is_left_out_is_not_any_more(sdk, receiver):
    device = emulate("touch")
    headers = {"X-Key": "hush", "X-Other": "1"}
    made = dt.DataConnector.create_data_connector(PROJECT, config(receiver.url, headers=headers))

    def sent():
        publish(device, events.Touch())
        headers, _ = receiver.request()
        headers = {name.lower(): value for name, value in headers.items()}
        return headers.get("x-key"), headers.get("x-other"), "x-dt-signature" in headers

    assert sent() == ("hush", "1", True)
    update(made, config=dt.DataConnector.HttpPushConfig(headers={"x-key": ""}))
    assert sent() == ("hush", None, True)


def test_what_is_pushed_is_signed_by_the_secret_and_what_follows_by_the_next(sdk, receiver):
    device = emulate("touch")
    made = create(receiver)
    publish(device, events.Touch())
    headers, body = receiver.request()
    other = SECRET[::-1]
    for altered, secret in [(body, other), (body + b" ", SECRET)]:
        with pytest.raises(errors.ConfigurationError):
            verified(headers, altered, secret)
    assert verified(headers, body).event.device_id == device
    update(made, config=dt.DataConnector.HttpPushConfig(signature_secret=other))
    publish(device, events.Touch())
    assert verified(*receiver.request(), other).event.device_id == device


def test_what_is_not_signed_has_no_signature(sdk, receiver):
    dt.DataConnector.create_data_connector(PROJECT, config(receiver.url, signature_secret=""))
    publish(emulate("touch"), events.Touch())
    headers, _ = receiver.request()
    assert "x-dt-signature" not in {name.lower() for name in headers}


def test_what_a_receiver_fails_at_comes_again(sdk, receiver):
    made = create(receiver)
    receiver.fail(500, 503)
    device = emulate("temperature")
    publish(device, events.Temperature(20))
    publish(device, events.Temperature(21))
    got = [receiver.next() for _ in range(4)]
    assert [pushed.event.data.celsius for pushed in got] == [20, 20, 20, 21]
    assert len({pushed.event.event_id for pushed in got}) == 2
    metrics = dt.DataConnector.get_metrics(made.data_connector_id, PROJECT)
    # What came last may not be counted yet.
    assert metrics.success_count in (1, 2) and metrics.error_count == 2


def test_what_comes_while_a_connector_is_disabled_is_not_pushed_later(sdk, receiver):
    made = create(receiver)
    device = emulate("temperature")
    publish(device, events.Temperature(20))
    assert receiver.next().event.data.celsius == 20
    assert update(made, status="USER_DISABLED").status == "USER_DISABLED"
    publish(device, events.Temperature(21))
    assert update(made, status="ACTIVE").status == "ACTIVE"
    publish(device, events.Temperature(22))
    assert receiver.next().event.data.celsius == 22


def test_a_sync_pushes_the_latest_event_of_each_type_of_each_device(sdk, receiver):
    kitchen, hall = emulate("temperature", {"name": "kitchen"}), emulate("touch")
    for device, event in [
        (kitchen, events.Temperature(20)),
        (kitchen, events.Temperature(21)),
        (kitchen, events.Touch()),
        (hall, events.Touch()),
    ]:
        publish(device, event)
    made = create(receiver, labels=["name"])
    dt.DataConnector.sync_data_connector(made.data_connector_id, PROJECT)
    got = [receiver.next() for _ in range(3)]
    told = {(pushed.event.device_id, pushed.event.event_type): pushed for pushed in got}
    assert told.keys() == {(kitchen, "temperature"), (kitchen, "touch"), (hall, "touch")}
    assert told[kitchen, "temperature"].event.data.celsius == 21
    assert [told[key].labels for key in [(kitchen, "touch"), (hall, "touch")]] == [{"name": "kitchen"}, {}]


@pytest.fixture
def command_line(guarded_server, administrator, tmp_path):
    """Runs the vendor's command line, and returns what it prints, line by line."""
    account = {"keyId": administrator["key_id"], "secret": administrator["secret"], "email": administrator["email"]}
    account |= {"algorithm": "HS256", "tokenEndpoint": f"{guarded_server.url}/oauth2/token"}
    file = tmp_path / "account.json"
    file.write_text(json.dumps({"serviceAccount": account}))
    # It has no option for the address.
    program = f"import disruptive, dtcli; disruptive.base_url = {base_url(guarded_server)!r}; dtcli.cli.entry_point()"

    def run(*asked):
        command = [sys.executable, "-c", program, "data-connector", *asked]
        environment = os.environ | {"DT_CREDENTIALS_FILE": str(file), "HOME": str(tmp_path)}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.splitlines()

    return run


def test_the_command_line_lists_counts_and_syncs(sdk, receiver, command_line):
    device = emulate("touch")
    publish(device, events.Touch())
    made = create(receiver, display_name="first")
    [listed] = command_line("list", PROJECT, "--json")
    assert json.loads(listed) == made.raw
    command_line("sync", made.data_connector_id, PROJECT)
    assert receiver.next().event.device_id == device
    [counted] = command_line("metrics", made.data_connector_id, PROJECT, "--json")
    assert json.loads(counted)["metrics"]["errorCount"] == 0
