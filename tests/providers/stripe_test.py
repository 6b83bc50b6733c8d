#!/usr/bin/env python3
"""Orders paid through plugins/payment/stripe, by a host as a process, at a Stripe of our own with a ledger
and with the faults that Stripe documents. The ledger judges the money."""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from stripe_fake import API_KEY, WEBHOOK_SECRET, Stripe
from support import judge, orderd_env, private

LOOKUP_LAG_S = 2
PRICE = 1999


class Paid(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.stripe = cls.enterClassContext(Stripe(cls.folder))
        cls.database = cls.enterClassContext(orderd_env.Database("stripe"))
        cls.host = cls.enterClassContext(
            orderd_env.Host(
                cls.database,
                {
                    "plugin.payment.library": "payment_stripe.so",
                    "plugin.payment.settings.database": None,
                    "plugin.payment.settings.api_url": cls.stripe.url,
                    "plugin.payment.settings.lookup_lag_s": LOOKUP_LAG_S,
                    "plugin.payment.settings.return_url": "http://127.0.0.1/back",
                    "plugin.payment.secret.api_key": private(cls.folder, "api_key", API_KEY),
                    "plugin.payment.secret.webhook_secret": private(
                        cls.folder, "webhook_secret", WEBHOOK_SECRET
                    ),
                    **cls.settings,
                },
            )
        )
        cls.stripe.webhook_url = f"{cls.host.url}/api/webhooks/payment"
        cls.host.prepare()
        cls.host.start()

    def setUp(self):
        self.stripe.search_lag_s = 0.0
        self.stripe.webhooks_on = True
        self.stripe.refuse_key = False

    def placed(self, token, **fields):
        return self.host.place(token, **fields)["id"]

    def ends(self, order, status, money):
        """The order gets there, and the ledger has (authorized, captured, refunded, voided)."""
        order = self.host.wait_for_status(order, status)
        self.assertEqual(self.stripe.money(order["id"]), money)
        return order

    def next_action(self, order):
        def asked():
            payment = self.host.order(order)["payment"]
            return payment if payment["status"] == "ACTION_REQUIRED" else None

        return orderd_env.wait_for(asked, f"order {order} to ask its buyer")["nextAction"]

    def intent(self, order):
        return self.stripe.intents(order)[0]


class Orders(Paid):
    def test_an_order_is_confirmed_with_its_money_captured_once(self):
        order = self.ends(self.placed("pm_card_visa"), "CONFIRMED", (PRICE, PRICE, 0, 0))
        self.assertEqual(order["payment"]["captured"], PRICE)
        self.assertEqual(self.intent(order["id"])["status"], "succeeded")

    def test_a_zero_decimal_currency_is_charged_in_whole_units(self):
        order = self.placed("pm_card_visa", currency="JPY", unit_price=500)
        self.ends(order, "CONFIRMED", (500, 500, 0, 0))
        self.assertEqual((self.intent(order)["currency"], self.intent(order)["amount"]), ("jpy", 500))

    def test_a_currency_of_three_digits_in_odd_steps_is_declined_before_stripe_is_asked(self):
        order = self.placed("pm_card_visa", currency="BHD", unit_price=1255)
        self.ends(order, "REJECTED", (0, 0, 0, 0))
        self.assertEqual(self.stripe.intents(order), [])

    def test_a_card_without_funds_rejects_the_order_and_says_so(self):
        order = self.ends(self.placed("pm_funds"), "REJECTED", (0, 0, 0, 0))
        self.assertEqual(order["statusReason"]["code"], "INSUFFICIENT_FUNDS")

    def test_a_stolen_card_rejects_the_order_and_the_buyer_is_not_told_why(self):
        order = self.ends(self.placed("pm_stolen"), "REJECTED", (0, 0, 0, 0))
        self.assertEqual(order["statusReason"]["code"], "PAYMENT_DECLINED")

    def test_a_token_that_stripe_does_not_know_rejects_the_order(self):
        self.ends(self.placed("pm_nobody"), "REJECTED", (0, 0, 0, 0))

    def test_an_order_without_stock_lets_go_of_its_authorization(self):
        self.ends(self.placed("pm_card_visa", sku="SKU-NONE"), "REJECTED", (PRICE, 0, 0, PRICE))

    def test_a_cancelled_order_gets_its_captured_money_back(self):
        order = self.placed("pm_card_visa")
        self.ends(order, "CONFIRMED", (PRICE, PRICE, 0, 0))
        self.host.post(f"/api/orders/{order}/cancel", {})
        ended = self.ends(order, "CANCELLED", (PRICE, PRICE, PRICE, 0))
        self.assertEqual(ended["payment"]["status"], "REFUNDED")


class ThreeDSecure(Paid):
    def test_the_buyer_is_sent_to_the_bank_and_its_webhook_confirms_the_order(self):
        order = self.placed("pm_3ds")
        action = self.next_action(order)
        self.assertEqual(
            (action["type"], action["url"]), ("redirect", f"{self.stripe.url}/3ds/{self.intent(order)['id']}")
        )
        self.stripe.approve(self.intent(order)["id"])
        self.ends(order, "CONFIRMED", (PRICE, PRICE, 0, 0))

    def test_a_buyer_who_fails_at_the_bank_ends_the_order(self):
        order = self.placed("pm_3ds")
        self.next_action(order)
        self.stripe.deny(self.intent(order)["id"])
        self.ends(order, "REJECTED", (0, 0, 0, 0))

    def test_without_any_webhook_the_host_asks_by_itself(self):
        order = self.placed("pm_3ds")
        self.next_action(order)
        self.stripe.webhooks_on = False
        self.stripe.approve(self.intent(order)["id"])
        self.ends(order, "CONFIRMED", (PRICE, PRICE, 0, 0))

    def test_a_cancelled_order_leaves_nothing_for_the_buyer_to_agree_to(self):
        order = self.placed("pm_3ds")
        self.next_action(order)
        self.host.post(f"/api/orders/{order}/cancel", {})
        self.ends(order, "CANCELLED", (0, 0, 0, 0))
        self.assertEqual(self.intent(order)["status"], "canceled")


class Faults(Paid):
    def test_a_stored_500_without_effect_is_asked_about_and_paid_with_a_new_key(self):
        order = self.placed("pm_500_without_effect")
        self.ends(order, "CONFIRMED", (PRICE, PRICE, 0, 0))
        self.assertEqual(len(self.stripe.intents(order)), 1)

    def test_a_capture_with_a_stored_500_is_made_with_a_new_key(self):
        self.ends(self.placed("pm_capture_500"), "CONFIRMED", (PRICE, PRICE, 0, 0))

    def test_a_stored_500_with_effect_is_found_though_the_search_lags_and_nothing_is_authorized_twice(self):
        self.stripe.search_lag_s, self.stripe.webhooks_on = LOOKUP_LAG_S / 2, False
        order = self.placed("pm_500_with_effect")
        self.ends(order, "CONFIRMED", (PRICE, PRICE, 0, 0))
        self.assertEqual(len(self.stripe.intents(order)), 1)

    def test_an_answer_that_is_lost_is_found_by_a_query(self):
        self.stripe.webhooks_on = False
        for token in ("pm_lost", "pm_capture_lost"):
            with self.subTest(token):
                self.ends(self.placed(token), "CONFIRMED", (PRICE, PRICE, 0, 0))

    def test_a_webhook_is_as_good_as_the_answer_that_was_lost(self):
        self.stripe.search_lag_s = 3600
        self.ends(self.placed("pm_lost"), "CONFIRMED", (PRICE, PRICE, 0, 0))

    def test_a_rate_limit_is_waited_for(self):
        self.ends(self.placed("pm_429"), "CONFIRMED", (PRICE, PRICE, 0, 0))

    def test_a_cancelled_order_whose_authorization_was_lost_has_nothing_left_open(self):
        self.stripe.search_lag_s, self.stripe.webhooks_on = LOOKUP_LAG_S / 2, False
        order = self.placed("pm_lost")
        self.host.post(f"/api/orders/{order}/cancel", {})
        self.host.wait_for_status(order, "CANCELLED")
        authorized, captured, refunded, voided = self.stripe.money(order)
        self.assertEqual((captured - refunded, authorized - captured - voided), (0, 0))

    def test_a_refund_that_is_pending_ends_the_order_when_it_is_through(self):
        order = self.placed("pm_refund_pending")
        self.host.wait_for_status(order, "CONFIRMED")
        self.host.post(f"/api/orders/{order}/cancel", {})
        refund = orderd_env.wait_for(lambda: self.stripe.refunds(order), "a refund")[0]
        self.assertEqual(self.host.order(order)["status"], "CANCELLING")
        self.stripe.finish_refund(refund["id"])
        self.ends(order, "CANCELLED", (PRICE, PRICE, PRICE, 0))

    def test_a_refund_that_fails_days_later_is_tried_again_and_then_shown_to_a_person(self):
        order = self.placed("pm_refund_fails")
        self.host.wait_for_status(order, "CONFIRMED")
        self.host.post(f"/api/orders/{order}/cancel", {})
        self.ends(order, "CANCELLED", (PRICE, PRICE, PRICE, 0))
        self.stripe.fail_refund(self.stripe.refunds(order)[0]["id"])
        orderd_env.wait_for(lambda: self.host.order(order)["attention"], f"order {order} to ask for a person")
        orderd_env.wait_for(
            lambda: "REFUND_DISPUTED_PAYMENT"
            in json.dumps(self.host.get(f"/api/admin/sagas/{order}").body),
            "the reason of the second refusal",
        )
        self.assertEqual(self.stripe.money(order), (PRICE, PRICE, 0, 0))

    def test_a_refund_made_in_the_dashboard_is_noticed_and_not_made_twice(self):
        order = self.placed("pm_card_visa")
        self.host.wait_for_status(order, "CONFIRMED")
        self.stripe.refund_in_dashboard(self.intent(order)["id"], PRICE)
        orderd_env.wait_for(lambda: self.host.order(order)["attention"], f"order {order} to ask for a person")
        self.host.post(f"/api/orders/{order}/cancel", {})
        self.ends(order, "CANCELLED", (PRICE, PRICE, PRICE, 0))

    def test_a_key_that_stripe_refuses_holds_the_order_and_the_log_names_the_setting(self):
        self.stripe.refuse_key = True
        order = self.placed("pm_card_visa")
        orderd_env.wait_for(
            lambda: "correct the setting" in self.host.log_path.read_text(), "the log to name the setting"
        )
        self.assertEqual(self.host.order(order)["status"], "PENDING")
        self.assertNotIn(API_KEY, self.host.log_path.read_text())
        self.host.post(f"/api/orders/{order}/cancel", {})
        self.ends(order, "CANCELLED", (0, 0, 0, 0))


class Webhooks(Paid):
    def post(self, body, signature):
        connection = http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=10)
        connection.request(
            "POST",
            "/api/webhooks/payment",
            body,
            {"Content-Type": "application/json", "Stripe-Signature": signature},
        )
        status = connection.getresponse().status
        connection.close()
        return status

    def test_only_what_stripe_signed_lately_is_taken(self):
        body = json.dumps(
            {"id": "evt_forged", "type": "payment_intent.succeeded", "data": {"object": {}}}
        ).encode()
        self.assertEqual(self.post(body, Stripe.signed(body)), 200)
        self.assertEqual(self.post(body, Stripe.signed(body, "whsec_other")), 401)
        self.assertEqual(self.post(body + b" ", Stripe.signed(body)), 401)
        self.assertEqual(self.post(body, Stripe.signed(body, at=1_700_000_000)), 401)
        self.assertEqual(self.post(body, ""), 401)

    def test_an_event_that_comes_twice_and_late_changes_nothing(self):
        order = self.placed("pm_card_visa")
        self.host.wait_for_status(order, "CONFIRMED")
        before = self.host.order(order)
        for _ in range(3):
            self.stripe.emit(
                "payment_intent.amount_capturable_updated",
                {**self.intent(order), "status": "requires_capture"},
                "evt_again_" + order,
            )
        other = self.placed("pm_3ds")
        self.next_action(other)
        self.stripe.approve(self.intent(other)["id"])  # its webhook comes after those
        self.host.wait_for_status(other, "CONFIRMED")
        self.assertEqual(self.host.order(order), before)


