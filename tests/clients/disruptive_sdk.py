"""Disruptive Technologies' own client for Python, as it is pointed at a server, what it logs, and streams that it reads."""

import logging
import sys
import threading

import disruptive as dt

from steps import Steps

SECONDS = 30
PROJECT = "default"
# A project below it, to move devices to.
CELLAR = "default.cellar"
STREAM_ENDED = "Stream ended without an error."


def base_url(server):
    return f"{server.url}/disruptive/v2"


def service_account(server, credential):
    """Who has this credential, as the client has to be told who asks."""
    auth = dt.Auth.service_account(credential["key_id"], credential["secret"], credential["email"])
    auth.token_endpoint = f"{server.url}/oauth2/token"
    return auth


def emulate(device_type, labels=None):
    """Makes an emulated device in the project; returns its id."""
    # The client keeps its default of no labels, and puts names into it.
    return dt.Emulator.create_device(PROJECT, device_type, labels=labels or {}).device_id


def publish(device, data):
    dt.Emulator.publish_event(device, PROJECT, data)


class Log(logging.Handler):
    """What the client logs: that a stream is open is told nowhere else."""

    def __init__(self):
        super().__init__()
        self.logger = logging.getLogger("disruptive")
        self.errors = []
        self.waits = []
        self.failed = threading.Semaphore(0)
        self.opened = threading.Semaphore(0)
        # The threads whose streams are asked for and have told nothing yet.
        self.starting = set()

    def __enter__(self):
        self.level_before = self.logger.level
        self.logger.setLevel(logging.DEBUG)
        self.logger.addHandler(self)
        return self

    def __exit__(self, *_):
        self.logger.removeHandler(self)
        self.logger.setLevel(self.level_before)

    def emit(self, record):
        if record.levelno == logging.ERROR:
            self.errors.append(record.msg)
            self.failed.release()
        elif record.msg == "Starting stream...":
            self.starting.add(record.thread)
        elif record.msg == "Ping received." and record.thread in self.starting:
            self.starting.remove(record.thread)
            self.opened.release()
        elif record.levelno == logging.WARNING:
            self.waits.append(record.msg)

    def await_open(self):
        """Waits until one more stream has had its first ping since it was asked for."""
        assert self.opened.acquire(timeout=SECONDS), "no stream is open"

    def await_error(self):
        assert self.failed.acquire(timeout=SECONDS), "nothing failed"


def events(project=PROJECT, **asked):
    """Yields the events of a stream."""
    try:
        yield from dt.Stream.event_stream(project, **asked)
    finally:
        # The client cuts all tracebacks short where a stream fails.
        vars(sys).pop("tracebacklimit", None)


def follow(log, **asked):
    """A stream that is open: what is published from now on is in it."""
    stream = Stream(**asked)
    log.await_open()
    return stream


class Stream(Steps):
    """A stream that is read on a thread of its own."""

    def __init__(self, **asked):
        super().__init__(lambda: events(**asked))

    def until(self, device):
        """All events up to the first of `device`."""
        told = [self.next()]
        while told[-1].device_id != device:
            told.append(self.next())
        return told
