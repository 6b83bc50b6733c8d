#!/usr/bin/env python3
"""The scripts behind ./x, tried in a copy of their own that knows nothing of this clone's state."""

import os
import shutil
import socket
import subprocess
import tempfile
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SECONDS_MAX = 120


class Scripts(unittest.TestCase):
    def setUp(self):
        self.clone = tempfile.mkdtemp(prefix="orderd-clone.", dir="/var/tmp")
        os.chmod(self.clone, 0o755)
        shutil.copy(os.path.join(ROOT, "x"), self.clone)
        shutil.copytree(os.path.join(ROOT, "tests", "env"), os.path.join(self.clone, "tests", "env"))
        self.postgres = os.path.join(self.clone, "pg")
        self.addCleanup(shutil.rmtree, self.clone)

    def run_script(self, *arguments):
        return subprocess.run(arguments, cwd=self.clone, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS_MAX)

    def postgres_sh(self, command, *arguments):
        done = self.run_script("tests/env/postgres.sh", command, self.postgres, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def query(self, url, sql):
        return self.run_script("psql", "-XAtq", url, "-c", sql)


class Run(Scripts):
    def test_a_port_in_use_is_named_together_with_its_holder_and_the_way_out(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            done = self.run_script("./x", "run", "--port", str(port))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"port {port} is in use on 127.0.0.1 by", done.stderr)
        self.assertIn(f"(process {os.getpid()})", done.stderr)
        self.assertIn("./x run --port", done.stderr)

    def test_a_second_run_in_one_clone_is_refused(self):
        os.mkdir(os.path.join(self.clone, ".orderd"))
        done = self.run_script("flock", ".orderd/run.lock", "./x", "run")
        self.assertEqual(done.returncode, 1)
        self.assertIn("already running in this clone", done.stderr)

    def test_a_port_that_is_none_is_refused(self):
        for port in ("0", "65536", "http", ""):
            done = self.run_script("./x", "run", "--port", port)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"not '{port}'", done.stderr)

    def test_an_unknown_command_gets_the_help(self):
        done = self.run_script("./x", "rum")
        self.assertEqual(done.returncode, 1)
        self.assertIn("./x run [--kafka] [--fresh] [--port N]", done.stderr)


class Postgres(Scripts):
    def test_data_and_port_survive_a_stop_and_a_kill(self):
        url = self.postgres_sh("start")
        self.addCleanup(self.postgres_sh, "kill")
        self.assertEqual(self.query(url, "CREATE TABLE kept AS SELECT 1").returncode, 0)
        for end in ("stop", "kill"):
            self.postgres_sh(end)
            self.assertNotEqual(self.query(url, "SELECT 1").returncode, 0)
            self.assertEqual(self.postgres_sh("start"), url)
            self.assertEqual(self.query(url, "SELECT count(*) FROM kept").stdout, "1\n")

    def test_it_asks_for_the_password_and_keeps_every_commit(self):
        url = self.postgres_sh("start")
        self.addCleanup(self.postgres_sh, "kill")
        password = url.split(":")[2].split("@")[0]
        self.assertNotEqual(self.query(url.replace(password, "guessed"), "SELECT 1").returncode, 0)
        for setting in ("fsync", "synchronous_commit"):
            self.assertEqual(self.query(url, f"SHOW {setting}").stdout, "on\n")


if __name__ == "__main__":
    unittest.main()
