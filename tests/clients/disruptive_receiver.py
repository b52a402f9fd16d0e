"""What a Data Connector pushes to, which holds each request against the vendor's own receiver."""

import http.server
import queue
import threading

from dtintegrations import provider
from dtintegrations.data_connector import HttpPush

SECONDS = 30
SECRET = "as long as the vendor's receiver would have it"


def verified(headers, body, secret=SECRET):
    """What was pushed, to the vendor's receiver; it raises where that is not signed as it has to be."""
    return HttpPush(headers, body, secret)


class Receiver(http.server.ThreadingHTTPServer):
    """One that is there until this is left."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Request)
        self.url = f"http://127.0.0.1:{self.server_port}/push"
        self.statuses = queue.SimpleQueue()
        self.got = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def fail(self, *statuses):
        """Has the next requests answered with these, and those behind them with 200 again."""
        for status in statuses:
            self.statuses.put(status)

    def request(self):
        """The headers and the body that come next."""
        return self.got.get(timeout=SECONDS)

    def next(self):
        """What comes next, to the vendor's receiver."""
        headers, body = self.request()
        pushed = verified(headers, body)
        again = {"headers": headers, "body": body.decode()}
        assert HttpPush.from_provider(again, provider.LAMBDA, SECRET).event.raw == pushed.event.raw
        return pushed

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join(SECONDS)
        self.server_close()


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status = self.server.statuses.get_nowait()
        except queue.Empty:
            status = 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.got.put((dict(self.headers), body))

    def log_message(self, *_):
        pass
