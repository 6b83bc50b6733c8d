#!/usr/bin/env python3
"""config/orderd.properties and orderd.env.example name every key that host/config knows, and no other."""

import os
import re
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FAMILIES = ("kafka.", "plugin.", "route.", "slot.")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def known_keys():
    """The keys of setters() in settings.cpp."""
    table = read("host/config/settings.cpp").split("setters() {", 1)[1].split("return known;", 1)[0]
    return set(re.findall(r'^      \{"([a-z_.]+)",', table, re.MULTILINE))


def properties():
    """{key: value} of all lines that set something, those with a '#' right before the key included."""
    found = re.findall(r"^#?([a-z][\w.]*) =[ ]?(.*)$", read("config/orderd.properties"), re.MULTILINE)
    return dict(found)


class Properties(unittest.TestCase):
    def test_every_known_key_is_there_and_no_other(self):
        self.assertGreater(len(known_keys()), 15)
        named = {key for key in properties() if not key.startswith(FAMILIES)}
        self.assertEqual(named, known_keys())

    def test_every_family_of_keys_is_shown(self):
        for family in re.findall(r'prefixed\("(\w+\.)"\)', read("host/config/settings.cpp")):
            self.assertIn(family, FAMILIES)
            self.assertTrue(any(key.startswith(family) for key in properties()), family)

    def test_every_key_has_a_comment_above_its_group(self):
        lines = read("config/orderd.properties").split("\n")
        sets = [bool(re.match(r"#?[a-z][\w.]* =", line)) for line in lines]
        for i, line in enumerate(lines):
            if sets[i] and not sets[i - 1]:
                self.assertTrue(lines[i - 1].startswith("# "), f"line {i + 1}: {line}")

    def test_the_defaults_shown_are_those_of_settings_h(self):
        members = re.findall(r"^  \S+ (\w+) = (.+?);", read("host/config/settings.h"), re.MULTILINE)
        defaults = {name: value.strip('"').replace("'", "") for name, value in members}
        for key, shown in properties().items():
            if key.replace(".", "_") in defaults:
                default = {"true": "yes", "false": "no"}.get(defaults[key.replace(".", "_")])
                self.assertEqual(shown, default or defaults[key.replace(".", "_")], key)


class Variables(unittest.TestCase):
    def test_every_known_key_is_there_and_no_other(self):
        variables = re.findall(r"^ORDERD_(\w+)=", read("config/orderd.env.example"), re.MULTILINE)
        flat = {key.replace(".", "_").upper() for key in known_keys()}
        families = tuple(family.replace(".", "_").upper() for family in FAMILIES)
        self.assertEqual({name for name in variables if not name.startswith(families)}, flat)


if __name__ == "__main__":
    unittest.main()
