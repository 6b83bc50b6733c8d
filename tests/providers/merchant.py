"""A merchant who takes webhooks: it verifies what comes by Standard Webhooks, written from the specification
and sharing no code with the plugin, and answers as the test wishes."""

import base64
import hashlib
import hmac
import http.server
import json
import secrets
import threading
import time

from local_server import Serving

TOLERANCE_S = 300


def new_secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def verified(headers, body, secret):
    """Whether one of the signatures is made with this secret, lately."""
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(one, expected) for one in headers["webhook-signature"].split(" "))


class Merchant(Serving):
    """`answers` decides the status of a call, by (message id, how often it came); `calls` is what came."""

    def __init__(self, secret):
        self.secret = secret
        self.answers = lambda message, times: 200
        self.headers = {}  # of each answer
        self.calls = []
        self.forged = []
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self._serve(self._handler())}/hooks"

    def of(self, order):
        """What came about an order: (message id, type, version), as it came, repeats included."""
        with self._lock:
            return [
                (message, body["type"], body["data"]["version"])
                for message, body, _ in self.calls
                if body["data"]["orderId"] == order
            ]

    def taken(self, order):
        """The versions that were answered with 2xx, in order, each once."""
        with self._lock:
            return sorted(
                {
                    body["data"]["version"]
                    for _, body, status in self.calls
                    if body["data"]["orderId"] == order and status // 100 == 2
                }
            )

    def _handler(self):
        merchant = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"]))
                message = self.headers["webhook-id"]
                if not verified(self.headers, text, merchant.secret):
                    merchant.forged.append((dict(self.headers), text))
                    self.send_response(401)
                    self.end_headers()
                    return
                with merchant._lock:
                    times = sum(1 for one, _, _ in merchant.calls if one == message) + 1
                    status = merchant.answers(message, times)
                    merchant.calls.append((message, json.loads(text), status))
                self.send_response(status)
                for name, value in merchant.headers.items():
                    self.send_header(name, value)
                self.end_headers()

        return Handler
