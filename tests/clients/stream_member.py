"""A member of a stream, as a process that can be killed: prints what it is sent, what was acknowledged, and when its connection ends.

Now and then it resets its connection itself. Usage: python stream_member.py URL delivered|receipts|through SEED
"""

import http.client
import json
import random
import socket
import struct
import sys
import threading
import time
from urllib.parse import urlsplit

url, way, seed = sys.argv[1:]
address, path = urlsplit(url).netloc, urlsplit(url).path
chance = random.Random(seed)
lock = threading.Lock()
pending = []

ACKNOWLEDGED_WITHIN = 0.3
FORGOTTEN = 0.002
RESET_AFTER = (2, 12)


def tell(at=None, **what):
    print(json.dumps({"at": at or time.monotonic()} | what), flush=True)


def due_receipts(now):
    """Each on its own: what is due is done, whatever is before it."""
    done = [receipt for receipt, due in pending if due <= now]
    return {"receipts": done}, {receipt: [receipt] for receipt in done}


def due_through(now):
    """The furthest of each lease that is due, and with it whatever came before that."""
    furthest, leases = {}, {}
    for index, (receipt, due) in enumerate(pending):
        *lease, position = receipt.split(".")
        lease, position = tuple(lease), int(position)
        leases.setdefault(lease, []).append((index, position, receipt))
        if due <= now and position > furthest.get(lease, (0,))[0]:
            furthest[lease] = position, index, receipt
    covers = {
        receipt: [other for at, before, other in leases[lease] if at <= index and before <= position]
        for lease, (position, index, receipt) in furthest.items()
    }
    return {"through": list(covers)}, covers


def acknowledge():
    """Acknowledges what is due, again and again."""
    ask = due_through if way == "through" else due_receipts
    while True:
        time.sleep(0.02)
        with lock:
            body, covers = ask(time.monotonic())
        if not covers:
            continue
        try:
            refused = post(body)
        except (OSError, http.client.HTTPException):
            continue
        at = time.monotonic()
        settled = [receipt for asked, all in covers.items() if asked not in refused for receipt in all]
        answered = {receipt for all in covers.values() for receipt in all}
        with lock:
            tell(at, acknowledged=settled)
            pending[:] = [entry for entry in pending if entry[0] not in answered]


def post(body):
    """Returns what was refused."""
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("POST", f"{path}/ack", json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise http.client.HTTPException(text)
        return {refused["receipt"] for refused in json.loads(text)["refused"]}
    finally:
        connection.close()


def take(lines, at):
    """Tells of the events among `lines`, and has them acknowledged later; of some it forgets to."""
    events = [event for event in map(json.loads, lines) if "specversion" in event]
    if not events:
        return
    receipts = [event.get("receipt") or f"0.0.{event['position']}" for event in events]
    seen = [(receipt, event["subject"]) for receipt, event in zip(receipts, events)]
    with lock:
        tell(at, seen=seen)
        if way == "delivered":
            return
        for receipt, event in zip(receipts, events):
            if way == "receipts" and event["attempt"] == 1 and chance.random() < FORGOTTEN:
                continue
            pending.append((receipt, at + chance.uniform(0, ACKNOWLEDGED_WITHIN)))


def follow(answer, until):
    """Takes what comes until the connection ends, or until it is time to reset it; returns whether it is."""
    rest = b""
    while time.monotonic() < until:
        piece = answer.read1(1 << 16)
        at = time.monotonic()
        if not piece:
            return False
        *lines, rest = (rest + piece).split(b"\n")
        take(filter(None, lines), at)
    return True


def stay():
    """Is a member for as long as a connection lasts."""
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.connect()
    end = connection.sock
    connection.request("GET", f"{path}/connect", headers={"Accept": "application/x-ndjson"})
    answer = connection.getresponse()
    if answer.status != 200:
        connection.close()
        return
    with lock:
        tell(began=True)
    try:
        if follow(answer, time.monotonic() + chance.uniform(*RESET_AFTER)):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    finally:
        with lock:
            tell(ended=True)
        answer.close()
        connection.close()


if way != "delivered":
    threading.Thread(target=acknowledge, daemon=True).start()
while True:
    try:
        stay()
    except (OSError, http.client.HTTPException):
        pass
    time.sleep(0.1)
