"""What the tests share."""

import pytest

from serialized_client import SerializedClient
from server import Server, init


@pytest.fixture
def guarded_server(tmp_path):
    """One that asks who calls; its own proof is good for everything."""
    folder = tmp_path / "data"
    server = Server(folder, init(folder))
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
def serialized(guarded_server):
    """Where Serialized's API is, and the keys of who may do everything there and in its tenants."""
    grants = [{"project": project, "rights": ["admin"]} for project in ["default", "default.*"]]
    made = guarded_server.settle("POST", "credentials", {"grants": grants})
    return f"{guarded_server.url}/serialized", (made["key_id"], made["secret"])


@pytest.fixture
def client(serialized):
    """The vendor's own client of that."""
    client = SerializedClient(*serialized)
    yield client
    client.close()
