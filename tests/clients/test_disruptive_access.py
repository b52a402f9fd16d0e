"""The vendor's own client says who asks, raises what it has for each refusal, of requests and of streams, and waits as it is told."""

import json

import disruptive as dt
import pytest
import requests
from disruptive import errors

from disruptive_sdk import (
    CELLAR,
    PROJECT,
    SECONDS,
    STREAM_ENDED,
    Stream,
    base_url,
    emulate,
    events,
    follow,
    publish,
    service_account,
)

READ = [{"project": PROJECT, "rights": ["read"]}]


@pytest.fixture
def made(guarded_server, sdk):
    """Makes a credential, and returns it with who has it."""

    def made(**credential):
        credential = guarded_server.settle("POST", "credentials", {"grants": READ} | credential)
        return credential, service_account(guarded_server, credential)

    return made


def first_event(project=PROJECT, **asked):
    """Waits for the first event of a stream."""
    # It tries everything but a 401 again, a second later each time.
    return next(events(project, request_attempts=1, **asked))


def every_kind_of_request(auth):
    return [
        lambda: dt.Device.get_device("none", PROJECT, auth=auth),
        lambda: dt.Device.list_devices(PROJECT, auth=auth),
        lambda: dt.EventHistory.list_events("none", PROJECT, auth=auth),
        lambda: dt.Device.set_label("none", PROJECT, "room", "7", auth=auth),
        lambda: dt.Project.list_projects(auth=auth),
        lambda: dt.Emulator.create_device(PROJECT, "touch", labels={}, auth=auth),
        lambda: first_event(auth=auth),
    ]


def test_a_file_with_the_credential_is_enough_for_the_client(guarded_server, administrator, sdk, tmp_path, monkeypatch):
    names = {"keyId": "key_id", "secret": "secret", "email": "email"}
    account = {name: administrator[member] for name, member in names.items()}
    account |= {"algorithm": "HS256", "tokenEndpoint": f"{guarded_server.url}/oauth2/token"}
    file = tmp_path / "account.json"
    file.write_text(json.dumps({"serviceAccount": account}))
    monkeypatch.setenv("DT_CREDENTIALS_FILE", str(file))
    device = emulate("touch")
    assert dt.Device.get_device(device, auth=dt.Auth.init()).device_id == device


@pytest.mark.parametrize("wrong", ["key_id", "secret", "email"])
def test_credentials_that_are_none_are_unauthorized(guarded_server, administrator, sdk, wrong):
    auth = service_account(guarded_server, administrator | {wrong: "another"})
    for request in every_kind_of_request(auth):
        with pytest.raises(errors.Unauthorized):
            request()


def test_a_credential_that_is_revoked_is_unauthorized_although_its_token_has_not_expired(guarded_server, made):
    credential, auth = made(grants=[{"project": PROJECT, "rights": ["admin"]}])
    assert dt.Device.list_devices(PROJECT, auth=auth) == []
    guarded_server.settle("DELETE", f"credentials/{credential['key_id']}")
    for request in every_kind_of_request(auth):
        with pytest.raises(errors.Unauthorized) as refused:
            request()
        # It is of the request that was made: there was no need for another token.
        [told] = refused.value.args
        assert (told["code"], told["help"]) == (401, "https://docs.d21s.com/error/#401")


def test_a_stream_whose_credential_is_revoked_ends_and_whoever_comes_back_is_unauthorized(guarded_server, made, sdk):
    credential, auth = made()
    device = emulate("touch")
    stream = follow(sdk, auth=auth)
    publish(device, dt.events.Touch())
    assert stream.next().device_id == device
    guarded_server.settle("DELETE", f"credentials/{credential['key_id']}")
    with pytest.raises(errors.Unauthorized):
        stream.next()
    assert sdk.errors[0] == STREAM_ENDED


