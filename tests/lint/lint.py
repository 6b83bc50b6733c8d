#!/usr/bin/env python3
"""The rules of this repository that no compiler knows: who may include whom, how large things may get.

    lint.py            judge all sources; ends with 1 if a rule is broken
    lint.py --list     only list the C and C++ files
    lint.py --update   lower the entries of ratchet.txt to the present sizes, drop those that became small
    lint.py --accept   also raise entries and add new ones: the exception, to be explained in the commit
"""

import argparse
import os
import re
import sys

import sources

# host/<folder> may include itself and these: what it does include, no more (lint.py looks). Its library may
# link theirs. host/*.cpp may include all.
MAY_INCLUDE = {
    "base": "",
    "model": "base",
    "config": "base",
    "store": "base",
    "health": "base store",
    "outbox": "base model store",
    "bus": "model",
    "bus/kafka": "base bus model",
    "bus/log_backed": "base bus outbox store",
    "bus/pglog": "base bus outbox store",
    "plugin_ports": "base model store",
    "plugin_host": "base model plugin_ports store",
    "auth": "base model store",
    "intake": "base model outbox store",
    "relay": "base bus outbox store",
    "saga/core": "base model",
    "saga/storage": "base model outbox plugin_ports saga/core store",
    "saga/admission": "base saga/storage",
    "saga/routing": "base model plugin_ports saga/core",
    "saga/engine": "base bus model plugin_ports saga/admission saga/core saga/routing saga/storage",
    "webhooks": "base model plugin_ports saga/storage store",
    "reconcile": "base model plugin_ports saga/core saga/storage store",
    "plugin_rollout": "base plugin_host store",
    "admin": "auth base model outbox plugin_host plugin_ports saga/core saga/routing saga/storage store",
    "projection": "base bus model outbox plugin_ports store",
    "sse": "base bus model outbox store",
    "http/front": "base",
    "http": "admin auth base http/front intake model outbox plugin_host sse store webhooks",
    "catalog": "http model plugin_ports store",
    "app": "admin auth base bus/kafka bus/log_backed bus/pglog catalog config health http http/front intake "
           "outbox plugin_host plugin_ports plugin_rollout projection reconcile relay saga/core saga/engine "
           "saga/routing saga/storage sse store webhooks",
    "orderctl": "admin app auth base config model outbox plugin_host plugin_ports projection reconcile "
                "saga/core saga/routing store",
}

# Headers that only these folders may see, so that what they wrap can be replaced. Tests may see all.
FENCES = [
    (r"librdkafka/", "host/bus/kafka"),
    (r"Poco/Net/(HTTPServer|HTTPRequestHandler|TCPServer|ServerSocket)", "host/http host/sse plugins"),
    (r"Poco/Data/", "host/store plugins"),
    (r"libpq-fe\.h|libpq/|postgresql/", "host/store host/config plugins plugin-api"),
    (r"prometheus/|systemd/", "host/base"),
    (r"boost/dll", "host/plugin_host"),
    (r"curl/", "host/plugin_host"),
    (r"orderd/", "host/plugin_host plugins plugin-api"),
]

HEADER_LINES_MAX = 120
SOURCE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
CLASS_METHODS_MAX = 30
LINE_COLUMNS_MAX = 110
ALSO_LINE_CHECKED = (".py", ".sh")

# Names that the field's standard terms have replaced (path prefix, word): they do not come back.
OLD_WORDS = [(prefix, re.compile(rf"\b(?:{words})\b")) for prefix, words in (
    ("host/saga/", "Turn|Gate|Breaker|Window|Served|Draft|Drafts|Parked|told_until|hinted|doubted|held_until|"
                   "lost_until|turn_round|hold_back|left_alone_|again_|over_"),
    ("host/http/", "Gate|Taken|face_of|AddressCaps|ReturnQueue"),
    ("host/webhooks/", "Lane|Kept"),
    ("host/admin/", "Teller|Wish"),
    ("host/plugin_rollout/", "Keeper|swap::"),
    ("plugins/", "Desk|Book|Ledger|Link|Buyers|Inquiries|Courier|News|Memory"))]
