#!/usr/bin/env python3
"""Hosted servers, with the very lines of docs/operations.md: a PostgreSQL that speaks TLS only, pgbouncer in
transaction mode, a Kafka that wants a client's certificate."""

import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import orderd_env  # noqa: E402  (after the path is set)
from orderd_env import setting, wait_for  # noqa: E402

LIMIT_S = 60


def documented(headline):
    """{key: value} of the block of docs/operations.md whose first line is that comment."""
    text = (orderd_env.SOURCE / "docs" / "operations.md").read_text(encoding="utf-8")
    block = re.search(rf"```properties\n# {re.escape(headline)}\n(.*?)```", text, re.DOTALL).group(1)
    return dict(line.split(" = ", 1) for line in block.splitlines())


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False, **options)
    if done.returncode:
        raise AssertionError(f"{command}: {done.stderr or done.stdout}")
    return done.stdout


def as_postgres():
    """PostgreSQL and pgbouncer refuse to run as root."""
    step_down = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    return step_down if os.geteuid() == 0 else []


class Hosted(unittest.TestCase):
    def folder(self, name):
        path = pathlib.Path(setting("ORDERD_TEST_DIR")) / f"{name}-{secrets.token_hex(4)}"
        path.mkdir()
        path.chmod(0o755)
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def secret(self, folder, name, text):
        path = folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def works(self, database, settings, wanted=()):
        """A host with these settings brings an order to its end."""
        with orderd_env.Host(database, settings) as host:
            host.prepare()
            host.start()
            host.wait_for_status(host.place()["id"], "CONFIRMED")
            for verb in ("sagas", "outbox"):
                host.orderctl(verb)
            for words in wanted:
                self.assertNotIn(words, host.log_tail())


class Postgres(Hosted):
    def certificates(self, folder):
        names = ("ca.pem", "server.key", "server.csr", "server.pem")
        ca, key, request, cert = (folder / name for name in names)
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        run("openssl", "req", "-x509", *new_key, "-days", "2", "-subj", "/CN=ca",
            "-keyout", str(folder / "ca.key"), "-out", str(ca))
        run("openssl", "req", *new_key, "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(request))
        extensions = self.secret(folder, "san", "subjectAltName=DNS:localhost\n")
        run("openssl", "x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", str(folder / "ca.key"),
            "-CAcreateserial", "-days", "2", "-extfile", str(extensions), "-out", str(cert))
        for path in (key, cert):
            path.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(path, "postgres", "postgres")
        return ca, key, cert

    def server(self, folder):
        """The URL of a PostgreSQL that takes nothing but TLS."""
        script, data = setting("ORDERD_TEST_POSTGRES_SH"), folder / "postgres"
        run(script, "start", str(data))
        self.addCleanup(run, script, "kill", str(data))
        ca, key, cert = self.certificates(folder)
        with open(data / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"ssl = on\nssl_cert_file = '{cert}'\nssl_key_file = '{key}'\n")
        (data / "data" / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        run(script, "stop", str(data))
        return urllib.parse.urlsplit(run(script, "start", str(data)).strip()), ca

    def database_of(self, url, ca):
        address = f"{url.username}@localhost:{url.port}"
        test = os.environ["ORDERD_TEST_PG"]
        os.environ["ORDERD_TEST_PG"] = (f"postgresql://{url.username}:{url.password}@localhost:{url.port}/"
                                        f"postgres?sslmode=verify-full&sslrootcert={ca}")
        self.addCleanup(os.environ.__setitem__, "ORDERD_TEST_PG", test)
        return self.enterContext(orderd_env.Database("hosted")), address

    def test_tls_with_the_server_s_certificate_checked(self):
        folder = self.folder("tls")
        url, ca = self.server(folder)
        database, address = self.database_of(url, ca)
        lines = documented("a hosted PostgreSQL, its certificate checked")
        self.assertEqual(set(lines), {"postgres.url", "postgres.password_file"})
        there = f"{address}/{database.name}"
        asked = lines["postgres.url"].replace("orderd@db.example.com:5432/orderd", there)
        lines = {"postgres.url": asked.replace("/etc/orderd/postgres-ca.pem", str(ca)),
                 "postgres.password_file": self.secret(folder, "password", url.password)}
        self.works(database, lines)
        # The same server by another name than its certificate's.
        lines["postgres.url"] = lines["postgres.url"].replace("localhost", "127.0.0.1")
        with orderd_env.Host(database, lines) as host:
            with self.assertRaisesRegex(RuntimeError, "does not match host name"):
                host.orderctl("migrate", "verify")

    def pooler(self, database):
        """The port of a pgbouncer before the test's server."""
        folder, port, url = self.folder("pool"), orderd_env.free_port(), urllib.parse.urlsplit(database.url)
        server = f"host={url.hostname} port={url.port} user={url.username} password={url.password}"
        config = self.secret(folder, "pgbouncer.ini", f"""[databases]
{database.name} = dbname={database.name} {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 12
max_client_conn = 200
logfile =
pidfile =
""")
        if os.geteuid() == 0:
            shutil.chown(config, "postgres", "postgres")
        binary = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen([*as_postgres(), binary, str(config)], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        wait_for(lambda: b"process up" in (folder / "log").read_bytes(), "pgbouncer to start")
        return port

    def test_pgbouncer_in_transaction_mode(self):
        database = self.enterContext(orderd_env.Database("hosted"))
        port, url = self.pooler(database), urllib.parse.urlsplit(database.url)
        lines = documented("the same behind a pooler in transaction mode (pgbouncer)")
        self.assertEqual(lines["postgres.pooled"], "yes")
        # pgbouncer's TLS is libpq's on the other side; here only what its transaction mode does is looked at.
        lines["postgres.url"] = f"postgresql://{url.username}@127.0.0.1:{port}/{database.name}"
        lines["postgres.password_file"] = self.secret(self.folder("secret"), "password", url.password)
        with orderd_env.Host(database, {**lines, "postgres.pooled": "no"}) as host:
            with self.assertRaisesRegex(RuntimeError, "ended with 78.*a pooler in transaction mode.*pooled = yes"):
                host.orderctl("migrate", "apply")
            path = pathlib.Path(setting("ORDERD_TEST_BIN")) / "host" / "orderctl"
            doctor = subprocess.run([path, f"--config={host.config_path}", "doctor", "-o", "json"],
                                    capture_output=True, text=True, timeout=60, check=False)
            found = [row for row in json.loads(doctor.stdout) if row["state"] == "fail"]
            self.assertEqual([row["check"] for row in found], ["database"])
            self.assertIn("postgres.pooled = yes", found[0]["fix"])
        self.works(database, lines, wanted=("prepared statement",))


class Kafka(Hosted):
    def test_mtls_with_three_pem_files(self):
        database = self.enterContext(orderd_env.Database("hosted"))
        certs = pathlib.Path(setting("ORDERD_TEST_CERTS"))
        lines = documented("a hosted Kafka, with the three PEM files that it hands out")
        self.works(database, {
            **lines,
            "kafka.bootstrap.servers": setting("ORDERD_TEST_KAFKA_TLS"),
            "kafka.ssl.ca.location": certs / "ca.crt",
            "kafka.ssl.certificate.location": certs / "client.crt",
            "kafka.ssl.key.location": certs / "client.key",
            "kafka.topic": f"hosted-{secrets.token_hex(4)}",
        })


if __name__ == "__main__":
    unittest.main()
