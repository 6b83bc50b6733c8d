#!/usr/bin/env python3
"""The database goes away, at the start and later; its sessions end under load; a host is frozen for longer
than its lease; the read model is rebuilt while orders are placed. Each time the host says what is wrong,
goes on by itself, and all laws hold afterwards."""

import contextlib
import http.client
import os
import signal
import threading
import time
import unittest

import fleet
import laws
import orderd_env
import servers
from orderd_env import setting, wait_for

BODY = {"customerId": "c-away", "currency": "EUR", "payment": {"method": "card", "token": "tok_ok"},
        "items": [{"sku": "SKU-0001", "quantity": 1, "unitPrice": 100}]}


def setUpModule():
    fleet.prefer_release_build()


def answer(host, method, path, body=None, key=None):
    """The answer, or None while the host does not listen."""
    with contextlib.suppress(ConnectionError, http.client.HTTPException):
        return host.request(method, path, body, {"Idempotency-Key": key} if key else None)
    return None


class DatabaseAway(unittest.TestCase):
    def setUp(self):
        self.server = servers.Server()
        self.addCleanup(self.server.end)

    def assert_unavailable(self, host, method, path, body=None):
        found = answer(host, method, path, body)
        self.assertEqual(found.status, 503, found)
        self.assertRegex(found.headers["Retry-After"] or "", r"^[1-9][0-9]*$")
        self.assertEqual(found.headers["Content-Type"], "application/problem+json")
        self.assertTrue(found.body["retryable"], found.body)
        self.assertNotRegex(str(found.body), r"(?i)sql|libpq|connection refused|127\.0\.0\.1")

    def assert_all_unavailable(self, host):
        self.assert_unavailable(host, "POST", "/api/orders", BODY)
        self.assert_unavailable(host, "GET", "/api/orders")
        self.assert_unavailable(host, "GET", "/api/products")
        order = f"/api/orders/{self.order_id}"
        self.assert_unavailable(host, "GET", order)
        self.assert_unavailable(host, "POST", order + "/cancel", {})
        self.assertEqual(answer(host, "GET", "/healthz/live").status, 200)
        wait_for(lambda: answer(host, "GET", "/healthz/ready").status == 503, "readiness to know")

    def test_it_is_waited_for_at_the_start_and_missed_later(self):
        with orderd_env.Database("crash") as database, fleet.Fleet(database, hosts=1) as ours:
            host = ours.hosts[0]
            self.order_id = "0192f000-0000-7000-8000-000000000000"
            self.server.run("stop")
            host.launch()
            wait_for(lambda: answer(host, "GET", "/healthz/live"), "the host to listen")
            self.assert_all_unavailable(host)
            wait_for(lambda: "waiting for PostgreSQL" in host.log_tail(), "the log to say what is waited for")
            self.assertIn("Connection refused", host.log_tail())
            self.server.start()
            wait_for(lambda: fleet.ready(host), "the host to be ready by itself")

            for stop in ("stop", "kill"):
                crowd = ours.crowd(stop)
                placed = crowd.place(60)
                wait_for(lambda placed=placed: sum(one.done() for one in placed) > 10,
                         "some orders to be placed")
                self.order_id = next(iter(crowd.ids()))
                self.server.run(stop)
                try:
                    self.assert_all_unavailable(host)
                finally:
                    self.server.start()
                for one in placed:
                    one.result()
                crowd.finish()
                ours.wait_until_settled()
                self.judge_all(ours, crowd)
            wait_for(lambda host=host: fleet.ready(host), "the host to be ready")
            host.stop()

    def judge_all(self, ours, crowd):
        state = laws.read(ours.database)
        complaints = laws.judge(state, crowd.ids())
        self.assertEqual(complaints, [], laws.report(state, complaints))


