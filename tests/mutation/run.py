#!/usr/bin/env python3
"""The mutation gate: known errors, each put back at run time (host/base/fault.h), must turn a named test red
that is green without. A suite that cannot fail proves nothing.

    run.py [NAME...]     these mutations, or all; ORDERD_TEST_BIN is a build with ORDERD_FAULTS, and so is
                         ORDERD_TEST_RELEASE_BIN, whose simulator is taken if there is one"""

import os
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TEST_LIMIT_S = 120

# The mutation, and the test that must notice: suite and name, up to a comma: Catch2 takes that for "or". Of
# the suite `sim` it is the seeds.
MUTATIONS = {
    "positions_from_sequence": ("stages", "A reader who remembers a position misses no event*"),
    "shards_without_owner": ("stages", "Of two hosts that both work*"),
    "relay_before_report": ("stages", "The relay's position waits for the broker's report*"),
    "projection_before_commit": ("stages", "A batch whose transaction fails is read again*"),
    "bus_discontinuity_ignored": ("stages", "What a topic lost before anybody read it comes from the log*"),
    "bus_unknown_future_taken": ("stages", "Events of a future that the log does not know*"),
    "kafka_fatal_ignored": ("conformance", "After the producer's fatal error everything is published again*"),
    "saga_call_before_intent": ("unit", "an intent is committed before the provider hears of it"),
    "saga_position_before_effect": ("unit", "a position is never saved before its effect"),
    "saga_cancel_unguarded": ("sim", "1-3000"),
    "saga_forgotten_left": ("sim", "1-500"),
    "saga_no_fence": ("stages", "A host that lost its shard cannot move its position"),
    "saga_undo_out_of_order": ("unit", "a declined capture gives the goods back and lets*"),
    "saga_undo_known_only": ("unit", "a cancellation while the payment is pending voids it in any case"),
    "saga_forget_unknown": ("unit", "an unknown outcome is asked for under the same key*"),
    "saga_new_key_too_early": ("unit", "not found is the last word only of what was asked after*"),
    "saga_key_window_ignored": ("unit", "a key is not sent again after the provider forgot it*"),
    "saga_failure_tells_all": ("unit", "a second send that surely came to nothing says nothing*"),
    "saga_late_success_kept": ("unit", "a success that comes after an order's end is taken from the inbox*"),
    "saga_decision_forgotten": ("unit", "a refund that a person skipped or marked done is never sent again*"),
    "saga_totals_believed_backwards": ("unit", "a provider that answers for another account never ends*"),
    "saga_refund_without_end": ("unit", "a refund that fails later is found in all ways*"),
    "keys_expire_by_host": ("functional", "A host whose clock is days ahead lets go of no key*"),
    "inbox_first_rows": ("unit", "hundreds of notices for orders that are left alone*"),
    "time_by_host": ("unit", "turning the host's own clock moves no time*"),
    "passing_error_parks": ("stages", "While sagas cannot be written for their surroundings*"),
    "blocked_order_holds_others": ("unit", "an order that somebody's lock holds up waits alone*"),
    "locked_row_holds_projection": ("stages", "A row of the read model that somebody has locked*"),
    "isolated_outcome_believed": ("abi", "nonsense from an isolated plugin's process ends it*"),
    "overdue_handed_over": ("abi", "what is overdue does not begin with its batch*"),
    "file_undoes_switch": ("stages", "an operator's switch outlives a start*"),
    "saga_token_left_out": ("unit", "an order whose payment secret does not open asks for no money*"),
    "http_unread_body": ("front", "A body that no handler reads is never the next request"),
}


def in_source():
    names = set()
    for path in (SOURCE / "host").rglob("*.cpp"):
        names |= set(re.findall(r'fault::mutation\("(\w+)"\)', path.read_text(encoding="utf-8")))
    return names


def command(suite, test):
    binaries = os.environ["ORDERD_TEST_BIN"]
    if suite == "sim":
        binaries = os.environ.get("ORDERD_TEST_RELEASE_BIN", binaries)
        return [pathlib.Path(binaries) / "tests" / "sim" / "orderd_sim", "--seeds", test]
    return [pathlib.Path(binaries) / "tests" / suite / f"test_{suite}", test]


def passes(suite, test, mutation=None):
    """Whether the test is green; a test that hangs is red."""
    program, *arguments = command(suite, test)
    environment = {**os.environ, **({"ORDERD_TEST_MUTATION": mutation} if mutation else {})}
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=TEST_LIMIT_S,
                              env=environment, check=False)
    except subprocess.TimeoutExpired:
        return False
    if "No test cases matched" in done.stdout + done.stderr or "test cases: 0" in done.stdout:
        raise SystemExit(f"{program.name} has no test \"{test}\"")
    if done.returncode and not mutation:
        print(done.stdout + done.stderr)
    return done.returncode == 0


def main():
    wanted = sys.argv[1:] or sorted(MUTATIONS)
    failed = [f"{name} is in the source and not in this table, or the other way round"
              for name in sorted(in_source() ^ set(MUTATIONS))]
    for name in wanted:
        suite, test = MUTATIONS[name]
        sound, mutated = passes(suite, test), passes(suite, test, name)
        verdict = "noticed" if sound and not mutated else "red without it" if not sound else "NOT NOTICED"
        print(f"{name:28} {verdict:14} {suite}: {test}", flush=True)
        if verdict != "noticed":
            failed.append(f"{name}: {verdict}")
    print("\n".join(failed) or f"all {len(wanted)} mutations are noticed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
