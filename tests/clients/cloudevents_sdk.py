"""CloudEvents' own SDK for Python, publishing and reading over HTTP as its documentation shows."""

import json

import requests
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

SECONDS = 30


def publish(url, event, mode):
    """Publishes an event in `binary` or `structured` mode."""
    message = {"binary": http.to_binary_event, "structured": http.to_structured_event}[mode](event)
    answer = requests.post(f"{url}/events", headers=message.headers, data=message.body, timeout=SECONDS)
    answer.raise_for_status()
    return answer.json()["last"]


def publish_batch(url, events):
    """Publishes events in batched mode; the SDK makes the events, the array is ours."""
    body = b"[" + b",".join(http.to_structured_event(event).body for event in events) + b"]"
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    answer = requests.post(f"{url}/events", headers=headers, data=body, timeout=SECONDS)
    answer.raise_for_status()
    return answer


def read(url, **query):
    """The events of one array, each read by the SDK."""
    headers = {"Accept": "application/cloudevents-batch+json"}
    answer = requests.get(url, headers=headers, params=query, timeout=SECONDS)
    answer.raise_for_status()
    assert answer.headers["Content-Type"] == "application/cloudevents-batch+json"
    return [JSONFormat().read(CloudEvent, json.dumps(event)) for event in answer.json()]
