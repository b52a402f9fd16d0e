"""Entities that are put, patched and deleted while the server is killed: what is there is what the changes say, and what was answered.

FEEDWIRE_KILLS has it be killed more often, and FEEDWIRE_KILL_SEED has it do the same again.
"""

import os
import queue
import random
import signal
import threading
import time
import urllib.error

KILLS = int(os.environ.get("FEEDWIRE_KILLS", "6"))
# How many changes are answered between two kills, at most.
BETWEEN = 150
WRITERS = 4
FEED = "things"


class Writer(threading.Thread):
    """Changes entities of its own and one that all writers share, each change until it is answered."""

    def __init__(self, server, index, seed, answered):
        super().__init__(daemon=True)
        self.server = server
        self.own = [f"{index}-{number}" for number in range(5)]
        self.chance = random.Random(seed + index)
        self.answered = answered
        self.states = {}
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.is_set():
            subject = self.chance.choice([*self.own, "shared"])
            method, body = self._change()
            while not self._is_answered(method, subject, body):
                time.sleep(0.02)
            if subject != "shared":
                self._note(subject, method, body)
            self.answered.put(subject)

    def _change(self):
        number = self.chance.randrange(4)
        kinds = {
            "PUT": {"data": {"n": number, "inner": {"m": number % 2}}},
            "PATCH": {"data": {"n": self.chance.choice([None, number]), "inner": {"k": number}}},
            "DELETE": None,
        }
        method = self.chance.choices(list(kinds), [6, 4, 1])[0]
        return method, kinds[method]

    def _is_answered(self, method, subject, body):
        try:
            self.server.settle(method, f"feeds/{FEED}/entities/{subject}", body)
        except urllib.error.HTTPError:
            raise
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def _note(self, subject, method, body):
        match method:
            case "PUT":
                self.states[subject] = body["data"]
            case "PATCH":
                self.states[subject] = merged(self.states.get(subject), body["data"])
            case "DELETE":
                self.states.pop(subject, None)


def merged(target, patch):
    """A merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def test_what_is_there_is_what_was_answered_whenever_the_server_is_killed(server):
    seed = int(os.environ.get("FEEDWIRE_KILL_SEED", random.randrange(1 << 32)))
    print(f"FEEDWIRE_KILL_SEED={seed}")
    chance, answered = random.Random(seed), queue.SimpleQueue()
    writers = [Writer(server, index, seed, answered) for index in range(WRITERS)]
    for writer in writers:
        writer.start()
    loads = []
    for _ in range(KILLS):
        for _ in range(chance.randrange(1, BETWEEN)):
            answered.get(timeout=60)
        loads.append(server.settle("POST", f"feeds/{FEED}/loads", {})["id"])
        server.stop(signal.SIGKILL)
        server.start()
    for writer in writers:
        writer.is_over.set()
    for writer in writers:
        writer.join(timeout=60)
    present = listed(server)
    assert present == folded(server)
    own = {subject: state for writer in writers for subject, state in writer.states.items()}
    assert {subject: state for subject, (_, state) in present.items() if subject != "shared"} == own
    assert told_first(server) == present
    for load in loads:
        check_load(server, load)


def listed(server):
    """The states that are there, and where their last changes are."""
    page = server.settle("GET", f"feeds/{FEED}/entities?limit=1000")
    return {entity["subject"]: (entity["position"], entity["data"]) for entity in page["entities"]}


def events(server, feed, start):
    """The events of a feed, page by page."""
    while True:
        page = server.settle("GET", f"feeds/{feed}?{start}&limit=1000")
        yield from page["events"]
        if not page["has_more"]:
            return
        start = f"after={page['cursor']}"


def apply(states, event):
    """Has `states` be what they are with `event`."""
    subject, before = event["subject"], states.get(event["subject"])
    match event["type"]:
        case "create" | "load":
            states[subject] = (event["position"], event["data"])
        case "update":
            states[subject] = (event["position"], merged(before[1], event["data"]))
        case "delete":
            states.pop(subject, None)


def folded(server):
    """What the changes make of the entities."""
    states = {}
    for event in events(server, FEED, "from=start"):
        is_there = event["subject"] in states
        assert is_there == (event["type"] != "create"), event
        apply(states, event)
    return states


def told_first(server):
    """What whoever begins with the states makes of them."""
    states = {}
    for event in events(server, FEED, "from=state"):
        if event["type"] == "load" or event["position"] > states.get(event["subject"], (0,))[0]:
            apply(states, event)
    return states


def check_load(server, load):
    """A job that was cut off by a kill is done in the end, and has told each entity once."""
    end = time.monotonic() + 60
    while (job := server.settle("GET", f"loads/{load}"))["phase"] in ("waiting", "running"):
        assert time.monotonic() < end, job
        time.sleep(0.05)
    assert job["phase"] == "done", job
    told = [event for event in events(server, f"_load.{FEED}", "from=start") if event["id"].startswith(load)]
    subjects = [event["subject"] for event in told]
    assert len(set(subjects)) == len(subjects) == job["written"], job
    assert subjects == sorted(subjects)
