#!/usr/bin/env python3
"""What is wrong before the start: a plugin, a key, a file, a port, the schema. The host ends with status 78
and one line that says which, where and what to do; nothing of it is left running."""

import contextlib
import http.client
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import unittest

import fleet
import orderd_env

EXIT_UNAVAILABLE, EXIT_CONFIG = 69, 78  # EX_CONFIG of sysexits.h
END_LIMIT_S = 30

# Each is what its name says, and no plugin of ABI 1 that could be used.
SOURCES = {
    "no_plugin.so": "int something_else(void) { return 1; }",
    "other_major.so": "const void *orderd_plugin_entry_v7(void) { return 0; }",
    "damaged.so": """
        static const struct {
          unsigned size, major, minor, reserved;
          const char *name, *version, *vendor;
          void *create;
        } descriptor = {16, 1, 0, 0, "damaged", "1", "test", 0};
        const void *orderd_plugin_entry_v1(void) { return &descriptor; }""",
    "unresolved.so": """
        int nobody_has_this(void);
        const void *orderd_plugin_entry_v1(void) { nobody_has_this(); return 0; }""",
}


def setUpModule():
    fleet.prefer_release_build()


class Refused(unittest.TestCase):
    """One database and one host's folder for all tests; each changes the configuration for itself."""

    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(orderd_env.Database("crash"))
        cls.host = cls.enterClassContext(orderd_env.Host(cls.database))
        cls.host.prepare()
        cls.good = dict(cls.host.settings)
        cls.plugins = cls.host.folder / "plugins"
        shutil.copytree(cls.good["plugins.dir"], cls.plugins, ignore=lambda folder, names: [
            name for name in names if not name.endswith(".so")])
        for name, source in SOURCES.items():
            command = ["cc", "-shared", "-fPIC", "-x", "c", "-o", cls.plugins / name, "-"]
            subprocess.run(command, input=source, text=True, check=True)

    def refusal(self, *parts, database=None, status=EXIT_CONFIG, **changes):
        """The one line that the host ends with, given these changes of the configuration (None: without the
        key; '__' stands for '.'). Each of `parts` is in it."""
        settings = {**self.good, "plugins.dir": self.plugins}
        if database:
            settings["postgres.url"] = settings["plugin.payment.settings.database"] = database.url
        for name, value in changes.items():
            settings[name.replace("__", ".")] = value
        self.host.settings = {name: value for name, value in settings.items() if value is not None}
        self.host.write_config()
        self.host.log_path.unlink(missing_ok=True)
        self.host.launch()
        orderd_env.wait_for(lambda: not self.host.running, "the host to end by itself", END_LIMIT_S)
        log = self.host.log_path.read_text(encoding="utf-8")
        with self.assertRaisesRegex(AssertionError, f"orderd ended with {status}:"):
            self.host.stop()
        said = [line for line in log.splitlines() if line.startswith("orderd: ")]
        self.assertEqual(len(said), 1, log)
        self.assertEqual(log.splitlines()[-1], said[0], "something comes after the reason")
        # Every other line is a log line, none is the tail of the message.
        for line in log.splitlines()[:-1]:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\S+Z (info|warning) ")
        for part in parts:
            self.assertIn(str(part), said[0])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(self.good["http.port"]))).close()
        return said[0]


