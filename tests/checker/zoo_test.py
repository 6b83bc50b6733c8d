#!/usr/bin/env python3
"""Each bad plugin of the zoo is caught by orderd-plugin-check, for its own reason; the good ones pass.

    zoo_test.py CHECKER ZOO_DIRECTORY PLUGINS_DIRECTORY
"""

import glob
import json
import os
import subprocess
import sys
import unittest

CHECKER, ZOO, PLUGINS = sys.argv[1:4]
DATABASE = os.environ.get("ORDERD_TEST_PG", "")

# A sanitizer in the checker takes the signal, and ends the process itself.
CRASHED = "it crashed|a sanitizer stopped it"

# Beast: the check that must catch it, and what its finding says.
CAUGHT = {
    "no_entry": ("entry.symbol", "it is no orderd plugin"),
    "another_major": ("entry.symbol", "built for plugin ABI 7"),
    "short_descriptor": ("entry.symbol", "descriptor is missing, too short"),
    "nameless": ("entry.descriptor", "name is missing"),
    "two_lines": ("entry.descriptor", "name is missing, longer than 100 bytes, or not one line"),
    "talkative_library": ("entry.exports", "helper"),
    "broken_schema": ("entry.schema", "it is no JSON"),
    "takes_any_setting": ("life.unknown_setting", "a typo would be silent"),
    "calls_in_create": ("life.create", r"called the host inside create\(\)"),
    "crashes_unstarted": ("life.not_started", CRASHED),
    "leaves_thread": ("life.threads", "threads are still there"),
    "leaks": ("life.memory", "bytes behind|it leaks"),
    "leaves_file": ("life.descriptors", "files or sockets open"),
    "fickle_tables": ("life.extensions", "another table each time"),
    "needs_metrics": ("life.missing_extension", CRASHED),
    "one_for_all": ("life.two_instances", "two instances are one"),
    "shares_memory": ("step.two_instances", "knows a key that only the first was sent"),
    "shares_host": ("step.two_instances", "never completes a command at its own host"),
    "thread_a_command": ("step.threads", "threads of its commands are still there"),
    "answers_long_after_stop": ("step.stop", r"after stop\(\) had returned"),
    "answers_twice": ("step.completes", "completed a command twice"),
    "never_answers": ("step.completes", "never completed"),
    "foreign_ticket": ("step.completes", "a ticket that the host never gave out"),
    "garbage": ("step.completes", "kind is 99"),
    "slow_execute": ("step.prompt", "must not wait for the network"),
    "second_effect": ("payment.repeat", "again and again"),
    "loves_every_action": ("step.unsupported", "DONE to the action"),
    "not_thread_safe": ("step.concurrent", CRASHED),
    "answers_after_stop": ("step.stop", r"after stop\(\) had returned"),
    "logs_token": ("step.completes", "logs the payment token"),
    "refunds_anything": ("payment.limits", "refunds more than it captured"),
    "thinks_in_cents": ("payment.currencies", "500 JPY"),
    "no_totals": ("payment.totals", "carry no totals"),
    "query_forgets": ("payment.query", "asked for a key that is DONE"),
    "trusts_anybody": ("webhook.forged", "anybody could send it"),
    "reads_no_size": ("step.unterminated", "beyond their size"),
    "hangs_in_init": ("life.begin", r"it hangs.*; last call: init\(\)"),
    "exits_in_init": ("life.begin", r"the plugin ended the process \(exit\) inside init\(\)"),
    "exits_in_execute": ("step.completes", r"the plugin ended the process \(exit\) inside execute\(\)"),
    "cancel_crashes": ("step.cancel", f"({CRASHED}).*; last call: cancel"),
    "overflowing_traits": ("step.describe", "beyond the struct|a sanitizer stopped it"),
    "refuses_newer_hosts": ("life.newer_host", "refuses a host of a newer minor"),
    "crashes_without_token": ("step.malformed", CRASHED),
    "says_no_query": ("payment.supports", "does not set ORDERD_STEP_QUERY"),
    "retries_refused": ("payment.declined", "RETRY to a token"),
    "keeps_later_state": ("step.completes", "state has version 9"),
    "pending_for_ever": ("step.completes", "PENDING without expires_ms"),
    "whispers": ("step.completes", "not SCREAMING_SNAKE: all is well"),
    "script_url": ("step.completes", "no absolute https URL"),
    "odd_details": ("step.completes", "details_json is no JSON object"),
    "refunds_by_default": ("step.unsupported", "DONE to the action"),
    "voids_all_or_nothing": ("payment.void_rest", "after a partial capture is not DONE"),
    "list_lost": ("payment.list_since", "does not list a payment that was authorized since"),
    "list_endless": ("payment.list_since", "the same cursor comes twice"),
    "list_shapeless": ("payment.list_since", "whose authorized is no integer of the minor unit"),
    "schema_pattern": ("entry.schema", "pattern that is no regular expression"),
    "schema_default": ("entry.schema", "would refuse its own default"),
    "schema_typo": ("entry.schema", '"minLenght" means nothing'),
    "throws": ("step.completes", r"an exception left execute\(\)"),
}
# Those of the host's transaction.
CAUGHT_TX = {
    "tx_counts_again": ("transaction.repeat", "changes rows of checked_stamps.stamp"),
    "tx_swallows": ("transaction.failure", "said OK after a statement had failed"),
    "tx_pending": ("transaction.completes", "ended as PENDING"),
    "tx_silent": ("transaction.completes", r"not completed inside execute_tx\(\)"),
}


