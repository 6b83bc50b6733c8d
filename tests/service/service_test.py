#!/usr/bin/env python3
"""What a service manager and an administrator see of a host: notes and watchdog, reload, secrets from files
and credentials, variables, exit statuses, and the operator's verbs."""

import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import orderd_env  # noqa: E402  (after the path is set)
from orderd_env import wait_for  # noqa: E402

LIMIT_S = 60


def said_by(done):
    """What a program said, but for the plugins that it loaded."""
    return "\n".join(line for line in done.stderr.splitlines() if " info plugin: loaded" not in line)


class Manager:
    """systemd's side of sd_notify: a socket that keeps what it was told."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        self._lines = []

    def lines(self):
        while True:
            try:
                self._lines += self._socket.recv(65536).decode().splitlines()
            except BlockingIOError:
                return self._lines

    def close(self):
        self._socket.close()


class Managed(orderd_env.Host):
    """A host with variables of its own."""

    def __init__(self, database, settings=None, **variables):
        super().__init__(database, settings)
        self.variables = variables

    def _environment(self):
        return {**super()._environment(), **getattr(self, "variables", {})}

    def run(self, program, *words):
        path = pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN")) / "host" / program
        return subprocess.run([path, f"--config={self.config_path}", *words], capture_output=True, text=True,
                              timeout=LIMIT_S, env=self._environment(), check=False)


class Service(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(orderd_env.Database("service"))

    def host(self, settings=None, **variables):
        return self.enterContext(Managed(self.database, settings, **variables))

    def test_the_manager_hears_of_readiness_the_watchdog_reload_and_stop(self):
        host = self.host()
        host.prepare()
        manager = Manager(host.folder)
        self.addCleanup(manager.close)
        host.variables = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"}
        host.start()
        wait_for(lambda: "READY=1" in manager.lines(), "READY=1")
        wait_for(lambda: manager.lines().count("WATCHDOG=1") > 3, "the watchdog to be told again and again")
        os.kill(host.pid, signal.SIGHUP)
        wait_for(lambda: "RELOADING=1" in manager.lines(), "RELOADING=1")
        wait_for(lambda: manager.lines().count("READY=1") == 2, "READY=1 after the reload")
        host.stop()
        self.assertIn("STOPPING=1", manager.lines())

    def test_while_the_database_is_away_the_manager_is_asked_for_patience(self):
        host = self.host({"postgres.url": f"postgresql://127.0.0.1:{orderd_env.free_port()}/none"})
        manager = Manager(host.folder)
        self.addCleanup(manager.close)
        host.variables = {"NOTIFY_SOCKET": manager.path}
        host.launch()
        wait_for(lambda: "EXTEND_TIMEOUT_USEC=30000000" in manager.lines(), "a plea for time")
        self.assertNotIn("READY=1", manager.lines())
        host.stop()

    def test_a_reload_takes_over_what_it_can_and_keeps_all_on_an_error(self):
        host = self.host()
        host.prepare()
        host.start()

        def reload(said, **changes):
            host.settings.update({key.replace("__", "."): value for key, value in changes.items()})
            host.write_config()
            os.kill(host.pid, signal.SIGHUP)
            wait_for(lambda: said in host.log_path.read_text(encoding="utf-8"), f"the log to say {said}")

        reload('"taken_over":"log.format","at_restart":"http.workers"', log__format="json", http__workers="3")
        reload("log.level = loud: must be one of", log__level="loud")
        self.assertTrue(json.loads(host.log_tail().splitlines()[-1]))
        reload('"taken_over":"access.rate_per_second, log.level","at_restart":"http.workers"',
               access__rate_per_second="50", log__level="debug")
        host.place()

    def test_a_reload_takes_over_nothing_if_anything_is_wrong(self):
        host = self.host()
        host.prepare()
        host.start()
        good = dict(host.settings)
        for key, value, said in (
                ("route.payment.10", "ghost", "route.payment.10 names the plugin instance ghost"),
                ("plugin.payment.library", "nope.so", "nope.so"),
                ("slot.pyment", "payment", "slot.pyment: no saga has a slot")):
            host.settings = {**good, "log.level": "debug", "drain_ms": "1234", key: value}
            host.write_config()
            before = len(host.log_path.read_text(encoding="utf-8"))
            os.kill(host.pid, signal.SIGHUP)
            line = wait_for(lambda b=before: [one for one in host.log_path.read_text(
                encoding="utf-8")[b:].splitlines() if "the configuration was" in one], "the reload")
            self.assertIn("not taken over, everything stays as it was", line[0])
            self.assertIn(said, line[0])
        host.wait_for_status(host.place()["id"], "CONFIRMED")  # at debug each status would be a line
        self.assertNotIn(" debug ", host.log_path.read_text(encoding="utf-8"))

    def test_a_route_to_a_plugin_that_is_not_loaded_yet_takes_nothing_over_either(self):
        host = self.host()
        host.prepare()
        host.start()
        host.settings.update({"log.level": "debug", "plugin.bank.library": "payment_simulated.so",
                              "plugin.bank.settings.database": self.database.url,
                              "route.payment.10": "bank"})
        host.write_config()
        os.kill(host.pid, signal.SIGHUP)
        wait_for(lambda: "the configuration was not taken over" in host.log_tail(), "the log to say so")
        host.wait_for_status(host.place()["id"], "CONFIRMED")  # at debug each status would be a line
        self.assertNotIn(" debug ", host.log_path.read_text(encoding="utf-8"))

    def test_a_stop_does_not_wait_for_a_configuration_that_is_being_judged(self):
        host = self.host()
        host.settings["drain_ms"] = "5000"
        host.prepare()
        host.start()
        host.settings.update({"plugin.hangs.library": "zoo/zoo_hangs_in_init.so"})
        host.write_config()
        os.kill(host.pid, signal.SIGHUP)
        wait_for(lambda: "is judged in a process of its own" in host.log_tail(), "the judgement to begin")
        host.stop()
        said = host.log_path.read_text(encoding="utf-8")
        self.assertIn('everything stays as it was error="a stop was asked for"', said)
        self.assertIn("main: stopped", said)

    def test_another_key_than_the_database_s_is_refused(self):
        host = self.host()
        host.prepare()
        key = pathlib.Path(host.settings["secrets.key_file"])
        own = key.read_text()
        key.write_text(secrets.token_hex(32))
        said = f"secrets.key_file: {key} holds another key"
        done = host.run("orderd")
        self.assertEqual(done.returncode, 78)
        self.assertIn(said, said_by(done))
        self.assertEqual(len(said_by(done).splitlines()), 1)
        done = host.run("orderctl", "migrate", "apply")
        self.assertEqual(done.returncode, 78)
        self.assertIn(said, done.stderr)
        rows = json.loads(host.run("orderctl", "doctor", "-o", "json").stdout)
        found = [row for row in rows if row["state"] == "fail"]
        self.assertEqual([row["check"] for row in found], ["key"])
        self.assertIn("holds another key", found[0]["finding"])
        self.assertIn("put that one back", found[0]["fix"])
        key.write_text(own)
        host.start()
        host.stop()
        key.write_text(secrets.token_hex(32))
        self.database.query("delete from key_check")
        host.start()

    @unittest.skipUnless(os.geteuid() == 0, "only root runs setup")
    def test_setup_makes_no_key_beside_a_database_that_has_one(self):
        host = self.host()
        host.prepare()
        key = pathlib.Path(host.settings["secrets.key_file"])
        own = key.read_text()
        key.unlink()
        done = host.run("orderctl", "setup", "--yes")
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn(f"{key} is not there, and this database's payments were sealed with", done.stderr)
        self.assertIn("put that one back, from the backup", done.stderr)
        self.assertFalse(key.exists())
        rows = json.loads(host.run("orderctl", "doctor", "-o", "json").stdout)
        fixes = [row["fix"] for row in rows if row["state"] == "fail"]
        self.assertEqual(["put the file back from its backup" in fixes[0], "put that one back" in fixes[1]],
                         [True, True], rows)
        key.write_text(secrets.token_hex(32))
        key.chmod(0o600)
        self.assertEqual(host.run("orderctl", "setup", "--yes").returncode, 78)
        key.write_text(own)
        self.assertEqual(host.run("orderctl", "setup", "--yes").returncode, 0)
        key.unlink()
        self.database.query("delete from key_check")
        self.assertEqual(host.run("orderctl", "setup", "--yes").returncode, 0)
        host.start()

    def test_the_log_names_the_order_its_statuses_and_its_trace_when_debugging(self):
        host = self.host({"log.level": "debug"})
        host.prepare()
        host.start()
        trace = secrets.token_hex(16)
        body = {"customerId": "c", "currency": "EUR", "payment": {"method": "card", "token": "tok_ok"},
                "items": [{"sku": "SKU-0001", "quantity": 1, "unitPrice": 1999}]}
        order = host.post("/api/orders", body, {"traceparent": f"00-{trace}-{'1' * 16}-01"}).body["id"]
        host.wait_for_status(order, "CONFIRMED")
        lines = [line for line in host.log_path.read_text(encoding="utf-8").splitlines()
                 if "an order has a new status" in line]
        self.assertEqual([re.search('status="([A-Z_]+)"', line)[1] for line in lines],
                         ["PAYMENT_AUTHORIZED", "INVENTORY_RESERVED", "CONFIRMED"])
        for line in lines:
            self.assertIn(f'order="{order}"', line)
            self.assertIn(f'trace="{trace}"', line)

    def test_the_intake_says_once_that_the_database_is_away_and_once_that_it_is_back(self):
        host = self.host()
        host.prepare()
        host.start()
        server = orderd_env.setting("ORDERD_TEST_PG")

        def shut(closed):
            name = self.database.name
            orderd_env.Database._psql(server, f"alter database {name} allow_connections {not closed}; "
                                      "select pg_terminate_backend(pid) from pg_stat_activity "
                                      f"where datname = '{name}'")

        def lines(text):
            return host.log_path.read_text(encoding="utf-8").count(text)
        shut(True)
        end = time.monotonic() + 4
        while time.monotonic() < end:
            with contextlib.suppress(AssertionError):
                host.place()
            time.sleep(0.2)
        self.assertEqual(lines("new orders are refused until the database is back"), 1)
        shut(False)
        wait_for(lambda: lines("the database is back, new orders are taken") == 1, "the log to say so")
        host.wait_for_status(host.place()["id"], "CONFIRMED")

    def test_a_bank_that_answers_late_is_not_called_misbehaving(self):
        host = self.host()
        sagas = host.folder / "sagas"
        shutil.copytree(host.settings["saga.dir"], sagas)
        text = (sagas / "default.json").read_text(encoding="utf-8")
        (sagas / "default.json").write_text(text.replace('"timeout_ms": 10000', '"timeout_ms": 1000', 1))
        host.settings["saga.dir"] = sagas
        host.write_config()
        host.prepare()
        host.start()
        host.wait_for_status(host.place()["id"], "CONFIRMED")
        with subprocess.Popen(["psql", "--no-psqlrc", "--quiet", self.database.url], stdin=subprocess.PIPE,
                              text=True) as lock:
            lock.stdin.write("begin; lock table payment_simulated.payments;\n")
            lock.stdin.flush()
            wait_for(lambda: self.database.query("select 1 from pg_locks where mode = 'AccessExclusiveLock' "
                                                 "and relation = 'payment_simulated.payments'::regclass"),
                     "the bank to stand still")
            order = host.place()["id"]
            wait_for(lambda: "TIMEOUT" in host.orderctl("sagas", "show", order), "the call to be given up")
        host.wait_for_status(order, "CONFIRMED")
        log = host.log_path.read_text(encoding="utf-8")
        self.assertIn("an answer came after its command's deadline", log)
        self.assertNotIn("PLUGIN_MISBEHAVING", log)

    def test_a_host_whose_clock_is_turned_says_so_and_works_as_before(self):
        host = self.host()
        host.prepare()
        clock = host.folder / "clock"
        clock.write_text("0", encoding="utf-8")
        host.variables["ORDERD_TEST_CLOCK"] = str(clock)
        host.start()

        def metric(name):
            found = re.search(rf"^{re.escape(name)} (-?[0-9.e+]+)$", host.get("/metrics").body, re.MULTILINE)
            return float(found[1]) if found else 0

        def told():
            return [line for line in host.get("/healthz/ready").body["degraded"] if line.startswith("clock:")]
        self.assertEqual(told(), [])
        clock.write_text("-3600000", encoding="utf-8")
        wait_for(told, "the host to say that its clock is wrong")
        wait_for(lambda: metric("orderd_clock_offset_ms") < -3500000, "the metric")
        host.orderctl("switches", "pause", "captures", "--reason", "a test")

        def held():
            parked = metric('orderd_sagas_parked{instance="payment"}') > 0
            order = host.place()["id"]
            return order if parked else ""
        order = wait_for(held, "the pause to be obeyed")
        host.wait_for_status(order, "INVENTORY_RESERVED")
        host.orderctl("switches", "resume", "captures", "--reason", "a test")
        host.wait_for_status(order, "CONFIRMED")
        clock.write_text("0", encoding="utf-8")
        wait_for(lambda: not told(), "the host to be content with its clock again")

    def test_a_log_that_nobody_reads_stops_neither_orders_nor_the_stop(self):
        host = self.host({"log.level": "debug"})
        host.prepare()
        os.mkfifo(host.log_path)
        reader = os.open(host.log_path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        writer = os.open(host.log_path, os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.close(writer)
        host.start()
        orders = [host.place()["id"] for _ in range(10)]
        for order in orders:
            host.wait_for_status(order, "CONFIRMED")
        host.stop()

    def test_an_unfit_database_is_refused_before_anything_else_is_said(self):
        host = self.host()

        def refused(said):
            done = host.run("orderd")
            self.assertEqual(done.returncode, 78)
            self.assertRegex(said_by(done), rf"\Aorderd: .*{said}.*\Z")
        refused("the database has no orderd schema yet")
        host.prepare()
        self.database.query("insert into orderd_migrations (owner, number, name, checksum) "
                            "select 'orderd', n, 'later', 'odd' from generate_series(100, 999) n")
        refused("is newer")

    def test_a_reload_with_a_broken_snippet_changes_nothing(self):
        host = self.host()
        host.prepare()
        host.start()
        (host.folder / "conf.d").mkdir()
        (host.folder / "conf.d" / "broken.properties").write_text("log.levl = debug\n")
        os.kill(host.pid, signal.SIGHUP)
        said = "broken.properties: unknown key log.levl; the nearest known key is log.level"
        wait_for(lambda: said in host.log_tail(), "the log to name the snippet")
        host.place()


class Secrets(unittest.TestCase):
    """With a password that has a space, a quote and a backslash."""

    PASSWORD = "it's a \\ secret"

    def setUp(self):
        self.database = self.enterContext(orderd_env.Database("service"))
        self.role = f"service_{secrets.token_hex(4)}"
        quoted = self.PASSWORD.replace("'", "''")
        self.database.query(f"create role {self.role} login password '{quoted}'")
        self.database.query(f"grant all on database \"{self.database.name}\" to {self.role}")
        self.database.query(f"grant all on schema public to {self.role}")
        drop = f"drop owned by {self.role} cascade; drop role {self.role}"
        self.addCleanup(lambda: self.database.query(drop))
        where = urllib.parse.urlsplit(self.database.url)
        self.server = f"{where.hostname}:{where.port}"
        self.address = f"postgresql://{self.role}@{self.server}/{self.database.name}"
        self.host = self.enterContext(Managed(self.database, {"postgres.url": self.address}))
        self.file = self.host.folder / "secrets" / "postgres.password"
        self.file.parent.mkdir()
        self.file.write_text(self.PASSWORD + "\n")
        self.file.chmod(0o600)

    def works(self):
        self.host.write_config()
        self.host.orderctl("migrate", "apply")
        self.assertEqual(json.loads(self.host.orderctl("sagas", "-o", "json")), [])
        return self.host.orderctl("outbox", "-o=json")

    def test_orderctl_s_reports_take_a_url_with_that_password(self):
        quoted = urllib.parse.quote(self.PASSWORD)
        self.host.settings["postgres.url"] = self.address.replace("@", f":{quoted}@")
        self.works()

    def test_the_password_may_be_in_a_file(self):
        self.host.settings["postgres.password_file"] = self.file
        self.works()

    def test_a_credential_is_read_in_the_place_of_its_file(self):
        self.host.settings["postgres.password_file"] = "/nonexistent/secrets/postgres.password"
        credentials = self.host.folder / "credentials"
        credentials.mkdir()
        self.host.variables["CREDENTIALS_DIRECTORY"] = str(credentials)
        for name in ("postgres.password", "secrets_postgres.password"):
            with self.subTest(name):
                self.file.rename(credentials / name)
                (credentials / name).chmod(0o440)  # as systemd's access lists look
                self.works()
                (credentials / name).rename(self.file)

    def test_a_file_that_others_can_read_is_refused(self):
        self.host.settings["postgres.password_file"] = self.file
        self.file.chmod(0o644)
        self.host.write_config()
        done = self.host.run("orderd")
        self.assertEqual(done.returncode, 78)
        self.assertIn(f"postgres.password_file: {self.file} can be read by others: `chmod 600", done.stderr)

    def test_a_wrong_password_ends_the_start_with_77(self):
        self.file.write_text("wrong\n")
        self.host.settings["postgres.password_file"] = self.file
        self.host.write_config()
        done = self.host.run("orderd")
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertRegex(said_by(done),
                         r"\Aorderd: postgres.url: .*password authentication failed.*doctor.*\Z")
        self.assertIn("postgres.password_file", done.stderr)
        done = self.host.run("orderctl", "outbox")
        self.assertEqual(done.returncode, 77)
        self.assertIn("postgres.password_file", done.stderr)

    def test_a_role_without_rights_ends_the_start_with_77(self):
        self.host.settings["postgres.password_file"] = self.file
        self.works()
        self.database.query(f"reassign owned by {self.role} to orderd")
        done = self.host.run("orderd")
        self.assertEqual(done.returncode, 77, done.stderr)

    def test_one_table_without_a_right_ends_the_start_with_77_and_is_a_finding(self):
        self.host.settings["postgres.password_file"] = self.file
        self.works()
        for right, table in (("all", "orders"), ("update", "sagas"), ("delete", "payment_secrets")):
            self.database.query(f"revoke {right} on {table} from {self.role}")
            done = self.host.run("orderd")
            self.assertEqual(done.returncode, 77, done.stderr)
            self.assertRegex(said_by(done),
                             rf"\Aorderd: .*the role {self.role} may not \w+ on table {table}: "
                             r".*grant select.*orderctl migrate.*\Z")
            rows = json.loads(self.host.run("orderctl", "doctor", "-o", "json").stdout)
            self.assertIn(f"on table {table}", str([row for row in rows if row["state"] == "fail"]))
            self.database.query(f"grant all on {table} to {self.role}")

    def test_migrate_without_the_right_to_make_tables_says_which_is_needed(self):
        self.host.settings["postgres.password_file"] = self.file
        self.host.write_config()
        self.database.query("revoke create on schema public from public; "
                            f"revoke all on schema public from {self.role}; "
                            f"grant usage on schema public to {self.role}")
        done = self.host.run("orderctl", "migrate", "apply")
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("grant create on schema public", done.stderr)
        self.assertNotIn("LINE", done.stderr)

    def test_no_verb_shows_it(self):
        quoted = urllib.parse.quote(self.PASSWORD)
        self.host.settings["postgres.url"] = self.address.replace("@", f":{quoted}@")
        self.host.settings["plugin.payment.settings.api_key"] = "sk_live_42"
        self.host.write_config()
        for verb in (["config", "show"], ["diag"]):
            shown = self.host.run("orderctl", *verb).stdout
            self.assertIn("***", shown)
            self.assertNotIn("secret@", shown)
            self.assertNotIn(quoted, shown)
            self.assertNotIn("sk_live_42", shown)

    def test_what_plugins_are_told_is_masked_by_its_name_and_its_text(self):
        hidden = {"auth": "one_1", "signing_key": "two_2", "url": "https://x.example/?token=three_3&a=1",
                  "credentials": "four_4", "proxy": "http://five_5@proxy.example/"}
        for key, value in hidden.items():
            self.host.settings[f"plugin.payment.settings.{key}"] = value
        self.host.write_config()
        for verb in (["config", "show"], ["diag"]):
            shown = self.host.run("orderctl", *verb).stdout
            self.assertNotRegex(shown, "one_1|two_2|three_3|four_4|five_5")
            self.assertIn("https://x.example/?token=***&a=1", shown.replace("\\/", "/"))


class Configuration(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(orderd_env.Database("service"))
        self.host = self.enterContext(Managed(self.database))

    def refused(self, *parts, status=78):
        done = self.host.run("orderd", "--check-config")
        self.assertEqual(done.returncode, status, done.stderr)
        for part in parts:
            self.assertIn(str(part), done.stderr)

    def test_check_config_loads_everything_and_starts_nothing(self):
        done = self.host.run("orderd", "--check-config")
        self.assertEqual((done.returncode, done.stdout), (0, "the configuration is good\n"), done.stderr)

    def test_a_variable_can_name_an_instance_with_an_underscore(self):
        del self.host.settings["plugin.orders_read.library"]
        self.host.write_config()
        self.host.variables["ORDERD_PLUGIN_ORDERS__READ_LIBRARY"] = "projection_orders_read.so"
        shown = json.loads(self.host.orderctl("plugins", "-o", "json"))
        self.assertIn("orders_read", [one["instance"] for one in shown])

    def test_a_configuration_that_others_can_write_is_refused(self):
        self.host.config_path.chmod(0o666)
        self.refused(self.host.config_path, "can be written by others", "chmod go-w")

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_a_configuration_of_another_user_is_refused(self):
        os.chown(self.host.config_path, 65534, 65534)
        self.refused(self.host.config_path, "belongs to user 65534", "chown root")

    def test_show_names_who_lost(self):
        parts = self.host.folder / "conf.d"
        parts.mkdir()
        (parts / "99-local.properties").write_text("log.level = debug\nlease_ms = 9000\n")
        (parts / "payment.properties").write_text("log.level = warning\n")
        self.host.variables["ORDERD_LOG_LEVEL"] = "error"
        rows = json.loads(self.host.orderctl("config", "show", "-o", "json"))
        shown = {row["key"]: (row["source"], row["overridden"]) for row in rows}
        self.assertEqual(shown["log.level"][0], "environment variable ORDERD_LOG_LEVEL")
        self.assertTrue(shown["log.level"][1].endswith(
            f"{parts}/99-local.properties, {parts}/payment.properties"), shown["log.level"])
        self.assertEqual(shown["saga.dir"][1], "")

    def test_a_snippet_that_names_a_missing_plugin(self):
        (self.host.folder / "conf.d").mkdir()
        (self.host.folder / "conf.d" / "x.properties").write_text("plugin.x.library = none.so\n")
        self.refused('plugin "x"', "none.so", "install the package that brings it")

    def test_misspelt_slots_and_routes_are_refused(self):
        good = dict(self.host.settings)
        for key, value, said in (("slot.pyment", "payment", "slot.pyment"),
                                 ("route.pyment.10", "payment", "route.pyment.10"),
                                 ("route.payment.10", "orders_read", "orders_read"),
                                 ("route.payment.10", "inventory", "route.payment.10")):
            self.host.settings = {**good, key: value}
            self.host.write_config()
            self.refused(said)
            self.assertEqual(self.host.run("orderctl", "config", "check").returncode, 78, key)
        self.host.settings = {**good, "slot.pyment": "payment"}
        self.host.write_config()
        self.refused('slot.pyment: no saga has a slot "pyment"', "inventory, payment")
        started = self.host.run("orderd")
        self.assertEqual(started.returncode, 78)
        self.assertIn("slot.pyment", started.stderr)

    def test_the_slots_of_other_sagas_may_keep_their_plugin(self):
        sagas = self.host.folder / "sagas"
        shutil.copytree(self.host.settings["saga.dir"], sagas)
        text = (sagas / "default.json").read_text()
        (sagas / "former.json").write_text(text.replace('"payment"', '"former"', 1))
        self.assertNotEqual(text, (sagas / "former.json").read_text())
        self.host.settings.update({"saga.dir": sagas, "slot.former": "payment"})
        self.host.write_config()
        self.assertEqual(self.host.run("orderd", "--check-config").returncode, 0)

    def test_what_librdkafka_refuses_is_found_by_the_check(self):
        self.host.settings.update({"bus": "kafka", "kafka.bootstrap.servers": "127.0.0.1:9"})
        self.host.write_config()
        self.assertEqual(self.host.run("orderd", "--check-config").returncode, 0)
        for key, value in (("kafka.nonsense.key", "1"), ("kafka.security.protocol", "sasl_nonsense"),
                           ("kafka.topic.replication", "many")):
            self.host.settings[key] = value
            self.host.write_config()
            self.refused(key)
            self.assertEqual(self.host.run("orderctl", "config", "check").returncode, 78)
            del self.host.settings[key]

    def test_config_check_ends_with_78_for_a_key_or_a_route_that_is_wrong(self):
        for text in ("", "abc"):
            pathlib.Path(self.host.settings["secrets.key_file"]).write_text(text)
            self.assertEqual(self.host.run("orderctl", "config", "check").returncode, 78)
        self.host.settings["secrets.key_file"] = "/nonexistent"
        self.host.write_config()
        self.assertEqual(self.host.run("orderctl", "config", "check").returncode, 78)
        del self.host.settings["secrets.key_file"]
        self.host.settings["route.payment.10"] = "when nonsense"
        self.host.write_config()
        for verb in (["config", "check"], ["route", "explain", "payment"]):
            self.assertEqual(self.host.run("orderctl", *verb).returncode, 78)

    def test_a_slot_or_an_instance_that_is_not_there_is_refused(self):
        self.host.orderctl("migrate", "apply")
        done = self.host.run("orderctl", "route", "explain", "nope")
        self.assertEqual(done.returncode, 64)
        self.assertIn("inventory, payment", done.stderr)
        self.assertEqual(self.host.run("orderctl", "plugin", "list", "nope").returncode, 64)
        self.assertEqual(self.host.run("orderctl", "plugin", "list", "payment").returncode, 0)
        for age in ("-3", "99999999999999999"):
            self.assertEqual(self.host.run("orderctl", "sagas", "list", "--older-than", age).returncode, 64)

    def test_a_list_that_stops_says_so(self):
        self.host.orderctl("migrate", "apply")
        self.host.orderctl("stock", "demo")
        done = self.host.run("orderctl", "stock", "list")
        self.assertIn("the first 100; `orderctl stock list SKU-0100 100`", done.stderr)
        self.assertEqual(self.host.run("orderctl", "stock", "list", "SKU-0999").stderr, "")

    def test_a_plugin_to_install_that_is_not_there_is_named(self):
        done = self.host.run("orderctl", "plugin", "install", "payment", "/nonexistent/bank.so")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot read the plugin /nonexistent/bank.so: No such file", done.stderr)

    def test_verbs_say_nothing_of_the_plugins_that_they_load(self):
        self.host.settings["plugin.payment.isolation"] = "process"
        self.host.write_config()
        self.assertEqual(self.host.run("orderctl", "config", "check").stderr, "")

    def test_two_files_that_set_one_plugin_s_library_are_refused(self):
        parts = self.host.folder / "conf.d"
        parts.mkdir()
        (parts / "bank.properties").write_text("plugin.payment.library = payment_simulated.so\n")
        self.refused(f"{parts}/bank.properties: plugin.payment.library is set by {self.host.config_path}")
        (parts / "bank.properties").write_text("plugin.payment.memory_mb = 100\nhttp.workers = 3\n")
        self.assertEqual(self.host.run("orderd", "--check-config").returncode, 0)
        self.host.variables["ORDERD_PLUGIN_PAYMENT_LIBRARY"] = "payment_simulated.so"
        self.assertEqual(self.host.run("orderd", "--check-config").returncode, 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_a_plugin_that_cannot_be_read_or_lies_in_an_open_folder_gets_the_fix_for_that(self):
        folder = self.host.folder / "plugins"
        shutil.copytree(self.host.settings["plugins.dir"], folder,
                        ignore=lambda _, names: [name for name in names if not name.endswith(".so")])
        self.host.settings["plugins.dir"] = folder
        self.host.settings["plugins.trusted_owner"] = None
        self.host.folder.chmod(0o755)
        self.host.write_config()
        folder.chmod(0o777)
        self.refused(f"its folder {folder} is not safe", "chmod it to 0755")
        folder.chmod(0o755)
        (folder / "payment_simulated.so").chmod(0o600)
        key = pathlib.Path(self.host.settings["secrets.key_file"])
        os.chown(key, 65534, 65534)
        self.host.config_path.chmod(0o644)
        path = pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN")) / "host" / "orderd"
        done = subprocess.run([path, f"--config={self.host.config_path}", "--check-config"], text=True,
                              capture_output=True, timeout=LIMIT_S, env=self.host._environment(),
                              user=65534, group=65534, check=False)
        self.assertEqual(done.returncode, 78)
        self.assertIn("the user that orderd runs as cannot read it; chmod", done.stderr)

    def test_what_is_not_a_file_among_the_snippets_is_refused(self):
        parts = self.host.folder / "conf.d"
        parts.mkdir()
        (parts / "old.properties").mkdir()
        self.refused(f"{parts}/old.properties: is not a file: remove it")
        self.assertEqual(self.host.run("orderctl", "config", "check").returncode, 78)
        (parts / "old.properties").rmdir()
        os.mkfifo(parts / "pipe.properties")
        self.refused(f"{parts}/pipe.properties: is not a file")

    def test_a_database_url_that_cannot_be_read_is_refused_unquoted(self):
        for url in ("postgresql://orderd:hun%zzter2@db/orderd", "postgresql://orderd:hun@ter2@db/orderd",
                    "postgresql://orderd:hun/ter2@db/orderd", "postgresql://db/orderd?sslmod=x"):
            self.host.settings["postgres.url"] = url
            self.host.write_config()
            self.refused(self.host.config_path, "postgres.url cannot be read as a connection string", "%25")
            for verb in (["config", "show"], ["diag"], ["doctor"], ["outbox"]):
                done = self.host.run("orderctl", *verb)
                self.assertNotIn("ter2", done.stdout + done.stderr)
                self.assertNotIn("hun", done.stdout + done.stderr)

    def test_the_hint_how_to_make_a_secret_is_for_a_key_that_is_missing(self):
        self.host.settings["secrets.key_file"] = "/nonexistent/secret.key"
        self.host.write_config()
        self.refused("secrets.key_file: cannot read /nonexistent/secret.key: No such file", "openssl rand")
        self.host.settings["secrets.key_file"] = self.host.folder
        self.host.write_config()
        self.refused(f"secrets.key_file: {self.host.folder} is not a file")
        self.host.settings["postgres.password_file"] = "/nonexistent/password"
        self.host.write_config()
        done = self.host.run("orderd")
        self.assertIn("postgres.password_file: cannot read /nonexistent/password: No such file", done.stderr)
        self.assertNotIn("openssl", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_a_secret_of_root_alone_says_how_to_start(self):
        for path in (self.host.folder, self.host.config_path):
            path.chmod(0o755)
        closed = self.host.folder / "closed"
        closed.mkdir(0o700)
        (closed / "secret.key").write_text(secrets.token_hex(32))
        self.host.settings["secrets.key_file"] = closed / "secret.key"
        self.host.write_config()
        self.host.config_path.chmod(0o644)
        path = pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN")) / "host" / "orderd"
        done = subprocess.run([path, f"--config={self.host.config_path}"], capture_output=True, text=True,
                              timeout=LIMIT_S, env=self.host._environment(), user=65534, group=65534,
                              check=False)
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, f"cannot read .*: Permission denied; .* {closed} is root's alone: "
                         "start orderd by systemd.* sudo")
        self.assertNotIn("openssl", done.stderr)

    def test_verify_tells_what_apply_would_do(self):
        before = self.host.run("orderctl", "migrate", "verify", "-o", "json")
        self.assertEqual(before.returncode, 1)
        self.assertIn("pending", [row["state"] for row in json.loads(before.stdout)])
        self.host.orderctl("migrate", "apply")
        self.assertEqual(self.host.run("orderctl", "migrate", "verify").returncode, 0)

    def test_doctor_finds_and_mends(self):
        def findings():
            rows = json.loads(self.host.run("orderctl", "doctor", "-o", "json").stdout)
            return {row["check"]: row for row in rows if row["state"] == "fail"}
        self.assertEqual(findings()["schema"]["fix"], "orderctl migrate apply")
        self.host.orderctl("migrate", "apply")
        self.assertEqual(findings(), {})
        self.database.query(
            "insert into plugin_builds values ('payment', 'abcdef0123456789', 'bank', '1', now(), 'a test'); "
            "insert into plugin_current values ('payment', 'abcdef0123456789', null, '', now(), 'a test')")
        self.assertIn("build abcdef012345 of plugin payment is not in", findings()["builds"]["finding"])

    def test_doctor_warns_of_what_is_paused_and_of_keys_that_are_not_there(self):
        self.host.orderctl("migrate", "apply")
        self.host.settings["access.keys"] = "required"
        self.host.write_config()
        self.host.orderctl("switches", "pause", "intake", "--reason", "a test")
        self.database.query("insert into plugin_status (host, instance, breaker, since, parked, seen) values "
                            "(gen_random_uuid(), 'payment', 'open', now(), 7, now())")
        rows = json.loads(self.host.run("orderctl", "doctor", "-o", "json").stdout)
        warned = {row["check"]: row for row in rows if row["state"] == "warn"}
        self.assertIn("intake is paused by", warned["switches"]["finding"])
        self.assertIn("orderctl switches resume intake", warned["switches"]["fix"])
        self.assertIn("plugin payment are held back", warned["breakers"]["finding"])
        self.assertIn("there is none", warned["access"]["finding"])
        self.assertIn("orderctl keys create", warned["access"]["fix"])
        self.host.orderctl("keys", "create", "shop", "orders:read")
        self.assertNotIn("there is none", self.host.run("orderctl", "doctor").stdout)

    def test_doctor_s_fixes_are_those_of_what_is_wrong(self):
        def fix_of(check):
            rows = json.loads(self.host.run("orderctl", "doctor", "-o", "json").stdout)
            return [row["fix"] for row in rows if row["check"] == check and row["state"] == "fail"][0]
        key = pathlib.Path(self.host.settings["secrets.key_file"])
        key.chmod(0o644)
        self.assertEqual(fix_of("key"), f"`chmod 600 {key}`")
        key.chmod(0o600)
        where = urllib.parse.urlsplit(self.database.url)
        self.host.settings["postgres.url"] = f"postgresql://nobody@{where.hostname}:{where.port}/none"
        self.host.write_config()
        self.assertRegex(fix_of("database"), "orderctl setup|password")

    def test_words_that_are_no_verb_end_with_64(self):
        for words in (["nonsense"], ["stock", "receive"], ["sagas", "-o", "yaml"], ["sagas", "more"]):
            self.assertEqual(self.host.run("orderctl", *words).returncode, 64, words)

    def test_a_database_that_is_away_ends_orderctl_with_69(self):
        self.host.settings["postgres.url"] = f"postgresql://127.0.0.1:{orderd_env.free_port()}/none"
        self.host.write_config()
        self.assertEqual(self.host.run("orderctl", "outbox").returncode, 69)

    def test_help_fits_a_terminal_and_is_there_for_one_verb_too(self):
        self.assertLessEqual(max(map(len, self.host.orderctl("help").splitlines())), 100)
        for words in (["help", "stock"], ["stock", "--help"], ["stock", "-h"], ["stock", "more", "-h"]):
            told = self.host.orderctl(*words)
            self.assertIn("stock receive SKU QUANTITY", told)
            self.assertNotIn("migrate", told)
        one = self.host.orderctl("stock", "receive", "SKU-0001", "5", "--help")
        self.assertIn("goods in", one)
        self.assertNotIn("stock list", one)
        self.assertEqual(self.host.run("orderctl", "nonsense", "--help").returncode, 64)

    def test_every_verb_completes_and_has_its_place_in_the_man_page(self):
        help_text = self.host.orderctl("help")
        page, completion = self.host.orderctl("man"), self.host.orderctl("completion", "bash")
        verbs = re.findall(r"^  (\S+)", help_text.split("\n\n")[1], re.MULTILINE)
        self.assertGreater(len(verbs), 40)
        for verb in verbs:
            self.assertIn("\\fB" + verb.replace("-", "\\-"), page)  # a hyphen is written so in roff
            self.assertIn(verb, completion)


if __name__ == "__main__":
    unittest.main()