class Plugins(Refused):
    def of_payment(self, library, *parts):
        self.refusal('plugin "payment"', self.plugins / library, *parts, plugin__payment__library=library)

    def test_a_file_that_is_missing(self):
        self.of_payment("stripe.so", "there is no such file", "install the package that brings it")

    def test_a_file_that_is_no_library(self):
        (self.plugins / "text.so").write_text("not a library\n")
        self.of_payment("text.so", "it is not a loadable library (", "install a build for this machine")

    def test_half_a_library(self):
        whole = (self.plugins / "payment_simulated.so").read_bytes()
        (self.plugins / "half.so").write_bytes(whole[:65536])
        self.of_payment("half.so", "it is not a loadable library (")

    def test_a_folder(self):
        (self.plugins / "folder.so").mkdir()
        self.of_payment("folder.so", "there is no such file")

    def test_a_library_that_is_no_plugin(self):
        self.of_payment("no_plugin.so", "it is not an orderd plugin", "correct the library's name")

    def test_a_plugin_of_another_major_version(self):
        self.of_payment("other_major.so", "plugin ABI 7, this host has 1", "install a build of it for ABI 1")

    def test_a_damaged_descriptor(self):
        self.of_payment("damaged.so", "its descriptor is damaged", "report it to the plugin's vendor")

    def test_a_symbol_that_nobody_has(self):
        self.of_payment("unresolved.so", "nobody_has_this", "install a build for this machine")

    def test_a_plugin_that_lacks_what_its_slot_needs(self):
        self.refusal('plugin "payment"', self.plugins / "projection_orders_read.so", "has no orderd.step/1",
                     "it offers orderd.projection/1", "configure a plugin that has it",
                     plugin__payment__library="projection_orders_read.so",
                     plugin__payment__settings__database=None)

    def test_a_step_that_does_not_know_the_saga_s_action(self):
        self.refusal("inventory", "payment.authorize", slot__payment="inventory",
                     plugin__payment__library=None,
                     plugin__payment__settings__database=None)

    def test_a_slot_without_a_plugin(self):
        self.refusal("step reserve needs a plugin in slot inventory", "set plugin.inventory.library",
                     plugin__inventory__library=None)

    def test_an_instance_without_a_library(self):
        self.refusal("plugin.payment.library is missing", plugin__payment__library=None)

    def test_a_library_outside_the_plugin_folder(self):
        outside = pathlib.Path(self.good["plugins.dir"]) / "payment_simulated.so"
        self.refusal('plugin "payment"', outside, "outside the plugin directory", self.plugins,
                     plugin__payment__library=outside)

    @unittest.skipIf(os.geteuid(), "only root can give files away")
    def test_a_library_of_another_user(self):
        shutil.copy(self.plugins / "payment_simulated.so", self.plugins / "foreign.so")
        os.chown(self.plugins / "foreign.so", 65534, 65534)
        self.of_payment("foreign.so", "it belongs to user 65534", "chown it to root")


class Settings(Refused):
    def of_payment(self, *parts, **changes):
        self.refusal('plugin "payment"', self.plugins / "payment_simulated.so", *parts, **changes)

    def test_a_setting_that_the_plugin_needs(self):
        self.of_payment("refused init()", "database", plugin__payment__settings__database=None)

    def test_a_setting_that_the_plugin_does_not_know(self):
        self.of_payment("refused init()", "shcema", plugin__payment__settings__shcema="bank")

    def test_a_setting_of_a_wrong_value(self):
        self.of_payment("refused init()", 'setting "schema" is "No-Name"',
                        plugin__payment__settings__schema="No-Name")

    def test_a_plugin_that_cannot_start(self):
        """It may be able to later: the host serves what needs no such plugin, and says what is missing."""
        self.host.settings = {**self.good, "plugins.dir": self.plugins,
                              "plugin.payment.settings.database": "postgresql://nobody@127.0.0.1:1/none"}
        self.host.write_config()
        self.host.launch()
        try:
            def lacking():
                with contextlib.suppress(OSError, http.client.HTTPException):
                    answer = self.host.get("/healthz/ready")
                    return answer.status == 200 and answer.body.get("degraded")
                return None
            told = orderd_env.wait_for(lacking, "the host to be ready and to name what it lacks", END_LIMIT_S)
            self.assertIn("payment has not started yet", " ".join(told))
        finally:
            self.host.stop()


