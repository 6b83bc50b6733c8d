"""What happens to a PostgreSQL in use: a row or a table that somebody keeps locked, a server that accepts and
does not answer, a period in which nothing can be written, a disk that is full. Each lasts for as many seconds
as it is given and is over when the call returns, whatever became of the server meanwhile."""

import contextlib
import os
import signal
import subprocess
import threading
import time

LOCK_TABLES = ("sagas", "order_state", "orders_read", "inventory.stock", "idempotency_keys", "saga_inbox")
LOCK_ROWS = {"inventory.stock": "sku = (select sku from inventory.stock order by random() limit 1)",
             "orders_read": "order_id in (select order_id from orders_read order by created desc limit 3)",
             "order_state": "id in (select id from order_state order by id desc limit 3)",
             "sagas": "order_id in (select order_id from sagas limit 3)"}
FULL_TABLES = ("order_events", "sagas", "orders_read", "orders")
ALTER_TRIES = 60

FULL_FUNCTION = """create or replace function public.chaos_disk_full() returns trigger language plpgsql as
$$ begin raise sqlstate '53100' using message = 'could not extend file: No space left on device'; end $$;"""


class DatabaseFaults:
    """Of one database and its server. Any thread; a kind that cannot be had twice at once waits its turn."""

    def __init__(self, server, database):
        self._server, self._database = server, database
        self._periods = threading.Lock()
        database.query(FULL_FUNCTION)

    def lock_row(self, pick, seconds):
        table = pick.choice(sorted(LOCK_ROWS))
        self._hold(f"select 1 from {table} where {LOCK_ROWS[table]} for update", seconds)

    def lock_table(self, pick, seconds):
        self._hold(f"lock table {pick.choice(LOCK_TABLES)} in access exclusive mode", seconds)

    def freeze(self, seconds):
        """The server and all its sessions stand still; connections are still accepted by the kernel."""
        stopped = self._server.processes()
        try:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            time.sleep(seconds)
        finally:
            for pid in reversed(stopped):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def read_only(self, seconds):
        """As after a failover: every session that begins meanwhile stays read-only, also afterwards."""
        name = self._database.name
        with self._periods:
            try:
                self._insist(f'alter database "{name}" set default_transaction_read_only = on;'
                             "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                             " where datname = current_database() and pid <> pg_backend_pid()")
                time.sleep(seconds)
            finally:
                self._insist("begin read write;"
                             f'alter database "{name}" reset default_transaction_read_only; commit')

    def fill_disk(self, pick, seconds):
        table = pick.choice(FULL_TABLES)
        trigger = f"create trigger chaos_disk_full before insert or update on {table} " \
                  "for each statement execute function public.chaos_disk_full()"
        with self._periods:
            try:
                self._insist(f"set lock_timeout = '500ms'; {trigger}")
                time.sleep(seconds)
            finally:
                self._insist(f"set lock_timeout = '500ms'; drop trigger if exists chaos_disk_full on {table}")

    def _hold(self, statement, seconds):
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):  # the session may be ended
            self._database.query(f"begin read write; set local lock_timeout = '5s';"
                                 f"{statement}; select pg_sleep({seconds:.3f}); rollback")

    def _insist(self, statements):
        """Sessions are ended and servers restarted by others at the same time."""
        error = None
        for _ in range(ALTER_TRIES):
            try:
                return self._database.query(statements)
            except (RuntimeError, subprocess.TimeoutExpired) as again:
                error = again
                time.sleep(0.5)
        raise AssertionError(f"the database could not be made whole: {error}")
