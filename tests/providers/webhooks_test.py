#!/usr/bin/env python3
"""A merchant's webhooks by plugins/projection/webhooks, in a host as a process: every event of an order,
signed, until it is taken, also over failures of the merchant and deaths of the host."""

import datetime
import tempfile
import unittest

from merchant import Merchant, new_secret
from support import orderd_env, private

CONFIRMED = ["order.created", "payment.authorized", "inventory.reserved", "order.confirmed"]
INSTANCE = "plugin.hooks"


class Told(unittest.TestCase):
    """A host, a database and a merchant for each test: they change the endpoint's state."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.secret = new_secret()
        self.merchant = self.enterContext(Merchant(self.secret))
        self.database = self.enterContext(orderd_env.Database("webhooks"))
        self.secret_file = private(self.folder, "secret", self.secret)
        self.host = self.enterContext(
            orderd_env.Host(
                self.database,
                {
                    f"{INSTANCE}.library": "projection_webhooks.so",
                    f"{INSTANCE}.settings.database": self.database.url,
                    f"{INSTANCE}.settings.url": self.merchant.url,
                    f"{INSTANCE}.settings.schedule_s": "0 1",
                    f"{INSTANCE}.settings.timeout_s": 1,
                    f"{INSTANCE}.settings.poll_ms": 50,
                    f"{INSTANCE}.secret.secret": self.secret_file,
                },
            )
        )
        self.host.prepare()

    def confirmed(self):
        order = self.host.place()["id"]
        self.host.wait_for_status(order, "CONFIRMED")
        return order

    def told_all(self, order, versions=(1, 2, 3, 4), limit_s=60):
        orderd_env.wait_for(
            lambda: self.merchant.taken(order) == list(versions), f"the merchant to know {order}", limit_s
        )

    def restart(self, **settings):
        self.host.stop()
        self.host.settings.update({f"{INSTANCE}.settings.{key}": value for key, value in settings.items()})
        self.host.write_config()
        self.host.start()

    def rows(self, sql):
        return self.database.query(sql)

    def test_every_event_comes_once_signed_and_with_the_order_s_state(self):
        self.host.start()
        order = self.confirmed()
        self.told_all(order)
        self.assertEqual(
            sorted(self.merchant.of(order), key=lambda one: one[2]),
            [(f"msg_{order}_{i + 1}", kind, i + 1) for i, kind in enumerate(CONFIRMED)],
        )
        self.assertEqual(self.merchant.forged, [])
        bodies = {body["data"]["version"]: body for _, body, _ in self.merchant.calls}
        self.assertEqual(bodies[4]["data"]["status"], "CONFIRMED")
        self.assertEqual(bodies[4]["data"]["paymentStatus"], "CAPTURED")
        self.assertEqual(bodies[1]["data"]["event"]["totalAmount"], 1999)
        self.assertRegex(bodies[1]["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertNotIn("tok_ok", str(self.merchant.calls))

    def test_what_the_merchant_does_not_take_comes_again_under_the_same_id_and_each_attempt_is_logged(self):
        self.merchant.answers = lambda message, times: 200 if times == 3 else 500
        self.host.start()
        order = self.confirmed()
        self.told_all(order)
        orderd_env.wait_for(
            lambda: len(self.rows("select 1 from merchant_webhooks.attempts")) == 12,
            "the last attempts to be written down",
        )
        attempts = self.rows(
            "select d.version, a.attempt, a.status from merchant_webhooks.attempts a "
            "join merchant_webhooks.deliveries d on d.id = a.delivery order by 1, 2"
        )
        self.assertEqual(
            attempts,
            [
                f"{version}|{attempt}|{200 if attempt == 3 else 500}"
                for version in (1, 2, 3, 4)
                for attempt in (1, 2, 3)
            ],
        )

    def test_what_was_given_up_is_sent_again_by_a_replay_and_only_once(self):
        self.merchant.answers = lambda message, times: 503
        self.host.start()
        order = self.confirmed()
        given_up = "select count(*) from merchant_webhooks.deliveries where state = 2"
        orderd_env.wait_for(lambda: self.rows(given_up) == ["4"], "four messages to be given up", 60)
        self.assertIn("gave a message up after 3 attempts", self.host.log_path.read_text())
        self.merchant.answers = lambda message, times: 200
        day = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        self.restart(replay=f"failed {day:%Y-%m-%dT%H:%M:%SZ}")
        self.told_all(order)
        orderd_env.wait_for(lambda: self.rows(given_up) == ["0"], "all to be delivered")
        came = len(self.merchant.calls)
        self.restart()  # with the same text: it is done
        self.told_all(self.confirmed())
        self.assertEqual(len(self.merchant.calls), came + 4)
        self.restart(
            replay=f"{day:%Y-%m-%dT%H:%M:%SZ}/{day:%Y-%m-%dT%H:%M:%SZ}"
        )  # nothing is from this moment
        self.told_all(self.confirmed())
        self.assertEqual(len(self.merchant.calls), came + 8)

    def test_an_endpoint_that_is_gone_is_left_alone_until_it_has_another_url(self):
        self.merchant.answers = lambda message, times: 410
        self.host.start()
        order = self.confirmed()
        disabled = "select count(*) from merchant_webhooks.endpoints where disabled_at is not null"
        orderd_env.wait_for(lambda: self.rows(disabled) == ["1"], "the endpoint to be disabled")
        self.assertIn("the endpoint is disabled", self.host.log_path.read_text())
        self.merchant.answers = lambda message, times: 200
        other = self.confirmed()
        self.assertEqual(self.merchant.taken(other), [])
        self.restart(url=self.merchant.url + "/2")
        self.told_all(order)
        self.told_all(other)

    def test_an_endpoint_that_failed_for_too_long_is_disabled(self):
        self.merchant.answers = lambda message, times: 500
        self.host.settings.update(
            {f"{INSTANCE}.settings.schedule_s": "1 1 1 1 1 1 1 1", f"{INSTANCE}.settings.disable_after_s": 2}
        )
        self.host.write_config()
        self.host.start()
        self.confirmed()
        orderd_env.wait_for(
            lambda: self.rows(
                "select disabled_reason from merchant_webhooks.endpoints where disabled_at is not null"
            )
            == ["answered 500"],
            "the endpoint to be disabled",
        )
        waiting = 'orderd_plugin_webhooks_disabled{instance="hooks"} 1'
        orderd_env.wait_for(lambda: waiting in self.host.get("/metrics").body, "the metric to say so")

    def test_what_is_older_than_keep_days_is_forgotten_delivered_or_not_however_much_there_is(self):
        self.merchant.answers = lambda message, times: 410
        self.host.start()
        self.confirmed()
        waiting = "select count(*) from merchant_webhooks.deliveries where state = 0"
        orderd_env.wait_for(lambda: self.rows(waiting) == ["4"], "the messages to wait")
        self.host.stop()
        # Two endpoints: this one, and one that no host has any more.
        self.rows(
            "update merchant_webhooks.deliveries set created = created - interval '31 days';"
            "insert into merchant_webhooks.endpoints (endpoint, since, seen_at) "
            "values ('gone', now(), now() - interval '31 days'), ('elsewhere', now(), now());"
            "insert into merchant_webhooks.deliveries (endpoint, order_id, version, type, body, created, "
            "state) select e, gen_random_uuid(), 1, 'x', '{}', now() - interval '31 days', s "
            "from generate_series(1, 6000), (values ('hooks', 1), ('gone', 0), ('elsewhere', 0)) x(e, s)"
        )
        self.host.start()
        kept = "select endpoint, count(*) from merchant_webhooks.deliveries group by 1"
        orderd_env.wait_for(
            lambda: self.rows(kept) == ["elsewhere|6000"], "the old messages to be forgotten", 60
        )
        self.assertIn("could not be delivered", self.host.log_path.read_text())

    def test_a_secret_is_changed_with_two_at_once(self):
        new = new_secret()
        self.secret_file.write_text(f"{new}\n{self.secret}\n")
        self.host.start()
        self.told_all(self.confirmed())
        self.merchant.secret = new
        self.told_all(self.confirmed())
        self.assertEqual(self.merchant.forged, [])
        self.assertNotIn(new.removeprefix("whsec_"), self.host.log_path.read_text())

    def test_only_the_types_that_are_wanted_come(self):
        self.host.settings[f"{INSTANCE}.settings.events"] = "order.confirmed order.rejected"
        self.host.write_config()
        self.host.start()
        order = self.confirmed()
        self.told_all(order, [4])
        self.assertEqual([kind for _, kind, _ in self.merchant.of(order)], ["order.confirmed"])

    def test_what_happened_before_the_endpoint_was_there_is_no_news(self):
        hooks = {
            key: self.host.settings.pop(key) for key in list(self.host.settings) if key.startswith(INSTANCE)
        }
        self.host.write_config()
        self.host.start()
        before = self.confirmed()
        self.host.stop()
        self.host.settings.update(hooks)
        self.host.write_config()
        self.host.orderctl("migrate")
        self.host.start()
        self.told_all(self.confirmed())
        self.assertEqual(self.merchant.of(before), [])

    def test_a_host_that_dies_tells_everything_in_the_end(self):
        self.merchant.answers = lambda message, times: 200 if times > 1 else 500
        self.host.settings[f"{INSTANCE}.settings.schedule_s"] = "1 1 1 1 1 1"
        self.host.write_config()
        self.host.start()
        orders = [self.confirmed() for _ in range(5)]
        self.host.kill()
        self.host.start()
        for order in orders:
            self.told_all(order, limit_s=90)

    def test_a_rebuild_sends_nothing_again(self):
        self.host.start()
        order = self.confirmed()
        self.told_all(order)
        self.host.stop()
        came = len(self.merchant.calls)
        self.host.orderctl("projection", "rebuild", "hooks")
        self.host.start()
        self.told_all(self.confirmed())
        self.assertEqual(len(self.merchant.calls), came + 4)
        self.assertEqual(self.rows("select count(*) from merchant_webhooks.progress"), ["2"])

    def test_settings_that_make_no_sense_are_refused_by_name_and_without_the_secret(self):
        for key, value, words in (
            ("settings.events", "order.lost", "order.lost"),
            ("settings.replay", "yesterday", "replay"),
            ("settings.schedule_s", "1 x", "schedule_s"),
            ("secret.secret", private(self.folder, "bad", "whsec_not*base64"), "whsec_"),
        ):
            with self.subTest(key):
                good = self.host.settings.get(f"{INSTANCE}.{key}")
                self.host.settings[f"{INSTANCE}.{key}"] = value
                self.host.write_config()
                with self.assertRaises(RuntimeError) as refused:
                    self.host.orderctl("migrate")
                self.assertIn(words, str(refused.exception))
                self.assertNotIn("not*base64", str(refused.exception))
                self.host.settings[f"{INSTANCE}.{key}"] = good


if __name__ == "__main__":
    unittest.main()
