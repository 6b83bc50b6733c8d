#!/usr/bin/env python3
"""What the documents name exists: files, verbs, settings, metrics; and README's listing is the compiled one."""

import os
import re
import sys
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "lint"))

import config_test  # noqa: E402  (after the path is set)
import sources  # noqa: E402

read = config_test.read
DOCUMENTS = [path for path in sources.files(ROOT) if path.endswith(".md")]
FAMILY = "http|access|postgres|saga|plugins|secrets|intake|log|slot|route|plugin|kafka"
SETTING = rf"`((?:{FAMILY})\.[\w.<>]+)(?: = [^`]*)?`"
MACHINE_PATH = r"(?<![\w./])/(work|home|root|tmp|mnt)/"


def found(pattern):
    """(document, match) for all documents."""
    for path in DOCUMENTS:
        for match in re.finditer(pattern, read(path), re.MULTILINE):
            yield path, match


class Documents(unittest.TestCase):
    def test_every_relative_link_leads_to_a_file_and_a_heading(self):
        for path, link in found(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)"):
            target = os.path.join(os.path.dirname(path), link.group(1)) if link.group(1) else path
            self.assertTrue(os.path.exists(os.path.join(ROOT, target)), f"{path}: {link.group(0)}")
            if link.group(2):
                headings = re.findall(r"^#+ (.*)$", read(target), re.MULTILINE)
                anchors = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}
                self.assertIn(link.group(2), anchors, path)

    def test_every_verb_of_x_is_in_its_help(self):
        verbs = set(re.findall(r"^#   \./x (\w+)", read("x"), re.MULTILINE))
        self.assertGreater(len(verbs), 5)
        for path, verb in found(r"(?:^|[\s`])\./x (\w+)"):
            self.assertIn(verb.group(1), verbs, path)

    def test_every_verb_of_orderctl_is_in_its_usage(self):
        code = "".join(read(path) for path in sources.files(ROOT) if path.startswith("host/orderctl/"))
        verbs = set(re.findall(r'^ +(?:return \{)?\{"([a-z-]+(?: [a-z-]+)?)", *(?:"|$)', code, re.MULTILINE))
        self.assertGreater(len(verbs), 5)
        known = verbs | {verb.split()[0] for verb in verbs}
        for path, verb in found(r"`orderctl (?:--config=FILE )?([a-z-]+(?: [a-z-]+)?)"):
            self.assertTrue({verb.group(1), verb.group(1).split()[0]} & known, f"{path}: {verb.group(0)}")

    def test_every_setting_exists(self):
        for path, setting in found(SETTING):
            key = setting.group(1)
            if not key.startswith(config_test.FAMILIES) and not key.endswith((".cpp", ".h", ".json")):
                self.assertIn(key, config_test.known_keys(), path)

    def test_every_metric_exists_and_operations_lists_all(self):
        code = "".join(read(path) for path in sources.files(ROOT) if re.match(r"host/.*\.(cpp|h)$", path))
        metrics = set(re.findall(r'(?:counter|gauge|durations|show)\([^"]*"(orderd_\w+)"', code))
        metrics |= set(re.findall(r'lag_name = "(orderd_\w+)"', code))
        self.assertEqual(set(re.findall(r"`(orderd_\w+)`", read("docs/operations.md"))), metrics)

    def test_readme_shows_the_plugin_that_is_compiled(self):
        shown = read("README.md").split("```cpp\n", 1)[1].split("```", 1)[0]
        self.assertEqual(shown, read("plugin-api/examples/fraud_check/fraud_check.cpp"))

    def test_no_path_of_somebodys_machine(self):
        for path, match in found(MACHINE_PATH):
            self.fail(f"{path}: {match.group(0)}")


if __name__ == "__main__":
    unittest.main()
