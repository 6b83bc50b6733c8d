#!/usr/bin/env python3
"""The shop and tracking page in headless Chromium, against a host of the test's own: what a person does with
mouse, keyboard and phone, and what must hold when the host dies under it."""

import json
import pathlib
import re
import shutil
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from lossy_proxy import LossyProxy, http_answer  # noqa: E402
from orderd_env import Database, Host, free_port, wait_for  # noqa: E402
from webdriver import ENTER, TAB, Browser  # noqa: E402

DESKTOP = (1280, 900)
PHONE = (390, 844)
SMALL_PHONE = (320, 640)
SKIPPED = 77
PAGE_CHECKS = (HERE / "page_checks.js").read_text(encoding="utf-8")
# Texts with an override of the writing direction that shares its line with text of the page.
TURNED_AROUND = """(() => {
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const {data, parentElement} = walker.currentNode;
    if (data.includes('\\u202e') && parentElement.tagName !== 'BDI') found.push(data);
  }
  return found;
})()"""
HAPPY_PATH = ["PENDING", "PAYMENT_AUTHORIZED", "INVENTORY_RESERVED", "CONFIRMED"]
TABS_MAX = 80
CONNECTIONS_MAX = 6  # of one browser to one host
PLACING = "POST /api/orders "
BAD_GATEWAY = http_answer("502 Bad Gateway", body="<h1>502</h1>")
UNAUTHORIZED = http_answer(
    "401 Unauthorized", "application/problem+json", '{"status":401,"code":"UNAUTHORIZED","title":"No key"}'
)
NAMED_ROLES = {
    "button",
    "link",
    "textbox",
    "searchbox",
    "spinbutton",
    "combobox",
    "radio",
    "group",
    "dialog",
    "navigation",
    "list",
}


def without_repeats(values):
    return [value for index, value in enumerate(values) if index == 0 or value != values[index - 1]]


def basket_line(sku, **facts):
    return {"sku": sku, "name": sku, "unitPrice": 100, "currency": "EUR", "quantity": 1, **facts}


