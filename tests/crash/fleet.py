"""What the fault tests share: two hosts on one database, a crowd of clients that repeat each request until it
is acknowledged, and the judgement at the end."""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import random
import re
import secrets
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import laws  # noqa: E402  (after the path is set)
import laws_test  # noqa: E402
import orderd_env  # noqa: E402
from orderd_env import setting, wait_for  # noqa: E402

CLIENTS = 8
CANCELLERS = 8
REQUEST_LIMIT_S = 5
ANOTHER_HOST_SHARE = 0.2
ACKNOWLEDGED_LIMIT_S = 60
FINAL_LIMIT_S = 90
RETRY_S = 0.05
LEASE_MS = 2000
LOG_LINES_SHOWN = 150
CANCELLED_SHARE = 0.15
SOLD_OUT_SHARE = 0.10

# Tokens by weight, and how an order ends that nobody cancels and that finds its goods.
TOKENS = {"tok_ok": (60, "CONFIRMED"), "tok_declined": (10, "REJECTED"), "tok_slow_50": (10, "CONFIRMED"),
          "tok_flaky_1": (10, "CONFIRMED"), "tok_capture_fails": (8, "REJECTED"),
          "tok_timeout": (2, "CONFIRMED")}

# Work that is not done at all but kept for later: which orders, which consumers are behind.
BEHIND = """
select count(*) from order_state where status not in (4, 6, 7)
union all select count(*) from sagas
union all select count(*) from order_state s left join orders_read r on r.order_id = s.id
          where r.version is distinct from s.version
union all select count(*) from log_shard l join positions p using (shard)
          where greatest(p.pos, 0) <> l.last and (p.consumer not like '%@%' or p.consumer like 'relay@%')
"""


def prefer_release_build():
    """The release build, where there is one: faults are about time, and sanitizers take most of it."""
    if os.environ.get("ORDERD_TEST_RELEASE_BIN"):
        os.environ["ORDERD_TEST_BIN"] = os.environ["ORDERD_TEST_RELEASE_BIN"]


def say(text):
    print(text, flush=True)


def kafka_settings(addresses=None, topic=None):
    certs = pathlib.Path(setting("ORDERD_TEST_CERTS"))
    return {
        "bus": "kafka",
        "kafka.topic": topic or f"crash.{secrets.token_hex(6)}",
        "kafka.bootstrap.servers": addresses or setting("ORDERD_TEST_KAFKA_TLS"),
        "kafka.security.protocol": "ssl",
        "kafka.ssl.ca.location": certs / "ca.crt",
        "kafka.ssl.certificate.location": certs / "client.crt",
        "kafka.ssl.key.location": certs / "client.key",
    }


def impatient_sagas(folder):
    """The default saga with shorter time-outs, so that a reply that never comes costs the test little."""
    saga = json.loads((orderd_env.SOURCE / "config" / "sagas" / "default.json").read_text(encoding="utf-8"))
    for step in saga["steps"]:
        if step["slot"] == "payment":
            step["timeout_ms"] = 2000
            step["retry"] = {"first_ms": 100, "cap_ms": 2000, "total_ms": 600000}
    (folder / "default.json").write_text(json.dumps(saga), encoding="utf-8")
    return folder


class Fleet:
    """Hosts on one database, not started yet. They share the secret key, as hosts of one shop must."""

    def __init__(self, database, settings=None, hosts=2):
        self.database = database
        self._stack = contextlib.ExitStack()
        self.hosts = []
        self._crowds = []
        settings = {"lease_ms": LEASE_MS, **(settings or {})}
        for _ in range(hosts):
            host = self._stack.enter_context(Quiet(orderd_env.Host(database, settings))).host
            self.hosts.append(host)
            settings["secrets.key_file"] = self.hosts[0].settings["secrets.key_file"]
            settings["saga.dir"] = impatient_sagas(self.hosts[0].folder)
            host.settings["saga.dir"] = settings["saga.dir"]
            host.write_config()
        self.hosts[0].prepare()

    def start(self):
        for host in self.hosts:
            host.launch()
        for host in self.hosts:
            wait_for(lambda host=host: ready(host), f"the host at {host.url} to be ready", 60)
        return self

    def crowd(self, seed):
        """Clients of these hosts; they give up at the end of the fleet, if nobody has waited for them."""
        self._crowds.append(Crowd(self.hosts, seed))
        return self._crowds[-1]

    def behind(self):
        return sum(int(line) for line in self.database.query(BEHIND))

    def wait_until_settled(self, what="every order to be final and every consumer at the end of the log"):
        """Twice in a row: a consumer may stand between reading and writing."""
        try:
            wait_for(lambda: self.behind() == 0, what, FINAL_LIMIT_S)
        except AssertionError:
            say(f"not settled within {FINAL_LIMIT_S} s; the tables judge below")

    def log_tails(self):
        """The ends of the logs, without what a repeated idempotency key makes the host say."""
        lines = []
        for host in self.hosts:
            text = host.log_path.read_text(encoding="utf-8", errors="replace")
            kept = [line for line in text.splitlines() if "OD003" not in line]
            lines += [f"--- log of {host.url}", *kept[-LOG_LINES_SHOWN:]]
        return "\n".join(lines)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            say(self.log_tails())
        for crowd in self._crowds:
            crowd.give_up()
        self._stack.close()


