"""A PostgreSQL and a Kafka of a test's own, which can be killed without harm to other tests."""

import os
import pathlib
import secrets
import shutil
import subprocess

import orderd_env
from orderd_env import setting

SERVER_LIMIT_S = 90
BROKER_LIMIT_S = 150
# As if it had a machine of its own, where one may: among many busy processes a JVM takes a minute to start.
BROKER_NICENESS = -10


class Server:
    """A PostgreSQL of the test's own, which can be stopped without harm to other tests."""

    def __init__(self):
        self._folder = pathlib.Path(setting("ORDERD_TEST_DIR")) / f"away-{secrets.token_hex(4)}"
        self._before = os.environ.get("ORDERD_TEST_PG", "")
        os.environ["ORDERD_TEST_PG"] = self.start()

    def run(self, verb):
        done = subprocess.run([setting("ORDERD_TEST_POSTGRES_SH"), verb, self._folder], capture_output=True,
                              text=True, timeout=SERVER_LIMIT_S, check=False)
        if done.returncode:
            raise AssertionError(f"postgres.sh {verb}: {done.stderr}")
        return done.stdout.strip()

    def start(self):
        return self.run("start")

    def kill(self):
        """At once, without a checkpoint."""
        self.run("kill")

    def processes(self):
        """Pids of the server and of all its sessions and helpers; none while it is down."""
        pid = subprocess.run(["cat", self._folder / "data" / "postmaster.pid"], capture_output=True,
                             text=True, check=False).stdout.split()
        return orderd_env.with_children(int(pid[0])) if pid else []

    def end(self):
        """Also takes the databases of a test that failed while this server was down."""
        os.environ["ORDERD_TEST_PG"] = self._before
        self.kill()
        subprocess.run(["rm", "-rf", self._folder], check=True)


class Broker:
    """A broker of the test's own at a port that is known before it runs."""

    def __init__(self, certs):
        self._folder = pathlib.Path(setting("ORDERD_TEST_DIR")) / f"broker-{secrets.token_hex(4)}"
        self.port, self.tls_port = orderd_env.free_port(), orderd_env.free_port()
        self.address = f"127.0.0.1:{self.tls_port}"
        self._folder.mkdir()
        shutil.copytree(certs, self._folder / "certs")

    def start(self):
        self._run("start", "--port", str(self.port), "--tls-port", str(self.tls_port),
                  "--nice", str(BROKER_NICENESS))

    def kill(self):
        self._run("kill")

    def end(self):
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, verb, *arguments):
        done = subprocess.run([setting("ORDERD_TEST_KAFKA_SH"), verb, self._folder, *arguments],
                              capture_output=True, text=True, timeout=BROKER_LIMIT_S, check=False)
        if done.returncode:
            raise AssertionError(f"kafka.sh {verb}: {done.stderr}")
