"""What a connector pushes to: a server of this machine that answers as it is told."""

import http.server
import queue
import threading

SECONDS = 30


class Receiver(http.server.ThreadingHTTPServer):
    """One that is there until this is left."""

    daemon_threads = True
    # Connectors may have as many connections begin at once.
    request_queue_size = 64

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

    def answer(self, headers, body):
        """The status that a request is answered with; `None` is not at all."""
        self.got.put((headers, body))
        try:
            return self.statuses.get_nowait()
        except queue.Empty:
            return 200

    def request(self):
        """The headers and the body that come next."""
        return self.got.get(timeout=SECONDS)

    def handle_error(self, *_):
        """Whoever pushes may be killed meanwhile."""

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join(SECONDS)
        self.server_close()


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        status = self.server.answer(dict(self.headers), body)
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
