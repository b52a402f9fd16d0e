"""Clients that others wrote read what asks who they are, and wait where there are as many as there may be."""

import pytest
import requests

import consumers
from test_following import Follower, check

EVENT_SOURCES = [consumer for consumer in consumers.ALL if consumer.__name__.startswith("eventsource")]


def named(consumer):
    return consumer.__name__


@pytest.fixture
def reader(guarded_server):
    """The address of a feed for a credential that may read it, and nothing else."""
    grants = [{"project": "default", "rights": ["read"], "feeds": ["orders"]}]
    made = guarded_server.settle("POST", "credentials", {"grants": grants})
    return f"{guarded_server.feed()}?token={made['token']}"


@pytest.mark.parametrize("consumer", consumers.ALL, ids=named)
def test_a_token_in_the_address_is_good_through_a_restart(guarded_server, reader, consumer):
    before = guarded_server.publish(range(5))
    follower = Follower(consumer, f"{reader}&from=start", 10)
    seen = follower.events(5)
    assert guarded_server.stop() == 0
    guarded_server.start()
    after = guarded_server.publish(range(5, 10))
    seen += follower.events(5)
    check(seen, before + after, range(10))


@pytest.mark.parametrize("consumer", EVENT_SOURCES, ids=named)
def test_one_more_than_there_may_be_comes_back_when_there_is_room(guarded_server, reader, consumer):
    """Refused with a status, an EventSource would never come back."""
    guarded_server.settle("PUT", "limits", {"readers": 1})
    positions = guarded_server.publish(range(3))
    with requests.get(reader, headers={"Accept": "text/event-stream"}, stream=True, timeout=30) as first:
        assert first.status_code == 200
        follower = Follower(consumer, f"{reader}&from=start", 3)
        # It is told to wait, in a stream that ends.
        assert follower.next() == "open"
    check(follower.events(3), positions, range(3))
