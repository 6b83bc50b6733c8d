#!/usr/bin/env python3
"""PostgreSQL takes connections and answers nothing, as when its machine is frozen. Monitors and clients are
answered all the same, a stop comes to its end in every role, and work goes on once it speaks again."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import signal
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import orderd_env  # noqa: E402  (after the path is set)
from orderd_env import wait_for  # noqa: E402
from silent_proxy import SilentProxy  # noqa: E402

# Far above what is allowed, far below what a hang would take.
ANSWER_LIMIT_S = 25
STOP_LIMIT_S = 25
BODY = {"customerId": "c-frozen", "currency": "EUR", "payment": {"method": "card", "token": "tok_ok"},
        "items": [{"sku": "SKU-0001", "quantity": 1, "unitPrice": 100}]}


class Frozen(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(orderd_env.Database("frozen"))
        self.proxy = self.enterContext(SilentProxy(self.database.url))

    def host(self, **settings):
        named = {"postgres.url": self.proxy.url, "drain_ms": 1000,
                 **{name.replace("__", "."): value for name, value in settings.items()}}
        host = orderd_env.Host(self.database, named)
        self.addCleanup(host.remove)
        self.addCleanup(host.kill)
        return host

    def ask(self, host, method, path, body=None, accept="application/json"):
        """The status, or None if no answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=ANSWER_LIMIT_S)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Accept": accept, "Content-Type": "application/json"})
            return connection.getresponse().status
        return None

    def test_every_request_is_answered_and_work_goes_on_afterwards(self):
        host = self.host()
        host.prepare()
        host.start()
        order = host.place()["id"]
        host.wait_for_status(order, "CONFIRMED")
        self.proxy.fall_silent()
        asked = [("GET", f"/api/orders/{order}"), ("GET", "/api/orders"), ("GET", "/api/products"),
                 ("POST", "/api/orders", BODY), ("POST", f"/api/orders/{order}/cancel", {}),
                 ("GET", f"/api/orders/{order}/stream", None, "text/event-stream")]
        with concurrent.futures.ThreadPoolExecutor(64) as crowd:
            answers = [crowd.submit(self.ask, host, *one) for one in asked for _ in range(8)]
            # While all workers are held:
            monitors = [crowd.submit(self.ask, host, "GET", path)
                        for path in ("/healthz/live", "/healthz/ready", "/metrics")]
            self.assertIsNotNone(monitors[1].result())
            self.assertEqual([monitors[0].result(), monitors[2].result()], [200, 200])
            self.assertFalse(all(one.done() for one in answers), "monitors were answered behind the others")
            self.assertEqual({one.result() for one in answers}, {503})
        wait_for(lambda: self.ask(host, "GET", "/healthz/ready") == 503, "readiness to know of it")
        self.assertIn("orderd_database_up 0", host.get("/metrics").body)
        self.proxy.speak()
        wait_for(lambda: self.ask(host, "GET", "/healthz/ready") == 200, "the host to be ready again")
        another = wait_for(lambda: self.placed(host), "orders to be taken again")
        host.wait_for_status(another, "CONFIRMED", 60)
        host.stop()

    @staticmethod
    def placed(host):
        answer = host.post("/api/orders", BODY)
        return answer.body["id"] if answer.status == 201 else None

    def test_a_stop_ends_in_every_role(self):
        hosts = {"all of them": self.host(), "api": self.host(roles="api"), "saga": self.host(roles="saga"),
                 "projection": self.host(roles="projection"),
                 "relay": self.host(roles="relay", bus="kafka",
                                    **{"kafka.bootstrap.servers": f"127.0.0.1:{orderd_env.free_port()}"})}
        hosts["all of them"].prepare()
        key_file = hosts["all of them"].settings["secrets.key_file"]
        for host in hosts.values():
            host.settings["secrets.key_file"] = key_file
            host.write_config()
            host.launch()
        for name, host in hosts.items():
            wait_for(lambda host=host: " main: started" in host.log_path.read_text(), f"{name} to start")
        order = hosts["all of them"].place()["id"]
        stream = hosts["all of them"].stream(order)
        self.addCleanup(stream.close)
        self.proxy.fall_silent()
        # Requests that are under way, and one that nobody has asked for yet.
        with concurrent.futures.ThreadPoolExecutor(16) as crowd:
            asked = [crowd.submit(self.ask, hosts[name], *one) for name in ("all of them", "api")
                     for one in (("GET", "/api/orders"), ("POST", "/api/orders", BODY)) for _ in range(4)]
            silent = socket.create_connection(("127.0.0.1", hosts["api"].port))
            self.addCleanup(silent.close)
            wait_for(lambda: self.ask(hosts["api"], "GET", "/healthz/ready") == 503, "readiness to know")
            for host in hosts.values():
                os.kill(host.pid, signal.SIGTERM)
            for name, host in hosts.items():
                wait_for(lambda host=host: not host.running, f"{name} to end", STOP_LIMIT_S)
                self.assertEqual(host.exit_code, 0, f"{name}: {host.log_tail()}")
            concurrent.futures.wait(asked)

    def test_a_stop_ends_while_the_start_waits_for_an_answer(self):
        host = self.host()
        host.prepare()
        self.proxy.fall_silent()
        host.launch()
        wait_for(lambda: self.ask(host, "GET", "/healthz/live") == 200, "the host to listen")
        os.kill(host.pid, signal.SIGTERM)
        wait_for(lambda: not host.running, "the host to end", STOP_LIMIT_S)
        self.assertEqual(host.exit_code, 0, host.log_tail())


if __name__ == "__main__":
    unittest.main()
