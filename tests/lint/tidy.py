#!/usr/bin/env python3
"""tidy.py BUILD: clang-tidy over every source that BUILD/compile_commands.json lists, on all processors.

A file that passed is not examined again until it, a project header that it includes, its compile command,
.clang-tidy or clang-tidy itself changes: .orderd/tidy/ holds one empty file for each that passed.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

import sources

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PASSED = os.path.join(ROOT, ".orderd", "tidy")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def with_headers(path, folders, seen):
    """The file and the project's own headers that it includes, directly or not."""
    if path in seen:
        return
    seen.add(path)
    for _, included in sources.includes(read(path)):
        for folder in [os.path.dirname(path)] + folders:
            candidate = os.path.realpath(os.path.join(folder, included))
            if candidate.startswith(ROOT + os.sep) and os.path.isfile(candidate):
                with_headers(candidate, folders, seen)
                break


def fingerprint(entry, common):
    arguments = shlex.split(entry["command"])
    folders = [a[2:] for a in arguments if a.startswith("-I")]
    seen = set()
    with_headers(os.path.realpath(entry["file"]), folders, seen)
    digest = hashlib.sha256((common + entry["command"]).encode())
    for path in sorted(seen):
        digest.update((path + read(path)).encode())
    return digest.hexdigest()


def without_gcc_pch(build):
    """The build's compile commands in a folder of their own, which is returned, with them.

    Beside a header that was precompiled lies GCC's binary once the tree was built, and clang takes it for one
    of its own: it gets a copy of the header's text, which lies alone.
    """
    headers = os.path.join(PASSED, "headers")
    os.makedirs(headers, exist_ok=True)

    def copied(match):
        text = read(match.group(1))
        copy = os.path.join(headers, hashlib.sha256(text.encode()).hexdigest() + ".hxx")
        with open(copy, "w", encoding="utf-8") as file:
            file.write(text)
        return "-include " + copy

    entries = json.loads(read(os.path.join(build, "compile_commands.json")))
    for entry in entries:
        entry["command"] = re.sub(r"-include (\S+cmake_pch\.hxx)", copied, entry["command"])
    with open(os.path.join(headers, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(entries, file)
    return headers, entries


def examine(commands, entry, common):
    """(file, what clang-tidy found or None)"""
    name = os.path.relpath(entry["file"], ROOT)
    mark = os.path.join(PASSED, fingerprint(entry, common))
    if os.path.exists(mark):
        return name, None
    # RapidJSON's iterators compare with themselves in a way that C++20 calls ambiguous.
    result = subprocess.run(["clang-tidy", "--quiet", "-p", commands,
                             "--extra-arg=-Wno-unknown-warning-option",
                             "--extra-arg=-Wno-ignored-optimization-argument",
                             "--extra-arg=-Wno-ambiguous-reversed-operator", entry["file"]],
                            capture_output=True, text=True)
    if result.returncode == 0:
        open(mark, "w").close()
        return name, None
    return name, result.stdout + re.sub(r"(?m)^\d+ warnings? .*generated.*\n", "", result.stderr)


def main():
    build = os.path.realpath(sys.argv[1])
    os.makedirs(PASSED, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    common = version + read(os.path.join(ROOT, ".clang-tidy"))
    commands, listed = without_gcc_pch(build)
    entries = {e["file"]: e for e in listed}
    entries = [e for f, e in sorted(entries.items()) if f.startswith(ROOT) and not f.startswith(build)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, found in pool.map(lambda e: examine(commands, e, common), entries):
            if found is not None:
                failed += 1
                print(f"{name}:\n{found}", flush=True)
    print(f"tidy: {len(entries)} files, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
