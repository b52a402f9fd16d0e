"""The built program as a server that can be stopped, killed and started again on the same socket."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

PROGRAM = os.environ["FEEDWIRE_BIN"]
CERTIFICATES = Path(__file__).parents[2] / "crates/feedwire-testkit/certificates"

# What lets connectors push to this machine.
PUSHING = ["--push-allow-network", "127.0.0.0/8", "--push-allow-http"]


def init(folder):
    """Initialises `folder`, and returns the token of its first credential."""
    made = subprocess.run([PROGRAM, "init", "--json", "--data", str(folder)], check=True, capture_output=True)
    return json.loads(made.stdout)["token"]


class Server:
    """Holds the listening socket, as a service manager does, so that a restart refuses no one."""

    def __init__(self, folder, token=None, is_secure=False, log=None):
        self.folder = folder
        # Where it logs to; where that is nowhere, to the tests' own.
        self.log = log
        self.token = token
        self.socket = socket.create_server(("127.0.0.1", 0))
        port = self.socket.getsockname()[1]
        self.url = f"{'https' if is_secure else 'http'}://127.0.0.1:{port}"
        tls = ["--tls-cert", CERTIFICATES / "server.pem", "--tls-key", CERTIFICATES / "server.key"]
        self.options = ([] if token else ["--dev"]) + (tls if is_secure else [])
        # Who signed the certificate.
        self.authority = CERTIFICATES / "authority.pem"
        self.process = None

    def start(self):
        # LISTEN_PID names the process that the socket is meant for: the shell's, which `exec` keeps.
        descriptor = self.socket.fileno()
        command = f'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" serve "$@" 3<&{descriptor}'
        command = ["bash", "-c", command, PROGRAM, *self.options, "--data", self.folder]
        with contextlib.ExitStack() as files:
            log = files.enter_context(self.log.open("ab")) if self.log else None
            self.process = subprocess.Popen(command, pass_fds=[descriptor], stderr=log)

    def stop(self, how=signal.SIGTERM):
        """Ends the server; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.socket.close()

    def publish(self, numbers, feed="orders"):
        """Publishes one event for each number, one request each; returns their positions."""
        return [self._publish({"type": "order.placed", "data": {"number": n}}, feed) for n in numbers]

    def _publish(self, event, feed):
        return self.settle("POST", f"feeds/{feed}/events", event)["last"]

    def put(self, subject, data, feed="Account", **more):
        """Has an entity be this; returns where its last change stands."""
        path = f"feeds/{feed}/entities/{urllib.parse.quote(subject, safe='')}"
        return self.settle("PUT", path, {"data": data} | more)["position"]

    def settle(self, method, path, body=None):
        """Has whoever may do everything send `body` to what is at `path` of the project; returns the answer."""
        request = urllib.request.Request(
            f"{self.url}/v1/projects/default/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"} | self.proof(),
            method=method,
        )
        trusts = ssl.create_default_context(cafile=self.authority) if self.url.startswith("https:") else None
        with urllib.request.urlopen(request, timeout=30, context=trusts) as answer:
            return json.loads(answer.read() or "null")

    def proof(self):
        """The headers of whoever may do everything."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def feed(self, feed="orders"):
        return f"{self.url}/v1/projects/default/feeds/{feed}"
