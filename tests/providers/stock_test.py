#!/usr/bin/env python3
"""Orders whose goods are in a merchant's own stock service, through plugins/inventory/http and a host as a
process; the service is the reference of the contract, and its books judge."""

import tempfile
import threading
import unittest

from stock_service import TOKEN, Stock
from support import judge, orderd_env, private

SKU, RARE = "CHAIR", "THRONE"
ON_HAND = 10_000


class Goods(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.stock = cls.enterClassContext(Stock({SKU: ON_HAND, RARE: 3}))
        cls.database = cls.enterClassContext(orderd_env.Database("stock"))
        cls.host = cls.enterClassContext(
            orderd_env.Host(
                cls.database,
                {
                    "plugin.inventory.library": "inventory_http.so",
                    "plugin.inventory.settings.url": cls.stock.url + "/",
                    "plugin.inventory.secret.token": private(cls.folder, "token", TOKEN),
                },
            )
        )
        cls.host.orderctl("migrate")
        cls.host.start()

    def placed(self, token="tok_ok", sku=SKU, quantity=1, **fields):
        return self.host.place(token, sku=sku, quantity=quantity, **fields)["id"]

    def test_a_confirmed_order_has_its_goods_sold(self):
        order = self.placed(quantity=2)
        self.host.wait_for_status(order, "CONFIRMED")
        self.assertEqual(self.stock.state(order), "COMMITTED")

    def test_an_order_for_more_than_there_is_is_rejected_and_takes_nothing(self):
        order = self.placed(sku=RARE, quantity=4)
        ended = self.host.wait_for_status(order, "REJECTED")
        self.assertEqual(ended["statusReason"]["code"], "OUT_OF_STOCK")
        self.assertEqual(self.stock.numbers(RARE)[1:], (0, 0))

    def test_an_unknown_article_is_rejected_by_its_name(self):
        ended = self.host.wait_for_status(self.placed(sku="NO-SUCH"), "REJECTED")
        self.assertEqual(ended["statusReason"]["code"], "UNKNOWN_SKU")

    def test_lines_of_one_article_are_one_reservation_of_their_sum(self):
        lines = [{"sku": SKU, "quantity": quantity, "unitPrice": 100} for quantity in (2, 3)]
        order = self.placed(items=lines)
        self.host.wait_for_status(order, "CONFIRMED")
        self.assertEqual(self.stock.reservations[order]["lines"], {SKU: 5})

    def test_a_cancelled_order_gives_sold_goods_back(self):
        order = self.placed()
        self.host.wait_for_status(order, "CONFIRMED")
        self.host.post(f"/api/orders/{order}/cancel", {})
        self.host.wait_for_status(order, "CANCELLED")
        self.assertEqual(self.stock.state(order), "RELEASED")

    def test_a_failed_capture_releases_what_was_reserved(self):
        order = self.placed("tok_capture_fails")
        self.host.wait_for_status(order, "REJECTED")
        self.assertEqual(self.stock.state(order), "RELEASED")

    def test_answers_that_are_lost_and_failures_change_nothing_twice(self):
        for action in ("reserve", "commit"):
            for how in ("lost", "500", "busy"):
                with self.subTest(action=action, how=how):
                    self.stock.fail_next(action, how)
                    order = self.placed()
                    self.host.wait_for_status(order, "CONFIRMED")
                    self.assertEqual(self.stock.state(order), "COMMITTED")

    def test_a_token_that_is_refused_holds_the_order_and_the_log_names_the_setting(self):
        self.stock.fail_next("reserve", "401")
        order = self.placed()
        orderd_env.wait_for(
            lambda: "correct the setting" in self.host.log_path.read_text(), "the log to name the setting"
        )
        self.assertNotIn(TOKEN, self.host.log_path.read_text())
        self.host.wait_for_status(order, "CONFIRMED", 90)

    def test_a_release_that_comes_first_blocks_the_reserve(self):
        with self.stock._lock:
            before = len(self.stock.calls)
            order = self.placed()
            orderd_env.wait_for(
                lambda: self.host.order(order)["status"] == "PAYMENT_AUTHORIZED",
                "the reserve to wait for the lock",
            )
            self.stock.release(order)
        ended = self.host.wait_for_status(order, "REJECTED")
        self.assertEqual(ended["statusReason"]["code"], "RESERVATION_CLOSED")
        self.assertIn(("reserve", order), self.stock.calls[before:])
        self.assertEqual(self.host.order(order)["payment"]["status"], "VOIDED")

    def test_concurrent_orders_never_sell_more_than_there_is(self):
        orders, threads = [], []
        for _ in range(8):
            threads.append(threading.Thread(target=lambda: orders.append(self.placed(sku=RARE))))
            threads[-1].start()
        for thread in threads:
            thread.join()
        ends = [
            orderd_env.wait_for(
                lambda one=order: self.host.order(one)["status"] in ("CONFIRMED", "REJECTED")
                and self.host.order(one)["status"],
                f"{order} to end",
            )
            for order in orders
        ]
        self.assertEqual(ends.count("CONFIRMED"), 3)
        self.assertEqual(self.stock.numbers(RARE), (0, 0, 3))


class Checker(unittest.TestCase):
    def test_the_checker_finds_nothing_with_this_service_as_its_network(self):
        with Stock({"SKU-0001": 100_000}) as stock:
            judge(self, "inventory_http.so", {"url": stock.url, "token": TOKEN})
            self.assertIn(("reserve", "bounded-1"), stock.calls)


if __name__ == "__main__":
    unittest.main()
