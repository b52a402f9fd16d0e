"""What the tests share."""

import pytest

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