class Sessions(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(orderd_env.Database("crash"))
        self.ours = self.enterContext(fleet.Fleet(self.database)).start()
        self.crowd = self.ours.crowd(self.id())

    def end(self, placed):
        for one in placed:
            one.result()
        self.crowd.finish()
        self.ours.wait_until_settled()
        fleet.judge(self.ours, self.crowd)
        for host in self.ours.hosts:
            wait_for(lambda host=host: fleet.ready(host), "the host to be ready")
            host.stop()

    def test_all_of_them_end_again_and_again_under_load(self):
        placed = self.crowd.place(300)
        ended = 0
        while not all(one.done() for one in placed):
            ended += int(self.database.query(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()")[0])
            time.sleep(0.3)  # the fault's own rhythm
        self.assertGreater(ended, 5)
        self.end(placed)

    def test_a_host_that_is_frozen_for_longer_than_its_lease_does_nothing_twice(self):
        frozen = self.ours.hosts[0]
        placed = self.crowd.place(100)
        wait_for(lambda: sum(one.done() for one in placed) > 30, "some orders to be placed")
        os.kill(frozen.pid, signal.SIGSTOP)
        wait_for(lambda: self.owners() == 1, "the other host to own all shards", 20)
        self.finish_without(frozen, placed)
        self.end(self.crowd.place(50))

    def test_a_host_that_is_frozen_with_half_of_a_transaction_sent_stops_nobody_else(self):
        """PostgreSQL has no time limit for a session that waits for the rest of a pipeline."""
        frozen = self.ours.hosts[0]
        for commits in (15, 40):
            frozen.stop()
            frozen.environment = {"ORDERD_TEST_FAULT": f"store.half_sent:stop:{commits}"}
            frozen.launch()
            placed = self.crowd.place(150)
            wait_for(lambda: fleet.is_stopped(frozen.pid), "the host to stop within a transaction", 60)
            self.finish_without(frozen, placed)
            wait_for(lambda: fleet.ready(frozen), "the host to be ready", 60)
        self.end(self.crowd.place(50))

    def test_a_session_that_ends_while_the_host_starts_does_not_end_the_host(self):
        host = self.ours.hosts[0]
        host.stop()
        host.environment = {"ORDERD_TEST_FAULT": "main.before_migration:stop:1"}
        host.launch()
        wait_for(lambda: fleet.is_stopped(host.pid), "the host to stop before its migrations", 60)
        self.database.query("select count(pg_terminate_backend(pid)) from pg_stat_activity "
                            "where datname = current_database() and pid <> pg_backend_pid()")
        os.kill(host.pid, signal.SIGCONT)
        wait_for(lambda: fleet.ready(host), "the host to be ready by itself", 60)
        self.end(self.crowd.place(100))

    def finish_without(self, frozen, placed):
        """What the frozen host had begun is finished by the other one, before it wakes up."""
        for one in placed:
            one.result()
        wait_for(lambda: self.ours.behind() == 0, "the other host to finish every order", fleet.FINAL_LIMIT_S)
        os.kill(frozen.pid, signal.SIGCONT)

    def owners(self):
        return int(self.database.query("select count(distinct owner) from positions where consumer = 'saga' "
                                       "and lease_until > clock_timestamp()")[0])


class ReadModel(unittest.TestCase):
    def test_a_rebuild_while_orders_are_placed_gives_the_same_table(self):
        with orderd_env.Database("crash") as database, fleet.Fleet(database) as ours:
            ours.start()
            crowd = ours.crowd(5)
            placed = crowd.place(100)
            for one in placed:
                one.result()
            failures = []
            rebuilding = threading.Thread(target=self.rebuild, args=(ours.hosts[0], 4, failures))
            rebuilding.start()
            placed = crowd.place(300)
            for one in placed:
                one.result()
            rebuilding.join()
            self.assertEqual(failures, [])
            crowd.finish()
            ours.wait_until_settled()
            fleet.judge(ours, crowd)
            table = "select row_to_json(r) from orders_read r order by order_id"
            before = database.query(table)
            ours.hosts[1].orderctl("projection", "rebuild", "orders_read")
            self.assertEqual(database.query(table), before)
            listed = ours.hosts[0].get("/api/orders?limit=100")
            self.assertEqual((listed.status, len(listed.body["data"])), (200, 100))
            for host in ours.hosts:
                host.stop()

    @staticmethod
    def rebuild(host, times, failures):
        try:
            for _ in range(times):
                host.orderctl("projection", "rebuild")
        except RuntimeError as error:
            failures.append(str(error))


if __name__ == "__main__":
    unittest.main()
