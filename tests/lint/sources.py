"""What the lint rules see of a source file: its includes and its functions, found without a compiler."""

import os
import re
import subprocess

CODE = (".h", ".hpp", ".cpp", ".cc", ".c")
HEADERS = (".h", ".hpp")
SKIPPED_FOLDERS = {"build", ".git", ".orderd", "__pycache__"}

LITERALS_AND_COMMENTS = re.compile(
    r'R"(?P<mark>[^()\s\\]*)\(.*?\)(?P=mark)"'      # raw strings
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"         # not the separators in 1'000'000
    r"|//[^\n]*|/\*.*?\*/",
    re.DOTALL)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
NAME = re.compile(r"(operator\s*[^\w\s(]+|[\w:~]+)\s*\(")
CATCH_CASE = re.compile(r'(?:TEST_CASE|TEST_CASE_METHOD|SCENARIO|TEMPLATE_TEST_CASE)\s*\([^"]*"([^"]*)"')


def files(root):
    """Paths relative to root: what git knows or would add; without git, all that is not built."""
    git = ["git", "-c", "safe.directory=*", "-C", root]
    found = subprocess.run(git + ["ls-files", "-co", "--exclude-standard", "-z"],
                           capture_output=True, text=True)
    if found.returncode == 0:
        return sorted(p for p in found.stdout.split("\0") if p and os.path.isfile(os.path.join(root, p)))
    result = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [s for s in subfolders if s not in SKIPPED_FOLDERS]
        result += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(result)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def includes(text):
    """[(line, what is included)]"""
    return [(line_of(text, m.start(1)), m.group(1)) for m in INCLUDE.finditer(text)]


def bare(text):
    """The same text, line for line, without comments, preprocessor lines and the contents of literals."""
    def blank(match):
        literal = match.group(0)
        return ("" if literal.startswith(("//", "/*")) else '""') + "\n" * literal.count("\n")
    text = LITERALS_AND_COMMENTS.sub(blank, text)
    return PREPROCESSOR.sub(lambda m: "\n" * m.group(0).count("\n"), text)


def functions(text):
    """[(line, name, lines from head to closing brace)]. Lambdas and local types belong to their function."""
    code, lines = bare(text), text.split("\n")
    result, containers, head, position = [], 0, 0, 0
    while position < len(code):
        c = code[position]
        if c == ";":
            head = position + 1
        elif c == "}":
            containers -= 1
            head = position + 1
        elif c == "{":
            signature = code[head:position]
            is_function = "(" in signature and not signature.rstrip().endswith(("=", ","))
            if not is_function and (CONTAINER.search(signature) or not signature.strip()):
                containers += 1
                head = position + 1
            else:
                position = closing_brace(code, position)
                following = code[position + 1:].lstrip()[:1]
                if is_function and following not in (",", "{"):      # else: a member initialised with braces
                    begin = head + len(signature) - len(signature.lstrip())
                    result.append(measure(code, lines, begin, position, signature))
                    head = position + 1
        position += 1
    return result


CLASS_HEAD = re.compile(r"\b(?:class|struct)\s+(?:\w+::)*(\w+)(?:\s+final)?[^;{}()=]*\{")


def classes(text):
    """[(line, name, methods)]: what a class declares or defines in its own body, not in nested ones."""
    code, result = bare(text), []
    for head in CLASS_HEAD.finditer(code):
        begin = head.end()
        methods, braces, brackets, declaration = 0, 0, 0, ""
        for c in code[begin:closing_brace(code, begin - 1)]:
            brackets += {"(": 1, ")": -1}.get(c, 0) if braces == 0 else 0
            if braces == 0 and brackets == 0 and c in ";{":
                methods += methods_of(declaration)
                declaration = ""
            elif braces == 0 and c != "}":
                declaration += c
            if brackets == 0:
                braces += {"{": 1, "}": -1}.get(c, 0)
        result.append((line_of(code, head.start()), head.group(1), methods))
    return result


def methods_of(declaration):
    """How many functions one declaration of a class's body declares: "void a(), b(int)" declares two."""
    words = re.sub(r"\b(public|private|protected)\s*:", "", declaration).strip()
    if re.match(r"(using|friend|typedef|static_assert|class|struct|enum|union)\b", words):
        return 0
    flat = re.sub(r"<[^<>]*>", "", re.sub(r"<[^<>]*>", "", words))
    inner = ""
    while flat != inner:        # every pair of parentheses becomes one mark, from the innermost outwards
        inner, flat = flat, re.sub(r"\([^()]*\)", "\x01", flat)
    head = re.sub(r"noexcept\s*\x01", "", flat.split(" : ")[0])
    if "operator" not in head:
        head = head.split("=")[0]
    return len(re.findall(r"\w\s*\x01|operator[^\w\s]*\s*\x01", head))


def closing_brace(code, position):
    depth = 0
    for brace in re.compile("[{}]").finditer(code, position):
        depth += 1 if brace.group(0) == "{" else -1
        if depth == 0:
            return brace.start()
    return len(code) - 1


def measure(code, lines, begin, end, signature):
    first, last = line_of(code, begin), line_of(code, end)
    case = CATCH_CASE.search("\n".join(lines[first - 1:first + 2]))
    named = NAME.search(signature)
    name = case.group(1) if case else named.group(1) if named else "?"
    return first, name, last - first + 1
