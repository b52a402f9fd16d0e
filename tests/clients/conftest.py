"""What the tests share."""

import sys

import disruptive as dt
import pytest

import disruptive_sdk
from serialized_client import SerializedClient
from server import PUSHING, Server, init


@pytest.fixture
def guarded_server(tmp_path):
    """One that asks who calls; its own proof is good for everything."""
    folder = tmp_path / "data"
    server = Server(folder, init(folder))
    server.start()
    yield server
    server.close()


@pytest.fixture
def secure_server(tmp_path):
    """The same over TLS."""
    folder = tmp_path / "data"
    server = Server(folder, init(folder), is_secure=True)
    server.start()
    yield server
    server.close()


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "data")
    server.start()
    yield server
    server.close()


@pytest.fixture
def pushing_server(tmp_path):
    """The same, which may push to this machine."""
    server = Server(tmp_path / "data")
    server.options += PUSHING
    server.start()
    yield server
    server.close()


@pytest.fixture
def logged_server(tmp_path):
    """The same, with a file that it logs to."""
    log = tmp_path / "log"
    server = Server(tmp_path / "data", log=log)
    server.start()
    yield server
    server.close()
    print(log.read_text(), file=sys.stderr)


@pytest.fixture
def administrator(guarded_server):
    """The credential of who may do everything in the default project and below it."""
    grants = [{"project": project, "rights": ["admin"]} for project in ["default", "default.*"]]
    return guarded_server.settle("POST", "credentials", {"grants": grants})


@pytest.fixture
def serialized(guarded_server, administrator):
    """Where Serialized's API is, and the keys of who may do everything there and in its tenants."""
    return f"{guarded_server.url}/serialized", (administrator["key_id"], administrator["secret"])


@pytest.fixture
def client(serialized):
    """The vendor's own client of that."""
    client = SerializedClient(*serialized)
    yield client
    client.close()


@pytest.fixture
def sdk(guarded_server, administrator, monkeypatch):
    """Disruptive Technologies' own client is pointed at the server, as who may do everything; this is what it logs."""
    url = disruptive_sdk.base_url(guarded_server)
    monkeypatch.setattr(dt, "base_url", url)
    monkeypatch.setattr(dt, "emulator_base_url", url)
    monkeypatch.setattr(dt, "default_auth", disruptive_sdk.service_account(guarded_server, administrator))
    # Of its own it gives up after three seconds.
    monkeypatch.setattr(dt, "request_timeout", disruptive_sdk.SECONDS)
    with disruptive_sdk.Log() as log:
        yield log