def check(library, *options):
    """(exit status, {check name: its entry in the report})."""
    command = [CHECKER, "--json", "-", *options, library]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=400)
    if ran.returncode == 2:
        raise AssertionError(ran.stderr)
    return ran.returncode, {one["name"]: one for one in json.loads(ran.stdout)["checks"]}


def failures(report):
    return {name: one["findings"] for name, one in report.items() if one["result"] == "failed"}


class Zoo(unittest.TestCase):
    def test_every_beast_is_caught_for_its_own_reason(self):
        names = {os.path.basename(path)[len("zoo_"):-len(".so")] for path in glob.glob(ZOO + "/zoo_*.so")}
        self.assertEqual(names, set(CAUGHT) | set(CAUGHT_TX) |
                         {"sound", "tx_sound", "slow_refunds", "always_retries"})
        for name, (where, words) in sorted(CAUGHT.items()):
            with self.subTest(name):
                only = [word for one in ("entry", "life.begin", where) for word in ("--only", one)]
                status, report = check(f"{ZOO}/zoo_{name}.so", "--timeout", "20", *only)
                self.assertEqual(status, 1)
                self.assertIn(where, failures(report))
                self.assertRegex(" ".join(failures(report)[where]), words)

    def test_the_same_plugin_without_its_fault_passes(self):
        status, report = check(f"{ZOO}/zoo_sound.so")
        self.assertEqual((status, failures(report)), (0, {}))
        self.assertGreater(sum(one["result"] == "passed" for one in report.values()), 40)

    def test_a_refund_that_stays_pending_is_no_fault(self):
        status, report = check(f"{ZOO}/zoo_slow_refunds.so", "--only", "payment")
        self.assertEqual((status, failures(report)), (0, {}))
        self.assertIn("payment.refund stays PENDING", " ".join(report["payment.way"]["findings"]))

    def test_strict_fails_for_what_an_option_would_have_made_possible_and_for_nothing_else(self):
        only = ["--only", "payment", "--only", "transaction", "--only", "entry", "--strict"]
        status, report = check(f"{ZOO}/zoo_sound.so", *only)
        self.assertEqual((status, failures(report)), (0, {}))
        self.assertEqual(report["transaction.completes"]["result"], "skipped")  # of another kind of plugin
        status, report = check(f"{ZOO}/zoo_sound.so", *only, "--token", "tok_nobody")
        self.assertEqual((status, failures(report)), (1, {}))
        self.assertTrue(report["payment.way"]["unjudged"])
        status, report = check(f"{ZOO}/zoo_always_retries.so", "--only", "payment.way")
        self.assertEqual((status, report["payment.way"]["result"]), (0, "skipped"))

    def test_help_is_given_wherever_it_is_asked_for_and_an_unknown_option_is_named(self):
        for words in (["--help"], [f"{ZOO}/zoo_sound.so", "-h"]):
            ran = subprocess.run([CHECKER, *words], capture_output=True, text=True, timeout=60)
            self.assertEqual((ran.returncode, ran.stderr), (0, ""))
            for option in ("--strict", "--buyer", "--secret", "--metadata", "--loopback"):
                self.assertIn(option, ran.stdout)
        for words, said in ((["--nothing"], "unknown option --nothing"),
                            (["--token"], "--token needs a value"),
                            (["--buyer", "[1]"], "--buyer takes a JSON object"),
                            (["--secret", "returnUrl=x"], "--secret takes NAME=JSON")):
            ran = subprocess.run([CHECKER, *words], capture_output=True, text=True, timeout=60)
            self.assertEqual(ran.returncode, 2)
            self.assertIn(said, ran.stderr)

    @unittest.skipUnless(DATABASE, "no PostgreSQL: ORDERD_TEST_PG")
    def test_a_transactional_step_of_any_action_is_judged(self):
        options = ["--database", DATABASE, "--action", "stamps.give"]
        status, report = check(f"{ZOO}/zoo_tx_sound.so", *options)
        self.assertEqual((status, failures(report)), (0, {}))
        passed = {name for name, one in report.items() if one["result"] == "passed"}
        self.assertLess({"transaction.completes", "transaction.repeat", "transaction.failure"}, passed)
        for name, (where, words) in CAUGHT_TX.items():
            with self.subTest(name):
                _, report = check(f"{ZOO}/zoo_{name}.so", "--only", where, *options)
                self.assertRegex(" ".join(failures(report)[where]), words)

    def test_a_chaotic_run_finds_a_second_effect_and_finds_it_again_with_the_same_seed(self):
        found = [failures(check(f"{ZOO}/zoo_second_effect.so", "--only", "chaos", "--seed", "7")[1])
                 for _ in range(2)]
        self.assertIn("seed 7", found[0]["chaos"][0])
        self.assertEqual(found[0], found[1])

    def test_the_bundled_plugins_pass(self):
        if not DATABASE:
            self.skipTest("no PostgreSQL: ORDERD_TEST_PG")
        bank = ["--set", f"database={DATABASE}", "--set", "schema=checked_bank"]
        fraud = ["--action", "fraud.check"]
        hooks = ["--set", f"database={DATABASE}", "--set", "url=http://127.0.0.1:9/",
                 "--set", "secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        for library, options in (("payment_simulated", bank), ("inventory_postgres", []),
                                 ("projection_orders_read", []), ("fraud_check", fraud),
                                 ("projection_webhooks", hooks)):
            with self.subTest(library):
                status, report = check(f"{PLUGINS}/{library}.so", "--database", DATABASE, *options)
                self.assertEqual((status, failures(report)), (0, {}))
                if library == "payment_simulated":
                    self.assertEqual(report["payment.list_since"]["result"], "passed")

    def test_what_cannot_be_judged_ends_with_2_before_any_check(self):
        sound = f"{ZOO}/zoo_sound.so"
        for options, words in ((["--only", "nothing"], "no check begins with"),
                               (["--timeout", "0"], "--timeout is 1 to"),
                               (["--json", "/nowhere/report"], "cannot write /nowhere/report"),
                               (["--database", "postgresql://127.0.0.1:1/none"], "--database: ")):
            with self.subTest(options[0]):
                ran = subprocess.run([CHECKER, *options, sound], capture_output=True, text=True, timeout=60)
                self.assertEqual((ran.returncode, ran.stdout), (2, ""))
                self.assertRegex(ran.stderr, f"^orderd-plugin-check: .*{words}[^\n]*\n$")

    def test_what_is_no_library_and_what_is_not_there_are_told(self):
        ran = subprocess.run([CHECKER, __file__], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("it is not a loadable library", ran.stdout)
        ran = subprocess.run([CHECKER, "/nowhere.so"], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 2)
        self.assertIn("there is no such file", ran.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
