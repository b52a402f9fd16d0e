"""A consumer of HTTP Feeds, as the pseudo code of its specification has it."""

import requests

SECONDS = 30
TIMEOUT_MILLISECONDS = 2000


def http_feeds(url, count):
    """Yields `open` for each answer, and (id, number) for each of `count` events; polls again when it was cut off."""
    last_id, seen = "null", 0
    while seen < count:
        try:
            query = {"lastEventId": last_id, "timeout": TIMEOUT_MILLISECONDS}
            answer = requests.get(url, params=query, timeout=SECONDS)
            answer.raise_for_status()
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            continue
        yield "open"
        for event in answer.json():
            last_id, seen = event["id"], seen + 1
            yield int(event["id"]), event["data"]["number"]
