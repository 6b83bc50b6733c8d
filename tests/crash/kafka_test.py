#!/usr/bin/env python3
"""Kafka is away, or refuses this host: orders are accepted all the same, the relay's lag grows, a person is
told what to do; once the broker is there the lag drains. And what Kafka delivers twice changes nothing."""

import json
import pathlib
import re
import unittest

import fleet
import laws
import orderd_env
import servers
from orderd_env import setting, wait_for



def setUpModule():
    fleet.prefer_release_build()


def degraded(host):
    """What /healthz/ready says is wrong though the host serves."""
    body = host.get("/healthz/ready").body
    return "; ".join(body["degraded"])


def lag_of(consumer):
    return f'orderd_lag_events{{consumer="{consumer}"}}'


RELAY_LAG = lag_of("relay")


def metric(host, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", host.get("/metrics").body, re.MULTILINE)
    return float(found[1]) if found else None


def messages(log):
    """What the log says of Kafka, once each."""
    return set(re.findall(r'problem="((?:[^"\\]|\\.)*)"', log))


class KafkaFaults(unittest.TestCase):
    def setUp(self):
        self.certs = pathlib.Path(setting("ORDERD_TEST_CERTS"))
        self.database = self.enterContext(orderd_env.Database("crash"))

    def hosts(self, count, **settings):
        return self.enterContext(
            fleet.Fleet(self.database, {**fleet.kafka_settings(), **settings}, hosts=count))

    def place(self, ours, count):
        crowd = ours.crowd(self.id())
        for one in crowd.place(count):
            one.result()
        return crowd

    def accepts_orders_while_kafka_is_away(self, ours, *parts):
        """A host that lacks Kafka alone; each of `parts` is in what it says."""
        host = ours.hosts[0]
        host.launch()
        wait_for(lambda: "started bus=" in host.log_tail(), "the host to start", 60)
        wait_for(lambda: "kafka: " in degraded(host), "the host to say what is wrong with Kafka")

        def said():
            text = degraded(host)
            return text if all(part in text for part in parts) else None

        text = wait_for(said, f"/healthz/ready to say {parts}")
        wait_for(lambda: any(all(part in line for part in parts)
                             for line in messages(host.log_path.read_text(encoding="utf-8"))),
                 f"the log to say {parts}")
        crowd = self.place(ours, 40)
        before = wait_for(lambda: metric(host, RELAY_LAG), "the relay's lag to show")
        host.place()
        wait_for(lambda: metric(host, RELAY_LAG) > before, "the relay's lag to grow")
        self.assertEqual(host.get("/healthz/live").status, 200)
        return crowd, text

    def settle(self, ours, crowd):
        ours.wait_until_settled()
        state = laws.read(self.database)
        complaints = laws.judge(state, crowd.ids())
        self.assertEqual(complaints, [], laws.report(state, complaints))
        for host in ours.hosts:
            for consumer in ("relay", "saga", "projection:orders_read"):
                wait_for(lambda host=host, name=lag_of(consumer): metric(host, name) == 0,
                         f"the lag of {consumer} to drain")
            self.assertGreater(metric(host, "orderd_order_confirmed_seconds_count"), 0)
            self.assertGreater(metric(host, 'orderd_plugin_call_seconds_count{instance="payment"}'), 0)
            wait_for(lambda host=host: fleet.ready(host), "the host to be ready by itself", 60)
            host.stop()

    def test_an_unreachable_broker_is_waited_for(self):
        broker = servers.Broker(self.certs)
        self.addCleanup(broker.end)
        ours = self.hosts(1, **{"kafka.bootstrap.servers": broker.address})
        crowd, _ = self.accepts_orders_while_kafka_is_away(ours, broker.address, "nothing listens there",
                                                           "kafka.bootstrap.servers")
        broker.start()
        self.settle(ours, crowd)

    def test_a_wrong_authority_is_told_apart(self):
        wrong = self.certs / "other-ca.crt"
        ours = self.hosts(1, **{"kafka.ssl.ca.location": wrong})
        crowd, _ = self.accepts_orders_while_kafka_is_away(
            ours, setting("ORDERD_TEST_KAFKA_TLS"), "certificate is not trusted", "kafka.ssl.ca.location")
        ours.hosts[0].settings["kafka.ssl.ca.location"] = self.certs / "ca.crt"
        self.repaired(ours, crowd)

    def test_a_missing_client_certificate_is_told_apart(self):
        ours = self.hosts(1)
        kept = {name: ours.hosts[0].settings.pop(f"kafka.ssl.{name}.location")
                for name in ("certificate", "key")}
        ours.hosts[0].write_config()
        crowd, text = self.accepts_orders_while_kafka_is_away(
            ours, setting("ORDERD_TEST_KAFKA_TLS"), "client certificate", "kafka.ssl.certificate.location")
        self.assertNotIn("BEGIN", text)
        for name, path in kept.items():
            ours.hosts[0].settings[f"kafka.ssl.{name}.location"] = path
        self.repaired(ours, crowd)

    def test_a_client_certificate_of_a_stranger_is_refused(self):
        stranger = {f"kafka.ssl.{name}.location": self.certs / f"other-client.{end}"
                    for name, end in (("certificate", "crt"), ("key", "key"))}
        ours = self.hosts(1, **stranger)
        crowd, _ = self.accepts_orders_while_kafka_is_away(ours, "client", "kafka.ssl.certificate.location")
        for name in stranger:
            ours.hosts[0].settings[name] = pathlib.Path(str(stranger[name]).replace("other-client", "client"))
        self.repaired(ours, crowd)

    def repaired(self, ours, crowd):
        """As an operator would: end it, correct the file, start it."""
        host = ours.hosts[0]
        host.stop()
        host.write_config()
        host.launch()
        self.settle(ours, crowd)

    def test_what_is_delivered_twice_changes_nothing(self):
        ours = self.hosts(2).start()
        crowd = self.place(ours, 120)
        crowd.finish()  # cancellations too: nobody may change an order between the two readings
        ours.wait_until_settled()
        first = laws.read(self.database)
        before = {name: first[name] for name in ("order_state", "ledger", "orders_read")}
        read = self.records_read()
        sent = sum(int(line) for line in self.database.query("select last from log_shard"))
        for host in ours.hosts:
            host.stop()
        # As after a restore of an older relay: everything is sent once more, in order, from the first event on.
        self.database.query("update positions set pos = -1 where consumer = 'relay@kafka'")
        ours.start()
        wait_for(lambda: self.records_read() >= read + sent, "every event to be read a second time", 60)
        again = self.place(ours, 30)
        again.finish()
        ours.wait_until_settled()
        self.assertGreater(sum(metric(host, "orderd_projection_duplicates_total") for host in ours.hosts), 100)
        state = laws.read(self.database)
        for name, rows in before.items():
            key = next(iter(rows[0]))
            old = {row[key] for row in rows}
            now = [row for row in state[name] if row[key] in old]
            self.assertEqual(sorted(map(str, rows)), sorted(map(str, now)))
        both = ours.crowd("both")
        both.wishes = crowd.wishes + again.wishes
        fleet.judge(ours, both)
        for host in ours.hosts:
            host.stop()

    def wait_for_status(self, status):
        """Every order has it."""
        wait_for(lambda: self.database.query("select distinct status from order_state") == [status],
                 f"every order to have status {status}", 60)

    def test_events_that_leave_the_topic_unread_are_read_from_the_log(self):
        """The sagas are away, and the topic is made anew under them: orders and cancellations lose no word."""
        ours = self.hosts(1, roles="api,relay,projection")
        host = ours.hosts[0]

        def again(roles):
            wait_for(lambda: metric(host, RELAY_LAG) == 0, "everything to be published")
            host.stop()
            host.settings["roles"] = roles
            host.settings["kafka.topic"] += "x"
            host.write_config()
            host.launch()
            wait_for(lambda: fleet.ready(host), "the host to be ready", 60)

        host.launch()
        wait_for(lambda: fleet.ready(host), "the host to be ready", 60)
        orders = [host.place()["id"] for _ in range(20)]
        again("api,relay,projection,saga")
        self.wait_for_status("4")
        again("api,relay,projection")
        for order in orders:
            self.assertEqual(host.post(f"/api/orders/{order}/cancel", {}).status, 202)
        self.wait_for_status("5")
        again("api,relay,projection,saga")
        self.wait_for_status("6")
        ours.wait_until_settled()
        state = laws.read(self.database)
        complaints = laws.judge(state, orders)
        self.assertEqual(complaints, [], laws.report(state, complaints))
        host.stop()

    def test_after_a_restore_nothing_of_the_lost_time_is_shown(self):
        ours = self.hosts(1)
        host = ours.hosts[0]

        def run(count):
            host.start()
            orders = [host.place()["id"] for _ in range(count)]
            ours.wait_until_settled()
            return orders

        kept = run(3)
        host.stop()
        self.database.back_up()
        run(6)
        host.stop()
        self.database.restore()
        host.launch()
        self.assertEqual(wait_for(lambda: host.exit_code, "the host to refuse the restored database"), 78)
        self.assertIn("the database went back: at least 24 events", host.log_tail())
        host.orderctl("database", "accept", "--reason", "the drill")
        kept += run(9)  # more than were lost: the log grows over their places
        for order in host.get("/api/orders?limit=50").body["data"]:
            self.assertEqual(order["status"], host.get(f"/api/orders/{order['id']}").body["status"])
        listed = [order["id"] for order in host.get("/api/orders?limit=50").body["data"]]
        self.assertEqual(sorted(listed), sorted(kept))
        self.assertEqual(json.loads(host.orderctl("-o", "json", "verify")), [])
        self.assertGreater(metric(host, "orderd_bus_refused_total"), 0)
        host.stop()

    def records_read(self):
        """How many records the projection has taken from the topic, over all partitions."""
        sql = "select sum(pos + 1) from positions where consumer like 'projection%'"
        return int(self.database.query(sql)[0])


if __name__ == "__main__":
    unittest.main()
