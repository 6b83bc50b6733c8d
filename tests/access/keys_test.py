#!/usr/bin/env python3
"""API keys from an operator's side: made, shown once, used, rotated and revoked by orderctl, while a host
that demands keys runs; and what a host refuses to start with."""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from orderd_env import Database, Host, wait_for  # noqa: E402  (after the path is set)

EXIT_CONFIG = 78


def bearer(key):
    return {"Authorization": f"Bearer {key['key']}"}


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(Database("access"))
        cls.host = cls.enterClassContext(Host(cls.database, {"access.keys": "required"}))
        cls.host.prepare()
        cls.host.start()

    def keys(self, *words):
        return json.loads(self.host.orderctl("keys", *words, "-o", "json"))

    def status(self, key):
        return self.host.get("/api/products", bearer(key)).status

    def wait_until(self, key, status):
        wait_for(lambda: self.status(key) == status, f"the key to be answered {status}", 6)

    def test_a_key_lives_from_create_over_rotate_to_revoke(self):
        self.assertEqual(self.host.get("/api/products").status, 401)
        first = self.keys("create", "shop", "orders:read,orders:write", "--days", "30")
        self.assertEqual(first["scopes"], "orders:read orders:write")
        self.wait_until(first, 200)
        order = {
            "customerId": "c-1",
            "currency": "EUR",
            "payment": {"method": "card", "token": "tok_ok"},
            "items": [{"sku": "SKU-0001", "quantity": 1, "unitPrice": 1999}],
        }
        once = {"Idempotency-Key": "cart-1"}
        placed = self.host.post("/api/orders", order, {**bearer(first), **once})
        self.assertEqual(placed.status, 201)

        second = self.keys("rotate", "shop")
        self.wait_until(second, 200)
        self.assertEqual(self.status(first), 200)
        self.keys("revoke", first["id"], "--reason", "changed over")
        self.wait_until(first, 401)
        again = self.host.post("/api/orders", order, {**bearer(second), **once})
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual(again.body["id"], placed.body["id"])

        states = {row["id"]: row["state"] for row in self.keys("list") if row["caller"] == "shop"}
        self.assertEqual(states, {first["id"]: "revoked", second["id"]: "live"})
        self.assertNotIn(first["key"], self.host.orderctl("keys", "list"))
        rows = self.database.query(
            "select verb, actor like 'orderctl:_%', reason from audit_log where subject = 'shop' order by id"
        )
        self.assertEqual(rows, ["keys.create|t|", "keys.rotate|t|", "keys.revoke|t|changed over"])

    def test_a_key_as_text_is_alone_on_standard_output(self):
        text = self.host.orderctl("keys", "create", "printer", "orders:read", "--customer", "c-7").strip()
        self.assertRegex(text, r"\Aok_[0-9a-f]{16}_[0-9a-f]{64}\Z")
        customers = self.database.query("select customer from api_keys where caller = 'printer'")
        self.assertEqual(customers, ["c-7"])

    def test_what_makes_no_sense_is_refused_and_changes_nothing(self):
        for words, why in {
            ("create", "x1", "orders:everything"): "SCOPES",
            ("create", "anonymous", "orders:read"): "CALLER",
            ("create", "x1"): "CALLER and SCOPES",
            ("create", "x1", "orders:read", "--days", "0"): "--days",
            ("create", "x1", "ops:read", "--customer", "c-1"): "ops",
            ("create", "x1", "orders:read", "--scope", "x"): "--scope",
            ("rotate", "nobody"): "no live key",
            ("revoke", "nobody"): "nobody",
        }.items():
            with self.subTest(words), self.assertRaisesRegex(RuntimeError, why):
                self.host.orderctl("keys", *words)
        self.assertEqual(self.database.query("select count(*) from api_keys where caller = 'x1'"), ["0"])

    def test_a_revocation_needs_no_plugin(self):
        self.keys("create", "lost", "orders:read")
        library = self.host.settings["plugin.payment.library"]
        self.host.settings["plugin.payment.library"] = "missing.so"
        self.host.write_config()
        try:
            self.assertEqual(len(self.keys("revoke", "lost")["revoked"]), 1)
        finally:
            self.host.settings["plugin.payment.library"] = library
            self.host.write_config()


class Listening(unittest.TestCase):
    def test_plain_text_off_the_loopback_must_be_meant(self):
        with Database("access") as database, Host(database, {"http.address": "0.0.0.0"}) as host:
            process = host.launch()._process  # pylint: disable=protected-access
            self.assertEqual(process.wait(60), EXIT_CONFIG)
            lines = host.log_path.read_text(encoding="utf-8").splitlines()
            self.assertEqual(len(lines), 1, lines)
            self.assertIn("insecure = yes", lines[0])
            host._process = None  # pylint: disable=protected-access


if __name__ == "__main__":
    unittest.main()
