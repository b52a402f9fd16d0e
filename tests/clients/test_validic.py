"""Clients that the vendor names read a stream of Validic's API, through restarts of the server: every record arrives, in order."""

import json
import signal
import subprocess

import pytest
import requests

import validic_consumers as consumers
from steps import Steps


def make(server, **members):
    """Makes a stream, and returns its id."""
    answer = requests.post(f"{server.url}/validic/streams", json={"name": "one"} | members, headers=server.proof(), timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def address(server, stream):
    return f"{server.url}/validic/streams/{stream}/connect"


def record(server, numbers, user="u1"):
    """Publishes a summary for each number."""
    for number in numbers:
        data = {"id": f"{user}-{number}", "number": number, "user": {"user_id": user}}
        server.settle("POST", "feeds/data/events", {"type": "summary", "subject": user, "data": data})


def records(steps, numbers):
    """Takes events until all `numbers` were there; returns them as they came first, each once."""
    seen = []
    while not set(numbers) <= set(seen):
        name, data = steps.next()
        if name == "data" and data["number"] not in seen:
            seen.append(data["number"])
    return seen


@pytest.mark.parametrize("consumer", [*consumers.LIBRARIES, consumers.quickstart], ids=lambda consumer: consumer.__name__)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["restarted", "killed"])
def test_every_record_arrives_in_order_while_the_server_is(server, consumer, how):
    url = address(server, make(server))
    record(server, range(10))
    steps = Steps(lambda: consumer(url))
    assert records(steps, range(10)) == list(range(10))
    record(server, range(10, 20))
    server.stop(how)
    server.start()
    record(server, range(20, 30))
    assert [number for number in records(steps, range(10, 30)) if number >= 10] == list(range(10, 30))


@pytest.mark.parametrize("consumer", consumers.LIBRARIES, ids=lambda consumer: consumer.__name__)
def test_there_is_a_poke_at_once_that_tells_how_many_connections_there_are(server, consumer):
    stream = make(server)
    name, poke = Steps(lambda: consumer(address(server, stream))).next()
    assert name == "poke"
    assert poke["stream"] == stream
    assert poke["members"] == {"count": 1, "max": 3}


@pytest.mark.parametrize("consumer", consumers.LIBRARIES, ids=lambda consumer: consumer.__name__)
def test_two_connections_share_what_there_is(server, consumer):
    url = address(server, make(server))
    one, other = Steps(lambda: consumer(url)), Steps(lambda: consumer(url))
    # Both are there.
    for steps in (one, other):
        assert steps.next()[0] == "poke"
    users = [f"u{number}" for number in range(40)]
    for user in users:
        record(server, [0], user)
    seen = []
    for steps in (one, other):
        shown = set()
        # Pokes come while there is nothing else: what there was is there by the second.
        pokes = 0
        while pokes < 2:
            name, data = steps.next()
            pokes += name == "poke"
            if name == "data":
                shown.add(data["id"])
        seen.append(shown)
    assert seen[0] and seen[1] and not seen[0] & seen[1]
    assert len(seen[0] | seen[1]) == len(users)


def test_curl_makes_and_reads_as_the_pages_say(guarded_server):
    token = guarded_server.token
    api = f"{guarded_server.url}/validic"

    def curl(*arguments):
        return subprocess.run(["curl", "-sS", *arguments], check=True, capture_output=True, text=True, timeout=30).stdout

    made = curl("-X", "POST", f"{api}/streams?token={token}", "-H", "Content-Type: application/json", "-d", '{"name":"one"}')
    stream = json.loads(made)["id"]
    listed = json.loads(curl(f"{api}/streams?token={token}"))
    assert [told["id"] for told in listed["streams"]] == [stream]
    record(guarded_server, range(3))
    replayed = curl(f"{api}/replay?token={token}&resources=summary,sleep&event_types=data")
    assert replayed.count("event: data\ndata: {") == 3
    command = ["curl", "-sSN", f"{api}/streams/{stream}/connect?token={token}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            names = []
            while names.count("event: data\n") < 3:
                names += [line for line in [process.stdout.readline()] if line.startswith("event: ")]
        finally:
            process.kill()
    assert names[0] == "event: poke\n"
    assert json.loads(curl(f"{api}/streams?token=none"))["errors"] == ["Invalid authentication credentials"]
