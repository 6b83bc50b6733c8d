#!/usr/bin/env python3
"""Two hosts on one database, 500 orders, and kill -9 of one host or the other at random moments, at least ten
times: afterwards every acknowledged order is final, and the provider's ledger and the stock agree with it.

    kill_test.py --bus pglog|kafka [--seed N] [--orders N] [--kills N]"""

import argparse
import concurrent.futures
import random
import secrets
import sys
import time

import fleet
import orderd_env

KILL_AFTER_MAX_S = 0.8
BREATHER_MAX_S = 1.5


def kill_at_random(hosts, pick, turn):
    time.sleep(pick.random() * KILL_AFTER_MAX_S)  # the moment is what is drawn
    hosts[turn % len(hosts)].kill()
    hosts[turn % len(hosts)].launch()


def run(bus, seed, orders, kills):
    pick = random.Random(seed)
    settings = fleet.kafka_settings() if bus == "kafka" else {}
    with orderd_env.Database("crash") as database, fleet.Fleet(database, settings) as ours:
        ours.start()
        crowd = ours.crowd(pick.random())
        begin = time.monotonic()
        placed = []
        for turn in range(kills):
            placed += crowd.place(orders * (turn + 1) // kills - orders * turn // kills)
            kill_at_random(ours.hosts, pick, turn)
            # Sometimes the next kill meets a host that is still starting, sometimes one that takes over.
            concurrent.futures.wait(placed, timeout=pick.random() * BREATHER_MAX_S)
        for one in placed:
            one.result()
        crowd.finish()
        fleet.say(f"{len(crowd.ids())} orders acknowledged and {kills} kills in "
                  f"{time.monotonic() - begin:.1f} s, waiting for their end")
        ours.wait_until_settled()
        fleet.say(f"settled after {time.monotonic() - begin:.1f} s")
        fleet.judge(ours, crowd)
        for host in ours.hosts:
            if not fleet.ready(host):
                raise AssertionError(f"the host at {host.url} is not ready at the end")
            host.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bus", choices=("pglog", "kafka"), default="pglog")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--kills", type=int, default=12)
    given = parser.parse_args()
    fleet.say(f"replay with: kill_test.py --bus {given.bus} --seed {given.seed}")
    fleet.prefer_release_build()
    run(given.bus, given.seed, given.orders, given.kills)


if __name__ == "__main__":
    sys.exit(main())
