"""Clients that others wrote follow a feed through restarts of the server and miss nothing."""

import signal

import pytest

import consumers
from http_feeds import http_feeds
from steps import Steps


class Follower(Steps):
    """A consumer on a thread of its own."""

    seconds = 20

    def __init__(self, consumer, url, count):
        super().__init__(lambda: consumer(url, count))

    def events(self, count):
        """The next `count` events, whatever connections come between."""
        events = []
        while len(events) < count:
            step = self.next()
            if step != "open":
                events.append(step)
        return events


def check(events, positions, numbers):
    assert [position for position, _ in events] == positions
    seen = [number for _, number in events]
    assert seen == list(numbers) or seen == [None] * len(seen)


@pytest.mark.parametrize(
    "consumer", [*consumers.ALL, http_feeds], ids=lambda consumer: consumer.__name__
)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["restarted", "killed"])
def test_a_follower_misses_nothing_while_the_server_is(server, consumer, how):
    before = server.publish(range(20))
    follower = Follower(consumer, server.feed() + "?from=start", 60)
    seen = follower.events(20)
    before += server.publish(range(20, 40))
    code = server.stop(how)
    assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)
    server.start()
    after = server.publish(range(40, 60))
    seen += follower.events(40)
    check(seen, before + after, range(60))


@pytest.mark.parametrize(
    "consumer", consumers.THAT_KEEP_IDS_WITHOUT_DATA, ids=lambda consumer: consumer.__name__
)
def test_a_follower_from_now_that_saw_nothing_yet_goes_on_where_it_began(server, consumer):
    """Only the first frame, which has an id and no data, can tell it where that was."""
    server.publish(range(5))
    follower = Follower(consumer, server.feed(), 10)
    assert follower.next() == "open"
    assert server.stop() == 0
    server.start()
    positions = server.publish(range(5, 15))
    check(follower.events(10), positions, range(5, 15))


@pytest.mark.parametrize(
    "consumer", [*consumers.ALL, http_feeds], ids=lambda consumer: consumer.__name__
)
def test_a_filtered_follower_sees_its_feed_alone(server, consumer):
    follower = Follower(consumer, server.feed("left") + "?from=start", 10)
    left = [server.publish([n], "left")[0] for n in range(10) if server.publish([n], "right")]
    check(follower.events(10), left, range(10))