class Reconciliation(Paid):
    settings = {"reconcile.interval_s": 5}

    def test_a_refund_whose_webhook_was_lost_is_found_by_the_sweep(self):
        order = self.placed("pm_card_visa")
        self.host.wait_for_status(order, "CONFIRMED")
        self.stripe.webhooks_on = False
        self.stripe.refund_in_dashboard(self.intent(order)["id"], PRICE)
        orderd_env.wait_for(
            lambda: self.host.order(order)["attention"], f"order {order} to ask for a person", 120
        )


class Checker(unittest.TestCase):
    def test_the_checker_finds_nothing_with_this_stripe_as_its_network(self):
        with tempfile.TemporaryDirectory() as folder, Stripe(folder) as stripe:
            given = {
                "api_url": stripe.url,
                "api_key": API_KEY,
                "webhook_secret": WEBHOOK_SECRET,
                "lookup_lag_s": 0,
            }
            checks = judge(self, "payment_stripe.so", given, "--token", "pm_card_visa", "--timeout", "120")
            for name in (
                "payment.way",
                "payment.void",
                "payment.partial",
                "payment.limits",
                "payment.currencies",
                "payment.repeat",
                "payment.query",
                "payment.killed",
                "payment.declined",
                "chaos",
                "webhook.forged",
            ):
                self.assertEqual(checks[name]["result"], "passed", checks[name])


