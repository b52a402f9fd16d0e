"""Reads a feed as Aria's documentation shows: with `sseclient`, a token that it gets and renews by itself, and the last id that it saved.

Usage: aria_client.py URL TOKEN_URL KEY_ID SECRET [LAST_ID]. Prints, each as a line of JSON: `token` for each that it gets, and for each
message its id, its name and the lines of its data.
"""

import base64
import json
import sys
import time

import requests
from sseclient import SSEClient

url, token_url, key_id, secret, *last_ids = sys.argv[1:]
# Of its own, `sseclient` prints why a stream ended.
out, sys.stdout = sys.stdout, sys.stderr
# A token is used for no more than a part of its hour: each connection of a test has one of its own.
RENEWED_BEFORE = 3_600


def tell(what):
    print(json.dumps(what), file=out, flush=True)


class Oauth2(requests.auth.AuthBase):
    """Gets a token when there is none that is good for long enough."""

    def __init__(self):
        self.proof, self.ends_at = None, 0

    def __call__(self, request):
        if time.time() >= self.ends_at - RENEWED_BEFORE:
            self.renew()
        request.headers["Authorization"] = self.proof
        return request

    def renew(self):
        asked = {"grant_type": "client_credentials", "client_id": key_id, "client_secret": secret}
        answer = requests.post(token_url, data=json.dumps(asked), headers={"Content-Type": "application/JSON"}, timeout=30)
        answer.raise_for_status()
        token = answer.json()
        self.proof = f"{token['token_type']} {token['access_token']}"
        claims = token["access_token"].split(".")[1]
        self.ends_at = json.loads(base64.urlsafe_b64decode(claims + "=="))["exp"]
        tell("token")


messages = SSEClient(url, auth=Oauth2(), last_id=last_ids[0] if last_ids else None)
for message in messages:
    lines = [json.loads(line) for line in message.data.splitlines()]
    tell({"id": message.id, "event": message.event, "data": lines})
