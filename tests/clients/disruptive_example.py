"""Follows temperatures as the vendor's example for Python does: lines, taken for ASCII, and a new stream when one has ended.

Usage: disruptive_example.py URL KEY_ID SECRET. Prints, each as a line of JSON: the version of requests, `open` at the first ping of
each stream, and of each temperature its device, its value and its time. It ends where the example tries again after a while.
"""

import json
import sys

import requests

PING_INTERVAL, PING_JITTER = 10, 2
URL, KEY_ID, SECRET = sys.argv[1:]


def tell(what):
    print(json.dumps(what), flush=True)


def follow():
    is_open = False
    asked = {"event_types": ["temperature"], "ping_interval": f"{PING_INTERVAL}s"}
    patience = PING_INTERVAL + PING_JITTER
    answer = requests.get(url=URL, auth=(KEY_ID, SECRET), stream=True, timeout=patience, params=asked)
    for line in answer.iter_lines():
        payload = json.loads(line.decode("ascii"))
        if "result" not in payload:
            sys.exit(f"refused: {payload}")
        event = payload["result"]["event"]
        if event["eventType"] == "ping":
            if not is_open:
                tell("open")
            is_open = True
        elif event["eventType"] == "temperature":
            reading = event["data"]["temperature"]
            tell([event["targetName"].split("/")[-1], reading["value"], reading["updateTime"]])


tell(requests.__version__)
while True:
    follow()