class SecondOpinion(Paid):
    """Each request goes to stripe-mock as well, which refuses what Stripe's published description does not
    know. It is stateless, so the money is still judged by ours."""

    settings = {"reconcile.interval_s": 1}

    @classmethod
    def setUpClass(cls):
        mock = os.environ.get("ORDERD_TEST_STRIPE_MOCK") or shutil.which("stripe-mock")
        if not mock:
            raise unittest.SkipTest(
                "no stripe-mock: `go install github.com/stripe/stripe-mock@v0.203.0` (needs Go), "
                "then name the program in ORDERD_TEST_STRIPE_MOCK"
            )
        super().setUpClass()
        port = orderd_env.free_port()
        process = subprocess.Popen(
            [mock, "-http-port", str(port), "-https-port", str(orderd_env.free_port())],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)

        def listens():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                return True
            return False

        orderd_env.wait_for(listens, "stripe-mock to listen")
        cls.stripe.second_opinion = f"http://127.0.0.1:{port}"

    def test_stripe_s_own_description_knows_every_request_of_the_plugin(self):
        paid = self.placed("pm_card_visa")
        self.ends(paid, "CONFIRMED", (PRICE, PRICE, 0, 0))
        self.host.post(f"/api/orders/{paid}/cancel", {})
        self.ends(paid, "CANCELLED", (PRICE, PRICE, PRICE, 0))
        self.ends(self.placed("pm_card_visa", sku="SKU-NONE"), "REJECTED", (PRICE, 0, 0, PRICE))
        self.stripe.webhooks_on = False
        self.ends(self.placed("pm_500_with_effect"), "CONFIRMED", (PRICE, PRICE, 0, 0))
        orderd_env.wait_for(
            lambda: any("created" in path for _, path, _, _ in self.stripe.opinions),
            "the sweep to ask for the list",
        )
        refused = [one for one in self.stripe.opinions if one[2] != 200]
        self.assertEqual(refused, [])
        seen = {
            (method, re.sub(r"/pi_\w+", "/ID", path.partition("?")[0]))
            for method, path, _, _ in self.stripe.opinions
        }
        self.assertEqual(
            seen,
            {
                ("POST", "/v1/payment_intents"),
                ("POST", "/v1/payment_intents/ID/capture"),
                ("POST", "/v1/payment_intents/ID/cancel"),
                ("POST", "/v1/refunds"),
                ("GET", "/v1/payment_intents"),
                ("GET", "/v1/payment_intents/ID"),
                ("GET", "/v1/payment_intents/search"),
            },
        )


if __name__ == "__main__":
    unittest.main()
