"""What the tests share."""

import pytest

from server import Server


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "data")
    server.start()
    yield server
    server.close()
