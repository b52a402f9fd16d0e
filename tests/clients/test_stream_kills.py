"""A stream whose members and whose server are killed at random: every event arrives, in order, and comes again only near a cut.

It takes some seconds; `cargo xtask soak streams` has it take minutes. FEEDWIRE_KILL_SEED has it do the same again.
"""

import http.client
import json
import os
import queue
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
from datetime import datetime
from pathlib import Path

import pytest

from stream_trace import Sight, TakenBack, Trace

MEMBER = str(Path(__file__).parent / "stream_member.py")
SECONDS = float(os.environ.get("FEEDWIRE_KILL_SECONDS", "10"))
# How each member acknowledges.
WAYS = {"explicit": ["receipts", "through", "receipts"], "delivered": ["delivered"] * 3}
PUBLISHERS = 3
SUBJECTS = 40
BATCH = 20
# What is published and was not seen, at most: the members are to come to the tail now and then.
UNSEEN_MAX = 20_000
HEARTBEAT = 1
ACK_TIMEOUT = 4
# A stream that does not settle so long after the last cut never does.
SETTLED_WITHIN = 120


class Members:
    """Processes that are members, each killed and replaced now and then; writes into the trace what they tell."""

    def __init__(self, url, mode, chance, trace):
        self.url, self.ways, self.chance, self.trace = url, WAYS[mode], chance, trace
        self.told = queue.SimpleQueue()
        self.seen = set()
        self.made = 0
        self.connections = {}
        self.read_at = {}
        self.killed_at = {}
        self.processes = [self._begin(way) for way in self.ways]

    def _begin(self, way):
        command = [sys.executable, MEMBER, self.url, way, str(self.chance.randrange(1 << 32))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        name = self.made
        self.made += 1
        threading.Thread(target=self._listen, args=(name, process), daemon=True).start()
        return name, process

    def _listen(self, name, process):
        for line in process.stdout:
            # What was cut off within a line was never told.
            if line.endswith("\n"):
                self.told.put((name, json.loads(line)))
        # Behind what was still in the pipe.
        self.told.put((name, {"at": self.killed_at.get(name, time.monotonic()), "ended": True}))

    def replace(self, index):
        name, process = self.processes[index]
        self.killed_at[name] = time.monotonic()
        process.kill()
        process.wait()
        self.processes[index] = self._begin(self.ways[index])

    def listen(self, seconds):
        """Writes down what is told in so long a time."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            try:
                self._write_down(*self.told.get(timeout=rest))
            except queue.Empty:
                return

    def _write_down(self, name, told):
        at, trace = told["at"], self.trace
        connection = name, self.connections.get(name, 0)
        for receipt, subject in told.get("seen", ()):
            partition, _, position = map(int, receipt.split("."))
            trace.sights.append(Sight(at, position, partition, subject, connection))
            self.seen.add(position)
            self.read_at[connection] = at
        for receipt in told.get("acknowledged", ()):
            trace.acknowledged[int(receipt.split(".")[2])].append(at)
        if "began" in told:
            trace.begins[connection] = at
        if "ended" in told:
            # A process reads on until it is dead, which is a moment after it was killed.
            trace.ends[connection] = max(at, self.read_at.get(connection, at))
            self.connections[name] = connection[1] + 1

    def close(self):
        for _, process in self.processes:
            process.kill()
            process.wait()


class Publisher(threading.Thread):
    """Publishes events of its own subjects, in batches, each until it is answered; writes into the trace where they are."""

    def __init__(self, server, name, trace, members, seed):
        super().__init__(daemon=True)
        self.server, self.name, self.trace, self.members = server, name, trace, members
        self.chance = random.Random(seed)
        self.is_over = threading.Event()

    def run(self):
        number = 0
        # A wait, which ends with the test.
        while not self.is_over.wait(0.005):
            if len(self.trace.published) - len(self.members.seen) > UNSEEN_MAX:
                continue
            subjects = [f"{self.name}-{self.chance.randrange(SUBJECTS)}" for _ in range(BATCH)]
            batch = [{"id": f"{number + at}", "type": "t", "subject": subject} for at, subject in enumerate(subjects)]
            number += BATCH
            first = self._publish(batch)
            self.trace.published.update((first + at, subject) for at, subject in enumerate(subjects))

    def _publish(self, batch):
        # What is published already is known by its ids, and answered as it was.
        while True:
            try:
                return self.server.settle("POST", "feeds/orders/events", batch)["first"]
            except (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException):
                time.sleep(0.02)


@pytest.mark.parametrize("mode", ["explicit", "delivered"])
def test_every_event_arrives_whoever_is_killed(logged_server, mode):
    server = logged_server
    seed = int(os.environ.get("FEEDWIRE_KILL_SEED", random.randrange(1 << 32)))
    print(f"FEEDWIRE_KILL_SEED={seed}")
    chance = random.Random(seed)
    settings = {"name": "s", "mode": mode, "heartbeat": f"{HEARTBEAT}s"}
    if mode == "explicit":
        settings |= {"ack_timeout": f"{ACK_TIMEOUT}s", "max_deliveries": None}
    server.settle("POST", "streams", settings)
    trace = Trace(mode == "explicit", HEARTBEAT, ACK_TIMEOUT)
    members = Members(f"{server.url}/v1/projects/default/streams/s", mode, chance, trace)
    seeds = [chance.randrange(1 << 32) for _ in range(PUBLISHERS)]
    publishers = [Publisher(server, f"p{at}", trace, members, seed) for at, seed in enumerate(seeds)]
    for publisher in publishers:
        publisher.start()
    try:
        kill_at_random(server, members, trace, chance)
        for publisher in publishers:
            publisher.is_over.set()
        for publisher in publishers:
            publisher.join()
        settle(server, members, trace)
    finally:
        members.close()
    trace.taken_back = list(taken_back(server.log))
    faults, said = trace.judge()
    said |= {"taken back": len(trace.taken_back)}
    said |= {"kills": len(trace.kills), "ends of connections": len(trace.ends)}
    print(f"{mode}: {json.dumps(said)}")
    assert not faults, f"{len(faults)} faults: {faults[:10]}"


def taken_back(log):
    """What the server says that it took back, as its members were too slow."""
    ahead = time.time() - time.monotonic()
    for line in log.read_text().splitlines():
        # Of a member that held no partition nothing comes again.
        positions = re.search(r" after=(\d+) through=(\d+)", line)
        if "comes again" in line and positions:
            at = datetime.fromisoformat(line.split(maxsplit=1)[0]).timestamp() - ahead
            yield TakenBack(at, *map(int, positions.groups()))


def kill_at_random(server, members, trace, chance):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        members.listen(chance.uniform(0.2, 1.5))
        if chance.random() < 0.3:
            trace.kills.append(time.monotonic())
            server.stop(signal.SIGKILL)
            server.start()
        else:
            members.replace(chance.randrange(3))


def settle(server, members, trace):
    """Waits until every event was seen and nothing is left to settle."""
    end = time.monotonic() + SETTLED_WITHIN
    lag = None
    while time.monotonic() < end:
        members.listen(0.5)
        lag = server.settle("GET", "streams/s")["lag"]
        if members.seen >= trace.published.keys() and lag["events"] == 0:
            return
    missing = sorted(trace.published.keys() - members.seen)
    pytest.fail(f"{len(missing)} events never came, such as {missing[:5]}, or the stream does not settle: {lag}")
