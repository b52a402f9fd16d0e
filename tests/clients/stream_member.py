"""A member of a stream, as a process that can be killed: prints what it is sent and what was acknowledged, each with the time.

Usage: python stream_member.py URL explicit|delivered
"""

import json
import sys
import threading
import time

import requests

url, mode = sys.argv[1:]
lock = threading.Lock()
pending = []


def tell(**what):
    with lock:
        print(json.dumps({"at": time.monotonic()} | what), flush=True)


def acknowledge():
    """Acknowledges what has piled up, again and again."""
    session = requests.Session()
    while True:
        time.sleep(0.02)
        with lock:
            events = pending[:]
        if not events:
            continue
        try:
            answer = session.post(f"{url}/ack", json={"receipts": [receipt for receipt, _ in events]}, timeout=5)
            answer.raise_for_status()
        except requests.RequestException:
            continue
        refused = {refused["receipt"] for refused in answer.json()["refused"]}
        tell(acknowledged=[event for receipt, event in events if receipt not in refused])
        with lock:
            del pending[: len(events)]


if mode == "explicit":
    threading.Thread(target=acknowledge, daemon=True).start()
while True:
    try:
        with requests.get(f"{url}/connect", headers={"Accept": "application/x-ndjson"}, stream=True, timeout=10) as answer:
            if answer.status_code != 200:
                time.sleep(0.2)
                continue
            for line in answer.iter_lines():
                told = json.loads(line)
                if "specversion" not in told:
                    continue
                tell(seen=told["id"])
                if mode == "explicit":
                    with lock:
                        pending.append((told["receipt"], told["id"]))
    except requests.RequestException:
        time.sleep(0.1)