LEFT_BEHIND = re.compile(r"\b(TO" r"DO\b|FIX" r"ME\b|X" r"XX(?=[:(]))")
TEXT = sources.CODE + (".py", ".sh", ".cmake", ".txt", ".js", ".css", ".html", ".sql", ".md", ".properties")

MODULE = re.compile(r"orderd_module\((\w+)\s+LINKS\s+([^)]*)\)")

RATCHET = "tests/lint/ratchet.txt"
RATCHET_HEAD = """# What is larger than the aim (lines: header 120, source 400, function 70; columns: 110;
# methods of a class: 30).
# An entry may only shrink (lint.py --update). Larger, or a new entry: only with a reason (lint.py --accept).
"""


def folder_of(path):
    """The entry of MAY_INCLUDE that owns a path below host/, or None."""
    parts = path.split("/")[:-1]
    for length in range(len(parts), 0, -1):
        if "/".join(parts[:length]) in MAY_INCLUDE:
            return "/".join(parts[:length])
    return None


def is_below(path, folders):
    return any(path.startswith(folder + "/") for folder in folders.split())


def check_fences(path, line, included):
    if is_below(path, "tests"):
        return
    for pattern, folders in FENCES:
        if re.match(pattern, included) and not is_below(path, folders):
            yield f"{path}:{line}: <{included}> may be included only below {' and '.join(folders.split())}"


def check_direction(root, path, line, included):
    """Includes below host/ go one way; plugins and the API that they are built on never include the host."""
    if ".." in included.split("/"):
        yield f'{path}:{line}: "{included}" climbs out of its folder; write the path from host/'
        return
    target = folder_of(included)
    if target is None or not os.path.isfile(os.path.join(root, "host", included)):
        return
    if is_below(path, "plugins plugin-api"):
        yield f'{path}:{line}: "{included}" belongs to the host; plugins see plugin-api/ only'
    elif is_below(path, "host") and path.count("/") > 1:
        own = folder_of(path[len("host/"):])
        if own and target != own and target not in MAY_INCLUDE[own].split():
            yield (f'{path}:{line}: {own}/ must not include "{included}"; it may include: '
                   f"{MAY_INCLUDE[own] or 'nothing of the project'}")


def check_folder(path):
    if is_below(path, "host") and path.count("/") > 1 and folder_of(path[len("host/"):]) is None:
        yield f"{path}:1: a folder that lint.py does not know; give it its line in MAY_INCLUDE"


def check_permissions(root):
    """Whether each folder's entry in MAY_INCLUDE says what it includes, and its library links no more."""
    used, libraries = {folder: set() for folder in MAY_INCLUDE}, {}
    for path in sources.files(root):
        own = folder_of(path[len("host/"):]) if is_below(path, "host") else None
        if own is None or not path.endswith(sources.CODE + ("/CMakeLists.txt",)):
            continue
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            text = file.read()
        if path.endswith(sources.CODE):
            used[own] |= {folder_of(included) for _, included in sources.includes(text)
                          if os.path.isfile(os.path.join(root, "host", included))}
            continue
        for name, links in MODULE.findall(text):
            libraries[name] = (path, own, re.findall(r"\borderd_(\w+)", links))
    for folder, targets in used.items():
        for target in sorted(set(MAY_INCLUDE[folder].split()) - targets):
            yield f"tests/lint/lint.py:1: {folder}/ includes nothing of {target}/: take it out of MAY_INCLUDE"
    for path, own, links in libraries.values():
        for link in links:
            if link in libraries and libraries[link][1] not in MAY_INCLUDE[own].split():
                yield f"{path}:1: links orderd_{link}, though {own}/ includes none of {libraries[link][1]}/"


