"""Consumers written with each client as its documentation shows, going on by Last-Event-ID when they were cut off."""

import json
import subprocess
from pathlib import Path

import httpx
import httpx_sse
import requests
import sseclient

HERE = Path(__file__).parent
SECONDS = 30


def sseclient_py(url, count):
    """Yields `open` for each connection, and (id, number) for each of `count` events."""
    last_id, seen = None, 0
    while seen < count:
        headers = {"Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        try:
            answer = requests.get(url, headers=headers, stream=True, timeout=SECONDS)
            answer.raise_for_status()
            yield "open"
            for event in sseclient.SSEClient(answer).events():
                last_id, seen = event.id, seen + 1
                yield int(event.id), json.loads(event.data)["data"]["number"]
                if seen == count:
                    return
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            # The server was killed: its connections are reset, or end in the middle of a body.
            continue


def httpx_sse_client(url, count):
    """As above."""
    last_id, seen = "", 0
    while seen < count:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        try:
            with httpx.Client(timeout=SECONDS) as client:
                with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
                    source.response.raise_for_status()
                    yield "open"
                    for event in source.iter_sse():
                        last_id = event.id
                        if not event.data:
                            continue
                        seen += 1
                        yield int(event.id), json.loads(event.data)["data"]["number"]
                        if seen == count:
                            return
        except (httpx.RemoteProtocolError, httpx.ReadError):
            continue


def eventsource(package):
    """An EventSource of Node; it reconnects by itself. Yields `open`, and (id, None) for each event."""

    def follow(url, count):
        command = ["node", str(HERE / "follow.mjs"), package, url, str(count)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                yield "open" if line == "open\n" else (int(line), None)
        assert process.returncode == 0

    follow.__name__ = package
    return follow


THAT_KEEP_IDS_WITHOUT_DATA = [
    httpx_sse_client,
    eventsource("eventsource1"),
    eventsource("eventsource2"),
    eventsource("eventsource5"),
]
# sseclient-py drops a frame without data, and its id with it.
ALL = [sseclient_py, *THAT_KEEP_IDS_WITHOUT_DATA]
