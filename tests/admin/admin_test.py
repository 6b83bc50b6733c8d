#!/usr/bin/env python3
"""An operator's day: stuck orders let go by hand, what is paused and resumed, dead letters that come back,
the laws judged on the live system. By orderctl and the API, against a host as a process."""

import concurrent.futures
import json
import os
import pathlib
import sys
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from orderd_env import SOURCE, Database, Host, wait_for  # noqa: E402  (after the path is set)


def impatient_saga(folder):
    """The default saga, but a payment is given up after half a second of attempts."""
    saga = json.loads((SOURCE / "config" / "sagas" / "default.json").read_text(encoding="utf-8"))
    saga["steps"][0]["retry"] = {"first_ms": 50, "cap_ms": 100, "total_ms": 500}
    (pathlib.Path(folder) / "default.json").write_text(json.dumps(saga), encoding="utf-8")


class Admin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(Database("admin"))
        cls.host = cls.enterClassContext(Host(cls.database))
        impatient_saga(cls.host.folder)
        cls.host.settings["saga.dir"] = cls.host.folder
        cls.host.write_config()
        cls.host.prepare()

        checker = pathlib.Path(os.environ["ORDERD_TEST_BIN"]) / "plugin-api" / "checker"
        path = f"{checker}{os.pathsep}{os.environ['PATH']}"
        cls.enterClassContext(unittest.mock.patch.dict(os.environ, {"PATH": path}))
        cls.host.environment["PATH"] = path
        cls.host.start()

    def ctl(self, *words):
        return json.loads(self.host.orderctl(*words, "-o", "json"))

    def stuck(self):
        """An order that is paid, cancelled, and whose refund the bank did not make in time."""
        order = self.host.place("tok_refund_fails_1000")["id"]
        self.host.wait_for_status(order, "CONFIRMED")
        self.host.post(f"/api/orders/{order}/cancel", {})
        wait_for(lambda: self.host.order(order)["attention"], f"order {order} to be stuck")
        return order

    def money(self, order):
        rows = self.database.query(
            f"select captured, refunded from payment_simulated.payments where payment_id = '{order}'"
        )
        return tuple(int(number) for number in rows[0].split("|"))

    def test_a_stuck_order_is_let_go_by_mark_done_after_a_dry_run(self):
        order = self.stuck()
        listed = {row["orderId"]: row for row in self.ctl("sagas", "list", "--state", "STUCK")}
        self.assertEqual(listed[order]["moneyAtRisk"], 1999)
        told = self.ctl("sagas", "explain", order)
        self.assertEqual(told["state"], "STUCK")
        self.assertIn("mark-done", told["explanation"])

        before = self.host.order(order)
        dry = self.ctl("sagas", "retry", order, "--reason", "what would it do", "--dry-run")
        self.assertEqual([effect["action"] for effect in dry["effects"]], ["payment.refund"])
        self.assertEqual(self.host.order(order), before)
        self.assertEqual(self.database.query("select count(*) from saga_inbox"), ["0"])
        with self.assertRaisesRegex(RuntimeError, "reference is needed"):
            self.host.orderctl("sagas", "mark-done", order, "--reason", "refunded in the dashboard")

        done = self.host.post(
            f"/api/admin/sagas/{order}/mark-done",
            {"reason": "refunded in the dashboard", "providerReference": "re_42", "amount": 1999},
        )
        self.assertEqual(done.status, 202, done.body)
        cancelled = self.host.wait_for_status(order, "CANCELLED")
        self.assertEqual(cancelled["payment"]["status"], "REFUNDED")
        self.assertIsNone(cancelled["attention"])
        self.assertEqual(self.money(order), (1999, 0))  # the person's word was believed, no bank was asked
        timeline = self.host.get(f"/api/admin/sagas/{order}").body["timeline"]
        self.assertIn("audit", [entry["kind"] for entry in timeline])
        verbs = [entry for entry in timeline if entry["kind"] == "verb"]
        self.assertIn("refunded in the dashboard", verbs[0]["by"])

    def test_a_retry_goes_on_with_the_refund(self):
        order = self.stuck()
        self.database.query("update payment_simulated.payments set token = 'tok_ok' "
                            f"where payment_id = '{order}'")
        self.ctl("sagas", "retry", order, "--reason", "the bank is well again")
        self.host.wait_for_status(order, "CANCELLED")
        self.assertEqual(self.money(order), (1999, 1999))

    def test_a_refund_paid_in_cash_is_not_paid_again_whatever_the_sweeper_or_a_notice_says(self):
        order = self.stuck()
        dry = self.host.orderctl("sagas", "skip", order, "--reason", "in cash", "--dry-run")
        self.assertEqual(dry.strip(), "nothing is sent to any plugin; then the order is CANCELLED")
        self.assertIn("the simulated bank failed", self.host.orderctl("sagas", "show", order))
        self.host.orderctl("sagas", "skip", order, "--reason", "in cash")
        cancelled = self.host.wait_for_status(order, "CANCELLED")
        self.assertEqual(cancelled["payment"]["status"], "REFUNDED")
        self.assertEqual(cancelled["payment"]["settled"], 1999)
        self.database.query("update payment_simulated.payments set token = 'tok_ok' "
                            f"where payment_id = '{order}'")
        for kind, code in ((1, ""), (2, "REVERSED"), (5, "")):  # a success, a reversal, a hint
            totals = {"authorized": 1999, "captured": 1999, "refunded": 0, "voided": 0}
            notice = {"key": "", "action": "", "by": "webhook evt_1",
                      "outcome": {"kind": kind, "code": code, **({"totals": totals} if kind != 5 else {})}}
            self.database.query("insert into saga_inbox (shard, order_id, kind, data) select shard, id, 1, "
                                f"'{json.dumps(notice)}' from order_state where id = '{order}'")
        wait_for(lambda: self.database.query("select count(*) from saga_inbox") == ["0"],
                 "the notices to be taken")
        live = f"select count(*) from sagas where order_id = '{order}'"
        wait_for(lambda: self.database.query(live) == ["0"], "the look at the payment to end")
        self.assertEqual(self.money(order), (1999, 0))
        self.assertEqual(self.host.order(order)["status"], "CANCELLED")
        self.assertEqual(self.ctl("verify"), [])
        told = self.ctl("sagas", "explain", order)["explanation"]
        self.assertIn("have been given back", told)
        self.assertIn("A person answered for 19.99 EUR", told)

    def test_verify_compares_an_ended_order_with_what_its_events_said_of_its_money(self):
        order = self.host.place()["id"]
        self.host.wait_for_status(order, "CONFIRMED")
        self.host.post(f"/api/orders/{order}/cancel", {})
        self.host.wait_for_status(order, "CANCELLED")
        self.assertEqual(self.ctl("verify"), [])
        last = f"(select max(version) from order_events where order_id = '{order}')"

        def forge(amount):
            payment = json.dumps(dict.fromkeys(("authorized", "captured", "refunded"), amount))
            was = "convert_from(payload, 'UTF8')::jsonb"
            self.database.query(
                f"update order_events set payload = convert_to(jsonb_set({was}, '{{payment}}', "
                f"({was} -> 'payment') || '{payment}')::text, 'UTF8') "
                f"where order_id = '{order}' and version = {last}")

        forge(0)
        try:
            with self.assertRaises(RuntimeError) as broken:
                self.host.orderctl("verify")
        finally:
            forge(1999)
        self.assertIn("violations", str(broken.exception))
        self.assertEqual(self.ctl("verify"), [])

    def test_a_paused_plugin_holds_orders_and_they_go_on_when_it_is_resumed(self):
        self.host.orderctl("switches", "pause", "plugin:payment", "--reason", "the bank asked")
        paused = {row["name"]: row["state"] for row in self.ctl("switches", "list")}
        self.assertEqual(paused["plugin:payment"], "paused")

        def held():
            order = self.host.place()["id"]
            path = f"/api/orders/{order}/explain"
            explained = lambda: self.host.get(path).body["explanation"]  # noqa: E731
            try:
                wait_for(lambda: "paused plugin:payment (the bank asked)" in explained(), "it to wait", 3)
                return order
            except AssertionError:
                return None  # it was quicker than the switch

        order = wait_for(held, "an order to be held back", 30)
        plugins = {one["instance"]: one for one in self.host.get("/api/admin/plugins").body["data"]}
        self.assertTrue(plugins["payment"]["paused"])
        self.assertRegex(plugins["payment"]["digest"], r"\A[0-9a-f]{64}\Z")
        self.host.orderctl("switches", "resume", "plugin:payment", "--reason", "the bank is back")
        self.host.wait_for_status(order, "CONFIRMED")
        rows = self.database.query("select verb from audit_log where subject = 'plugin:payment' "
                                   "and verb like 'switch.%' order by id")
        self.assertEqual(rows, ["switch.pause", "switch.resume"])

    def install(self, instance, file, **more):
        path = f"/api/admin/plugins/{instance}/builds"
        return self.host.post(path, {"file": file, "reason": "newer", **more})

    def test_a_build_is_installed_by_the_api_and_by_orderctl_if_the_checker_has_nothing_against_it(self):
        installed = self.install("payment", "payment_simulated.so")
        self.assertEqual(installed.status, 201, installed.body)
        digest = installed.body["digest"]
        file = pathlib.Path(self.host.settings["plugins.dir"]) / "payment_simulated.so"
        self.assertEqual(self.ctl("plugin", "install", "payment", file)["digest"], digest)
        self.assertIn(digest, [one["digest"] for one in self.ctl("plugin", "list", "payment")])
        self.assertEqual(self.install("nobody", "payment_simulated.so").status, 404)

    def test_a_build_of_another_kind_is_not_installed(self):
        builds = "select count(*) from plugin_builds"
        before = self.database.query(builds)
        refused = self.install("inventory", "projection_orders_read.so")
        self.assertEqual((refused.status, refused.body["code"]), (409, "VERB_REFUSED"), refused.body)
        self.assertIn("projection-orders-read 1.0.0 is of another kind than inventory-postgres",
                      refused.body["detail"])
        self.assertEqual(self.database.query(builds), before)

    def test_a_build_that_does_not_pass_is_refused_unless_forced(self):
        bad = "zoo/zoo_crashes_unstarted.so"
        refused = self.install("payment", bad)
        self.assertEqual((refused.status, refused.body["code"]), (409, "VERB_REFUSED"), refused.body)
        self.assertIn("did not pass orderd-plugin-check: life.", refused.body["detail"])
        file = str(pathlib.Path(self.host.settings["plugins.dir"]) / bad)
        with self.assertRaisesRegex(RuntimeError, "--force with --reason installs it all the same"):
            self.host.orderctl("plugin", "install", "payment", file)
        forced = self.install("payment", bad, force=True)
        self.assertEqual(forced.status, 201, forced.body)
        audited = ("select reason, data ->> 'digest' from audit_log where verb = 'plugin.install' "
                   "order by id desc limit 1")
        self.assertEqual(self.database.query(audited), [f"newer|{forced.body['digest']}"])

    def test_a_host_judges_one_build_at_a_time(self):
        def is_judging():
            tasks = pathlib.Path(f"/proc/{self.host.pid}/task").iterdir()
            return any((task / "children").read_text(encoding="ascii") for task in tasks)

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            first = pool.submit(self.install, "payment", "payment_simulated.so")
            wait_for(is_judging, "the first one's checks to begin")
            second = self.install("payment", "payment_simulated.so", force=True)
            self.assertEqual((second.status, second.body["code"]), (409, "VERB_REFUSED"), second.body)
            self.assertIn("judging another build", second.body["detail"])
            self.assertEqual(first.result().status, 201)
        self.assertEqual(self.install("payment", "payment_simulated.so", force=True).status, 201)

    def test_a_file_that_is_not_among_the_hosts_plugins_is_not_run(self):
        elsewhere = self.install("payment", "/usr/lib/os-release", force=True)
        self.assertEqual(elsewhere.status, 409, elsewhere.body)
        self.assertIn("/usr/lib/os-release", elsewhere.body["detail"])

    def test_a_dead_letter_of_the_read_model_comes_back(self):
        order = self.host.place()["id"]
        self.host.wait_for_status(order, "CONFIRMED")
        behind = f"select count(*) from orders_read where order_id = '{order}' and version = 4"
        wait_for(lambda: self.database.query(behind) == ["1"], "the read model")
        self.database.query(
            f"delete from orders_read where order_id = '{order}'; "
            "insert into parked (consumer, order_id, from_version, shard, pos, reason) "
            "select 'projection:orders_read', order_id, version, shard, pos, 'a test lost it' "
            f"from order_events where order_id = '{order}' and version = 1"
        )
        letter = next(row for row in self.ctl("dead-letters", "list") if row["order_id"] == order)
        shown = json.loads(self.host.orderctl("dead-letters", "show", str(letter["id"])))
        self.assertEqual(shown["headers"]["ce_type"], "ORDER_CREATED")
        self.host.orderctl("dead-letters", "replay", str(letter["id"]), "--reason", "try again")
        wait_for(lambda: self.database.query(behind) == ["1"], "the order in the read model")
        self.assertEqual(self.ctl("dead-letters", "list"), [])

    def test_an_order_whose_event_cannot_be_taken_asks_for_a_person_until_it_is_replayed(self):
        self.database.query(
            "create function refuse() returns trigger language plpgsql as "
            "'begin raise exception ''a test refuses it''; end'; "
            "create trigger refuse before insert on sagas for each row execute function refuse()")
        try:
            order = self.host.place()["id"]
            letters = wait_for(lambda: self.ctl("dead-letters", "list"), "the event to be parked")
        finally:
            self.database.query("drop trigger refuse on sagas; drop function refuse()")
        self.assertEqual([row["order_id"] for row in letters], [order])
        self.assertEqual(self.host.order(order)["attention"]["code"], "EVENT_PARKED")
        told = self.host.get(f"/api/orders/{order}/explain").body["explanation"]
        self.assertIn("dead letters", told)
        self.assertNotIn("a test refuses it", told)
        self.host.orderctl("dead-letters", "replay", str(letters[0]["id"]), "--reason", "try again")
        self.assertIsNone(self.host.wait_for_status(order, "CONFIRMED")["attention"])

    def test_verify_is_content_with_a_sound_system_and_names_what_is_broken(self):
        order = self.host.place()["id"]
        self.host.wait_for_status(order, "CONFIRMED")
        self.assertEqual(self.ctl("verify"), [])
        self.database.query("update inventory.stock set on_hand = on_hand + 1 where sku = 'SKU-0001'; "
                            f"update inventory.reservations set state = 3 where subject = '{order}'; "
                            f"update order_state set status = 6 where id = '{order}'")
        try:
            with self.assertRaises(RuntimeError) as broken:
                self.host.orderctl("verify")
        finally:
            self.database.query("update inventory.stock set on_hand = on_hand - 1 where sku = 'SKU-0001'; "
                                f"update inventory.reservations set state = 2 where subject = '{order}'; "
                                f"update order_state set status = 4 where id = '{order}'")
        self.assertIn("ended with 1", str(broken.exception))
        self.assertIn("violations", str(broken.exception))

    def test_words_that_make_no_verb_say_so(self):
        for words in (("sagas", "retry", "x", "--reason", "r"), ("sagas", "list", "--state", "NONE"),
                      ("switches", "pause", "everything", "--reason", "r"), ("dead-letters", "replay"),
                      ("switches", "pause", "intake")):
            with self.assertRaisesRegex(RuntimeError, "ended with 64"):
                self.host.orderctl(*words)


if __name__ == "__main__":
    unittest.main()