def test_what_is_not_granted_is_forbidden(made):
    device = emulate("touch")
    _, auth = made()
    assert dt.Device.get_device(device, PROJECT, auth=auth).device_id == device
    asked = [
        lambda: dt.Device.set_label(device, PROJECT, "room", "7", auth=auth),
        lambda: dt.Device.transfer_devices([device], PROJECT, PROJECT, auth=auth),
        lambda: dt.Emulator.create_device(PROJECT, "touch", labels={}, auth=auth),
        lambda: dt.Emulator.publish_event(device, PROJECT, dt.events.Touch(), auth=auth),
        lambda: dt.Emulator.delete_device(device, PROJECT, auth=auth),
        lambda: dt.Device.get_device(device, CELLAR, auth=auth),
        lambda: dt.Device.list_devices(CELLAR, auth=auth),
        lambda: dt.EventHistory.list_events(device, CELLAR, auth=auth),
        lambda: dt.Project.get_project(CELLAR, auth=auth),
        lambda: first_event(CELLAR, auth=auth),
    ]
    for request in asked:
        with pytest.raises(errors.Forbidden) as refused:
            request()
        assert refused.value.args[0]["code"] == 403


def test_a_device_that_is_not_granted_is_not_seen(guarded_server, made):
    one, other = emulate("touch"), emulate("touch")
    _, auth = made(grants=[READ[0] | {"subjects": [one]}])
    assert [device.device_id for device in dt.Device.list_devices(PROJECT, auth=auth)] == [one]
    assert dt.Device.get_device(one, auth=auth).device_id == one
    with pytest.raises(errors.Forbidden):
        dt.Device.get_device(other, PROJECT, auth=auth)
    with pytest.raises(errors.NotFound):
        dt.Device.get_device(other, auth=auth)


def test_what_is_not_there_is_not_found(sdk):
    none = "default.none"
    asked = [
        lambda: dt.Device.get_device("none", PROJECT),
        lambda: dt.Device.get_device("none"),
        lambda: dt.Device.list_devices(none),
        lambda: dt.Device.set_label("none", none, "room", "7"),
        lambda: dt.Device.transfer_devices(["none"], PROJECT, none),
        lambda: dt.Emulator.create_device(none, "touch", labels={}),
        lambda: dt.EventHistory.list_events("none", PROJECT),
        lambda: dt.Emulator.publish_event("none", PROJECT, dt.events.Touch()),
        lambda: dt.Emulator.delete_device("none", PROJECT),
        lambda: dt.Project.get_project(none),
        lambda: first_event(none),
    ]
    for request in asked:
        with pytest.raises(errors.NotFound) as refused:
            request()
        assert refused.value.args[0]["code"] == 404


def test_a_stream_that_cannot_be_meant_is_a_bad_request(sdk):
    with pytest.raises(errors.BadRequest) as refused:
        first_event(event_types=["_hidden"])
    assert "event_types" in refused.value.args[0]["error"]["message"]


def too_many(log):
    return [told for told in log.errors if isinstance(told, dict) and told.get("code") == 429]


def test_more_requests_than_there_may_be_are_made_when_it_is_said(made, sdk):
    device = emulate("touch")
    _, auth = made(limits={"requests_per_second": 1})
    # They take less than a second each, so that one of the first few is too many.
    for _ in range(20):
        assert dt.Device.get_device(device, PROJECT, auth=auth).device_id == device
        if sdk.waits:
            break
    # It was told to wait and did; nobody else noticed.
    assert sdk.waits and set(sdk.waits) == {"Reconnecting in 1s."}
    assert len(too_many(sdk)) == len(sdk.waits)


def test_more_streams_than_there_may_be_are_told_and_come_back_when_there_is_room(guarded_server, made, sdk):
    device = emulate("touch")
    _, auth = made(limits={"readers": 1})
    url = f"{base_url(guarded_server)}/projects/{PROJECT}/devices:stream"
    proof = {"Authorization": auth.get_token()}
    with requests.get(url, headers=proof, stream=True, timeout=SECONDS) as first:
        assert first.status_code == 200
        second = Stream(auth=auth, request_attempts=5)
        sdk.await_error()
    sdk.await_open()
    publish(device, dt.events.Touch())
    assert second.next().device_id == device
    assert sdk.errors == too_many(sdk)
