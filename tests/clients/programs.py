"""Programs that follow something and print what they see, each in a process of its own."""

import json
import queue
import subprocess
import threading

SECONDS = 30


class Program:
    """One that is running until this is left."""

    def __init__(self, *command):
        self.lines = queue.SimpleQueue()
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def line(self):
        """What it prints next, with the end of the line."""
        line = self.lines.get(timeout=SECONDS)
        assert line is not None, f"it ended with {self.process.wait(SECONDS)}"
        return line

    def next(self):
        """The JSON that it prints next."""
        return json.loads(self.line())

    def take(self, count):
        return [self.next() for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(SECONDS)
        self.thread.join(SECONDS)
        self.process.stdout.close()