class Configuration(Refused):
    def test_an_unknown_key_is_answered_with_the_nearest_one(self):
        for wrong, right in (("http.prot", "http.port"), ("postgres.ulr", "postgres.url"),
                             ("lease.ms", "lease_ms"), ("plugin.payment.libary", "plugin.<instance>.library")):
            with self.subTest(wrong):
                self.refusal(self.host.config_path, f"unknown key {wrong}", f"nearest known key is {right}",
                             **{wrong: "1"})

    def test_a_value_out_of_range(self):
        self.refusal(self.host.config_path, "http.port = 70000: must be a whole number from 0 to 65535",
                     http__port=70000)
        self.refusal("bus = rabbit: must be one of pglog, kafka", bus="rabbit")

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            self.refusal(f"port {port} is in use on 127.0.0.1", "choose another port", status=EXIT_UNAVAILABLE,
                         http__port=port)

    def test_an_address_that_is_not_this_machine_s(self):
        self.refusal("address 192.0.2.1 is none of this machine's", "listen on one of its own",
                     http__address="192.0.2.1", insecure="yes")

    def test_a_saga_that_is_missing_or_garbled(self):
        folder = self.host.folder / secrets.token_hex(4)
        folder.mkdir()
        self.refusal(folder / "default.json", saga__dir=folder)
        (folder / "default.json").write_text('{"name": "default", "steps": [')
        self.refusal(folder / "default.json", saga__dir=folder)

    def test_a_configuration_that_is_missing(self):
        done = subprocess.run([pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN")) / "host" / "orderd",
                               "--config=/nonexistent/orderd.properties"], capture_output=True, text=True,
                              timeout=END_LIMIT_S, check=False)
        self.assertEqual(done.returncode, EXIT_CONFIG)
        self.assertRegex(done.stderr, r"\Aorderd: /nonexistent/orderd.properties: cannot be read.*\n\Z")


class Key(Refused):
    def key(self, text, mode):
        path = self.host.folder / f"{secrets.token_hex(4)}.key"
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_it_is_missing(self):
        path = self.host.folder / "none.key"
        self.refusal("secrets.key_file", path, "openssl rand -hex 32", secrets__key_file=path)

    def test_others_can_read_it(self):
        for mode in (0o644, 0o640):
            path = self.key("0" * 64 + "\n", mode)
            self.refusal("secrets.key_file", path, "can be read by others", f"chmod 600 {path}",
                         secrets__key_file=path)

    def test_it_is_no_key(self):
        path = self.key("0" * 40 + "\n", 0o600)
        self.refusal("secrets.key_file", path, "64 lower-case hex digits", secrets__key_file=path)

    def test_it_is_not_configured(self):
        self.refusal("secrets.key_file", secrets__key_file=None)


class Schema(Refused):
    def test_there_is_none(self):
        with orderd_env.Database("crash") as empty:
            self.refusal("the database has no orderd schema yet", "orderctl migrate", database=empty)

    def test_it_is_newer_than_the_program(self):
        with orderd_env.Database("crash") as newer:
            newer.query(self.migrations_table())
            newer.query("insert into orderd_migrations (owner, number, name, checksum) "
                        "select 'orderd', n, 'later', 'odd' from generate_series(1, 999) n")
            self.refusal("is newer (migration 999)", "install the newer orderd", database=newer)

    def test_it_is_another_one_than_the_program_s(self):
        with orderd_env.Database("crash") as other:
            other.query(self.migrations_table())
            count = self.database.query("select count(*) from orderd_migrations where owner = 'orderd'")[0]
            other.query("insert into orderd_migrations (owner, number, name, checksum) "
                        f"select 'orderd', n, 'changed', 'odd' from generate_series(1, {count}) n")
            self.refusal("differs from this program's", database=other)

    def migrations_table(self):
        columns = self.database.query("select column_name || ' ' || data_type from information_schema.columns "
                                      "where table_name = 'orderd_migrations' order by ordinal_position")
        made = ", ".join(re.sub(r"^(applied_at .*)", r"\1 default now()", one) for one in columns)
        return f"create table orderd_migrations ({made})"


del Refused  # no tests of its own

if __name__ == "__main__":
    unittest.main()
