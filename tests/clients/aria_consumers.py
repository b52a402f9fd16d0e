"""Readers of a feed of Aria's, written with other clients; they come back with the last id when they are cut off."""

import json
from pathlib import Path

import httpx
import httpx_sse
import requests
import sseclient

from programs import Program

HERE = Path(__file__).parent
SECONDS = 30


def told(event):
    return {"id": event.id, "event": event.event, "data": [json.loads(line) for line in event.data.split("\n")]}


def sseclient_py(url):
    """Yields each event, as long as it is asked."""
    headers = {"Accept": "text/event-stream"}
    while True:
        try:
            answer = requests.get(url, headers=headers, stream=True, timeout=SECONDS)
            answer.raise_for_status()
            for event in sseclient.SSEClient(answer).events():
                headers["Last-Event-ID"] = event.id
                yield told(event)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            continue


def httpx_sse_client(url):
    """As above."""
    headers = {}
    while True:
        try:
            with httpx.Client(timeout=SECONDS) as client:
                with httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
                    source.response.raise_for_status()
                    for event in source.iter_sse():
                        headers["Last-Event-ID"] = event.id
                        yield told(event)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            continue


def eventsource(package):
    """An EventSource of Node, which comes back by itself."""

    def consume(url):
        with Program("node", HERE / "aria_events.mjs", package, url) as program:
            while True:
                yield program.next()

    consume.__name__ = package
    return consume


# Those that read what the end of the connection alone ends as it comes; the first wants chunks.
OF_ANY_FRAMING = [httpx_sse_client, eventsource("eventsource1"), eventsource("eventsource2"), eventsource("eventsource5")]
LIBRARIES = [sseclient_py, *OF_ANY_FRAMING]
