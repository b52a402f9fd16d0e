"""What a Data Connector pushes to, which holds each request against the vendor's own receiver."""

from dtintegrations import provider
from dtintegrations.data_connector import HttpPush

import receiver

SECRET = "as long as the vendor's receiver would have it"


def verified(headers, body, secret=SECRET):
    """What was pushed, to the vendor's receiver; it raises where that is not signed as it has to be."""
    return HttpPush(headers, body, secret)


class Receiver(receiver.Receiver):
    """One that is there until this is left."""

    def next(self):
        """What comes next, to the vendor's receiver."""
        headers, body = self.request()
        pushed = verified(headers, body)
        again = {"headers": headers, "body": body.decode()}
        assert HttpPush.from_provider(again, provider.LAMBDA, SECRET).event.raw == pushed.event.raw
        return pushed
