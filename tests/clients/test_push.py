"""What connectors push is verified by Standard Webhooks' own libraries and read by CloudEvents' own SDKs."""

import json
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook, WebhookVerificationError

from receiver import Receiver

HERE = Path(__file__).parent
EVENT = {"id": "a 1%", "source": "/shop?a=b", "type": "order.placed", "subject": 'N1 "ø" €', "traceid": "4f"}
DATA = {"total": 99.5, "ø": [None, True]}


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def connect(server, receiver, **more):
    """Makes a connector; returns its secret."""
    settings = {"name": "c", "url": receiver.url, "filter": {"feeds": ["orders"]}}
    return server.settle("POST", "connectors", settings | more)["secret"]


def verified(secret, headers, body):
    """The same with names of headers as Python's library has them; it raises where that is forged."""
    headers = {name.lower(): value for name, value in headers.items()}
    Webhook(secret).verify(body, headers)
    return headers


def read_by_javascript(secret, headers, body):
    given = json.dumps({"headers": headers, "body": body.decode()})
    command = ["node", str(HERE / "webhook.mjs"), secret]
    run = subprocess.run(command, input=given, check=True, capture_output=True, text=True)
    return list(map(json.loads, run.stdout.splitlines()))


def is_as_published(event, data, number):
    """Whether it is the event `number` of those published."""
    told = {name: event[name] for name in ["source", "type", "subject", "traceid"]}
    return told == {name: EVENT[name] for name in told} and data == DATA | {"number": number}


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_an_event_is_verified_and_read_by_the_libraries_of_others(pushing_server, receiver, mode):
    secret = connect(pushing_server, receiver, format=mode)
    pushing_server.settle("POST", "feeds/orders/events", EVENT | {"data": DATA | {"number": 0}})
    headers, body = receiver.request()
    headers = verified(secret, headers, body)
    read = {"structured": http.from_structured_event, "binary": http.from_binary_event}[mode]
    event = read(http.HTTPMessage(headers, body))
    assert is_as_published(event.get_attributes(), event.get_data(), 0)
    [event] = read_by_javascript(secret, headers, body)
    if mode == "binary":
        # The SDK for JavaScript leaves the percent-encoding of headers to whoever uses it.
        event |= {name: unquote(event[name]) for name in ["source", "subject"]}
    assert is_as_published(event, event["data"], 0)


def test_a_batch_is_verified_and_read_by_the_libraries_of_others(pushing_server, receiver):
    batch = [EVENT | {"id": f"{n}", "data": DATA | {"number": n}} for n in range(5)]
    pushing_server.settle("POST", "feeds/orders/events", batch)
    secret = connect(pushing_server, receiver, format="batch", start="start")
    headers, body = receiver.request()
    headers = verified(secret, headers, body)
    assert headers["content-type"] == "application/cloudevents-batch+json"
    told = [JSONFormat().read(CloudEvent, json.dumps(event)) for event in json.loads(body)]
    assert len(told) == 5
    for number, event in enumerate(told):
        assert is_as_published(event.get_attributes(), event.get_data(), number)
    for number, event in enumerate(read_by_javascript(secret, headers, body)):
        assert is_as_published(event, event["data"], number)


def test_a_secret_is_changed_over_and_what_is_changed_is_forged(pushing_server, receiver):
    first = connect(pushing_server, receiver)
    second = pushing_server.settle("POST", "connectors/c/secret", {"overlap": "1h"})["secret"]
    pushing_server.publish([1])
    headers, body = receiver.request()
    for secret in [first, second]:
        verified(secret, headers, body)
        read_by_javascript(secret, verified(secret, headers, body), body)
    third = pushing_server.settle("POST", "connectors/c/secret", {"overlap": "0s"})["secret"]
    pushing_server.publish([2])
    headers, body = receiver.request()
    verified(third, headers, body)
    for secret, body in [(second, body), (third, body + b" ")]:
        with pytest.raises(WebhookVerificationError):
            verified(secret, headers, body)
        lower = {name.lower(): value for name, value in headers.items()}
        with pytest.raises(subprocess.CalledProcessError):
            read_by_javascript(secret, lower, body)


def test_what_failed_comes_again_by_the_same_id_and_signed_anew(pushing_server, receiver):
    receiver.fail(500, 503)
    secret = connect(pushing_server, receiver, retry_first="10ms")
    pushing_server.publish([1])
    got = [receiver.request() for _ in range(3)]
    headers = [verified(secret, *request) for request in got]
    assert len({each["webhook-id"] for each in headers}) == 1
    assert len({body for _, body in got}) == 1
