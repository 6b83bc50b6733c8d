#!/usr/bin/env python3
"""A Stripe to test against: payment intents with manual capture, refunds, search, list, signed webhooks, with
a ledger on disk that is written before each answer, and with the faults that Stripe documents.

    stripe_fake.py FOLDER PORT [WEBHOOK_URL]      stand-alone; the key is sk_test_fake

Stated facts it keeps to: an idempotency key stores the first answer, failures and 500s included, and replays
it; the same key with other parameters is refused; what fails validation or is rate limited is not stored; the
search lags behind; a cancelled authorization makes no refund object (2025-03-31.basil); a refund that
succeeded may fail later, by webhook.

The payment method decides what happens; PAYMENT_METHODS lists them."""

import contextlib
import hashlib
import hmac
import http.server
import json
import os
import queue
import re
import secrets
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from local_server import Serving

API_KEY = "sk_test_fake"
WEBHOOK_SECRET = "whsec_fake_secret"
WEBHOOK_TRIES = 20
WEBHOOK_PAUSE_S = 0.2

PAYMENT_METHODS = {
    "pm_card_visa": "approved",
    "pm_declined": "402 generic_decline",
    "pm_funds": "402 insufficient_funds",
    "pm_stolen": "402 stolen_card",
    "pm_3ds": "requires_action, until the buyer answered on its page",
    "pm_500_without_effect": "the first key of a payment gets a stored 500, nothing happens",
    "pm_500_with_effect": "authorized, but the key has a stored 500",
    "pm_lost": "authorized, and the connection is cut instead of an answer",
    "pm_capture_lost": "captured, and the connection is cut instead of an answer",
    "pm_capture_500": "the first key of a capture gets a stored 500, nothing happens",
    "pm_429": "two attempts are rate limited",
    "pm_refund_pending": "a refund is pending until finish_refund()",
    "pm_refund_fails": "the refund succeeds, until fail_refund(); the next one is refused",
}

# Written before each answer; that is enough against our own death, which is all that a test plays.
SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = off;
create table if not exists objects (id text primary key, body text not null);
create table if not exists keys (key text primary key, print text not null, status int not null,
                                 body text not null);
create table if not exists ledger (at real not null, subject text not null, intent text not null,
                                   kind text not null, amount int not null);
