"""The server does what its own description says: schemathesis makes requests out of it, right ones and wrong ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server import Server, init

HERE = Path(__file__).parent

# Every check that the tool has; those of whole stories are about their phase, which is not run.
ARGUMENTS = ["--checks", "all", "--phases", "examples,coverage,fuzzing", "--request-timeout", "20", "--no-color"]


# Connectors push to a port of this machine at which nobody listens: that is known at once, and no other machine is called.
PUSHING = ["--push-allow-network", "127.0.0.0/8"]


def started(server):
    server.options += PUSHING
    server.start()
    yield server
    server.close()


@pytest.fixture
def server(tmp_path):
    yield from started(Server(tmp_path / "data"))


@pytest.fixture
def guarded_server(tmp_path):
    folder = tmp_path / "data"
    yield from started(Server(folder, init(folder)))


def schemathesis(server, folder, form, *arguments):
    environment = os.environ | {"PYTHONPATH": str(HERE), "FEEDWIRE_FORM": form}
    program = [Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml"]
    command = [*program, "run", f"{server.url}/openapi.json", *ARGUMENTS, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout, done.stdout + done.stderr


# Where nobody is asked who they are, there are no credentials; who deletes a project needs the token of a first answer; and what
# is sent to members does not end by itself.
NOT_OPEN = ["--exclude-operation-id-regex", "Credential|deleteProject|joinStream"]


def test_every_operation_does_what_is_described(server, tmp_path):
    server.publish(range(3))
    schemathesis(server, tmp_path, "page", *NOT_OPEN)


def test_every_operation_of_a_server_that_asks_who_calls_does_what_is_described(guarded_server, tmp_path):
    guarded_server.publish(range(3))
    proof = f"Authorization: Bearer {guarded_server.token}"
    # A token is had for a secret, which cannot be made up.
    needless = ["--exclude-operation-id-regex", "deleteProject|getToken|joinStream"]
    schemathesis(guarded_server, tmp_path, "page", "--header", proof, *needless)


FORMS = [
    ("array", "application/cloudevents-batch+json"),
    ("stream", "text/event-stream"),
    ("stream", "application/x-ndjson"),
]


@pytest.mark.parametrize(("form", "accept"), FORMS, ids=[accept for _, accept in FORMS])
def test_other_forms_of_reading_are_what_is_described(server, tmp_path, form, accept):
    server.publish(range(3))
    schemathesis(server, tmp_path, form, "--include-operation-id", "read", "--header", f"Accept: {accept}")


def test_events_in_binary_mode_are_taken_as_described(server, tmp_path):
    schemathesis(server, tmp_path, "binary", "--include-operation-id", "publish")


def test_members_of_a_stream_are_sent_what_is_described(server, tmp_path):
    server.publish(range(3))
    # Whoever went away without a word has its place until the next heartbeat.
    server.settle("POST", "streams", {"name": "joined", "members_max": 64, "heartbeat": "1s", "max_deliveries": None})
    schemathesis(server, tmp_path, "page", "--include-operation-id", "joinStream")