class Quiet:
    """Takes a host away at the end; one that was killed or has failed has been judged by then."""

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.host.kill()
        self.host.remove()


def ready(host):
    if not host.running:
        raise AssertionError(f"orderd at {host.url} ended at its start:\n{host.log_tail()}")
    with contextlib.suppress(OSError, http.client.HTTPException):
        return host.get("/healthz/ready").status == 200
    return False


def is_stopped(pid):
    """Whether it was stopped by a signal, its own or another's."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


@dataclasses.dataclass
class Wish:
    """An order that somebody wants, and what became of it."""

    key: str
    token: str
    sku: str
    quantity: int
    unit_price: int
    cancel_after_s: float | None
    order_id: str = ""
    cancel_status: int = 0

    @property
    def endings(self):
        """The statuses that it may end in."""
        natural = "REJECTED" if self.sku == "SKU-SOLD-OUT" else TOKENS[self.token][1]
        if self.cancel_status in (200, 202):
            return {"CANCELLED", "REJECTED"}
        return {"REJECTED"} if self.cancel_status == 409 else {natural}

    def body(self):
        return {"customerId": f"c-{self.key[-1]}", "currency": "EUR",
                "payment": {"method": "card", "token": self.token},
                "items": [{"sku": self.sku, "quantity": self.quantity, "unitPrice": self.unit_price}],
                "metadata": {"cart": self.key[-3:]}}  # too short to pass for a card's number


class Crowd:
    """Clients that place and cancel at any of the hosts and repeat until they are answered. Requests run on
    threads of their own; what becomes of a wish is written into it by the one thread that has it."""

    clients, cancellers = CLIENTS, CANCELLERS
    repeated_share = 1.0  # of the orders: placed a second time with the same key
    request_limit_s = REQUEST_LIMIT_S

    def __init__(self, hosts, seed):
        self._hosts = hosts
        self._random = random.Random(seed)
        self._local = threading.local()
        self._given_up = False
        self._connections = []
        self._clients = concurrent.futures.ThreadPoolExecutor(self.clients)
        self._cancellers = concurrent.futures.ThreadPoolExecutor(self.cancellers)
        self._cancels = []
        self.wishes = []
        self.slow = []

    def wish(self):
        pick = self._random
        token = pick.choices(list(TOKENS), [weight for weight, _ in TOKENS.values()])[0]
        sold_out = pick.random() < SOLD_OUT_SHARE
        cancelled = pick.random() < CANCELLED_SHARE
        made = Wish(f"{secrets.token_hex(8)}-{len(self.wishes)}", token,
                    "SKU-SOLD-OUT" if sold_out else f"SKU-{pick.randrange(1, 21):04}", pick.randrange(1, 4),
                    pick.randrange(1, 5000),
                    pick.random() * pick.choice((0.05, 1.5, 4)) if cancelled else None)
        self.wishes.append(made)
        return made

    def place(self, count):
        """Begins to place `count` orders; the futures end when each is acknowledged."""
        return [self._clients.submit(self._place, self.wish()) for _ in range(count)]

    def finish(self):
        """Waits for all that was begun; raises what went wrong in it."""
        self._clients.shutdown()
        self._cancellers.shutdown()
        for connection in self._connections:
            connection.close()
        for one in self._cancels:
            one.result()

    def give_up(self):
        """Nobody waits any more: for a test that has failed. Harmless after finish()."""
        self._given_up = True
        self._clients.shutdown(cancel_futures=True)
        self._cancellers.shutdown(cancel_futures=True)

    def ids(self):
        return [wish.order_id for wish in self.wishes if wish.order_id]

    def _place(self, wish):
        status, order = self._until_answered("/api/orders", wish.body(), wish.key, (201,))
        wish.order_id = order["id"]
        again = (random.random() < self.repeated_share and
                 self._request(self._host(), "/api/orders", wish.body(), wish.key))
        if again and again[0] == 201 and again[1]["id"] != wish.order_id:
            raise AssertionError(f"key {wish.key} made two orders: {wish.order_id} and {again[1]['id']}")
        if wish.cancel_after_s is not None:
            self._cancels.append(self._cancellers.submit(self._cancel, wish))
        return status

    def _cancel(self, wish):
        time.sleep(wish.cancel_after_s)  # the moment of a buyer, not a wait for something
        path = f"/api/orders/{wish.order_id}/cancel"
        wish.cancel_status, _ = self._until_answered(
            path, {"reason": "changed my mind"}, wish.key + "-cancel", (200, 202, 409))

    def _until_answered(self, path, body, key, wanted):
        begin = time.monotonic()
        seen = None
        if random.random() < ANOTHER_HOST_SHARE:
            self._turn_away()
        while time.monotonic() < begin + ACKNOWLEDGED_LIMIT_S and not self._given_up:
            answer = self._request(self._host(), path, body, key)
            if answer and answer[0] in wanted and not is_in_progress(answer):
                return answer
            if answer and answer[0] not in (409, 429, 503):
                raise AssertionError(f"{path} was answered {answer}")
            seen = answer or seen
            self._turn_away()
            time.sleep(RETRY_S)
        raise AssertionError(f"{path} got no good answer in {ACKNOWLEDGED_LIMIT_S} s; the last one: {seen}")

    def _host(self):
        """Each client stays with a host that answers, as a load balancer would have it."""
        turn = self._local.__dict__.setdefault("turn", random.randrange(len(self._hosts)))
        return self._hosts[turn % len(self._hosts)]

    def _turn_away(self):
        self._local.turn = self._hosts.index(self._host()) + 1

    def _request(self, host, path, body, key):
        """(status, body), or None when no answer came; the connection is kept where it can be."""
        kept = self._local.__dict__.setdefault("connections", {})
        if host.port not in kept:
            kept[host.port] = Connection(host.port, self.request_limit_s)
            self._connections.append(kept[host.port])
        try:
            status, head, text = kept[host.port].post(path, json.dumps(body), key)
        except OSError:
            kept[host.port].close()
            return None
        if status == 503 and b"\r\nretry-after:" not in head:
            raise AssertionError(f"a 503 without Retry-After: {text}")
        return status, json.loads(text)


class Connection:
    """A kept HTTP connection of one thread. For load: http.client takes several times as long."""

    ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\n\r\n", re.DOTALL)
    LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n")

    def __init__(self, port, limit_s):
        self._port, self._limit_s = port, limit_s
        self._socket = None

    def post(self, path, text, key):
        """(status, head in lower case, body). OSError: no answer came."""
        if not self._socket:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._limit_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = text.encode()
        self._socket.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        data = b""
        while not (answer := self.ANSWER.match(data)):
            data += self._more()
        head = answer[0].lower()
        end = answer.end() + int(self.LENGTH.search(head)[1])
        while len(data) < end:
            data += self._more()
        if b"\r\nconnection: close\r\n" in head:
            self.close()
        return int(answer[1]), head, data[answer.end():end]

    def _more(self):
        data = self._socket.recv(16384)
        if not data:
            raise ConnectionError("closed without an answer")
        return data

    def close(self):
        if self._socket:
            self._socket.close()
        self._socket = None


def is_in_progress(answer):
    """The first request with this key is still being worked on: not an answer to the wish."""
    return answer[0] == 409 and answer[1].get("retryable")


def judge(fleet, crowd):
    """All laws, the endings that the tokens lead to, and that the laws could have been broken."""
    state = laws.read(fleet.database)
    complaints = laws.judge(state, crowd.ids())
    if len(state["orders"]) != len(crowd.wishes):
        complaints.append(f"orders: {len(state['orders'])} for {len(crowd.wishes)} idempotency keys")
    status = {row["id"]: laws.STATUSES[row["status"]] for row in state["order_state"]}
    for wish in crowd.wishes:
        if status.get(wish.order_id) not in wish.endings:
            complaints.append(f"ending: {wish.order_id}: is {status.get(wish.order_id)}, not one of "
                              f"{sorted(wish.endings)}: {wish}")
    if complaints:
        raise AssertionError(laws.report(state, complaints))
    missed = laws_test.unnoticed(state, crowd.ids())
    if missed:
        raise AssertionError(f"the laws do not notice, on this run's own data: {missed}")
    count = {name: sum(1 for one in status.values() if one == name) for name in laws.FINAL}
    say(f"all laws hold: {len(status)} orders ({count}), {len(state['order_events'])} events")
