#!/usr/bin/env python3
"""What an operator meets: another provider while orders of the old one are there, databases that do not fit,
stock from files, the audit log; by orderctl and a host as a process."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import orderd_env  # noqa: E402  (after the path is set)

LIMIT_S = 60


class Operated(orderd_env.Host):
    def run(self, program, *words, **more):
        path = pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN")) / "host" / program
        return subprocess.run([path, f"--config={self.config_path}", *words], capture_output=True, text=True,
                              timeout=LIMIT_S, env=self._environment(), check=False, **more)

    def set(self, **changes):
        """Changes settings, `__` for a dot; None takes one away."""
        self.settings.update({key.replace("__", "."): value for key, value in changes.items()})
        self.write_config()

    def doctor(self, check):
        """What doctor says of one check, each (state, finding, fix)."""
        rows = json.loads(self.run("orderctl", "doctor", "-o", "json").stdout)
        return [(row["state"], row["finding"], row["fix"]) for row in rows if row["check"] == check]


class Operators(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(orderd_env.Database("operators"))
        self.host = self.enterContext(Operated(self.database))

    def confirmed(self, **fields):
        order = self.host.place(**fields)["id"]
        self.host.wait_for_status(order, "CONFIRMED")
        return order


class AnotherProvider(Operators):
    def test_a_payment_instance_without_a_slot_ends_the_orders_that_began_with_it(self):
        self.host.prepare()
        self.host.start()
        old = self.confirmed()
        waiting = self.host.place("tok_3ds")["id"]
        self.host.wait_for_status(waiting, "PENDING")
        self.host.set(plugin__second__library="payment_simulated.so", slot__payment="second",
                      plugin__second__settings__database=self.database.url)
        self.host.restart()
        fresh = self.confirmed()
        for order in (old, waiting):
            self.host.post(f"/api/orders/{order}/cancel", {})
            self.host.wait_for_status(order, "CANCELLED")
        self.assertEqual(self.host.order(old)["payment"]["refunded"], 1999)
        served = self.database.query("select distinct data -> 'instances' ->> 'payment' from saga_journal "
                                     f"where order_id = '{fresh}'")
        self.assertEqual(served, ["second"])
        self.assertEqual(self.database.query("select count(*) from parked"), ["0"])

    def test_a_stock_of_another_kind_leaves_old_orders_their_own_and_sells_none_of_its_products(self):
        self.host.prepare()
        self.host.start()
        old = self.confirmed(quantity=3)
        sold = "select sold from inventory.stock where sku = 'SKU-0001'"
        self.assertEqual(self.database.query(sold), ["3"])
        token = self.host.folder / "token"
        self.host._write_private(token, "stock_token")
        self.host.set(plugin__stock__library="inventory_http.so", slot__inventory="stock",
                      plugin__stock__settings__url="http://127.0.0.1:9", plugin__stock__secret__token=token)
        self.host.restart()
        self.assertEqual(self.host.get("/api/products").body["data"], [])
        self.host.post(f"/api/orders/{old}/cancel", {})
        self.host.wait_for_status(old, "CANCELLED")
        self.assertEqual(self.database.query(sold), ["0"])

    def test_a_slot_that_the_saga_has_no_more_keeps_its_plugin_for_its_orders(self):
        sagas = self.host.folder / "sagas"
        sagas.mkdir()
        text = (orderd_env.SOURCE / "config" / "sagas" / "default.json").read_text()
        (sagas / "former.json").write_text(text.replace('"slot": "payment"', '"slot": "till"'))
        self.host.set(saga__dir=sagas, saga__default="former", slot__till="till",
                      plugin__till__library="payment_simulated.so",
                      plugin__till__settings__database=self.database.url)
        self.host.prepare()
        self.host.start()
        old = self.confirmed()
        (sagas / "former.json").rename(sagas / "gone")
        (sagas / "default.json").write_text(text)
        self.host.set(saga__default="default", slot__till=None)
        self.host.restart()
        self.host.post(f"/api/orders/{old}/cancel", {})
        self.host.wait_for_status(old, "CANCELLED")

    def test_an_instance_that_orders_need_is_missed_before_and_after_its_lines_go(self):
        self.host.prepare()
        self.host.start()
        for _ in range(2):
            self.confirmed()
        in_flight = self.host.place("tok_3ds")["id"]
        self.host.wait_for_status(in_flight, "PENDING")
        saga = f"select data -> 'instances' ->> 'payment' from sagas where order_id = '{in_flight}'"
        orderd_env.wait_for(lambda: self.database.query(saga) == ["payment"], "the saga to name its plugin")
        self.host.set(plugin__second__library="payment_simulated.so", slot__payment="second",
                      plugin__second__settings__database=self.database.url)
        need = "1 order in flight and 2 confirmed ones still need plugin instance payment"
        self.assertIn(("ok", need + ", which gets no new orders", "keep its lines until no order needs it"),
                      self.host.doctor("instances"))
        library = self.host.settings["plugin.payment.library"]
        self.host.set(plugin__payment__library=None, plugin__payment__settings__database=None)
        for program, words in (("orderctl", ["config", "check"]), ("orderd", ["--check-config"])):
            done = self.host.run(program, *words)
            self.assertEqual(done.returncode, 78, program)
            self.assertIn(need + ", which is not configured: keep plugin.payment.library", done.stderr)
        self.assertEqual([(state, finding) for state, finding, _ in self.host.doctor("instances")],
                         [("fail", need + ", which is not configured")])
        self.host.restart()
        self.assertIn(need, self.host.log_path.read_text(encoding="utf-8"))
        # With those in flight at their end the others are said, and no error.
        self.host.set(plugin__payment__library=library,
                      plugin__payment__settings__database=self.database.url)
        self.host.restart()
        self.host.post(f"/api/orders/{in_flight}/cancel", {})
        self.host.wait_for_status(in_flight, "CANCELLED")
        self.host.set(plugin__payment__library=None, plugin__payment__settings__database=None)
        done = self.host.run("orderctl", "config", "check")
        self.assertEqual(done.returncode, 0)
        self.assertIn(need.replace("1 order ", "0 orders "), done.stderr)

    def test_an_instance_that_is_neither_step_nor_projection_is_refused_by_what_it_lacks(self):
        self.host.set(plugin__orders_read__isolation="process")
        done = self.host.run("orderctl", "config", "check")
        self.assertEqual(done.returncode, 78)
        self.assertIn("plugin.orders_read.isolation = none", done.stderr)

    def test_a_reload_with_a_plugin_whose_migrations_were_edited_ends_nothing(self):
        folder = self.host.folder / "plugins"
        shutil.copytree(pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN")) / "plugins", folder,
                        ignore=shutil.ignore_patterns("test", "zoo"))
        self.host.set(plugins__dir=folder, plugins__trusted_owner=os.getuid())
        self.host.prepare()
        self.host.start()
        self.database.query("update orderd_migrations set checksum = 'edited' where owner like '%inventory%'")
        with open(folder / "inventory_postgres.so", "ab") as library:
            library.write(b"another build")
        os.kill(self.host.pid, signal.SIGHUP)
        orderd_env.wait_for(lambda: "the old build goes on" in self.host.log_tail() or
                            "was not taken over" in self.host.log_tail(), "the reload to be refused")
        self.confirmed()
        self.assertTrue(self.host.running)


class Surroundings(Operators):
    def made(self, how):
        """The database anew, with other properties."""
        server, name = orderd_env.setting("ORDERD_TEST_PG"), self.database.name
        self.database._psql(server, f'drop database "{name}"; create database "{name}" {how}')

    def refused(self, *parts):
        for program, words in (("orderctl", ["migrate", "apply"]), ("orderctl", ["config", "check"]),
                               ("orderd", ["--check-config"]), ("orderd", [])):
            done = self.host.run(program, *words)
            self.assertEqual(done.returncode, 78, f"{program} {words}: {done.stdout}{done.stderr}")
            for part in parts:
                self.assertIn(part, done.stderr, f"{program} {words}")
        found = self.host.doctor("database")
        self.assertEqual([state for state, _, _ in found], ["fail"])
        self.assertIn(parts[0], found[0][1])
        told = self.host.run("orderctl", "doctor").stdout
        self.assertNotIn("migrate apply", told)

    def test_a_database_of_another_encoding_is_refused_everywhere_by_name(self):
        for encoding in ("LATIN1", "SQL_ASCII"):
            self.made(f"encoding '{encoding}' locale 'C' template template0")
            self.refused(f"has the encoding {encoding}", "encoding 'UTF8'")

    def test_another_isolation_level_is_refused_whoever_sets_it(self):
        self.database.query(f'alter database "{self.database.name}" set default_transaction_isolation '
                            "to 'repeatable read'")
        self.refused('transactions begin as "repeatable read"', "reset default_transaction_isolation")
        self.database.query(f'alter database "{self.database.name}" reset default_transaction_isolation')
        where = urllib.parse.urlsplit(self.database.url)
        self.host.set(postgres__url=where._replace(
            query="options=-c%20default_transaction_isolation%3Dserializable").geturl())
        self.refused('transactions begin as "serializable"')

    def test_a_server_that_forgets_is_found_by_doctor_and_said_at_the_start(self):
        self.host.prepare()
        self.database.query(f'alter database "{self.database.name}" set synchronous_commit to off')
        said = "synchronous_commit is off: a crash of the server loses orders that were acknowledged"
        self.assertIn(("fail", said), [found[:2] for found in self.host.doctor("database")])
        self.host.start()
        self.assertIn(said, self.host.log_path.read_text(encoding="utf-8"))

    def test_a_server_that_takes_no_writes_is_a_finding(self):
        self.host.orderctl("migrate")
        self.database.query(f'alter database "{self.database.name}" set default_transaction_read_only = on')
        _, finding, fix = [row for row in self.host.doctor("database") if row[0] == "fail"][0]
        self.assertIn("takes no writes (read-only)", finding)
        self.assertIn("target_session_attrs=read-write", fix)

    def test_a_host_is_not_ready_while_nothing_can_be_written_and_ready_again_afterwards(self):
        self.host.prepare()
        self.host.start()
        read_only = f'alter database "{self.database.name}" set default_transaction_read_only'
        ended = ("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = "
                 "current_database() and pid <> pg_backend_pid()")
        admin = orderd_env.setting("ORDERD_TEST_PG")
        self.database._psql(admin, f"{read_only} = on")
        self.database.query(ended)
        orderd_env.wait_for(lambda: "takes no writes" in json.dumps(self.host.get("/healthz/ready").body),
                            "readiness to say so")
        self.assertEqual(self.host.get("/healthz/live").status, 200)
        self.database._psql(admin, f"{read_only} = off")
        orderd_env.wait_for(lambda: self.host.get("/healthz/ready").status == 200, "readiness to come back")
        self.confirmed()

    def test_a_role_that_may_end_no_session_has_a_host_that_is_ready(self):
        role = self.database.name
        self.database.query(f"create role {role} login password 'word'; alter schema public owner to {role}; "
                            f"grant create on database \"{role}\" to {role}; "
                            "revoke execute on function pg_terminate_backend from public")
        self.addCleanup(self.database.query, f"drop owned by {role} cascade; drop role {role}")
        where = urllib.parse.urlsplit(self.database.url)
        url = where._replace(netloc=f"{role}:word@{where.hostname}:{where.port}").geturl()
        self.host.set(postgres__url=url, plugin__payment__settings__database=url)
        self.host.prepare()
        self.host.start()
        said = "sessions of frozen hosts cannot be ended"
        orderd_env.wait_for(lambda: said in self.host.log_path.read_text(encoding="utf-8"),
                            "the log to say so")
        self.confirmed()
        self.assertEqual(self.host.get("/healthz/ready").status, 200)

    def test_a_full_disk_is_a_finding(self):
        self.host.prepare()
        self.assertEqual([state for state, _, _ in self.host.doctor("room")], ["ok"])
        self.database.query(
            "create function full_disk() returns event_trigger language plpgsql as $$ begin raise exception "
            "'could not extend file' using errcode = '53100'; end $$; create event trigger full_disk on "
            "ddl_command_start when tag in ('CREATE TABLE') execute function full_disk()")
        [(state, finding, fix)] = self.host.doctor("room")
        self.assertEqual(state, "fail")
        self.assertIn("no room left on its disk", finding)
        self.assertIn("make room", fix)

    def test_a_build_that_should_be_used_and_is_not_is_a_finding(self):
        self.host.prepare()
        self.host.start()
        told = "select 1 from plugin_loaded where instance = 'payment'"
        orderd_env.wait_for(lambda: self.database.query(told), "the host to say what it uses")
        self.assertEqual([state for state, _, _ in self.host.doctor("builds")], ["ok"])
        self.database.query(
            "insert into plugin_builds (instance, digest, plugin, version, added_by) select 'payment', "
            "repeat('a', 64), plugin, version, 'a test' from plugin_builds where instance = 'payment' "
            "limit 1; update plugin_current set digest = repeat('a', 64) where instance = 'payment'")
        refused = "select 1 from plugin_loaded where instance = 'payment' and problem <> ''"
        orderd_env.wait_for(lambda: self.database.query(refused), "the host to say why it does not follow")
        found = [row for row in self.host.doctor("builds") if row[1].startswith("no host uses")]
        self.assertIn("no host uses build aaaaaaaaaaaa of plugin payment", found[0][1])
        self.assertIn("that build is not on this host", found[0][1])
        self.assertIn("plugin rollback payment", found[0][2])

    def test_a_right_that_is_missing_on_a_plugin_s_table_is_named(self):
        self.host.prepare()
        role = self.database.name
        self.database.query(f"create role {role} login password 'word'; "
                            f"grant all on schema public, inventory to {role}; "
                            f"grant all on all tables in schema public, inventory to {role}; "
                            f"revoke update on inventory.stock from {role}")
        self.addCleanup(self.database.query, f"drop owned by {role}; drop role {role}")
        where = urllib.parse.urlsplit(self.database.url)
        self.host.set(postgres__url=where._replace(
            netloc=f"{role}:word@{where.hostname}:{where.port}").geturl())
        found = self.host.doctor("rights")
        self.assertIn(f"the role {role} may not update on a plugin's table inventory.stock", found[0][1])
        self.assertIn("grant select, insert, update, delete on inventory.stock", found[0][2])

    def test_no_room_for_a_session_is_not_answered_with_a_migration(self):
        self.host.prepare()
        self.database._psql(orderd_env.setting("ORDERD_TEST_PG"),
                            f'alter database "{self.database.name}" connection limit 0')
        role = self.database.name
        self.database._psql(orderd_env.setting("ORDERD_TEST_PG"), f"create role {role} login password 'word'")
        self.addCleanup(self.database._psql, orderd_env.setting("ORDERD_TEST_PG"), f"drop role {role}")
        where = urllib.parse.urlsplit(self.database.url)
        self.host.set(postgres__url=where._replace(
            netloc=f"{role}:word@{where.hostname}:{where.port}").geturl())
        found = self.host.doctor("database")
        self.assertIn("raise max_connections", found[0][2])


class Stock(Operators):
    def imported(self, text, *flags):
        path = self.host.folder / "stock.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.host.run("orderctl", "stock", "import", str(path), *flags)

    def numbers(self, sku):
        return self.database.query("select on_hand, reserved, sold, (select sum(quantity) from "
                                   "inventory.stock_movements m where m.sku = s.sku) from inventory.stock s "
                                   f"where sku = '{sku}'")

    def test_a_count_of_the_shelf_promises_nothing_twice(self):
        self.host.orderctl("migrate")
        made = self.imported("SKU,NAME,PRICE,CURRENCY,AVAILABLE\nCUP,Cup,20,EUR,10\n")
        self.assertEqual(made.stdout, "1 products imported: 1 new, 0 changed, 0 as they were\n", made.stderr)
        self.host.start()
        self.confirmed(sku="CUP", quantity=3)
        waiting = self.host.place("tok_ok", sku="CUP", quantity=2)
        self.host.wait_for_status(waiting["id"], "CONFIRMED")
        # Five are sold; four of them have left, one stands on the shelf with the five others.
        counted = "SKU;NAME;PRICE;CURRENCY;COUNTED;UNSHIPPED\nCUP;Cup;20.00;EUR;7;1\n"
        shown = self.imported(counted, "--dry-run", "-o", "json")
        row = json.loads(shown.stdout)[0]
        self.assertEqual((row["available"], row["becomes"], row["difference"], row["sold"]), (5, 6, 1, 5))
        self.assertEqual(self.numbers("CUP"), ["5|0|5|10"])
        self.assertEqual(self.imported(counted).returncode, 0)
        self.assertEqual(self.numbers("CUP"), ["6|0|5|11"])
        self.assertIn("0 changed, 1 as they were", self.imported(counted).stdout)
        few = self.imported(counted.replace(";7;1", ";2;3"))
        self.assertEqual(few.returncode, 1)
        self.assertIn("line 2, column 19: CUP: 2 were counted, and 3 are promised", few.stderr)
        self.assertEqual(self.numbers("CUP"), ["6|0|5|11"])

    def test_a_file_with_one_wrong_line_imports_nothing_and_says_where(self):
        self.host.orderctl("migrate")
        head = "SKU,NAME,UNIT_PRICE,CURRENCY,AVAILABLE\n"
        done = self.imported(head.encode() + "A,Cup,1,EUR,1\nB,Gr\u00fc\u00dfe,1,EUR,1\n".encode("latin-1"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"stock\.csv: line 3, column 5: the byte FC is not UTF-8")
        self.assertEqual(self.database.query("select count(*) from inventory.stock"), ["0"])
        old = self.imported("A,Cup,1,EUR,1\n")
        self.assertEqual(old.returncode, 1)
        self.assertIn("AVAILABLE", old.stderr)

    def test_an_empty_stock_is_said_before_the_first_order(self):
        self.host.orderctl("migrate")
        found = self.host.doctor("stock")[0]
        self.assertEqual(found[0], "warn")
        self.assertIn("UNKNOWN_SKU", found[1])
        self.assertIn("orderctl stock demo", found[2])
        self.host.orderctl("stock", "demo")
        self.assertEqual([state for state, _, _ in self.host.doctor("stock")], ["ok"])

    def test_no_text_of_an_order_acts_on_the_terminal_and_numbers_are_numbers(self):
        self.host.orderctl("migrate")
        self.imported("SKU,NAME,PRICE,CURRENCY,AVAILABLE\nCUP,Cup,20,EUR,10\n")
        self.database.query("update inventory.stock set name = E'\\u009b2J\\u202etxt\\nCUP  5'")
        table = self.host.run("orderctl", "stock", "list")
        self.assertIn("\\u009b2J\\u202etxt\\u000aCUP  5", table.stdout)
        self.assertEqual(len(table.stdout.splitlines()), 2)
        shown = self.host.run("orderctl", "stock", "list", "-o", "json").stdout
        self.assertNotIn("\u009b", shown)
        row = json.loads(shown)[0]
        self.assertEqual((row["price"], row["available"]), (2000, 10))
        self.assertEqual(row["name"], "\u009b2J\u202etxt\nCUP  5")

    def test_the_audit_log_is_read_by_subject_and_by_who(self):
        self.host.orderctl("migrate")
        self.host.orderctl("switches", "pause", "intake", "--reason", "stocktaking")
        self.host.orderctl("keys", "create", "shop", "orders:read")
        rows = json.loads(self.host.run("orderctl", "audit", "-o", "json").stdout)
        self.assertEqual(len(rows), 2)
        one = [row for row in rows if row["reason"] == "stocktaking"][0]
        self.assertIsInstance(one["id"], int)
        asked = ["orderctl", "audit", "-o", "json", "--by"]
        self.assertEqual(json.loads(self.host.run(*asked, one["by"], one["subject"]).stdout), [one])
        self.assertEqual(json.loads(self.host.run(*asked, "nobody").stdout), [])
        self.assertEqual(self.host.run("orderctl", "audit", "--limit", "0").returncode, 64)


class WhatNoOrderOwns(Operators):
    def unknown(self, *flags):
        return json.loads(self.host.run("orderctl", "reconcile", "unknown", "-o", "json", *flags).stdout)

    def owed(self):
        return [finding for _, finding, _ in self.host.doctor("work") if "of no order" in finding]

    def test_a_payment_of_a_lost_order_is_found_listed_and_acknowledged(self):
        self.host.prepare()
        self.host.start()
        order = self.confirmed()
        swept = "select 1 from sweeps where instance = 'payment' and next_at > now()"
        orderd_env.wait_for(lambda: self.database.query(swept), "the first sweep")
        self.assertEqual((self.unknown(), self.owed()), ([], []))
        bank = self.database.query("select table_schema from information_schema.tables where table_name = "
                                   "'ledger'")[0]
        lost = "0190a000-0000-7000-8000-00000000dead"
        self.database.query(
            f"insert into {bank}.payments select '{lost}', token, currency, authorized, captured, refunded, "
            f"voided, failures, closed, changes from {bank}.payments where payment_id = '{order}'; insert "
            f"into {bank}.ledger (payment_id, key, kind, amount, currency, reference) select '{lost}', "
            f"'lost ' || key, kind, amount, currency, reference from {bank}.ledger where payment_id = "
            f"'{order}'")
        for words, status, said in ((["nobody"], 1, "no provider of that name"),
                                    (["--since", "yesterday"], 64, "--since is a time such as"),
                                    (["payment", "more"], 64, '"more" is too much')):
            done = self.host.run("orderctl", "reconcile", *words)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(said, done.stderr)
        done = self.host.run("orderctl", "reconcile", "payment", "--since", "2026-01-01T00:00:00Z")
        self.assertEqual(done.stdout, "payment is compared within seconds\n", done.stderr)
        one = orderd_env.wait_for(self.unknown, "the sweep that was asked for")[0]
        self.assertEqual((one["instance"], one["subject"], int(one["captured"]), int(one["refunded"])),
                         ("payment", lost, 1999, 0))
        self.assertEqual(self.owed(), ["1 payment at payment of no order of this database"])
        acknowledge = ["orderctl", "reconcile", "acknowledge", str(one["id"])]
        self.assertEqual(self.host.run(*acknowledge).returncode, 64)
        done = self.host.run(*acknowledge, "--reason", "given back by hand")
        self.assertEqual((done.returncode, done.stdout), (0, "1 acknowledged\n"), done.stderr)
        again = self.host.run(*acknowledge, "--reason", "twice")
        self.assertEqual(again.returncode, 1)
        self.assertIn("acknowledged already", again.stderr)
        self.assertEqual((self.unknown(), self.owed()), ([], []))
        self.assertEqual(self.unknown("payment", "--all")[0]["reason"], "given back by hand")
        logged = json.loads(self.host.run("orderctl", "audit", "-o", "json",
                                          f"unknown_payments:{one['id']}").stdout)
        self.assertEqual([row["reason"] for row in logged], ["given back by hand"])
        self.assertEqual(self.host.order(order)["status"], "CONFIRMED")

    def test_dead_letters_are_told_by_consumer(self):
        self.host.prepare()
        self.database.query("insert into parked (consumer, shard, order_id, from_version, pos, reason) "
                            "select c, 1, gen_random_uuid(), 1, n, 'a test' from unnest(array['saga', "
                            "'saga', 'projection:orders_read']) with ordinality u(c, n)")
        found = {finding: fix for _, finding, fix in self.host.doctor("work") if "dead letter" in finding}
        self.assertEqual(sorted(found), ["1 dead letter of projection:orders_read",
                                         "2 dead letters of saga"])
        self.assertIn("dead-letters list --consumer saga", found["2 dead letters of saga"])


if __name__ == "__main__":
    unittest.main()