def check_words(path, text):
    for match in LEFT_BEHIND.finditer(text):
        yield f"{path}:{sources.line_of(text, match.start())}: '{match.group(1)}': do it, or open an issue"
    if path.endswith(sources.CODE):
        code = sources.bare(text)
        for prefix, words in OLD_WORDS:
            for match in words.finditer(code) if path.startswith(prefix) else ():
                line = sources.line_of(code, match.start())
                yield f"{path}:{line}: the name '{match.group(0)}' is replaced: docs/architecture.md, Words"


def sizes(path, text):
    """Yields (what, line, size, aim) for all that is too large. `what` is the key in the ratchet."""
    lines = text.split("\n")
    longest = max(range(len(lines)), key=lambda i: len(lines[i]))
    if len(lines[longest]) > LINE_COLUMNS_MAX:
        yield f"{path} line", longest + 1, len(lines[longest]), LINE_COLUMNS_MAX
    if not path.endswith(sources.CODE):
        return
    aim = HEADER_LINES_MAX if path.endswith(sources.HEADERS) else SOURCE_LINES_MAX
    if text.count("\n") > aim:
        yield f"{path} file", 1, text.count("\n"), aim
    for line, name, size in sources.functions(text):
        if size > FUNCTION_LINES_MAX:
            yield f"{path} function {name}", line, size, FUNCTION_LINES_MAX
    for line, name, methods in sources.classes(text):
        if methods > CLASS_METHODS_MAX:
            yield f"{path} methods of {name}", line, methods, CLASS_METHODS_MAX


def read_ratchet(root):
    path = os.path.join(root, RATCHET)
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        entries = [line.rsplit(" ", 1) for line in file if not line.startswith("#")]
    return {what: int(size) for what, size in entries}


def write_ratchet(root, entries):
    with open(os.path.join(root, RATCHET), "w", encoding="utf-8") as file:
        file.write(RATCHET_HEAD + "".join(f"{what} {size}\n" for what, size in sorted(entries.items())))


def check_sizes(large, ratchet):
    for what, (line, size, aim) in large.items():
        path, _, kind = what.partition(" ")
        unit = "columns" if kind == "line" else "of them" if kind.startswith("methods") else "lines"
        if what not in ratchet:
            yield f"{path}:{line}: {kind}: {size} {unit}, at most {aim}"
        elif size > ratchet[what]:
            yield f"{path}:{line}: {kind}: grew from {ratchet[what]} to {size} {unit}; it may only shrink"


def updated(large, ratchet, accept):
    """The ratchet after --update or --accept."""
    present = {what: size for what, (_, size, _) in large.items()}
    if accept:
        return present
    return {what: min(size, present[what]) for what, size in ratchet.items() if what in present}


def examine(root):
    """(messages of the rules without ratchet, {what: (line, size, aim)} of all that is too large)"""
    messages, large = [], {}
    for path in sources.files(root):
        if not path.endswith(TEXT):
            continue
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            text = file.read()
        messages += check_words(path, text)
        if path.endswith(sources.CODE):
            messages += check_folder(path)
            for line, included in sources.includes(text):
                messages += check_fences(path, line, included)
                messages += check_direction(root, path, line, included)
        if path.endswith(sources.CODE + ALSO_LINE_CHECKED):
            for what, line, size, aim in sizes(path, text):
                if what not in large or large[what][1] < size:
                    large[what] = (line, size, aim)
    return messages, large


def main():
    raw = argparse.RawDescriptionHelpFormatter
    options = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    options.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."))
    for flag in ("--list", "--update", "--accept"):
        options.add_argument(flag, action="store_true")
    chosen = options.parse_args()
    root = os.path.realpath(chosen.root)
    if chosen.list:
        print("\n".join(path for path in sources.files(root) if path.endswith(sources.CODE)))
        return 0
    messages, large = examine(root)
    ratchet = read_ratchet(root)
    if chosen.update or chosen.accept:
        ratchet = updated(large, ratchet, chosen.accept)
        write_ratchet(root, ratchet)
    messages += list(check_permissions(root)) + list(check_sizes(large, ratchet))
    print("\n".join(messages + [f"lint: {len(messages)} findings" if messages else "lint: all rules hold"]))
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
