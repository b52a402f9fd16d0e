"""The examples of Serialized's guide to event feeds, as people type them, and what it says that comes back."""

import json
import subprocess

ORDER = "723ecfce-14e9-4889-98d5-a3d0ad54912f"
PLACED = {
    "eventId": "127b80b5-4a05-4774-b870-1c9a2e2a27a3",
    "eventType": "OrderPlacedEvent",
    "data": {"customerId": "some-test-id-1", "orderAmount": 12345},
}
PAID = {"eventId": "c8b90e06-f3c0-46aa-93a6-c0b281ef3ac5", "eventType": "OrderPaidEvent"}


def curl(serialized, path, *arguments):
    """The status, the headers and the body that curl is answered with."""
    url, (access_key, secret_access_key) = serialized
    proof = [f"Serialized-Access-Key: {access_key}", f"Serialized-Secret-Access-Key: {secret_access_key}"]
    command = ["curl", "-i", "--silent", "--show-error", "--max-time", "30", "--header", proof[0], "--header", proof[1]]
    done = subprocess.run([*command, *arguments, f"{url}{path}"], check=True, capture_output=True)
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    status, *headers = head.split("\r\n")
    return status, dict(line.lower().split(": ", 1) for line in headers), body


def saved(serialized, *events):
    arguments = ["--header", "Content-Type: application/json", "--data", json.dumps({"events": events})]
    status, headers, body = curl(serialized, f"/aggregates/order/{ORDER}/events", *arguments)
    assert (status, headers["content-length"], body) == ("HTTP/1.1 200 OK", "0", "")


def told(serialized, path):
    status, headers, body = curl(serialized, path)
    assert status == "HTTP/1.1 200 OK"
    assert headers["content-type"] == "application/json"
    assert headers["vary"] == "accept-encoding"
    assert headers["content-length"] == str(len(body.encode()))
    return json.loads(body)


def test_the_examples_of_the_guide_come_back_as_it_shows_with_two_members_more(serialized):
    saved(serialized, PLACED)
    saved(serialized, PAID)
    order = {"aggregateType": "order", "aggregateCount": 1, "batchCount": 2, "eventCount": 2}
    assert told(serialized, "/feeds") == {"feeds": [order | {"currentSequenceNumber": 2}]}
    page = told(serialized, "/feeds/order")
    # When it is saved is another time than the guide's.
    times = [entry["timestamp"] for entry in page["entries"]]
    assert all(isinstance(time, int) for time in times) and times == sorted(times)
    entries = [
        {"sequenceNumber": place, "aggregateId": ORDER, "timestamp": time, "events": [event]}
        for place, time, event in zip([1, 2], times, [PLACED, PAID])
    ]
    more = [entry | {"feedName": "order"} for entry in entries]
    assert page == {"entries": more, "hasMore": False, "currentSequenceNumber": 2}
    assert told(serialized, "/feeds/order?since=1") == page | {"entries": more[1:]}
    assert told(serialized, "/feeds/order?since=123") == page | {"entries": []}
