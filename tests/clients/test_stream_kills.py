"""A stream whose members and whose server are killed at random: every event arrives, in order, and comes again only near a cut.

It takes some seconds; FEEDWIRE_KILL_SECONDS has it take longer, and FEEDWIRE_KILL_SEED has it do the same again.
"""

import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
from pathlib import Path

import pytest

MEMBER = str(Path(__file__).parent / "stream_member.py")
SECONDS = float(os.environ.get("FEEDWIRE_KILL_SECONDS", "12"))
SUBJECTS = 24
ACK_TIMEOUT = 4
# Checkpoints are written once a second; a busy machine takes its time.
WRITTEN_WITHIN = 5
# A cut is felt until what was out has come again and was looked at.
FELT_FOR = ACK_TIMEOUT + 10


class Members:
    """Processes that are members, each killed and replaced now and then."""

    def __init__(self, url, mode):
        self.command = [sys.executable, MEMBER, url, mode]
        self.told = queue.SimpleQueue()
        self.processes = [self._begin() for _ in range(3)]

    def _begin(self):
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    def _listen(self, process):
        for line in process.stdout:
            # What was cut off within a line was never told.
            if line.endswith("\n"):
                self.told.put(json.loads(line))

    def replace(self, index):
        self.processes[index].kill()
        self.processes[index].wait()
        self.processes[index] = self._begin()

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


class Publisher(threading.Thread):
    """Publishes numbered events of each subject, each until it is answered."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.published = []
        self.is_over = threading.Event()

    def run(self):
        for number in range(1_000_000):
            for subject in range(SUBJECTS):
                if self.is_over.is_set():
                    return
                event = {"id": f"{subject}-{number}", "type": "t", "subject": f"s{subject}"}
                while not self._answered(event):
                    time.sleep(0.05)
                self.published.append(event["id"])

    def _answered(self, event):
        try:
            self.server.settle("POST", "feeds/orders/events", event)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True


@pytest.mark.parametrize("mode", ["explicit", "delivered"])
def test_every_event_arrives_whoever_is_killed(server, mode):
    seed = int(os.environ.get("FEEDWIRE_KILL_SEED", random.randrange(1 << 32)))
    print(f"FEEDWIRE_KILL_SEED={seed}")
    chance = random.Random(seed)
    settings = {"name": "s", "mode": mode, "heartbeat": "1s", "ack_timeout": f"{ACK_TIMEOUT}s"}
    server.settle("POST", "streams", settings | {"max_deliveries": None})
    url = f"{server.url}/v1/projects/default/streams/s"
    members, publisher = Members(url, mode), Publisher(server)
    publisher.start()
    cuts, kills = [], []
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.2, 1.5))
            cuts.append(time.monotonic())
            if chance.random() < 0.3:
                kills.append(time.monotonic())
                server.stop(signal.SIGKILL)
                server.start()
            else:
                members.replace(chance.randrange(3))
            cuts.append(time.monotonic())
        publisher.is_over.set()
        publisher.join(timeout=30)
        told = settled(server, members, publisher.published)
    finally:
        members.close()
    check(told, publisher.published, mode, cuts, kills)


def settled(server, members, published):
    """Waits until every event was seen and nothing is left to settle; returns what was told, by time."""
    told, seen = [], set()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            told.append(members.told.get(timeout=0.5))
            seen.add(told[-1].get("seen"))
        except queue.Empty:
            lag = server.settle("GET", "streams/s")["lag"]["events"]
            if seen >= set(published) and lag == 0:
                return sorted(told, key=lambda line: line["at"])
    missing = sorted(set(published) - seen)
    pytest.fail(f"{len(missing)} events never came, such as {missing[:5]}, or the stream does not settle")


def check(told, published, mode, cuts, kills):
    first, acknowledged, repeats = {}, {}, 0
    for line in told:
        at, event = line["at"], line.get("seen")
        for done in line.get("acknowledged", ()):
            acknowledged[done] = at
        if event is None:
            continue
        if event in first:
            repeats += 1
            assert any(cut <= at <= cut + FELT_FOR for cut in cuts), f"{event} came again far from any cut"
        first.setdefault(event, at)
        if event in acknowledged and at > acknowledged[event]:
            done = acknowledged[event]
            is_cut = any(kill <= done + WRITTEN_WITHIN and done - 1 <= kill <= at for kill in kills)
            assert is_cut, f"{event} was acknowledged at {done} and came again at {at}"
        subject, number = event.split("-")
        before = f"{subject}-{int(number) - 1}"
        assert number == "0" or before in first, f"{event} came before {before}"
    assert set(published) <= set(first)
    print(f"{len(published)} events, {repeats} of them again, {len(cuts) // 2} cuts, {len(kills)} of the server")
