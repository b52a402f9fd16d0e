"""Consumers of a stream of Validic's API, written with each client as its documentation shows; they come back when they are cut off."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import aiohttp
import httpx
import httpx_sse
import requests
import sseclient
from aiosseclient import aiosseclient

HERE = Path(__file__).parent
SECONDS = 30
# Those that run. They come back for ever, and whoever reads them waits on a thread that nothing ends.
PROGRAMS = []


def sseclient_py(url):
    """Yields (name, data) for each event, as long as it is asked."""
    while True:
        try:
            answer = requests.get(url, headers={"Accept": "text/event-stream"}, stream=True, timeout=SECONDS)
            if answer.status_code == 422:
                continue
            answer.raise_for_status()
            for event in sseclient.SSEClient(answer).events():
                yield event.event, json.loads(event.data)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            continue


def httpx_sse_client(url):
    """As above."""
    while True:
        try:
            with httpx.Client(timeout=SECONDS) as client:
                with httpx_sse.connect_sse(client, "GET", url) as source:
                    if source.response.status_code == 422:
                        continue
                    source.response.raise_for_status()
                    for event in source.iter_sse():
                        yield event.event, event.json()
        except (httpx.RemoteProtocolError, httpx.ReadError):
            continue


def aio_sse_client(url):
    """As above."""
    loop = asyncio.new_event_loop()
    while True:
        events = aiosseclient(url)
        try:
            while True:
                event = loop.run_until_complete(anext(events))
                yield event.event, json.loads(event.data)
        except (StopAsyncIteration, aiohttp.ClientError):
            continue


def printed(command, **environment):
    """Yields each line of JSON that a program prints; it runs until `end_programs`."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    PROGRAMS.append(process)
    for line in process.stdout:
        yield json.loads(line)


def end_programs():
    """Ends the programs that were started."""
    while PROGRAMS:
        process = PROGRAMS.pop()
        process.kill()
        process.wait(SECONDS)


def eventsource(package):
    """An EventSource of Node, which comes back by itself."""

    def consume(url):
        for event in printed(["node", HERE / "validic_events.mjs", package, url]):
            yield event["name"], event["data"]

    consume.__name__ = package
    return consume


def quickstart(server, date):
    """A program that calls as the vendor's quickstart does; yields (`replay` or `stream`, data)."""
    command = ["node", HERE / "validic_quickstart.mjs", f"{server.url}/validic", server.token, date]
    for event in printed(command, NODE_EXTRA_CA_CERTS=str(server.authority)):
        yield event["from"], event["data"]


LIBRARIES = [
    sseclient_py,
    httpx_sse_client,
    aio_sse_client,
    eventsource("eventsource1"),
    eventsource("eventsource2"),
    eventsource("eventsource5"),
]
