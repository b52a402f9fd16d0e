"""The vendor's client for Serialized, in a process of Node that makes the calls it is told to."""

import functools
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

PROGRAM = Path(__file__).parent / "serialized_client.mjs"


class Outcome:
    """What became of a call, every answer of the server that it took, and what orders were loaded for a command."""

    def __init__(self, told):
        self._value = told.get("value")
        self.error = SimpleNamespace(**told["error"]) if "error" in told else None
        self.answers = [SimpleNamespace(**answer) for answer in told["answers"]]
        self.states = told["states"]

    @property
    def value(self):
        assert self.error is None, vars(self.error)
        return self._value

    @property
    def answer(self):
        """The only one."""
        [answer] = self.answers
        return answer


class SerializedClient:
    """`feeds`, `orders` and `tenants` make a call of these clients, with what it is given."""

    def __init__(self, url, keys):
        self.process = subprocess.Popen(
            ["node", str(PROGRAM), url, *keys], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.feeds = functools.partial(self.make, "feeds")
        self.orders = functools.partial(self.make, "orders")
        self.tenants = functools.partial(self.make, "tenants")

    def make(self, client, call, *given, meanwhile=None):
        """Makes a call; `meanwhile` is another, made before anything of this one is posted."""
        self.begin(client, call, *given, meanwhile=meanwhile)
        return self.outcome()

    def begin(self, client, call, *given, meanwhile=None):
        print(json.dumps(described(client, call, *given) | {"meanwhile": meanwhile}), file=self.process.stdin, flush=True)

    def outcome(self):
        return Outcome(json.loads(self.process.stdout.readline()))

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0
        self.process.stdout.close()


def described(client, call, *given):
    return {"client": client, "call": call, "given": given}