"""

# What each call takes; another parameter is refused as Stripe does.
COMMON = r"metadata\[\w+\]|expand\[\d+\]"
PARAMETERS = {
    "create": rf"amount|currency|capture_method|confirm|payment_method|payment_method_types\[\d\]|return_url|"
    rf"error_on_requires_action|{COMMON}",
    "capture": rf"amount_to_capture|{COMMON}",
    "cancel": rf"cancellation_reason|{COMMON}",
    "refund": rf"payment_intent|amount|reason|{COMMON}",
    "read": COMMON,
    "list": rf"limit|starting_after|created\[gte\]|created\[lte\]|{COMMON}",
    "search": rf"query|limit|page|{COMMON}",
}


class Failure(Exception):
    """An error object with its status; `stored` if the key remembers it."""

    def __init__(self, status, kind, code, message, stored=True, **more):
        super().__init__(message)
        self.status, self.stored = status, stored
        self.body = {"error": {"type": kind, "code": code, "message": message, **more}}


class Cut(Exception):
    """No answer: the connection is closed."""


class Stripe(Serving):
    """The provider. Its methods are the test's, and its own server's; one lock makes each call whole."""

    def __init__(self, folder, port=0, webhook_url=None):
        self.webhook_url = webhook_url
        self.search_lag_s = 0.0
        self.webhooks_on = True
        self.refuse_key = False
        self.requests = []  # (method, path, idempotency key, replayed)
        self.second_opinion = (
            None  # URL of a stripe-mock, which judges each request by Stripe's own description
        )
        self.opinions = []  # (method, path, status, text) of it
        self._lock = threading.RLock()
        self._db = sqlite3.connect(os.path.join(folder, "stripe.db"), check_same_thread=False)
        self._db.executescript(SCHEMA)
        self._limited = {}
        self._events = queue.Queue()
        self.port = self._serve(self._handler(), port)
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._deliver, daemon=True).start()

    def close(self):
        self._events.put(None)
        super().close()
        with self._lock:
            self._db.close()

    # What a test asks and does.

    def intents(self, subject):
        return [one for one in self._all("pi_") if one["metadata"].get("orderd_subject") == subject]

    def money(self, subject):
        """(authorized, captured, refunded, voided) by the ledger."""
        with self._lock:
            rows = self._db.execute(
                "select kind, sum(amount) from ledger where subject = ? group by kind", (subject,)
            ).fetchall()
        sums = dict(rows)
        return tuple(sums.get(kind, 0) for kind in ("authorize", "capture", "refund", "void"))

    def approve(self, intent_id):
        with self._lock:
            intent = self._get(intent_id)
            assert intent["status"] == "requires_action", intent["status"]
            self._authorize(intent)
        self.emit("payment_intent.amount_capturable_updated", intent)

    def deny(self, intent_id):
        with self._lock:
            intent = self._get(intent_id)
            intent["status"], intent["next_action"] = "requires_payment_method", None
            intent["last_payment_error"] = {
                "type": "card_error",
                "code": "payment_intent_authentication_failure",
                "message": "The buyer did not authenticate.",
            }
            self._put(intent)
        self.emit("payment_intent.payment_failed", intent)

    def refunds(self, subject):
        return [one for one in self._all("re_") if one["metadata"].get("orderd_subject") == subject]

    def fail_refund(self, refund_id):
        """The bank gave it back, days later."""
        with self._lock:
            refund = self._get(refund_id)
            refund["status"], refund["failure_reason"] = "failed", "expired_or_canceled_card"
            charge = self._get(refund["charge"])
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            for one in (refund, charge):
                self._put(one)
            self._book(self._get(refund["payment_intent"]), "refund", -refund["amount"])
        self.emit("refund.failed", refund)

    def finish_refund(self, refund_id):
        with self._lock:
            refund = self._get(refund_id)
            refund["status"] = "succeeded"
            self._put(refund)
            self._book(self._get(refund["payment_intent"]), "refund", refund["amount"])
        self.emit("refund.updated", refund)

    def refund_in_dashboard(self, intent_id, amount):
        with self._lock:
            intent = self._get(intent_id)
            self._refund(intent, amount, {})
            charge = self._get(intent["latest_charge"])
        self.emit("charge.refunded", charge)

    def emit(self, kind, body, event_id=None):
        if self.webhooks_on and self.webhook_url:
            event = {
                "id": event_id or "evt_" + secrets.token_hex(8),
                "object": "event",
                "type": kind,
                "created": int(time.time()),
                "data": {"object": body},
            }
            self._events.put(json.dumps(event).encode())

    @staticmethod
    def signed(body, secret=WEBHOOK_SECRET, at=None):
        """The Stripe-Signature of a body."""
        at = int(time.time() if at is None else at)
        mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={at},v1={'0' * 64},v1={mac},v0=ignored"

    # The books.

    def _put(self, one):
        self._db.execute("insert or replace into objects values (?, ?)", (one["id"], json.dumps(one)))
        self._db.commit()

    def _get(self, object_id):
        row = self._db.execute("select body from objects where id = ?", (object_id,)).fetchone()
        if not row:
            raise Failure(404, "invalid_request_error", "resource_missing", f"No such object: {object_id}")
        return json.loads(row[0])

    def _all(self, prefix):
        """Newest first."""
        with self._lock:
            rows = self._db.execute(
                "select body from objects where id glob ? order by rowid desc", (prefix + "*",)
            )
            return [json.loads(body) for body, in rows]

    def _book(self, intent, kind, amount):
        self._db.execute(
            "insert into ledger values (?, ?, ?, ?, ?)",
            (time.time(), intent["metadata"].get("orderd_subject", ""), intent["id"], kind, amount),
        )
        self._db.commit()

    def _authorize(self, intent):
        charge = {
            "id": "ch_" + secrets.token_hex(12),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "captured": False,
            "refunded": False,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "status": "succeeded",
            "metadata": dict(intent["metadata"]),
            "payment_method_details": {"card": {"capture_before": int(time.time()) + 6 * 86400}},
        }
        intent.update(
            status="requires_capture",
            amount_capturable=intent["amount"],
            next_action=None,
            latest_charge=charge["id"],
        )
        self._put(charge)
        self._put(intent)
        self._book(intent, "authorize", intent["amount"])

    def _refund(self, intent, amount, metadata):
        charge = self._get(intent["latest_charge"]) if intent["latest_charge"] else None
        if not charge or not charge["captured"]:
            raise Failure(
                400,
                "invalid_request_error",
                "charge_not_captured",
                "This PaymentIntent does not have a successful charge to refund.",
            )
        left = charge["amount_captured"] - charge["amount_refunded"]
        if left == 0:
            raise Failure(
                400, "invalid_request_error", "charge_already_refunded", "Charge has already been refunded."
            )
        if amount > left:
            raise Failure(
                400,
                "invalid_request_error",
                "amount_too_large",
                f"Refund amount is greater than unrefunded amount on charge ({left})",
            )
        method = intent["payment_method"]
        if method == "pm_refund_fails" and self._failed_before(intent["id"]):
            raise Failure(400, "invalid_request_error", "refund_disputed_payment", "The card is closed.")
        status = "pending" if method == "pm_refund_pending" else "succeeded"
        refund = {
            "id": "re_" + secrets.token_hex(12),
            "object": "refund",
            "amount": amount,
            "charge": charge["id"],
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "status": status,
            "metadata": metadata,
        }
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self._put(charge)
        self._put(refund)
        if status == "succeeded":
            self._book(intent, "refund", amount)
        return refund

    def _failed_before(self, intent_id):
        return any(
            one["payment_intent"] == intent_id and one["status"] == "failed" for one in self._all("re_")
        )

    # The API.

    def call(self, method, path, form, key):
        """(status, body, replayed); raises Cut."""
        route = self._route(method, path, form)
        if method == "GET":
            with self._lock:
                return 200, self._shown(route(), form), False
        print_of = hashlib.sha256(f"{path}?{json.dumps(sorted(form.items()))}".encode()).hexdigest()
        with self._lock:
            known = self._db.execute("select print, status, body from keys where key = ?", (key,)).fetchone()
            if known and known[0] != print_of:
                raise Failure(
                    400,
                    "idempotency_error",
                    None,
                    "Keys for idempotent requests can only be used with the same parameters.",
                )
            if known:
                return known[1], json.loads(known[2]), True
            fault = None
            try:
                body = route()
                if isinstance(body, tuple):
                    body, fault = body
                status, body = (
                    (500, Failure(500, "api_error", None, "Something went wrong.").body)
                    if fault == 500
                    else (200, self._shown(body, form))
                )
            except Failure as failure:
                if not failure.stored:
                    raise
                status, body = failure.status, failure.body
            self._db.execute(
                "insert into keys values (?, ?, ?, ?)", (key, print_of, status, json.dumps(body))
            )
            self._db.commit()
        if fault == "cut":
            raise Cut
        return status, body, False

    def _route(self, method, path, form):
        parts = path.strip("/").split("/")
        if parts[:2] == ["v1", "refunds"] and method == "POST":
            return lambda: self._checked(form, "refund", self._create_refund)
        if parts[:2] != ["v1", "payment_intents"]:
            raise Failure(404, "invalid_request_error", None, f"Unrecognized request URL ({method}: {path}).")
        if method == "POST" and len(parts) == 2:
            return lambda: self._checked(form, "create", self._create)
        if method == "POST" and len(parts) == 4 and parts[3] in ("capture", "cancel"):
            change = self._capture if parts[3] == "capture" else self._cancel
            return lambda: self._checked(form, parts[3], lambda form: change(self._get(parts[2]), form))
        if method == "GET" and parts[2:] == ["search"]:
            return lambda: self._checked(form, "search", self._search)
        if method == "GET" and len(parts) == 2:
            return lambda: self._checked(form, "list", self._list)
        if method == "GET" and len(parts) == 3:
            return lambda: self._checked(form, "read", lambda _: self._get(parts[2]))
        raise Failure(404, "invalid_request_error", None, f"Unrecognized request URL ({method}: {path}).")

    @staticmethod
    def _checked(form, call, do):
        for name in form:
            if not re.fullmatch(PARAMETERS[call], name):
                raise Failure(
                    400,
                    "invalid_request_error",
                    "parameter_unknown",
                    f"Received unknown parameter: {name}",
                    stored=False,
                )
        return do(form)

    def _shown(self, body, form):
        """With what is to be expanded."""
        wanted = [value for name, value in form.items() if name.startswith("expand[")]
        if not any("latest_charge" in one for one in wanted):
            return body
        for intent in body.get("data", [body]):
            if intent.get("latest_charge"):
                charge = self._get(intent["latest_charge"])
                if any(one.endswith("latest_charge.refunds") for one in wanted):
                    data = [one for one in self._all("re_") if one["charge"] == charge["id"]]
                    charge["refunds"] = {"object": "list", "data": data[:10], "has_more": len(data) > 10}
                intent["latest_charge"] = charge
        return body

    @staticmethod
    def _metadata(form):
        return {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}

    def _create(self, form):
        amount, currency = form.get("amount", ""), form.get("currency", "")
        if not re.fullmatch(r"[1-9]\d{0,7}", amount) or not re.fullmatch("[a-z]{3}", currency):
            raise Failure(
                400,
                "invalid_request_error",
                "parameter_invalid_integer",
                "Invalid amount or currency",
                stored=False,
            )
        method = form.get("payment_method", "")
        metadata = self._metadata(form)
        subject = metadata.get("orderd_subject", "")
        if method == "pm_429" and self._limited.setdefault(subject, 2) > 0:
            self._limited[subject] -= 1
            raise Failure(429, "invalid_request_error", "rate_limit", "Too many requests", stored=False)
        if method not in PAYMENT_METHODS:
            raise Failure(400, "invalid_request_error", "resource_missing", "No such PaymentMethod")
        if method == "pm_500_without_effect" and self._limited.setdefault("500" + subject, 1) > 0:
            self._limited["500" + subject] = 0
            return {}, 500
        intent = {
            "id": "pi_" + secrets.token_hex(12),
            "object": "payment_intent",
            "amount": int(amount),
            "amount_capturable": 0,
            "amount_received": 0,
            "currency": currency,
            "capture_method": form["capture_method"],
            "created": int(time.time()),
            "made": time.time(),
            "latest_charge": None,
            "last_payment_error": None,
            "metadata": metadata,
            "next_action": None,
            "payment_method": method,
            "status": "requires_confirmation",
        }
        declines = {
            "pm_declined": "generic_decline",
            "pm_funds": "insufficient_funds",
            "pm_stolen": "stolen_card",
        }
        no_page = "return_url" not in form
        if method in declines or (method == "pm_3ds" and no_page):
            error = {
                "type": "card_error",
                "code": "card_declined",
                "decline_code": declines.get(method),
                "message": "Your card was declined.",
            }
            if method == "pm_3ds":
                error.update(code="authentication_required", decline_code="authentication_required")
            intent.update(status="requires_payment_method", last_payment_error=error)
            self._put(intent)
            raise Failure(
                402,
                "card_error",
                error["code"],
                error["message"],
                decline_code=error["decline_code"],
                payment_intent=intent,
            )
        if method == "pm_3ds":
            intent.update(
                status="requires_action",
                next_action={
                    "type": "redirect_to_url",
                    "redirect_to_url": {
                        "url": f"{self.url}/3ds/{intent['id']}",
                        "return_url": form["return_url"],
                    },
                },
            )
            self._put(intent)
            return intent
        self._authorize(intent)
        self.emit("payment_intent.amount_capturable_updated", json.loads(json.dumps(intent)))
        return intent, {"pm_500_with_effect": 500, "pm_lost": "cut"}.get(method)

    def _unexpected(self, intent):
        raise Failure(
            400,
            "invalid_request_error",
            "payment_intent_unexpected_state",
            f"This PaymentIntent's status is {intent['status']}.",
            payment_intent=intent,
        )

    def _capture(self, intent, form):
        amount = int(form.get("amount_to_capture", intent["amount"]))
        if intent["status"] != "requires_capture":
            self._unexpected(intent)
        if amount > intent["amount_capturable"]:
            raise Failure(400, "invalid_request_error", "amount_too_large", "More than can be captured")
        if intent["payment_method"] == "pm_capture_500" and self._limited.setdefault(intent["id"], 1) > 0:
            self._limited[intent["id"]] = 0
            return {}, 500
        charge = self._get(intent["latest_charge"])
        charge.update(captured=True, amount_captured=amount)
        intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
        intent["metadata"].update(self._metadata(form))
        self._put(charge)
        self._put(intent)
        self._book(intent, "capture", amount)
        if amount < intent["amount"]:
            self._book(intent, "void", intent["amount"] - amount)
        self.emit("payment_intent.succeeded", json.loads(json.dumps(intent)))
        return intent, "cut" if intent["payment_method"] == "pm_capture_lost" else None

    def _cancel(self, intent, _):
        if intent["status"] in ("succeeded", "canceled"):
            self._unexpected(intent)
        if intent["status"] == "requires_capture":
            self._book(intent, "void", intent["amount"])
        intent.update(status="canceled", amount_capturable=0, next_action=None)
        self._put(intent)
        self.emit("payment_intent.canceled", json.loads(json.dumps(intent)))
        return intent

    def _create_refund(self, form):
        intent = self._get(form["payment_intent"])
        refund = self._refund(intent, int(form["amount"]), self._metadata(form))
        self.emit("charge.refunded", self._get(refund["charge"]))
        return refund

    def _search(self, form):
        asked = re.fullmatch(r"metadata\['(\w+)'\]:'((?:[^'\\]|\\.)*)'", form.get("query", ""))
        if not asked:
            raise Failure(400, "invalid_request_error", None, "The query makes no sense")
        name, value = asked.group(1), re.sub(r"\\(.)", r"\1", asked.group(2))
        known = time.time() - self.search_lag_s
        data = [
            one for one in self._all("pi_") if one["metadata"].get(name) == value and one["made"] <= known
        ]
        return {"object": "search_result", "data": data, "has_more": False}

    def _list(self, form):
        since = int(form.get("created[gte]", 0))
        data = [one for one in self._all("pi_") if one["created"] >= since]
        after = form.get("starting_after")
        if after:
            data = data[[one["id"] for one in data].index(after) + 1 :]
        limit = int(form.get("limit", 10))
        return {"object": "list", "data": data[:limit], "has_more": len(data) > limit}

    # The wire.

    def _deliver(self):
        while (body := self._events.get()) is not None:
            for _ in range(WEBHOOK_TRIES):
                request = urllib.request.Request(
                    self.webhook_url,
                    body,
                    {"Content-Type": "application/json", "Stripe-Signature": self.signed(body)},
                )
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
                    break
                time.sleep(WEBHOOK_PAUSE_S)

    def ask_second(self, method, path, text, headers):
        if not self.second_opinion:
            return
        given = {
            name: headers[name]
            for name in ("Authorization", "Stripe-Version", "Idempotency-Key", "Content-Type")
            if name in headers
        }
        request = urllib.request.Request(
            self.second_opinion + path, text.encode() or None, given, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                self.opinions.append((method, path, answer.status, ""))
        except urllib.error.HTTPError as error:
            self.opinions.append((method, path, error.code, error.read().decode()))

    def _handler(self):
        stripe = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body, replayed=False):
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                if replayed:
                    self.send_header("Idempotent-Replayed", "true")
                self.end_headers()
                self.wfile.write(text)

            def api(self):
                path, _, query = self.path.partition("?")
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                form = dict(urllib.parse.parse_qsl(text or query, keep_blank_values=True))
                key = self.headers.get("Idempotency-Key")
                stripe.ask_second(self.command, self.path, text, self.headers)
                try:
                    if self.headers.get("Authorization") != f"Bearer {API_KEY}" or stripe.refuse_key:
                        raise Failure(
                            401, "invalid_request_error", None, "Invalid API Key provided", stored=False
                        )
                    if not self.headers.get("Stripe-Version"):
                        raise Failure(400, "invalid_request_error", None, "no version", stored=False)
                    if self.command == "POST" and not key:
                        raise Failure(400, "invalid_request_error", None, "no idempotency key", stored=False)
                    status, body, replayed = stripe.call(self.command, path, form, key)
                    stripe.requests.append((self.command, path, key, replayed))
                    self.answer(status, body, replayed)
                except Failure as failure:
                    stripe.requests.append((self.command, path, key, False))
                    self.answer(failure.status, failure.body)
                except Cut:
                    stripe.requests.append((self.command, path, key, False))
                    self.close_connection = True

            do_GET = do_POST = api

        return Handler


if __name__ == "__main__":
    fake = Stripe(sys.argv[1], int(sys.argv[2]), *sys.argv[3:4])
    print(f"{fake.url} {API_KEY} {WEBHOOK_SECRET}", flush=True)
    threading.Event().wait()
