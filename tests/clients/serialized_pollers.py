"""Who polls feeds of Serialized's API, and who writes meanwhile."""

import json
import subprocess
import threading
import uuid
from collections import defaultdict
from pathlib import Path

import requests

PROGRAM = Path(__file__).parent / "serialized_pollers.mjs"
SECONDS = 60
KEY_HEADERS = ["Serialized-Access-Key", "Serialized-Secret-Access-Key"]
AGGREGATES = 3


def poller(feed, *query, jumps=False):
    """What `serialized_pollers.mjs` takes."""
    return {"feed": feed, "query": query, "jumps": jumps}


class Pollers:
    """Pollers, each by its name, that poll until they are asked what they have seen."""

    def __init__(self, url, keys, pollers):
        command = ["node", str(PROGRAM), url, *keys, json.dumps(pollers)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "polling\n"

    def seen(self):
        """All entries that each has seen; to be asked when all is written."""
        try:
            told, _ = self.process.communicate(timeout=SECONDS)
        finally:
            self.process.kill()
        assert self.process.returncode == 0
        return json.loads(told)


class Writer:
    """Saves batches of a feed's aggregates, in turn; what was cut off is saved again, and once."""

    def __init__(self, url, keys, feed, batches, half=None):
        """Saves the first batch: a feed without one is not there. `half` is a barrier to meet at half of them."""
        self.url, self.feed, self.batches, self.half = url, feed, batches, half
        self.session = requests.Session()
        self.session.headers.update(zip(KEY_HEADERS, keys))
        self.ids = [str(uuid.uuid4()) for _ in range(AGGREGATES)]
        # By feed and aggregate, the numbers that the events of each batch have.
        self.saved = defaultdict(list)
        self._save(0)
        self.failure = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        """Saves the others on a thread of its own."""
        self.thread.start()

    def _run(self):
        try:
            for number in range(1, self.batches):
                if self.half and 2 * number == self.batches:
                    self.half.wait(SECONDS)
                self._save(number)
        except BaseException as failure:
            self.failure = failure

    def _save(self, number):
        aggregate = self.ids[number % AGGREGATES]
        numbers = [number] * (1 + number % 4)
        events = [{"eventType": "BatchSaved", "data": {"number": number}} for number in numbers]
        self._post(aggregate, {"events": events, "expectedVersion": number // AGGREGATES})
        self.saved[self.feed, aggregate].append(numbers)

    def _post(self, aggregate, batch):
        url, is_again = f"{self.url}/aggregates/{self.feed}/{aggregate}/events", False
        while True:
            try:
                answer = self.session.post(url, json=batch, timeout=SECONDS)
                break
            except requests.ConnectionError:
                is_again = True
        # A conflict with itself: it was saved, and the answer was lost.
        assert answer.status_code == 200 or (is_again and answer.status_code == 409), answer.text

    def join(self):
        self.thread.join(SECONDS)
        if self.failure:
            raise self.failure
        assert not self.thread.is_alive()


def batches(entries):
    """What `entries` say is saved, as writers have it; each is told in its place."""
    numbers = [entry["sequenceNumber"] for entry in entries]
    assert numbers == sorted(set(numbers))
    told = defaultdict(list)
    for entry in entries:
        events = [event["data"]["number"] for event in entry["events"]]
        told[entry["feedName"], entry["aggregateId"]].append(events)
    return told


def all_saved(writers):
    """What the writers have saved, once they are done."""
    for writer in writers:
        writer.join()
    return {place: saved for writer in writers for place, saved in writer.saved.items()}