class ShopTest(unittest.TestCase):
    """Every test starts with a fresh page of one host and one browser, which all of them share."""

    @classmethod
    def setUpClass(cls):
        cls.database = Database("browser")
        cls.addClassCleanup(cls.database.drop)
        cls.host = Host(cls.database)
        cls.addClassCleanup(cls.host.remove)
        cls.host.settings.update(
            {
                "plugin.payment.settings.page_port": free_port(),
                "plugin.payment.settings.shop_url": f"{cls.host.url}/#/orders/",
                "plugin.payment.settings.webhook_url": f"{cls.host.url}/api/webhooks/payment",
                "plugin.payment.settings.webhook_secret": "of this test",
            }
        )
        cls.host.write_config()
        cls.host.prepare()
        cls.host.start()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.console_errors_allowed = ()
        if not self.host.running:
            self.host.start()
        self.browser.open("about:blank")
        self.browser.console()
        self.browser.resize(*DESKTOP)
        self.browser.prefer(prefers_color_scheme="light", prefers_reduced_motion="no-preference")
        self.show("#/")
        self.browser.script("sessionStorage.clear()")
        self.browser.reload()
        self.wait_for_products()

    def tearDown(self):
        errors = [
            entry["message"]
            for entry in self.browser.console()
            if entry["level"] == "SEVERE"
            and not any(allowed in entry["message"] for allowed in self.console_errors_allowed)
        ]
        self.assertEqual(errors, [], "the console must stay clean")

    # What a person does, in words.

    def show(self, address):
        self.browser.open("about:blank")
        self.browser.open(f"{self.host.url}/{address}")

    def wait_for_products(self):
        wait_for(lambda: self.browser.all(".product [data-add]"), "the products")

    def present(self, css):
        """The first such element, once it is there and visible."""
        return wait_for(lambda: self.browser.first_visible(css), css)

    def value(self, source):
        return self.browser.script(f"return {source}")

    def choose_scenario(self, scenario):
        self.browser.one(f'[name="scenario"][value="{scenario}"]').click()

    def place(self, scenario="normal"):
        """Puts a product in the basket, places the order and returns its id from the address it leads to."""
        self.browser.one('[data-add="SKU-0001"]').click()
        self.choose_scenario(scenario)
        wait_for(lambda: self.browser.one("#place").enabled, "the button to place the order")
        self.browser.one("#place").click()
        self.mark_page()
        return self.wait_for_order_page()

    def wait_for_order_page(self):
        self.present("#timeline .entry")
        return self.browser.url.rsplit("#/orders/", 1)[1].split("?")[0]

    def mark_page(self):
        self.browser.script("window.samePage = true")

    def assert_not_reloaded(self):
        self.assertTrue(self.value("window.samePage === true"), "the page was reloaded")

    def shown_status(self):
        return self.value("document.querySelector('#status')?.dataset.status ?? null")

    def wait_for_shown(self, status):
        wait_for(lambda: self.shown_status() == status, f"the page to show {status}")

    def connection(self):
        return self.value("document.querySelector('#connection')?.dataset.state ?? null")

    def wait_for_connection(self, state):
        wait_for(lambda: self.connection() == state, f"the connection to be {state}")

    def shown_history(self):
        return self.value(
            "[...document.querySelectorAll('#timeline .entry')]"
            ".map(({dataset}) => [Number(dataset.version), dataset.status, dataset.payment])"
        )

    def assert_history_is_the_hosts(self, order_id):
        told = [
            [entry["version"], entry["status"], entry["paymentStatus"]]
            for entry in self.host.order(order_id)["history"]
        ]
        wait_for(lambda: len(self.shown_history()) >= len(told), "every version on the page")
        self.assertEqual(self.shown_history(), told)
        self.assertEqual([version for version, _, _ in told], list(range(1, len(told) + 1)))

    def assert_only_order_of_its_customer(self, order_id):
        """Every page has a customer of its own, so a second order of the same one was placed by mistake."""
        customer = self.host.order(order_id)["customerId"]

        def listed():
            return [order["id"] for order in self.host.get(f"/api/orders?customerId={customer}").body["data"]]

        wait_for(lambda: order_id in listed(), "the list to follow")
        self.assertEqual(listed(), [order_id])

    def cancel(self, reason):
        self.present("#cancel").click()
        self.present("#reason").type(reason)
        self.browser.one("#confirm-cancel").click()

    def assert_page_is_sound(self, where):
        """Names, sizes, contrast and width, in both colour schemes."""
        for scheme in ("light", "dark"):
            self.browser.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
            self.assertEqual(self.browser.script(PAGE_CHECKS), [], f"{where}, {scheme}")
        nameless = [
            node["role"]["value"]
            for node in self.browser.devtools("Accessibility.getFullAXTree")["nodes"]
            if not node["ignored"]
            and node["role"]["value"] in NAMED_ROLES
            and not node["name"]["value"].strip()
        ]
        self.assertEqual(nameless, [], f"{where}: a screen reader has no name for these")

    # Orders, live

    def test_an_order_is_followed_to_confirmed_and_through_its_cancellation_without_a_reload(self):
        order_id = self.place("normal")
        self.wait_for_shown("CONFIRMED")
        self.assert_history_is_the_hosts(order_id)
        self.assertEqual(without_repeats([status for _, status, _ in self.shown_history()]), HAPPY_PATH)
        self.wait_for_connection("live")

        self.cancel("Ordered twice")
        self.wait_for_shown("CANCELLED")
        self.wait_for_connection("finished")
        self.assert_history_is_the_hosts(order_id)
        order = self.host.order(order_id)
        self.assertEqual(
            order["payment"]["status"],
            self.value("document.querySelector('#payment-status').dataset.payment"),
        )
        if order["payment"]["captured"]:
            self.assertEqual(order["payment"]["refunded"], order["totalAmount"])
            self.assertEqual(
                self.browser.one('[data-amount="refunded"]').text, self.browser.one("#order-total").text
            )
        else:
            self.assertEqual(order["payment"]["status"], "VOIDED")
        self.assertFalse(self.browser.one("#cancel").displayed)
        self.assert_not_reloaded()

    def test_a_sold_out_item_leads_to_rejected_with_the_payment_released(self):
        order_id = self.place("sold-out")
        self.wait_for_shown("REJECTED")
        self.wait_for_connection("finished")
        self.assert_history_is_the_hosts(order_id)
        self.assertIn("out of stock", self.browser.one("#lead").text)
        self.assertEqual(self.value("document.querySelector('#payment-status').dataset.payment"), "VOIDED")
        self.assert_not_reloaded()

    def test_a_declined_card_leads_to_rejected(self):
        order_id = self.place("declined")
        self.wait_for_shown("REJECTED")
        self.wait_for_connection("finished")
        self.assert_history_is_the_hosts(order_id)
        self.assertIn("declined", self.browser.one("#lead").text)

    def go_to_the_bank(self):
        """From an order that waits for its buyer to the bank's page."""
        order_id = self.place("3ds")
        wait_for(lambda: self.host.order(order_id)["payment"]["nextAction"], "the bank to ask")
        link = self.present('.notice a[rel="noreferrer"]')
        self.assertIn("primary", link.attribute("class"))
        self.assertIn("asks the buyer", self.browser.one("#lead").text)
        link.click()
        self.present("#agree")
        return order_id

    def test_a_buyer_agrees_on_the_banks_page_and_finds_the_order_confirmed(self):
        order_id = self.go_to_the_bank()
        self.browser.one("#agree").click()
        self.present("#back").click()
        self.assertEqual(self.wait_for_order_page(), order_id)
        self.wait_for_shown("CONFIRMED")
        order = self.host.order(order_id)
        self.assertEqual(order["payment"]["status"], "CAPTURED")
        self.assertIsNone(order["payment"]["nextAction"])
        left = "select count(*) from payment_simulated.events"
        wait_for(lambda: self.database.query(left) == ["0"], "the bank's call to be taken")

    def test_a_buyer_who_does_not_agree_finds_the_order_rejected(self):
        order_id = self.go_to_the_bank()
        self.browser.one("#refuse").click()
        self.present("#back").click()
        self.wait_for_shown("REJECTED")
        self.assertEqual(self.host.order(order_id)["payment"]["captured"], 0)

    def test_every_version_is_shown_once_when_the_host_is_killed_and_restarted_mid_stream(self):
        self.console_errors_allowed = ("ERR_", "stream")
        order_id = self.place("slow")
        self.wait_for_connection("live")
        self.assertIn(self.shown_status(), HAPPY_PATH)  # how far it is, the machine decides
        self.host.kill()
        self.wait_for_connection("reconnecting")
        self.host.start()
        self.wait_for_shown("CONFIRMED")
        self.wait_for_connection("live")
        self.assert_history_is_the_hosts(order_id)

        self.host.kill()
        self.wait_for_connection("reconnecting")
        self.host.start()
        self.wait_for_connection("live")
        self.cancel("After the restart")
        self.wait_for_shown("CANCELLED")
        self.assert_history_is_the_hosts(order_id)
        self.assert_not_reloaded()

    def test_an_order_placed_while_the_host_is_away_is_placed_once_when_it_is_back(self):
        self.console_errors_allowed = ("ERR_",)
        self.browser.one('[data-add="SKU-0002"]').click()
        self.host.kill()
        self.browser.one("#place").click()
        wait_for(lambda: "only once" in self.browser.one("#place-note").text, "the page to ask again")
        self.host.start()
        order_id = self.wait_for_order_page()
        self.wait_for_shown("CONFIRMED")
        self.assert_only_order_of_its_customer(order_id)

    def test_an_order_whose_answers_are_lost_is_placed_once(self):
        self.console_errors_allowed = ("ERR_",)
        with LossyProxy(self.host.port) as proxy:
            self.browser.open(f"{proxy.url}/#/")
            self.wait_for_products()
            self.browser.one('[data-add="SKU-0003"]').click()
            proxy.lose_answers_to("POST /api/orders ")
            self.browser.one("#place").click()
            wait_for(lambda: "only once" in self.browser.one("#place-note").text, "the page to ask again")
            proxy.lose_answers_to(None)
            order_id = self.wait_for_order_page()
            self.assertGreaterEqual(proxy.answers_lost, 1)
            self.wait_for_shown("CONFIRMED")
            # The tab's page must be gone before the proxy is, or it would go on asking.
            self.browser.open("about:blank")
        self.assert_only_order_of_its_customer(order_id)

    def place_behind(self, proxy, sku="SKU-0003"):
        """Opens the shop behind a proxy and presses the button to place an order."""
        self.browser.open(f"{proxy.url}/#/")
        self.wait_for_products()
        self.browser.one(f'[data-add="{sku}"]').click()
        self.browser.one("#place").click()

    def leave(self, proxy, lost_at_least):
        """The tab's page must be gone before the proxy is, or it would go on asking."""
        self.assertGreaterEqual(proxy.answers_lost, lost_at_least)
        self.browser.open("about:blank")

    def wait_for_note(self, text):
        wait_for(lambda: text in self.browser.one("#place-note").text, f"the note to say {text!r}")

    def test_an_order_is_placed_once_when_a_proxy_answers_502_for_the_host(self):
        self.console_errors_allowed = ("502",)
        with LossyProxy(self.host.port) as proxy:
            proxy.lose_answers_to(PLACING, BAD_GATEWAY)
            self.place_behind(proxy)
            self.wait_for_note("only once")
            self.assertFalse(self.browser.one("#place").enabled)
            proxy.lose_answers_to(None)
            order_id = self.wait_for_order_page()
            self.leave(proxy, 1)
        self.assert_only_order_of_its_customer(order_id)

    def test_an_order_that_may_exist_keeps_its_key_when_the_next_answer_is_a_refusal(self):
        self.console_errors_allowed = ("502", "401")
        with LossyProxy(self.host.port) as proxy:
            proxy.lose_answers_to(PLACING, BAD_GATEWAY)
            self.place_behind(proxy)
            self.wait_for_note("only once")
            proxy.lose_answers_to(PLACING, UNAUTHORIZED)
            self.present("#api-key").type("ok_any")
            self.assertFalse(self.browser.one("#place").enabled)
            proxy.lose_answers_to(None)
            self.browser.press(ENTER)
            order_id = self.wait_for_order_page()
            self.leave(proxy, 2)
        self.assert_only_order_of_its_customer(order_id)

    def test_an_order_that_may_exist_is_asked_for_again_after_a_reload(self):
        self.console_errors_allowed = ("502",)
        with LossyProxy(self.host.port) as proxy:
            proxy.lose_answers_to(PLACING, BAD_GATEWAY)
            self.place_behind(proxy)
            self.wait_for_note("only once")
            proxy.lose_answers_to(None)
            self.browser.reload()
            self.present("#placed a").click()
            order_id = self.wait_for_order_page()
            self.leave(proxy, 1)
        self.assert_only_order_of_its_customer(order_id)

    def test_who_stops_asking_is_told_that_the_order_may_exist(self):
        self.console_errors_allowed = ("502",)
        with LossyProxy(self.host.port) as proxy:
            proxy.lose_answers_to(PLACING, BAD_GATEWAY)
            self.place_behind(proxy)
            self.present("#give-up").click()
            self.wait_for_note("may have been placed")
            proxy.lose_answers_to(None)
            self.browser.one("#place").click()
            self.wait_for_order_page()
            self.leave(proxy, 1)

    def test_an_order_placed_while_another_view_is_open_is_told_of_in_the_shop(self):
        self.console_errors_allowed = ("ERR_",)
        self.browser.one('[data-add="SKU-0002"]').click()
        self.host.kill()
        self.browser.one("#place").click()
        self.wait_for_note("only once")
        self.browser.one('[data-nav="orders"]').click()
        self.present("main h2, main .hint")
        self.browser.one('[data-nav="shop"]').click()
        self.present("#place-note")
        self.wait_for_note("only once")
        self.assertIn("Placing", self.browser.one("#place").text)
        self.assertFalse(self.browser.one("#place").enabled)
        self.host.start()
        link = self.present("#placed a")
        self.assertIn("Order placed", self.browser.one("#placed").text)
        self.browser.resize(*SMALL_PHONE)
        self.browser.script("scrollTo(0, 0)")
        wait_for(lambda: self.browser.one(".bar").displayed, "the bar of a phone")
        self.assertIn("Order placed", self.browser.one(".bar").text)
        self.assert_page_is_sound("an order was placed")
        link.click()
        self.assert_only_order_of_its_customer(self.wait_for_order_page())

    def test_what_is_added_to_the_basket_while_an_order_is_placed_stays_in_it(self):
        self.console_errors_allowed = ("502",)
        with LossyProxy(self.host.port) as proxy:
            proxy.lose_answers_to(PLACING, BAD_GATEWAY)
            self.place_behind(proxy, "SKU-0003")
            self.wait_for_note("only once")
            self.browser.one('[data-add="SKU-0001"]').click()
            self.present('[data-line="SKU-0003"] .stepper button:last-of-type').click()
            proxy.lose_answers_to(None)
            self.wait_for_order_page()
            kept = self.value("JSON.parse(sessionStorage.getItem('orderd.basket'))")
            self.leave(proxy, 1)
        self.assertEqual(
            {line["sku"]: line["quantity"] for line in kept}, {"SKU-0003": 1, "SKU-0001": 1}
        )

    def test_any_number_of_tabs_follow_an_order(self):
        order_id = self.host.place()["id"]
        self.host.wait_for_status(order_id, "CONFIRMED")
        first = self.browser.tab
        self.show(f"#/orders/{order_id}")
        self.wait_for_connection("live")
        for _ in range(CONNECTIONS_MAX):
            handle = self.browser.new_tab()
            self.addCleanup(self.close_tab, handle, first)
            self.show(f"#/orders/{order_id}")
            self.wait_for_connection("live")

        self.host.post(f"/api/orders/{order_id}/cancel", {})
        self.wait_for_shown("CANCELLED")
        self.browser.turn_to(first)
        self.wait_for_shown("CANCELLED")
        self.assert_history_is_the_hosts(order_id)

    def close_tab(self, handle, then):
        self.browser.turn_to(handle)
        self.browser.close_tab()
        self.browser.turn_to(then)

    def test_a_tab_nobody_looks_at_lets_go_of_its_stream_and_catches_up_later(self):
        order_id = self.host.place()["id"]
        self.host.wait_for_status(order_id, "CONFIRMED")
        self.show(f"#/orders/{order_id}")
        self.wait_for_connection("live")
        self.look_away(True)
        self.wait_for_connection("paused")
        self.host.post(f"/api/orders/{order_id}/cancel", {})
        self.host.wait_for_status(order_id, "CANCELLED")
        self.assertEqual(self.shown_status(), "CONFIRMED")
        self.look_away(False)
        self.wait_for_shown("CANCELLED")
        self.assert_history_is_the_hosts(order_id)

    def look_away(self, hidden):
        self.browser.script(
            "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'))",
            hidden,
        )

    # The shop

    def test_products_are_searched_and_shown_page_by_page(self):
        first = len(self.browser.all(".product"))
        self.browser.one("#more-products").click()
        wait_for(lambda: len(self.browser.all(".product")) == 2 * first, "as many products again")
        self.browser.one("#search").type("SKU-0999")
        wait_for(
            lambda: self.value("[...document.querySelectorAll('.product')].map((p) => p.dataset.sku)")
            == ["SKU-0999"],
            "the product that was searched for",
        )
        self.browser.one("#search").clear()
        self.browser.one("#search").type("no such thing")
        wait_for(
            lambda: "Nothing is called" in self.browser.one(".count").text,
            "the search to say it found nothing",
        )

    def test_a_sold_out_product_cannot_be_added(self):
        self.browser.one("#search").type("SKU-SOLD-OUT")
        button = self.present('[data-add="SKU-SOLD-OUT"]')
        self.assertFalse(button.enabled)
        self.assertIn("Sold out", button.text)

    def test_the_basket_counts_sums_and_survives_a_reload(self):
        self.browser.one('[data-add="SKU-0001"]').click()
        self.present('[data-sku="SKU-0001"] .stepper button:last-of-type').click()
        self.browser.one('[data-add="SKU-0002"]').click()
        prices = {
            product["sku"]: product["unitPrice"] for product in self.host.get("/api/products").body["data"]
        }
        expected = self.value(
            "import('/format.js').then(({money}) => money("
            f"{2 * prices['SKU-0001'] + prices['SKU-0002']}, 'EUR'))"
        )
        self.assertEqual(self.browser.one("#total").text, expected)
        self.browser.reload()
        self.wait_for_products()
        self.assertEqual(self.browser.one("#total").text, expected)
        self.present('[data-line="SKU-0002"] .stepper button:first-of-type').click()
        wait_for(lambda: not self.browser.all('[data-line="SKU-0002"]'), "the line to leave the basket")

    def test_money_has_the_minor_units_that_the_host_counts_in(self):
        source = (HERE.parents[1] / "host" / "model" / "money.cpp").read_text(encoding="utf-8")
        exponents = {"no_digits": 0, "two_digits": 2, "three_digits": 3}
        digits = {
            code: exponent
            for name, exponent in exponents.items()
            for code in re.findall(r"\b[A-Z]{3}\b", re.search(rf"{name} =([^;]*)", source)[1])
        }
        shown = self.value(
            "import('/format.js').then(({money}) => Object.fromEntries("
            f"{sorted(digits)}.map((code) => [code, money(1234567, code).replace(/[^0-9.]/g, '')])))"
        )
        self.assertGreater(len(shown), 150)
        self.assertEqual(
            shown, {code: f"{1234567 / 10**exponent:.{exponent}f}" for code, exponent in digits.items()}
        )

    def test_a_basket_follows_the_catalogue_and_its_stepper_keeps_the_new_price(self):
        lines = [basket_line("SKU-0001", unitPrice=1, name="Of yesterday")]
        self.keep_basket(lines)
        product = self.host.get("/api/products").body["data"][0]
        self.assertEqual(product["sku"], "SKU-0001")
        wait_for(
            lambda: product["name"] in self.browser.one('[data-line="SKU-0001"]').text, "the name to change"
        )
        self.present('[data-line="SKU-0001"] .stepper button:last-of-type').click()
        shown = self.value(f"import('/format.js').then(({{money}}) => money({product['unitPrice']}, 'EUR'))")
        self.assertIn(f"{shown} each", self.browser.one('[data-line="SKU-0001"] .hint').text)
        kept = self.value("JSON.parse(sessionStorage.getItem('orderd.basket'))")
        self.assertEqual([line["unitPrice"] for line in kept], [product["unitPrice"]])
        self.assertEqual([line["quantity"] for line in kept], [2])

    def test_a_basket_takes_no_more_than_there_is(self):
        lines = [basket_line("SKU-NOT-LISTED", available=2)]
        self.keep_basket(lines)
        more = '[data-line="SKU-NOT-LISTED"] .stepper button:last-of-type'
        for _ in range(3):
            self.present(more).click()
        self.assertEqual(self.value("document.querySelector('[data-line] input').value"), "2")
        self.assertIn("only 2 left", self.browser.one("[data-line] .hint").text)

    def test_a_basket_that_makes_no_sense_is_ignored(self):
        for kept in ({}, "text", [None, 1, {"sku": "SKU-0001"}, basket_line("SKU-0001", currency="euro")]):
            with self.subTest(kept=kept):
                self.keep_basket(kept)
                self.assertEqual(self.browser.all("[data-line]"), [])

    def keep_basket(self, lines):
        self.browser.script("sessionStorage.setItem('orderd.basket', arguments[0])", json.dumps(lines))
        self.browser.reload()
        self.wait_for_products()

    def test_a_missing_customer_is_asked_for_in_words_at_the_field(self):
        self.browser.one('[data-add="SKU-0001"]').click()
        self.browser.one("#customer").clear()
        self.browser.one("#place").click()
        self.assertEqual(self.browser.active.attribute("id"), "customer")
        self.assertEqual(self.browser.one("#customer").attribute("aria-invalid"), "true")
        self.assertEqual(
            self.browser.one("#customer-problem").text, "Enter a customer: 1 to 200 characters."
        )
        self.assertIsNone(self.browser.first_visible("main [role=alert]"))
        self.browser.one("#customer").type("c-42")
        self.browser.one("#place").click()
        self.assertEqual(self.host.order(self.wait_for_order_page())["customerId"], "c-42")

    def test_an_error_of_the_host_points_to_the_field(self):
        self.console_errors_allowed = ("400",)
        self.keep_basket([basket_line("SKU-0001", quantity=2_000_000)])
        self.browser.one("#place").click()
        field = "[data-line] input"
        wait_for(
            lambda: self.browser.one(field).attribute("aria-invalid") == "true", "the field to be marked"
        )
        self.assertTrue(self.value(f"document.activeElement.matches('{field}')"))
        self.assertIn("/items/0", self.present('[role="alert"]').text)

    def test_a_long_sku_and_a_long_price_share_a_phones_width(self):
        order = self.host.place(sku="W" * 200, quantity=1_000_000, unit_price=999_999_999)
        for size in (DESKTOP, SMALL_PHONE):
            self.browser.resize(*size)
            self.show(f"#/orders/{order['id']}")
            self.present(".details .line")
            self.assert_wide_enough(".details .line-text", ".details .line")
            self.assert_page_is_sound(f"order with long texts {size}")
        self.show("#/orders")
        row = f'[data-order="{order["id"]}"]'
        self.present(row)
        self.assert_wide_enough(f"{row} .order-items", row)

    def assert_wide_enough(self, css, container):
        widths = [self.value(f"document.querySelector('{it}').offsetWidth") for it in (css, container)]
        self.assertGreater(widths[0], 0.4 * widths[1], css)

    # The list

    def test_the_list_shows_new_orders_by_itself_and_filters_by_status(self):
        self.show("#/orders")
        self.present("h1")
        confirmed = self.host.place()["id"]
        rejected = self.host.place("tok_declined")["id"]
        for order_id, status in ((confirmed, "CONFIRMED"), (rejected, "REJECTED")):
            self.present(f'[data-order="{order_id}"] .badge[data-status="{status}"]')
        self.browser.one('#filter option[value="REJECTED"]').click()
        self.present(f'[data-order="{rejected}"]')
        wait_for(
            lambda: not self.browser.all(f'[data-order="{confirmed}"]'),
            "the confirmed order to be filtered out",
        )
        self.present(f'[data-order="{rejected}"] a').click()
        self.wait_for_shown("REJECTED")
        self.assert_history_is_the_hosts(rejected)

    def test_an_unknown_order_is_said_to_be_unknown(self):
        self.console_errors_allowed = ("404",)
        self.show("#/orders/01920000-0000-7000-8000-000000000000")
        wait_for(lambda: "no such order" in self.browser.one("main").text, "the page to say so")

    def test_a_wrong_token_in_a_link_does_not_stay_in_the_tab(self):
        self.console_errors_allowed = ("404",)
        order_id = self.host.place()["id"]
        self.host.wait_for_status(order_id, "CONFIRMED")
        self.show(f"#/orders/{order_id}?token=wrong")
        wait_for(lambda: "no such order" in self.browser.one("main").text, "the page to say so")
        self.browser.script(f"location.hash = '#/orders/{order_id}'")
        self.wait_for_shown("CONFIRMED")

    def test_a_tracking_link_is_offered_only_when_it_would_open_the_order(self):
        order = self.host.place()
        self.host.wait_for_status(order["id"], "CONFIRMED")
        self.show(f"#/orders/{order['id']}")
        self.wait_for_shown("CONFIRMED")
        buttons = "[...document.querySelectorAll('.copies button')].map(({innerText}) => innerText)"
        self.assertEqual(self.value(buttons), ["Copy order id"])
        self.show(f"#/orders/{order['id']}?token={order['trackingToken']}")
        self.wait_for_shown("CONFIRMED")
        self.assertEqual(self.value(buttons), ["Copy order id", "Copy tracking link"])

    def test_a_product_without_a_name_is_shown_by_its_sku_once(self):
        order_id = self.host.place(sku="SKU-0007", quantity=2)["id"]
        self.show(f"#/orders/{order_id}")
        line = self.present(".details .line")
        self.assertEqual(line.text.count("SKU-0007"), 1)
        self.assertIn("2 ×", line.text)

    def test_writing_direction_in_a_sku_or_customer_does_not_turn_a_price_around(self):
        order_id = self.host.place(sku="SKU-\u202e0001", customer="c-\u202e1", quantity=2)["id"]
        self.show(f"#/orders/{order_id}")
        self.present(".details .line")
        self.assertEqual(self.value(TURNED_AROUND), [])
        self.show("#/orders")
        self.present(f'[data-order="{order_id}"]')
        self.assertEqual(self.value(TURNED_AROUND), [])

    def test_every_link_of_the_frame_leads_somewhere(self):
        links = self.value("[...document.querySelectorAll('.foot a, .top a')].map(({href}) => href)")
        for link in links:
            path = link.removeprefix(self.host.url).split("#")[0]
            self.assertEqual(self.host.get(path).status, 200, link)

    # For everyone

    def tab_to(self, css):
        for _ in range(TABS_MAX):
            if self.browser.script(f"return document.activeElement.matches({css!r})"):
                return
            self.browser.press(TAB)
        self.fail(f"{TABS_MAX} tabs do not lead to {css}")

    def test_an_order_is_placed_and_cancelled_with_the_keyboard_alone(self):
        self.browser.press(TAB)
        self.assertEqual(self.browser.active.attribute("id"), "skip")
        self.tab_to('[data-add="SKU-0001"]')
        self.browser.press(ENTER)
        self.assertTrue(
            self.browser.script("return document.activeElement.closest('[data-sku=\"SKU-0001\"]') !== null"),
            "the focus stays with the product",
        )
        self.tab_to("#place")
        self.browser.press(ENTER)
        order_id = self.wait_for_order_page()
        self.assertEqual(self.browser.active.attribute("id"), "page-title")
        self.wait_for_shown("CONFIRMED")
        self.tab_to("#cancel")
        self.browser.press(ENTER)
        self.assertEqual(self.browser.active.attribute("id"), "reason")
        self.tab_to("#confirm-cancel")
        self.browser.press(ENTER)
        self.wait_for_shown("CANCELLED")
        self.assert_history_is_the_hosts(order_id)

    def test_status_changes_are_announced_to_a_screen_reader(self):
        self.place("normal")
        wait_for(
            lambda: "Confirmed"
            in self.value("document.querySelector('[role=status]#announcer').textContent"),
            "the announcement",
        )
        self.assertIn("Confirmed", self.browser.title)

    def test_every_view_is_sound_on_a_desktop_and_on_phones(self):
        for size in (DESKTOP, PHONE, SMALL_PHONE):
            with self.subTest(size=size):
                self.browser.resize(*size)
                self.show("#/")
                self.wait_for_products()
                self.choose_scenario("normal")
                self.assert_page_is_sound(f"shop {size}")
                self.place("sold-out")
                self.wait_for_connection("finished")
                self.assert_page_is_sound(f"rejected order {size}")
                self.show("#/")
                self.wait_for_products()
                self.place("normal")
                self.wait_for_shown("CONFIRMED")
                self.assert_page_is_sound(f"confirmed order {size}")
                self.present("#cancel").click()
                self.assert_page_is_sound(f"dialog {size}")
                self.show("#/orders")
                self.present(".order-row")
                self.assert_page_is_sound(f"list {size}")

    def test_nothing_moves_for_those_who_ask_for_that(self):
        self.browser.prefer(prefers_reduced_motion="reduce")
        self.place("slow")
        moving = "document.getAnimations().filter((animation) => animation.playState === 'running').length"
        self.assertEqual(self.value(moving), 0)
        self.wait_for_shown("CONFIRMED")
        self.assertEqual(self.value(moving), 0)

    def test_the_page_asks_no_other_host_and_runs_under_a_strict_policy(self):
        self.place("normal")
        self.wait_for_shown("CONFIRMED")
        loaded = self.value("performance.getEntriesByType('resource').map(({name}) => name)")
        self.assertEqual([name for name in loaded if not name.startswith(self.host.url + "/")], [])
        self.assertIn("default-src 'self'", self.host.get("/").headers.get("Content-Security-Policy", ""))


if __name__ == "__main__":
    if not shutil.which("chromedriver"):
        print("skipped: chromedriver is not installed (Debian: chromium-driver)", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
