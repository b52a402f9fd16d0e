"""A server that is killed again and again while it pushes: every event arrives, signed, and in order of its subject.

FEEDWIRE_KILLS has it be killed more often, and FEEDWIRE_KILL_SEED has it do the same again.
"""

import collections
import http.client
import json
import os
import queue
import random
import signal
import threading
import time
import urllib.error

import pytest
from standardwebhooks import Webhook

from receiver import Receiver

KILLS = int(os.environ.get("FEEDWIRE_KILLS", "6"))
# How many requests come between two kills, at most.
BETWEEN = 400
PUBLISHERS = 3
SUBJECTS = 10
BATCH = 10
# How much is published and did not arrive, at most.
AHEAD_MAX = 2_000
# What did not arrive so long after the last kill never does.
ARRIVED_WITHIN = 120


class Flaky(Receiver):
    """Verifies what comes, fails now and then, and holds the order against what it has taken."""

    def __init__(self, secret, seed):
        self.webhook, self.chance = Webhook(secret), random.Random(seed)
        self.lock = threading.Lock()
        self.taken = collections.defaultdict(list)
        self.came = queue.SimpleQueue()
        self.faults = []
        self.repeats = self.failures = 0
        self.is_well = False
        super().__init__()

    def answer(self, headers, body):
        with self.lock:
            try:
                self.webhook.verify(body, {name.lower(): value for name, value in headers.items()})
            except Exception as error:
                self.faults.append(f"not verified: {error}")
            status = self._status()
            told = json.loads(body)
            events = told if isinstance(told, list) else [told]
            self._look(events)
            if status == 200:
                self._take(events)
            else:
                self.failures += 1
        self.came.put(status)
        return status

    def _status(self):
        if self.is_well or self.chance.random() > 0.1:
            return 200
        return self.chance.choice([None, 500, 503, 404])

    def _look(self, events):
        before = {}
        for event in events:
            subject, number = event["subject"], event["data"]["number"]
            next_one = before.get(subject, len(self.taken[subject]))
            # A repeat, or the next in line.
            if number > next_one:
                self.faults.append(f"{subject}: {number} came when {next_one} was to come")
            before[subject] = max(next_one, number + 1)

    def _take(self, events):
        for event in events:
            taken, number = self.taken[event["subject"]], event["data"]["number"]
            if number == len(taken):
                taken.append(number)
            else:
                self.repeats += 1

    def count(self):
        with self.lock:
            return sum(map(len, self.taken.values()))


class Publisher(threading.Thread):
    """Publishes events of its own subjects, each batch until it is answered."""

    def __init__(self, server, name, receiver, seed):
        super().__init__(daemon=True)
        self.server, self.name, self.receiver = server, name, receiver
        self.chance = random.Random(seed)
        self.numbers = collections.Counter()
        self.is_over = threading.Event()

    def run(self):
        # A wait, which ends with the test.
        while not self.is_over.wait(0.005):
            if self.numbers.total() * PUBLISHERS - self.receiver.count() < AHEAD_MAX:
                self._publish([self._event() for _ in range(BATCH)])

    def _event(self):
        subject = f"{self.name}-{self.chance.randrange(SUBJECTS)}"
        number = self.numbers[subject]
        self.numbers[subject] += 1
        return {"id": f"{subject}-{number}", "type": "t", "subject": subject, "data": {"number": number}}

    def _publish(self, batch):
        # What is published already is known by its ids, and answered as it was.
        while True:
            try:
                return self.server.settle("POST", "feeds/orders/events", batch)
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
            except (urllib.error.URLError, ConnectionError, TimeoutError, http.client.HTTPException):
                pass
            time.sleep(0.02)


@pytest.mark.parametrize("mode", ["structured", "batch"])
def test_every_event_arrives_whenever_the_server_is_killed(pushing_server, mode):
    server = pushing_server
    seed = int(os.environ.get("FEEDWIRE_KILL_SEED", random.randrange(1 << 32)))
    print(f"FEEDWIRE_KILL_SEED={seed}")
    chance = random.Random(seed)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    with Flaky(secret, seed) as receiver:
        settings = {"name": "c", "url": receiver.url, "secret": secret, "format": mode}
        settings |= {"retry_first": "10ms", "retry_most": "200ms"}
        server.settle("POST", "connectors", settings)
        publishers = [Publisher(server, f"p{at}", receiver, seed + at) for at in range(PUBLISHERS)]
        for publisher in publishers:
            publisher.start()
        for _ in range(KILLS):
            for _ in range(chance.randrange(1, BETWEEN)):
                receiver.came.get(timeout=60)
            server.stop(signal.SIGKILL)
            server.start()
        for publisher in publishers:
            publisher.is_over.set()
        for publisher in publishers:
            publisher.join(timeout=60)
        receiver.is_well = True
        expected = sum((publisher.numbers for publisher in publishers), collections.Counter())
        end = time.monotonic() + ARRIVED_WITHIN
        while receiver.count() < expected.total() and time.monotonic() < end:
            receiver.came.get(timeout=60)
        said = {"events": expected.total(), "repeats": receiver.repeats, "failures": receiver.failures}
        print(f"{mode}: {json.dumps(said)}")
        arrived = {subject: len(taken) for subject, taken in receiver.taken.items()}
        assert arrived == dict(expected)
        assert not receiver.faults, f"{len(receiver.faults)} faults: {receiver.faults[:10]}"
