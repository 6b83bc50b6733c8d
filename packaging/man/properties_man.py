#!/usr/bin/env python3
"""properties_man.py VERSION FILE: orderd.properties as a man page, so that each setting has one text."""

import re
import sys

HEAD = """.TH ORDERD.PROPERTIES 5 "" "orderd {version}" "orderd"
.SH NAME
orderd.properties \\- the settings of orderd and orderctl
.SH DESCRIPTION"""
TAIL = """.SH SEE ALSO
\\fBorderd\\fR(8), \\fBorderctl\\fR(1)"""


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def page(lines):
    for line in lines:
        section = re.match(r"# --- (.*?) -+$", line)
        setting = re.match(r"#?([a-z][\w.<>]* = ?.*)$", line)
        if section:
            yield ".SH " + section.group(1).upper()
        elif setting:
            yield ".RS 4\n.nf\n.B " + roff(setting.group(1)) + "\n.fi\n.RE"
        elif line.startswith("# "):
            yield roff(line[2:])
        else:
            yield ".PP"


def main():
    version, file = sys.argv[1:]
    with open(file, encoding="utf-8") as text:
        lines = text.read().splitlines()
    print(HEAD.format(version=version))
    print("\n".join(page(lines)))
    print(TAIL)


if __name__ == "__main__":
    main()
