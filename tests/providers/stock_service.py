#!/usr/bin/env python3
"""A stock service that keeps the contract of plugins/inventory/http/README.md: a reference to write one's own
by. Reservations are held for a time, made idempotent by their id, and a release that comes before its reserve
blocks it. Every change of a number is a movement, so that the books can be judged.

    stock_service.py PORT SKU=QUANTITY...      stand-alone; the token is stock_token

Its faults, for tests: `fail_next(action, how)`."""

import contextlib
import http.server
import json
import sys
import threading
import time
import urllib.parse

from local_server import Serving

TOKEN = "stock_token"
ACTIONS = ("extend", "commit", "release")


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.body = status, {"code": code, "message": message}


class Stock(Serving):
    """One lock makes each call whole. `movements`: (sku, kind, quantity)."""

    def __init__(self, on_hand, port=0, hold_s=600.0):
        self.hold_s = hold_s
        self.movements = [(sku, "receive", quantity) for sku, quantity in on_hand.items()]
        self.reservations = {}
        self.calls = []  # (action, reservation)
        self._faults = []
        self._lock = threading.RLock()
        self.port = self._serve(self._handler(), port)
        self.url = f"http://127.0.0.1:{self.port}"

    # What a test asks and does.

    def fail_next(self, action, how):
        """The next call of an action: "500" and nothing done, "lost": done and no answer, "busy": 503 with
        Retry-After, or "401"."""
        with self._lock:
            self._faults.append((action, how))

    def numbers(self, sku):
        """(available, reserved, sold)."""
        with self._lock:
            self._let_go()
            held = sum(
                one["lines"].get(sku, 0) for one in self.reservations.values() if one["state"] == "RESERVED"
            )
            sold = sum(
                one["lines"].get(sku, 0) for one in self.reservations.values() if one["state"] == "COMMITTED"
            )
            return self._received(sku) - held - sold, held, sold

    def state(self, reservation):
        with self._lock:
            self._let_go()
            return self.reservations.get(reservation, {}).get("state")

    # The contract.

    def _received(self, sku):
        return sum(quantity for name, kind, quantity in self.movements if name == sku and kind == "receive")

    def _let_go(self):
        for one in self.reservations.values():
            if one["state"] == "RESERVED" and one["expires"] and one["expires"] <= time.time():
                one["state"] = "EXPIRED"

    def reserve(self, body):
        name, lines = body["reservation"], {line["sku"]: line["quantity"] for line in body["lines"]}
        known = self.reservations.get(name)
        if known and known["state"] in ("RESERVED", "COMMITTED"):
            return self._shown(name)
        if known:
            raise Refusal(409, "RESERVATION_CLOSED", "the reservation was released before")
        for sku, quantity in lines.items():
            if not self._received(sku):
                raise Refusal(409, "UNKNOWN_SKU", f"there is no {sku}")
            if self.numbers(sku)[0] < quantity:
                raise Refusal(409, "OUT_OF_STOCK", f"there are fewer than {quantity} of {sku}")
        self.reservations[name] = {"state": "RESERVED", "lines": lines, "expires": time.time() + self.hold_s}
        return self._shown(name)

    def extend(self, name):
        self._needed(name)["expires"] = None
        return self._shown(name)

    def commit(self, name):
        one = self._needed(name)
        one["state"] = "COMMITTED"
        return self._shown(name)

    def release(self, name):
        self.reservations.setdefault(name, {"lines": {}, "expires": None})["state"] = "RELEASED"
        return self._shown(name)

    def available(self, body):
        return {"available": {sku: self.numbers(sku)[0] for sku in body["skus"]}}

    def _needed(self, name):
        one = self.reservations.get(name)
        if not one:
            raise Refusal(404, "UNKNOWN_RESERVATION", "there is no such reservation")
        if one["state"] in ("RELEASED", "EXPIRED"):
            raise Refusal(409, "RESERVATION_EXPIRED", "the reservation is " + one["state"])
        return one

    def _shown(self, name):
        one = self.reservations.get(name)
        if not one:
            raise Refusal(404, "UNKNOWN_RESERVATION", "there is no such reservation")
        expires = one["expires"] if one["state"] == "RESERVED" else None
        return {"reservation": name, "state": one["state"], "expiresMs": expires and int(expires * 1000)}

    # The wire.

    def _call(self, method, path, body):
        parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
        if method == "POST" and parts == ["reservations"]:
            action, name, do = "reserve", body["reservation"], lambda: self.reserve(body)
        elif method == "POST" and parts == ["availability"]:
            action, name, do = "availability", "", lambda: self.available(body)
        elif method == "POST" and len(parts) == 3 and parts[0] == "reservations" and parts[2] in ACTIONS:
            action, name = parts[2], parts[1]
            do = lambda: getattr(self, action)(name)  # noqa: E731
        elif method == "GET" and len(parts) == 2 and parts[0] == "reservations":
            action, name, do = "get", parts[1], lambda: self._shown(parts[1])
        else:
            raise Refusal(404, "", "no such path")
        with self._lock:
            self._let_go()
            self.calls.append((action, name))
            fault = next((one for one in self._faults if one[0] == action), None)
            if fault:
                self._faults.remove(fault)
            if fault and fault[1] == "500":
                raise Refusal(500, "", "the database is away")
            if fault and fault[1] == "busy":
                raise Refusal(503, "", "closed for a moment")
            if fault and fault[1] == "401":
                raise Refusal(401, "", "who are you?")
            done = do()
            return None if fault else done

    def _handler(self):
        stock = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, body):
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                if status == 503:
                    self.send_header("Retry-After", "1")
                self.end_headers()
                self.wfile.write(text)

            def api(self):
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                        raise Refusal(401, "", "who are you?")
                    with contextlib.suppress(ConnectionError):
                        if (
                            done := stock._call(self.command, self.path, json.loads(text or "{}"))
                        ) is not None:
                            self.answer(200, done)
                except Refusal as refusal:
                    self.answer(refusal.status, refusal.body)

            do_GET = do_POST = api

        return Handler


if __name__ == "__main__":
    given = dict(word.split("=") for word in sys.argv[2:])
    print(Stock({sku: int(quantity) for sku, quantity in given.items()}, int(sys.argv[1])).url, flush=True)
    threading.Event().wait()
